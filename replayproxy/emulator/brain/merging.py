"""Two JSON Schemas made into one that asks for both, as far as one can say it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from math import lcm
from typing import Any, Final

__all__ = ["merged"]

_Schema = Mapping[str, Any]


def merged(*schemas: _Schema) -> dict[str, Any]:
    """One schema that asks for what all of them ask for; where that cannot be said, the last one counts."""
    return reduce(_both, schemas, {})


def _both(one: _Schema, other: _Schema) -> dict[str, Any]:
    found = dict(one)
    for word, value in other.items():
        if word in _ALONE and word in found:
            found["allOf"] = [*found.get("allOf", ()), {word: value}]
        else:
            found[word] = _JOINED.get(word, _last)(found[word], value) if word in found else value
    return found


def _last(one: Any, other: Any) -> Any:
    return other


def _listed(one: Any, other: Any) -> list[Any]:
    return [*dict.fromkeys([*one, *other])]


def _both_lists(one: Any, other: Any) -> list[Any]:
    return [*one, *other]


def _fields(one: Any, other: Any) -> dict[str, Any]:
    names = [*dict.fromkeys([*one, *other])]
    return {
        name: _sub(one[name], other[name]) if name in one and name in other else {**one, **other}[name]
        for name in names
    }


def _sub(one: Any, other: Any) -> Any:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return {"allOf": [one, other]}
    return other if one is True or (isinstance(one, Mapping) and other is False) else one


def _common_values(one: Any, other: Any) -> list[Any]:
    return [value for value in one if value in other] or list(other)


def _common_types(one: Any, other: Any) -> Any:
    kinds, others = ([each] if isinstance(each, str) else list(each) for each in (one, other))
    wide = [*others, *(["integer"] if "number" in others else [])]
    found = [kind for kind in kinds if kind in wide]
    return found or (["integer"] if "number" in kinds and "integer" in others else other)


def _larger(one: Any, other: Any) -> Any:
    return max(one, other)


def _smaller(one: Any, other: Any) -> Any:
    return min(one, other)


def _multiple(one: Any, other: Any) -> Any:
    return lcm(one, other) if isinstance(one, int) and isinstance(other, int) else max(one, other)


#: What cannot be joined with its like is kept beside.
_ALONE: Final = ("$ref", "anyOf", "oneOf", "if")
_JOINED: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "required": _listed,
    "allOf": _both_lists,
    "properties": _fields,
    "patternProperties": _fields,
    "$defs": _fields,
    "items": _sub,
    "additionalProperties": _sub,
    "enum": _common_values,
    "type": _common_types,
    "multipleOf": _multiple,
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains"), _larger),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), _smaller),
}
