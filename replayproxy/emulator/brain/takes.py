"""Whether a JSON Schema takes a value, for a schema as a whole and for what stands inside it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from jsonschema_rs import Registry, Validator

__all__ = ["SchemaRoot"]

_ROOT = "urn:replayproxy:root"


class SchemaRoot:
    """A whole schema: finds what its references mean, and says which values it, or a part of it, takes."""

    def __init__(self, schema: Any) -> None:
        named = isinstance(schema, Mapping) and "$id" in schema
        self.schema = {word: value for word, value in schema.items() if word != "$id"} if named else schema
        self._validators: dict[str, Validator | None] = {}
        self._registry: Registry | None = None

    def target(self, ref: str) -> Any:
        """What a reference means; what leads nowhere asks for nothing."""
        if ref == "#" or ref.startswith("#/"):
            return self._pointed(unquote(ref[1:]))
        name = ref.removeprefix("#")
        found = (each for each in _schemas(self.schema) if name in (each.get("$anchor"), each.get("$id")))
        return next(found, {})

    def refs(self) -> set[str]:
        """All references there are."""
        return {each["$ref"] for each in _schemas(self.schema) if isinstance(each.get("$ref"), str)}

    def takes(self, schema: Any, value: Any) -> bool:
        """Whether a schema that refers to this one takes a value; one that makes no sense takes all."""
        key = json.dumps(schema, sort_keys=True, default=str)
        if key not in self._validators:
            self._validators[key] = self._compiled(_pinned(schema))
        validator = self._validators[key]
        return validator is None or validator.is_valid(value)

    def _compiled(self, schema: Any) -> Validator | None:
        import jsonschema_rs  # here, since it takes long to load

        try:
            if self._registry is None:
                self._registry = jsonschema_rs.Registry([(_ROOT, self.schema)])
            if isinstance(self.schema, Mapping) and isinstance(schema, Mapping) and "$schema" in self.schema:
                schema = {"$schema": self.schema["$schema"], **schema}
            return jsonschema_rs.validator_for(schema, registry=self._registry, validate_formats=True, offline=True)
        except (ValueError, TypeError):
            return None

    def _pointed(self, pointer: str) -> Any:
        found = self.schema
        for step in pointer.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, Mapping) and name in found:
                found = found[name]
            elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
                found = found[int(name)]
            else:
                return {}
        return found


def _schemas(value: Any) -> Iterator[Mapping[str, Any]]:
    """All mappings inside a schema."""
    if isinstance(value, Mapping):
        yield value
        for inside in value.values():
            yield from _schemas(inside)
    elif isinstance(value, list | tuple):
        for inside in value:
            yield from _schemas(inside)


def _pinned(value: Any) -> Any:
    """A part of the schema, its references made to lead to the whole."""
    if isinstance(value, Mapping):
        return {word: _pinned_ref(inside) if word == "$ref" else _pinned(inside) for word, inside in value.items()}
    return [_pinned(inside) for inside in value] if isinstance(value, list | tuple) else value


def _pinned_ref(ref: Any) -> Any:
    return f"{_ROOT}{ref}" if isinstance(ref, str) and ref.startswith("#") else _pinned(ref)
