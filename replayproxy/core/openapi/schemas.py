"""Schemas of an OpenAPI document in catalog form: JSON Schema 2020-12, with refs `#/$defs/NAME` alone.

Rules:
1. A schema that is referred to keeps its name and is made once, when first asked for.
2. `oneOf` is `anyOf`: the unions of real APIs are ambiguous. A discriminator's facts are the consts of the branches.
3. `allOf` becomes one schema where that can be, `nullable` a type, `$recursiveRef` an ordinary ref.
4. Whether an object with properties takes others is left to whoever checks (core/schemas/closing.py): a client may be
   newer than the description, and answers grow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from replayproxy.core.openapi.document import Document, mapping, pointer, segments
from replayproxy.core.openapi.keywords import is_pattern, own_keywords
from replayproxy.core.openapi.merging import Merger, Schema, in_order, nullable, union
from replayproxy.errors import ConfigError

__all__ = ["Schemas"]

#: Schemas within schemas, those that must be known to merge others included.
_DEEPEST = 64
#: Schemas within one schema, once merged: what holds another twice doubles, which goes fast. OpenAI has 242.
_LARGEST = 20_000
_COMPONENTS = "#/components/schemas/"
_NULLABLE_ONLY = {"nullable", "description", "title"}


class Schemas:
    """The schemas of `document`, made as they are asked for."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._names: dict[str, str] = {}
        self._pointers: dict[str, str] = {}
        self._made: dict[str, Schema | None] = {}
        self._sizes: dict[int, tuple[Schema, int]] = {}
        self._root = "#"
        self._depth = 0
        self.merger = Merger(self._meaning)

    def schema(self, node: Any, at: str) -> Schema:
        """The schema `node`, which stands at the pointer `at`, in catalog form."""
        if isinstance(node, bool):
            return {} if node else {"not": {}}
        self._depth += 1
        try:
            if self._depth > _DEEPEST:
                raise ConfigError(f"{at}: schemas nested deeper than {_DEEPEST} levels.")
            schema = self._composed(mapping(node, at), at)
            if self._size(schema) > _LARGEST:
                raise ConfigError(f"{at}: more than {_LARGEST} schemas within one, once they are merged.")
            return schema
        finally:
            self._depth -= 1

    def inline(self, node: Any, at: str) -> Schema:
        """The schema `node`, which stands in an operation and is a root of its own."""
        outer, self._root = self._root, at
        try:
            return self.schema(node, at)
        finally:
            self._root = outer

    def reachable(self, roots: Iterable[Schema]) -> dict[str, Schema]:
        """All schemas that one of `roots` refers to, and those that these refer to, by name and sorted."""
        found: dict[str, Schema] = {}
        waiting = [ref for root in roots for ref in _refs(root)]
        while waiting:
            ref = waiting.pop()
            name = ref.rpartition("/")[2]
            if name not in found:
                found[name] = self._meaning(ref) or {}
                waiting += _refs(found[name])
        _refuse_endless(found, self._pointers)
        return {name: found[name] for name in sorted(found)}

    def _size(self, schema: Schema) -> int:
        """How many schemas `schema` holds, itself included; parts that it shares count each time."""
        known = self._sizes.get(id(schema))
        if known is None:
            # The schema is kept with its size, so that no other can get its id.
            known = self._sizes[id(schema)] = schema, 1 + sum(map(self._size, _within(schema)))
        return known[1]

    def _composed(self, node: dict[str, Any], at: str) -> Schema:
        takes_null = node.get("nullable") is True
        members: list[Schema] = []
        if "$ref" in node:
            members.append(self._reference(node["$ref"], at))
        if "$ref" not in node or not self._document.old:
            members.append(in_order(self._own(node, at)))
            members += self._unions(node, at)
            for index, member in enumerate(_branches(node, "allOf", at)):
                if isinstance(member, dict) and member.get("nullable") is True and member.keys() <= _NULLABLE_ONLY:
                    takes_null = True
                else:
                    members.append(self.schema(member, pointer(at, "allOf", index)))
        schema = self.merger.merged(members, at)
        return nullable(schema) if takes_null else schema

    def _own(self, node: dict[str, Any], at: str) -> Schema:
        return {**own_keywords(node), **self._single(node, at), **self._several(node, at)}

    def _single(self, node: dict[str, Any], at: str) -> Schema:
        """The keywords that hold one schema; a negation of what is not known here would refuse everything."""
        found: Schema = {}
        for keyword in ("items", "propertyNames", "not"):
            if isinstance(node.get(keyword), dict | bool):
                schema = self.schema(node[keyword], pointer(at, keyword))
                if schema or (keyword == "not" and node[keyword] in ({}, True)):
                    found[keyword] = schema
        rest = node.get("additionalProperties")
        if rest is not None and not (rest is False and node.get("properties")):
            place = pointer(at, "additionalProperties")
            found["additionalProperties"] = rest if isinstance(rest, bool) else self.schema(rest, place) or True
        return found

    def _several(self, node: dict[str, Any], at: str) -> Schema:
        """The keywords that hold many schemas; `items` with a list is what `prefixItems` was called before 2020-12."""
        found: Schema = {}
        for keyword in ("properties", "patternProperties"):
            place = pointer(at, keyword)
            schemas = mapping(node.get(keyword, {}), place).items()
            made = {name: self.schema(each, pointer(place, name)) for name, each in schemas}
            if keyword == "patternProperties":
                made = {name: schema for name, schema in made.items() if is_pattern(name)}
            if made:
                found[keyword] = made
        for keyword in ("items", "prefixItems"):
            if isinstance(node.get(keyword), list) and node[keyword]:
                place = pointer(at, keyword)
                found["prefixItems"] = [self.schema(each, pointer(place, i)) for i, each in enumerate(node[keyword])]
        return found

    def _unions(self, node: dict[str, Any], at: str) -> Iterator[Schema]:
        for keyword in ("anyOf", "oneOf"):
            branches = enumerate(_branches(node, keyword, at))
            yield union([self.schema(each, pointer(at, keyword, index)) for index, each in branches])
        if node.get("$recursiveRef") == "#":
            yield self._reference(self._root, at)

    def _reference(self, ref: Any, at: str) -> Schema:
        self._document.at(ref, at)
        if ref not in self._names:
            name = _name(ref)
            while name in self._pointers:
                name += "_"
            self._names[ref], self._pointers[name] = name, ref
        return {"$ref": f"#/$defs/{self._names[ref]}"}

    def _meaning(self, ref: str) -> Schema | None:
        name = ref.rpartition("/")[2]
        if name not in self._made:
            self._made[name] = None
            at = self._pointers[name]
            self._made[name] = self.inline(self._document.at(at, at), at)
        return self._made[name]


