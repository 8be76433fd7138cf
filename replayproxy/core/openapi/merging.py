"""Schemas that hold together (`allOf`) made into one, and unions made short.

Rules:
1. Schemas here are JSON Schema 2020-12 in catalog form: refs `#/$defs/NAME`, no `oneOf`, no prose.
2. Merging loses nothing: what cannot be said in one schema stays an `allOf`; what nothing can satisfy is None.
3. Objects that must be known whole (to refuse unknown fields) are: `properties` beside a union whose branches have
   some of their own go into each branch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from replayproxy.errors import ConfigError

__all__ = ["Merger", "Schema", "in_order", "nullable", "same", "union"]

Schema = dict[str, Any]

#: Keywords in the order in which a catalog has them.
_ORDER = (
    *("$ref", "type", "const", "enum", "format", "pattern", "minLength", "maxLength"),
    *("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"),
    *("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
    *("required", "properties", "patternProperties", "propertyNames", "additionalProperties"),
    *("prefixItems", "items", "not", "anyOf", "allOf"),
)
_RANK = {keyword: rank for rank, keyword in enumerate(_ORDER)}
_NULL: Schema = {"type": "null"}
#: Unions are multiplied out up to so many branches, schemas merged so deep; beyond that they stay beside one another.
_BRANCHES, _DEEP, _MERGES = 24, 20, 20_000
#: Unions within unions that are looked into for properties.
_UNIONS = 4


class _BothError(Exception):
    """Both values count, and no single one says the same."""


class _NeverError(Exception):
    """Nothing satisfies both values."""


class Merger:
    """Merges schemas; `resolve` gives the schema that a ref means, or None while that is still being made."""

    def __init__(self, resolve: Callable[[str], Schema | None]) -> None:
        self._resolve = resolve
        self._merges = 0
        self._depth = 0

    def merged(self, schemas: Iterable[Schema], at: str) -> Schema:
        """One schema that takes what all of `schemas` take. `at` is where they stand."""
        members = list(schemas)
        result: Schema | None = {}
        for member in members:
            result = self._pair(result, member, at) if result is not None else None
        return {"allOf": [member for member in members if member]} if result is None else result

    def _pair(self, one: Schema, other: Schema, at: str) -> Schema | None:
        if not other or same(one, other):
            return one
        if not one:
            return other
        self._merges += 1
        if self._merges > _MERGES:
            raise ConfigError(f"{at}: more than {_MERGES} schemas to merge; this is no description of an API.")
        first, second = self.opened(one), self.opened(other)
        if first is None or second is None or self._depth > _DEEP:
            return {"allOf": [one, other]}
        self._depth += 1
        try:
            result = self.spread(self._combined(first, second, at), at)
        except _NeverError:
            return None
        finally:
            self._depth -= 1
        return one if same(result, first) else other if same(result, second) else result

    def opened(self, schema: Schema) -> Schema | None:
        """`schema`, or what it refers to when it is a ref; None while that is being made, or leads nowhere."""
        seen = set()
        found: Schema | None = schema
        while found is not None and "$ref" in found:
            if found["$ref"] in seen:
                return None
            seen.add(found["$ref"])
            found = self._resolve(found["$ref"])
        return found

    def _combined(self, one: Schema, other: Schema, at: str) -> Schema:
        result = dict(one)
        beside: list[Schema] = []
        for keyword, value in other.items():
            if keyword not in one:
                result[keyword] = value
                continue
            try:
                result[keyword] = self._values(keyword, one[keyword], value, at)
            except _BothError:
                beside.append({keyword: value})
        if "const" in result and not any(same(result["const"], each) for each in result.pop("enum", [result["const"]])):
            raise _NeverError
        if beside:
            result["allOf"] = [*result.get("allOf", ()), *beside]
        return in_order(result)

    def _values(self, keyword: str, one: Any, other: Any, at: str) -> Any:
        if same(one, other):
            return one
        if keyword in _SCHEMAS:
            return self._must(one, other, at)
        if keyword in _MAPS:
            both = {name: self._must(one[name], value, at) if name in one else value for name, value in other.items()}
            return {**one, **both}
        if keyword == "additionalProperties":
            return self._additional(one, other, at)
        if keyword == "anyOf":
            return self._product(one, other, at)
        return _COMBINE.get(keyword, _both)(one, other)

    def _must(self, one: Schema, other: Schema, at: str) -> Schema:
        result = self._pair(one, other, at)
        if result is None:
            raise _NeverError
        return result

    def _additional(self, one: Any, other: Any, at: str) -> Any:
        if one is False or other is False:
            return False
        if one is True or other is True:
            return other if one is True else one
        return self._must(one, other, at)

    def _product(self, one: list[Schema], other: list[Schema], at: str) -> list[Schema]:
        if len(one) * len(other) > _BRANCHES:
            raise _BothError
        branches = [each for left in one for right in other if (each := self._pair(left, right, at)) is not None]
        if not branches:
            raise _NeverError
        return branches

    def spread(self, schema: Schema, at: str) -> Schema:
        """`schema` with its properties in each branch of its union, when a branch has properties of its own."""
        if "properties" not in schema or "anyOf" not in schema:
            return schema
        if not any(self._has_properties(branch) for branch in schema["anyOf"]):
            return schema
        rest = {keyword: value for keyword, value in schema.items() if keyword != "anyOf"}
        branches = [self._pair(branch, rest, at) for branch in schema["anyOf"]]
        return union(branch for branch in branches if branch is not None) or schema

    def _has_properties(self, branch: Schema, depth: int = 0) -> bool:
        opened = self.opened(branch) or {}
        if "properties" in opened or depth > _UNIONS:
            return "properties" in opened
        return any(self._has_properties(each, depth + 1) for each in opened.get("anyOf", ()))


def in_order(schema: Schema) -> Schema:
    """`schema` with its keywords in the order of the catalog."""
    return {keyword: schema[keyword] for keyword in sorted(schema, key=lambda keyword: _RANK[keyword])}


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same: unlike in Python, no boolean is a number."""
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def union(branches: Iterable[Schema]) -> Schema:
    """What takes everything that one of `branches` takes; `{}` when there is none, or one that takes anything."""
    flat: list[Schema] = []
    for branch in branches:
        for each in branch["anyOf"] if branch.keys() == {"anyOf"} else (branch,):
            if not each:
                return {}
            if not any(same(each, other) for other in flat):
                flat.append(each)
    if len(flat) == 2 and _NULL in flat:
        other = flat[0] if flat[1] == _NULL else flat[1]
        return {"anyOf": [other, _NULL]} if _compound(other) else nullable(other)
    return {"anyOf": flat} if len(flat) > 1 else flat[0] if flat else {}


