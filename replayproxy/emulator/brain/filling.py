"""A value that a JSON Schema takes, sensible where a message offers something, and the same each time.

Rules:
1. An object has the fields it must have; where it must have none, all of them. Fields come in the schema's order.
2. A list has one item, or as many as it must have. What refers to itself ends as soon as it can.
3. Of several values or branches, the one that the message names, else the first that is not null.
4. Texts and numbers come from the message where one fits the field (hints.py).

Understood are the keywords of JSON Schema 2020-12 and those of the earlier drafts that are still in use. What is made
is checked; for a schema that nothing fits, or that makes no sense, it is the nearest try.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from replayproxy.emulator.brain.heights import Heights
from replayproxy.emulator.brain.hints import Hints
from replayproxy.emulator.brain.merging import merged
from replayproxy.emulator.brain.patterns import matching
from replayproxy.emulator.brain.plain_values import number_for, text_for
from replayproxy.emulator.brain.takes import SchemaRoot

__all__ = ["example"]

_Schema = Mapping[str, Any]
#: Deeper than this there is only what must be; no value is deeper than that.
_DEEP, _DEEPEST = 5, 60
#: How many tries an item has to be unlike the others.
_TRIES = 40
_KINDS: Mapping[str, tuple[str, ...]] = {
    "object": ("properties", "required", "additionalProperties", "patternProperties", "minProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"),
    "string": ("minLength", "maxLength", "pattern", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}


class _NoValue(Exception):  # noqa: N818 -- an outcome
    """A schema that takes nothing."""


@dataclass(frozen=True, slots=True)
class _At:
    """Where a value is made: the name of its field, how deep, through which references, and which of several."""

    name: str = ""
    depth: int = 0
    refs: frozenset[str] = field(default=frozenset("#"))
    pick: int = 0
    least: bool = False
    full: bool = False

    def inside(self, name: str = "", pick: int | None = None) -> _At:
        """One step further in."""
        depth, chosen = self.depth + 1, self.pick if pick is None else pick
        return replace(self, name=name or self.name, depth=depth, pick=chosen, least=self.least or depth > _DEEP)


def example(schema: Any, message: str = "", pick: int = 0) -> Any:
    """A value that `schema` takes, with what `message` offers; another `pick` (from 0) gives another where it can."""
    root = SchemaRoot(schema)
    first: list[Any] = []
    for at in (_At(pick=pick), _At(pick=pick, full=True), _At(least=True), _At(pick=pick + 1), _At(full=True, pick=1)):
        try:
            made = _Filling(root, Hints(message)).value(root.schema, at)
        except _NoValue:
            continue
        if root.takes(root.schema, made):
            return made
        first.append(made)
    return first[0] if first else None


class _Filling:
    """Makes one value."""

    def __init__(self, root: SchemaRoot, hints: Hints) -> None:
        self._root, self._hints = root, hints
        self._heights = Heights(root)

    def value(self, schema: Any, at: _At) -> Any:
        """A value for a schema; raises _NoValue when there is none."""
        if schema is False or at.depth > _DEEPEST:
            raise _NoValue
        if not isinstance(schema, Mapping):
            return self._plain({}, "string", at)
        if isinstance(schema.get("$ref"), str):
            return self._referred(schema, at)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self._listed(schema, at)
        for choose in (self._branches, self._conditions):
            found = list(choose(schema, at))
            if found:
                return self._first_taken(schema, found, at)
        if schema.get("allOf"):
            return self.value(merged(_without(schema, "allOf"), *filter(_is_schema, schema["allOf"])), at.inside())
        if "not" in schema:
            return self._denied(schema, at)
        return self._of_kind(schema, _kind(schema, at), at)

    def _referred(self, schema: _Schema, at: _At) -> Any:
        ref = schema["$ref"]
        target, rest = self._root.target(ref), _without(schema, "$ref")
        here = replace(at.inside(), refs=at.refs | {ref}, least=at.least or ref in at.refs)
        if not isinstance(target, Mapping):
            return self.value(target, here)
        return self.value(
            merged(target, {word: rest[word] for word in rest if word not in ("$defs", "definitions")}), here
        )

    def _listed(self, schema: _Schema, at: _At) -> Any:
        """One of the values that are listed."""
        fit = [value for value in schema["enum"] if self._root.takes(_without(schema, "enum", "$defs"), value)]
        values = [value for value in fit if value is not None] or fit or list(schema["enum"])
        said = self._hints.message.lower()
        named = [
            each for each in values if isinstance(each, str) and re.search(rf"\b{re.escape(each.lower())}\b", said)
        ]
        return named[0] if named and not at.pick else values[at.pick % len(values)]

    def _branches(self, schema: _Schema, at: _At) -> Iterator[dict[str, Any]]:
        """The schema with one branch each of its union, the best first."""
        word = next((each for each in ("anyOf", "oneOf") if schema.get(each)), None)
        if word is None:
            return
        rest = _without(schema, word)
        branches = [branch for branch in schema[word] if branch is not False]
        if at.least:
            branches.sort(key=self._heights.of)
        else:
            turn = at.pick % len(branches) if branches else 0
            branches = branches[turn:] + branches[:turn]
            branches.sort(key=_is_null)
        yield from (merged(rest, branch if isinstance(branch, Mapping) else {}) for branch in branches)

    def _conditions(self, schema: _Schema, at: _At) -> Iterator[dict[str, Any]]:
        """The schema with what holds if a condition does, and with what else holds."""
        if not isinstance(schema.get("if"), Mapping):
            return
        rest = _without(schema, "if", "then", "else")
        then, otherwise = schema.get("then"), schema.get("else")
        yield merged(rest, schema["if"], then if isinstance(then, Mapping) else {})
        yield merged(rest, otherwise if isinstance(otherwise, Mapping) else {})

    def _first_taken(self, schema: _Schema, branches: list[dict[str, Any]], at: _At) -> Any:
        made = []
        for branch in branches:
            try:
                made.append(self.value(branch, at.inside()))
            except _NoValue:
                continue
            if self._root.takes(_without(schema, "$defs", "definitions"), made[-1]):
                return made[-1]
        if not made:
            raise _NoValue
        return made[0]

    def _denied(self, schema: _Schema, at: _At) -> Any:
        rest = _without(schema, "not")
        made = [self.value(rest, at)]
        for pick in range(1, 5):
            if self._root.takes(schema, made[-1]):
                return made[-1]
            made.append(self.value(rest, replace(at, pick=at.pick + pick)))
        return made[-1] if self._root.takes(schema, made[-1]) else made[0]

    def _of_kind(self, schema: _Schema, kind: str, at: _At) -> Any:
        if kind == "object":
            return self._object(schema, at)
        return self._array(schema, at) if kind == "array" else self._plain(schema, kind, at)

    def _plain(self, schema: _Schema, kind: str, at: _At) -> Any:
        if kind in ("null", "boolean"):
            return None if kind == "null" else at.pick % 2 == 0
        if kind in ("integer", "number"):
            return number_for({**schema, "type": kind}, self._hints.numbers() if not at.pick else (), at.pick)
        asked = {word: schema[word] for word in _KINDS["string"] if word in schema}
        return text_for(
            asked, self._hints.texts(at.name, asked), lambda text: not asked or self._root.takes(asked, text), at.pick
        )

    def _object(self, schema: _Schema, at: _At) -> dict[str, Any]:
        names = list(_names(schema, at))
        for name, more in schema.get("dependentSchemas", {}).items():
            if name in names and isinstance(more, Mapping):
                return self._object(merged(_without(schema, "dependentSchemas"), more), at)
        made = {name: self._field(schema, name, at) for name in names}
        for number in range(schema.get("minProperties", 0) * 2):
            if len(made) >= schema["minProperties"]:
                break
            name = self._new_name(schema, number, made)
            if name is not None:
                made[name] = self._field(schema, name, at)
        return made

    def _field(self, schema: _Schema, name: str, at: _At) -> Any:
        """The value of a field."""
        forms = [schema["properties"][name]] if name in schema.get("properties", {}) else []
        forms += [form for pattern, form in schema.get("patternProperties", {}).items() if _found(pattern, name)]
        forms = forms or [schema.get("additionalProperties", schema.get("unevaluatedProperties", True))]
        form = forms[0] if len(forms) == 1 else {"allOf": forms}
        return self.value(form if form is not True else {}, at.inside(name))

    def _new_name(self, schema: _Schema, number: int, made: Mapping[str, Any]) -> str | None:
        """The name of a field that there is not yet."""
        names = [name for name in schema.get("properties", {}) if name not in made]
        if names:
            return str(names[0])
        if isinstance(schema.get("propertyNames"), Mapping):
            return str(self.value({"type": "string", **schema["propertyNames"]}, _At("key", pick=number)))
        if schema.get("additionalProperties") is not False:
            return f"key {number + 1}".replace(" ", "_")
        return next((matching(pattern, 0, number) for pattern in schema.get("patternProperties", {})), None)

    def _array(self, schema: _Schema, at: _At) -> list[Any]:
        items = schema.get("items", True)
        first = list(items if isinstance(items, list) else schema.get("prefixItems", ()))
        rest = schema.get("additionalItems", True) if isinstance(items, list) else items
        if "contains" in schema:
            wanted = schema.get("minContains", 1)
            first += [{"allOf": [each for each in (rest, schema["contains"]) if each is not True]}] * wanted
        made: list[Any] = []
        for place in range(_length(schema, first, rest, least=at.least)):
            try:
                made.append(self._item(first[place] if place < len(first) else rest, made, at, schema, place))
            except _NoValue:
                if place < schema.get("minItems", 0):
                    raise
                break
        return made

    def _item(self, form: Any, made: list[Any], at: _At, schema: _Schema, place: int) -> Any:
        """The next item: unlike the others, where that is asked for or can be had for nothing."""
        had = {json.dumps(each, sort_keys=True) for each in made}
        tries = _TRIES + len(made) if schema.get("uniqueItems") else 2 if made else 1
        for number in range(tries):
            item = self.value(form, at.inside(pick=at.pick + (place + number - 1 if number else 0)))
            if json.dumps(item, sort_keys=True) not in had:
                break
        return item


def _names(schema: _Schema, at: _At) -> Iterator[str]:
    """The names of the fields that an object is given, in the order of the schema."""
    fields, needed = schema.get("properties", {}), list(schema.get("required", ()))
    wanted = set(needed) if needed or at.least else set(list(fields)[: schema.get("maxProperties")])
    if at.full and not at.least:
        wanted |= set(fields)
    for _ in schema.get("dependentRequired", ()):
        wanted |= {more for name, others in schema["dependentRequired"].items() if name in wanted for more in others}
    yield from (name for name in fields if name in wanted and (fields[name] is not False or name in needed))
    yield from (name for name in sorted(wanted - set(fields)))


def _length(schema: _Schema, first: list[Any], rest: Any, *, least: bool) -> int:
    """How many items a list is given."""
    shortest = max(schema.get("minItems", 0), len(first) if "contains" in schema else 0)
    wanted = shortest if least else max(shortest, len(first), 0 if rest is False else 1)
    return int(min(wanted, schema.get("maxItems", wanted), len(first) if rest is False else wanted))


def _kind(schema: _Schema, at: _At) -> str:
    """Of which type a value is made."""
    kinds = schema.get("type")
    if isinstance(kinds, str):
        return kinds
    if kinds:
        plain = [each for each in kinds if each != "null"]
        return "null" if "null" in kinds and (at.least or not plain) else str(plain[at.pick % len(plain)])
    return next((kind for kind, words in _KINDS.items() if any(word in schema for word in words)), "string")


def _without(schema: _Schema, *words: str) -> dict[str, Any]:
    return {word: value for word, value in schema.items() if word not in words}


def _is_schema(form: Any) -> bool:
    return isinstance(form, Mapping)


def _is_null(form: Any) -> bool:
    return isinstance(form, Mapping) and (form.get("type") == "null" or ("const" in form and form["const"] is None))


def _found(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return False
