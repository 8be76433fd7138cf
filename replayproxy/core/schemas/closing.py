"""The two documents a schema is compiled from: the schema as it is, and its closed variant.

Rules of closing:
1. An object schema with `properties` and no word on others (`additionalProperties`, `unevaluatedProperties`) takes no
   others.
2. Where one object is described in several places (`properties` beside `anyOf`, members of an `allOf`), the whole is
   closed and not its parts. A definition used as a part has a second, open variant, `NAME.part`.
3. `not` is left alone: to close inside it would open outside it.
4. A document holds only the definitions that its schema can reach; compiling costs by size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

__all__ = ["LISTED", "NAMED", "SINGLE", "closed_document", "open_document", "parts", "target"]

_REFS = "#/$defs/"
_PART = ".part"
#: Keywords that hold schemas: one, a list of them, or some by name.
SINGLE = frozenset(
    (
        *("additionalProperties", "contains", "else", "if", "items", "propertyNames", "then"),
        *("unevaluatedItems", "unevaluatedProperties"),
    )
)
LISTED = frozenset(("allOf", "anyOf", "oneOf", "prefixItems"))
NAMED = frozenset(("dependentSchemas", "patternProperties", "properties"))
#: Those whose schemas are about the same value as the schema that they stand in.
IN_PLACE = ("allOf", "anyOf", "oneOf", "if", "then", "else", "dependentSchemas")


def open_document(form: Mapping[str, Any] | bool, definitions: Mapping[str, Any]) -> dict[str, Any] | bool:
    """`form` as it is, with the definitions that it reaches."""
    if isinstance(form, bool):
        return form
    return {**form, "$defs": {name: definitions[name] for name in _reachable(form, definitions)}}


def closed_document(form: Mapping[str, Any] | bool, definitions: Mapping[str, Any]) -> dict[str, Any] | bool:
    """The same, closed by the rules above."""
    if isinstance(form, bool):
        return form
    return _Closing(definitions).document(form)


def target(ref: object, document: object) -> Any:
    """What a reference in `document` refers to, None when there is no such thing."""
    if ref == "#" or not isinstance(document, Mapping):
        return document
    return document["$defs"].get(_name(ref))


def parts(schema: object, document: object, seen: frozenset[int] = frozenset()) -> Iterator[Mapping[str, Any]]:
    """`schema` and all the schemas that are about the same value: its definition, its branches, its parts."""
    if not isinstance(schema, Mapping) or id(schema) in seen:
        return
    seen |= {id(schema)}
    yield schema
    for child in _in_place(schema):
        yield from parts(child, document, seen)
    if "$ref" in schema:
        yield from parts(target(schema["$ref"], document), document, seen)


class _Closing:
    """Closes one schema and the definitions that it reaches, each once."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._document = {"$defs": definitions}
        self._wanted: list[tuple[str, bool]] = []

    def document(self, form: Mapping[str, Any]) -> dict[str, Any]:
        """The closed document of `form`."""
        root = self._close(form, part=False)
        done: dict[str, Any] = {}
        while self._wanted:
            name, part = self._wanted.pop()
            key = name + _PART if part else name
            if key not in done and name in self._document["$defs"]:
                done[key] = True  # holds the place: definitions refer to themselves
                done[key] = self._close(self._document["$defs"][name], part=part)
        return {**root, "$defs": done}

    def _close(self, schema: Any, *, part: bool) -> Any:
        """`schema` closed; as a `part` it leaves the closing to the schema that it is a part of."""
        if not isinstance(schema, Mapping):
            return schema
        settled = part or "additionalProperties" in schema or "unevaluatedProperties" in schema
        spread = self._is_spread(schema)
        copy = {word: self._close_keyword(word, held, settled or spread) for word, held in schema.items()}
        if spread and not settled:
            copy["unevaluatedProperties"] = False
        elif "properties" in schema and not settled:
            copy["additionalProperties"] = False
        return copy

    def _close_keyword(self, word: str, held: Any, part: bool) -> Any:
        inside = part and word in IN_PLACE
        if word == "$ref":
            return self._refer(held, part)
        if word in SINGLE:
            return self._close(held, part=inside or word == "if")
        if word in LISTED and isinstance(held, list):
            return [self._close(each, part=inside) for each in held]
        if word in NAMED and isinstance(held, Mapping):
            return {name: self._close(each, part=inside) for name, each in held.items()}
        return held

    def _refer(self, ref: Any, part: bool) -> Any:
        name = _name(ref)
        if name is None:
            return ref
        self._wanted.append((name, part))
        return f"{ref}{_PART}" if part else ref

    def _is_spread(self, schema: Mapping[str, Any]) -> bool:
        """Whether one object is described in several places here."""
        if not ("allOf" in schema or ("properties" in schema and not schema.keys().isdisjoint((*IN_PLACE, "$ref")))):
            return False
        return any("properties" in each for each in parts(schema, self._document) if each is not schema)


def _reachable(form: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, None]:
    """The names of the definitions that `form` refers to, and those refer to; in the order of finding."""
    found: dict[str, None] = {}
    waiting: list[Any] = [form]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            waiting.extend(node.values())
            name = _name(node.get("$ref"))
            if name is not None and name in definitions and name not in found:
                found[name] = None
                waiting.append(definitions[name])
        elif isinstance(node, list):
            waiting.extend(node)
    return found


def _in_place(schema: Mapping[str, Any]) -> Iterator[Any]:
    for word in IN_PLACE:
        held = schema.get(word)
        if word in LISTED and isinstance(held, list):
            yield from held
        elif word in NAMED and isinstance(held, Mapping):
            yield from held.values()
        else:
            yield held


def _name(ref: Any) -> str | None:
    """The definition that a reference names: `#/$defs/NAME`, with what JSON pointers escape."""
    if not isinstance(ref, str) or not ref.startswith(_REFS):
        return None
    return unquote(ref.removeprefix(_REFS)).replace("~1", "/").replace("~0", "~")
