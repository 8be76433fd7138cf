"""Fields that came as text (a query, a form, the parts of a multipart body) as the JSON that they stand for.

Names nest by brackets, as the API's clients write them: `include[]=a`, `created_at[gt]=1`, `items[0][id]=x`. Text
becomes what its schema asks for where it can; where it cannot, it stays text, and the schema says what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from replayproxy.core.bodies import parse_json

__all__ = ["Definitions", "structure", "typed"]

Definitions = Mapping[str, Any]

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)\Z")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?\Z")
#: Python refuses to read endless digits; so many are enough to be too many.
_DIGITS = 40
_WORDS: Mapping[str, Any] = {"true": True, "false": False, "null": None}
#: A name nests no deeper; what is deeper is a name like any other.
_DEPTH = 16
#: Schemas are followed so far: unions in unions in references.
_FOLLOWED = 20


def structure(fields: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The values by their names, nested as these say; a name given twice makes a list."""
    found: dict[str, Any] = {}
    for name, value in fields:
        _put(found, _steps(name), value)
    return {name: _settled(value) for name, value in found.items()}


def typed(value: Any, schema: Any, definitions: Definitions) -> Any:
    """`value` (text, or lists and mappings of it) as the JSON that `schema` asks for."""
    branches = tuple(_branches(schema, definitions, _FOLLOWED))
    types = {each for branch in branches for each in _types(branch)}
    if isinstance(value, dict):
        return {name: typed(each, _property(branches, name), definitions) for name, each in value.items()}
    if isinstance(value, list):
        if "array" not in types and types and value:
            return typed(value[-1], schema, definitions)  # given more than once: the last one counts
        return [typed(each, _items(branches), definitions) for each in value]
    if not isinstance(value, str) or not types or any(_takes_text(value, branch) for branch in branches):
        return value
    if "array" in types:
        return [typed(value, _items(branches), definitions)]
    return _scalar(value, types)


def _takes_text(text: str, schema: Mapping[str, Any]) -> bool:
    """Whether `schema` takes text, and, where it lists its values, this one."""
    return "string" in _types(schema) and text in schema.get("enum", [schema.get("const", text)])


def _scalar(text: str, types: set[str]) -> Any:
    number = _NUMBER.match(text)
    if number and types & {"integer", "number"}:
        return int(text[:_DIGITS]) if text.lstrip("-").isdigit() else float(text)
    if text in _WORDS and types & {"boolean", "null"}:
        return _WORDS[text]
    if "object" in types:
        try:
            return parse_json(text.encode())
        except ValueError:
            return text
    return text


def _steps(name: str) -> list[str]:
    match = _NAME.match(name)
    if match is None or match[2].count("[") > _DEPTH:
        return [name]
    return [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]


class _Several(list[Any]):
    """The values of a name that was given more than once, or with `[]`."""


def _put(into: dict[str, Any], steps: list[str], value: Any) -> None:
    name, *rest = steps
    if not rest or rest == [""]:
        there = into.get(name)
        if isinstance(there, _Several):
            there.append(value)
        elif there is None and not rest:
            into[name] = value
        else:
            into[name] = _Several([value] if there is None else [there, value])
        return
    inner = into.get(name)
    if not isinstance(inner, dict):
        inner = into[name] = {} if inner is None else {"": inner}
    _put(inner, rest, value)


def _settled(value: Any) -> Any:
    if isinstance(value, _Several):
        return [_settled(each) for each in value]
    if not isinstance(value, dict):
        return value
    items = {name: _settled(each) for name, each in value.items()}
    if items and all(name == "" or name.isdecimal() for name in items):
        return list(items.values())
    return items


def _branches(schema: Any, definitions: Definitions, depth: int) -> Iterator[Mapping[str, Any]]:
    """The schemas that a value may follow: unions and references followed."""
    if not isinstance(schema, Mapping) or not depth:
        return
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        yield from _branches(definitions.get(name), definitions, depth - 1)
    for each in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from _branches(each, definitions, depth - 1)
    yield schema


def _types(schema: Mapping[str, Any]) -> Iterator[str]:
    given = schema.get("type")
    if given is not None:
        yield from [given] if isinstance(given, str) else given
    elif "enum" in schema or "const" in schema:
        yield from ("string" for each in schema.get("enum", [schema.get("const")]) if isinstance(each, str))


def _property(branches: Iterable[Mapping[str, Any]], name: str) -> Any:
    for branch in branches:
        if name in branch.get("properties", {}):
            return branch["properties"][name]
    return next((branch["additionalProperties"] for branch in branches if "additionalProperties" in branch), None)


def _items(branches: Iterable[Mapping[str, Any]]) -> Any:
    return next((branch["items"] for branch in branches if "items" in branch), None)
