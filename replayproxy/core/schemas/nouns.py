"""What a schema takes, in words: kinds of values, and the strings that it lists."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from replayproxy.core.schemas.closing import parts

__all__ = ["listed", "nouns", "options", "spelled"]

_NOUNS = {"number": "decimal"}


def nouns(schema: object, document: object) -> list[str]:
    """The kinds of values that `schema` takes: "string", "array of objects". None is told for null beside others."""
    found = list(dict.fromkeys(_nouns(schema, document)))
    return [noun for noun in found if noun != "null"] or found


def options(schema: Mapping[str, Any]) -> list[Any] | None:
    """The values that `schema` itself lists, if it does."""
    if "const" in schema:
        return [schema["const"]]
    listed = schema.get("enum")
    return listed if isinstance(listed, list) else None


def listed(schema: object, document: object) -> list[Any] | None:
    """The strings (and null) that `schema` takes, None when it takes other values too."""
    found: list[Any] = []
    for part in parts(schema, document):
        own = options(part)
        if own is not None:
            found += own
        elif part.get("type") == "null":
            found.append(None)
        elif part.keys().isdisjoint(("$ref", "allOf", "anyOf", "oneOf")):
            return None
    return found if found and all(isinstance(each, str | None) for each in found) else None


def spelled(values: Iterable[Any]) -> list[str]:
    """Listed values as a sentence has them: each once, null left out."""
    return list(
        dict.fromkeys(each if isinstance(each, str) else json.dumps(each) for each in values if each is not None)
    )


def _nouns(schema: object, document: object) -> Iterator[str]:
    for part in parts(schema, document):
        for kind in _kinds(part):
            yield _array(part, document) if kind == "array" else _NOUNS.get(kind, kind)


def _kinds(part: Mapping[str, Any]) -> list[str]:
    """The JSON types that `part` itself names."""
    kinds = part.get("type")
    if kinds is not None:
        return [kinds] if isinstance(kinds, str) else list(kinds)
    own = options(part)
    if own is not None:
        return [_kind(each) for each in own]
    return ["object"] if "properties" in part else []


def _kind(value: object) -> str:
    kinds = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array"), (dict, "object"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "null")


def _array(part: Mapping[str, Any], document: object) -> str:
    """ "array of objects", or "array" where its items are of several kinds."""
    kinds = {kind for item in parts(part.get("items"), document) for kind in _kinds(item)}
    if len(kinds) != 1:
        return "array"
    kind = kinds.pop()
    return f"array of {_NOUNS.get(kind, kind)}s"