def nullable(schema: Schema) -> Schema:
    """What takes what `schema` takes, and null."""
    if schema.keys() == {"anyOf"}:
        return schema if _NULL in schema["anyOf"] else {"anyOf": [*schema["anyOf"], _NULL]}
    if _compound(schema):
        return {"anyOf": [schema, _NULL]}
    result = dict(schema)
    if "type" in result:
        types = _types(result["type"])
        result["type"] = result["type"] if "null" in types else [*types, "null"]
    if "const" in result and result["const"] is not None:
        result["enum"] = [result.pop("const"), None]
    elif "enum" in result and None not in result["enum"]:
        result["enum"] = [*result["enum"], None]
    return in_order(result)


def _compound(schema: Schema) -> bool:
    return not schema.keys().isdisjoint(("$ref", "anyOf", "allOf", "not"))


def _types(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _type(one: Any, other: Any) -> Any:
    left, right = _types(one), _types(other)
    both = [each for each in left if each in right or (each == "integer" and "number" in right)]
    both += [each for each in right if each == "integer" and "number" in left and each not in both]
    if not both:
        raise _NeverError
    return both[0] if len(both) == 1 else both


def _enum(one: list[Any], other: list[Any]) -> list[Any]:
    both = [each for each in one if any(same(each, value) for value in other)]
    if not both:
        raise _NeverError
    return both


def _never(one: Any, other: Any) -> Any:
    raise _NeverError


def _both(one: Any, other: Any) -> Any:
    raise _BothError


def _united(one: list[Any], other: list[Any]) -> list[Any]:
    return [*one, *(each for each in other if each not in one)]


_SCHEMAS = ("items", "propertyNames")
_MAPS = ("properties", "patternProperties")
_COMBINE: Mapping[str, Callable[[Any, Any], Any]] = {
    "type": _type,
    "enum": _enum,
    "const": _never,
    "required": _united,
    "allOf": _united,
    "format": lambda one, other: one,
    **dict.fromkeys(("minLength", "minItems", "minProperties", "minimum", "exclusiveMinimum"), max),
    **dict.fromkeys(("maxLength", "maxItems", "maxProperties", "maximum", "exclusiveMaximum"), min),
}
