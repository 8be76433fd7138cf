"""The keywords of a schema that stand for themselves, read from an OpenAPI document.

Rules:
1. Facts only: descriptions, titles, examples, defaults and extensions go, and so does a keyword whose value says
   nothing (`required: true`, a limit that is no number, a pattern that is no regular expression).
2. What is written the way of OpenAPI 3.0 comes out the way of JSON Schema 2020-12.
3. `properties` without a `type` mean an object, `items` an array, as every reader of OpenAPI takes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from replayproxy.core.openapi.merging import same

__all__ = ["is_pattern", "own_keywords", "type_names"]

_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
#: The formats that a reader can check, and the one that says that a part is bytes.
_FORMATS = ("binary", "byte", "date", "date-time", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid")
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_MISSING = object()


def own_keywords(node: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords of the schema `node` that hold no schemas, in the words of JSON Schema 2020-12."""
    found = {}
    for keyword, read in _READ.items():
        if keyword in node and (value := read(node[keyword])) is not _MISSING:
            found[keyword] = value
    if types := type_names(node):
        found["type"] = types[0] if len(types) == 1 else types
        if "object" not in types:
            found.pop("required", None)
    if "contentMediaType" in node and "contentEncoding" not in node and "string" in types:
        found.setdefault("format", "binary")  # what 3.1 has in place of format: binary
    return found | _exclusive(node, found)


def type_names(node: Mapping[str, Any]) -> list[str]:
    """The types that the schema `node` takes, its own alone; none when it takes any."""
    value = node.get("type")
    given = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    types = [each for each in _TYPES if each in given]
    if types or not isinstance(value, str | list | None):
        return sorted(types, key=given.index)
    implied = {"object": "properties", "array": "items"}
    return [name for name, keyword in implied.items() if node.get(keyword)][:1] if value is None else []


def _exclusive(node: Mapping[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """The exclusive limits; `exclusiveMinimum: true` beside `minimum: 0`, as in 3.0, is `exclusiveMinimum: 0`."""
    limits = {}
    for inclusive, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        value = node.get(exclusive)
        if value is True and inclusive in found:
            limits[exclusive] = found.pop(inclusive)
        elif _is_number(value):
            limits[exclusive] = value
    return limits


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Any) -> Any:
    return value if _is_number(value) else _MISSING


def _multiple(value: Any) -> Any:
    return value if _is_number(value) and value > 0 else _MISSING


def _count(value: Any) -> Any:
    return int(value) if _is_number(value) and value == int(value) and 0 <= value < 2**53 else _MISSING


def _true(value: Any) -> Any:
    return True if value is True else _MISSING


def _names(value: Any) -> Any:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        return _MISSING
    return list(dict.fromkeys(value)) or _MISSING


def _values(value: Any) -> Any:
    if not isinstance(value, list) or not value:
        return _MISSING
    found: list[Any] = []
    for each in value:
        if not any(same(each, other) for other in found):
            found.append(each)
    return found


def _format(value: Any) -> Any:
    return value if value in _FORMATS else _MISSING


def is_pattern(value: object) -> bool:
    """Whether `value` is a regular expression that the validator can read."""
    # The validator is the judge of what it can read, and takes a while to import.
    import jsonschema_rs

    if not isinstance(value, str):
        return False
    try:
        jsonschema_rs.Draft202012Validator({"pattern": value})
    except ValueError:
        return False
    return True


def _pattern(value: Any) -> Any:
    return value if is_pattern(value) else _MISSING


_READ: Mapping[str, Callable[[Any], Any]] = {
    "const": lambda value: value,
    "enum": _values,
    "format": _format,
    "pattern": _pattern,
    "minimum": _number,
    "maximum": _number,
    "multipleOf": _multiple,
    "uniqueItems": _true,
    "required": _names,
    **dict.fromkeys(_COUNTS, _count),
}