def _refs(schema: Schema) -> Iterator[str]:
    """Every `$ref` in a schema in catalog form."""
    if "$ref" in schema:
        yield schema["$ref"]
    for within in _within(schema):
        yield from _refs(within)


def _within(schema: Schema) -> Iterator[Schema]:
    for keyword in ("anyOf", "allOf", "prefixItems"):
        yield from schema.get(keyword, ())
    for keyword in ("properties", "patternProperties"):
        yield from schema.get(keyword, {}).values()
    for keyword in ("items", "propertyNames", "not", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            yield schema[keyword]


def _branches(node: dict[str, Any], keyword: str, at: str) -> list[Any]:
    value = node.get(keyword, [])
    if not isinstance(value, list):
        raise ConfigError(f"{pointer(at, keyword)}: a list of schemas is expected here.")
    return value


def _name(ref: str) -> str:
    key = ref.removeprefix(_COMPONENTS)
    text = "_".join(segments(ref)) if "/" in key else segments("#/" + key)[0]
    return re.sub(r"[^A-Za-z0-9._-]", "_", text) or "_"


def _refuse_endless(schemas: dict[str, Schema], pointers: dict[str, str]) -> None:
    """ConfigError for a schema that is made of itself: to check a value against it would never end."""
    done: set[str] = set()
    for start in schemas:
        trail: list[tuple[str, Iterator[str]]] = [(start, _in_place(schemas[start]))]
        open_ = {start}
        while trail:
            name, following = trail[-1]
            after = next((each for each in following if each not in done), None)
            if after is None:
                trail.pop()
                open_.discard(name)
                done.add(name)
            elif after in open_:
                raise ConfigError(f"{pointers[after]}: a schema that is made of itself.")
            else:
                open_.add(after)
                trail.append((after, _in_place(schemas[after])))


def _in_place(schema: Schema) -> Iterator[str]:
    """The names that `schema` refers to for the very value that it is asked about."""
    if "$ref" in schema:
        yield schema["$ref"].rpartition("/")[2]
    for each in (*schema.get("anyOf", ()), *schema.get("allOf", ()), *([schema["not"]] if "not" in schema else ())):
        yield from _in_place(each)
