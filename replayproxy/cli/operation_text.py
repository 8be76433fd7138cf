"""An operation of a catalog for people: its parameters, body, answers and stream as an indented tree.

Rules:
1. A star marks what must be there. What a definition holds stands where it is first met; later it is only named, which
   also ends recursion.
2. A schema of another make than the importer's is told as far as it is understood.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

__all__ = ["operation_lines", "with_definitions"]

_Form = Mapping[str, Any]

_PLACES = {"path": "Path", "query": "Query", "header": "Headers"}
#: Schemas are followed so deep.
_DEEPEST = 40
_MOST_VALUES = 40
_RANGES = (
    ("minLength", "maxLength", " characters"),
    ("minItems", "maxItems", " items"),
    ("minProperties", "maxProperties", " keys"),
    ("minimum", "maximum", ""),
)
_OTHER_LIMITS = (
    ("exclusiveMinimum", "> "),
    ("exclusiveMaximum", "< "),
    ("multipleOf", "a multiple of "),
    ("pattern", "like "),
    ("format", ""),
)


def with_definitions(operation: _Form, definitions: _Form) -> dict[str, Any]:
    """The form of an operation with the definitions that it refers to, directly or not."""
    found: dict[str, Any] = {}
    waiting: list[Any] = [operation]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            name = _referred(value)
            if name in definitions and name not in found:
                found[name] = definitions[name]
                waiting.append(definitions[name])
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return {**operation, "$defs": dict(sorted(found.items()))}


def operation_lines(operation: _Form, definitions: _Form) -> list[str]:
    """All that is known of an operation, line by line; definitions are those of its catalog."""
    tree = _Tree(definitions)
    lines = [f"{operation['id']}: {operation['method']} {operation['path']}{_query(operation)}", _about(operation)]
    for place, title in _PLACES.items():
        held = [each for each in operation.get("parameters", ()) if each["in"] == place]
        lines += ["", title] if held else []
        for each in held:
            lines += tree.field(each["name"], each.get("schema", {}), each.get("required", False), 1)
    body = operation.get("body", {})
    for media, schema in body.get("content", {}).items():
        lines += ["", *tree.content(f"Body{'*' if body.get('required') else ''} as {media}", schema)]
    for status, content in operation.get("answers", {}).items():
        lines += [""] if content else ["", f"Answer {status}: no body described"]
        for media, schema in content.items():
            lines += tree.content(f"Answer {status} as {media}", schema)
    if "stream" in operation:
        lines += ["", *_stream(operation["stream"], tree)]
    return lines


def _query(operation: _Form) -> str:
    query = "&".join(f"{name}={value}" for name, value in operation.get("query", {}).items())
    return f"?{query}" if query else ""


def _about(operation: _Form) -> str:
    marks = [f"family {operation['family']}"]
    if operation.get("beta"):
        marks.append(f"takes the header OpenAI-Beta: {operation['beta']}")
    if operation.get("frozen"):
        marks.append("refuses unknown fields")
    if operation.get("deprecated"):
        marks.append("deprecated")
    if operation.get("off"):
        marks.append(f"off since {operation['off']}")
    return "; ".join(marks)


def _stream(stream: _Form, tree: _Tree) -> Iterator[str]:
    key = stream.get("key", "")
    where = {"event": "named by their event line", "": "without names"}.get(key, f"named by their field {key}")
    yield f"Stream of events {where}"
    for name, word in (("first", "begins with"), ("last", "ends with"), ("sequence", "counted by")):
        if stream.get(name):
            said = stream[name] if isinstance(stream[name], str) else " or ".join(stream[name])
            yield f"  {word} {said}"
    for name, earlier in stream.get("after", {}).items():
        yield f"  {name} comes after {earlier}"
    if stream.get("done"):
        yield "  then data [DONE]"
    for name, schema in stream.get("events", {}).items():
        yield from tree.field(name or "data", schema, False, 1)


class _Tree:
    """Tells schemas as lines; remembers which definitions it told."""

    def __init__(self, definitions: _Form) -> None:
        self._definitions = definitions
        self._told = set[str]()

    def content(self, title: str, schema: Any) -> Iterator[str]:
        """A schema under a title."""
        said, inside = self._said(schema, 1)
        yield f"{title}: {said}"
        yield from inside

    def field(self, name: str, schema: Any, required: bool, depth: int) -> Iterator[str]:
        """A named schema, and what it holds below it."""
        said, inside = self._said(schema, depth + 1)
        yield f"{'  ' * depth}{name}{'*' if required else ''}  {said}"
        yield from inside

    def _said(self, schema: Any, depth: int) -> tuple[str, list[str]]:
        """A schema in a few words, and the lines of what it holds."""
        if not isinstance(schema, Mapping):
            return ("nothing" if schema is False else "anything"), []
        if depth > _DEEPEST:
            return "…", []
        name = _referred(schema)
        if name:
            return self._definition(name, depth)
        branches = schema.get("anyOf") or schema.get("oneOf")
        if branches:
            return self._union(schema, branches, depth)
        return self._plain(schema, depth)

    def _definition(self, name: str, depth: int) -> tuple[str, list[str]]:
        known = name in self._told
        self._told.add(name)
        said, inside = self._said(self._definitions.get(name), depth)
        if not inside:
            return said, []
        return (f"{name}, see above", []) if known else (f"{name}: {said}", inside)

    def _union(self, schema: _Form, branches: Sequence[Any], depth: int) -> tuple[str, list[str]]:
        told = [self._said(branch, depth + 1) for branch in branches]
        own = list(self._fields(schema, depth))
        if not any(inside for _, inside in told):
            return " or ".join(dict.fromkeys(said for said, _ in told)), own
        lines = [line for said, inside in told for line in (f"{'  ' * depth}- {said}", *inside)]
        return "one of", lines + own

    def _plain(self, schema: _Form, depth: int) -> tuple[str, list[str]]:
        said, inside = ", ".join(filter(None, (self._kind(schema), *_limits(schema)))), list[str]()
        if "items" in schema:
            item, inside = self._said(schema["items"], depth)
            said += f"{',' if ', ' in said else ''} of {item}"
        return said or "anything", [*inside, *self._fields(schema, depth)]

    def _kind(self, schema: _Form) -> str:
        if "const" in schema:
            return _value(schema["const"])
        if isinstance(schema.get("enum"), list):
            values = schema["enum"]
            more = [f"{len(values) - _MOST_VALUES} more"] if len(values) > _MOST_VALUES else []
            return " | ".join([*map(_value, values[:_MOST_VALUES]), *more])
        types = schema.get("type", "object" if "properties" in schema else "")
        return types if isinstance(types, str) else " or ".join(map(str, types))

    def _fields(self, schema: _Form, depth: int) -> Iterator[str]:
        required = schema.get("required", ())
        fields = schema.get("properties", {})
        for name, inner in fields.items():
            yield from self.field(name, inner, name in required, depth)
        yield from (f"{'  ' * depth}{name}*  anything" for name in required if name not in fields)
        others = schema.get("additionalProperties")
        if isinstance(others, Mapping) and others:
            yield from self.field("(any name)", others, False, depth)


def _referred(schema: _Form) -> str:
    """The name of the definition that a schema refers to; "" when it refers to none."""
    ref = schema.get("$ref")
    return ref.rpartition("/")[2] if isinstance(ref, str) else ""


def _value(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _limits(schema: _Form) -> Iterable[str]:
    for low, high, unit in _RANGES:
        if low in schema and high in schema:
            yield f"{schema[low]} to {schema[high]}{unit}"
        elif low in schema:
            yield f"at least {schema[low]}{_plural(unit, schema[low])}"
        elif high in schema:
            yield f"at most {schema[high]}{_plural(unit, schema[high])}"
    for key, word in _OTHER_LIMITS:
        if key in schema:
            yield f"{word}{schema[key]}"
    if schema.get("uniqueItems"):
        yield "no item twice"


def _plural(unit: str, count: object) -> str:
    return unit.removesuffix("s") if count == 1 else unit
