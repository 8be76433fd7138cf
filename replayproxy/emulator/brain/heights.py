"""How deep the flattest value of a JSON Schema is: how a value of a schema that refers to itself comes to an end."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from replayproxy.emulator.brain.takes import SchemaRoot

__all__ = ["Heights"]


class Heights:
    """The heights of a schema's parts: 0 for a plain value, infinite for what never ends."""

    def __init__(self, root: SchemaRoot) -> None:
        refs = root.refs()
        self._known: dict[str, float] = dict.fromkeys(refs, math.inf)
        for _ in refs:
            now = {ref: self.of(root.target(ref)) for ref in refs}
            if now == self._known:
                break
            self._known = now

    def of(self, schema: Any) -> float:
        """The height of a schema."""
        if not isinstance(schema, Mapping):
            return math.inf if schema is False else 0
        if "const" in schema or "enum" in schema or "null" in schema.get("type", ()):
            return 0
        parts = [self._inside(schema), *map(self.of, schema.get("allOf", ()))]
        parts += [self._known.get(schema["$ref"], 0)] if isinstance(schema.get("$ref"), str) else []
        parts += [min(map(self.of, schema[word])) for word in ("anyOf", "oneOf") if schema.get(word)]
        return max(parts)

    def _inside(self, schema: Mapping[str, Any]) -> float:
        """The height by what a value must hold."""
        fields = schema.get("properties", {})
        needed = [self.of(fields[name]) for name in schema.get("required", ()) if name in fields]
        if schema.get("minItems", 0) > 0:
            first = schema.get("prefixItems", ())
            needed += [self.of(each) for each in first] or [self.of(schema.get("items", True))]
        return 1 + max(needed) if needed else 0
