"""Values made from a JSON Schema: some that it takes, and what becomes of them by one mistake each.

It reads schemas in the form of a catalog (references are `#/$defs/NAME`) and shares no code with the checks that it is
used to test, but for the validator.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import jsonschema_rs
import orjson

__all__ = ["UNKNOWN_FIELD", "Mutation", "examples", "mutations"]

#: The name of the field that no object knows.
UNKNOWN_FIELD = "zz_unknown_zz"

_Definitions = Mapping[str, Any]
_Steps = tuple[str | int, ...]
#: Past this many objects, a value has only what it must have.
_DEEPEST = 5
_TEXTS = ("text", "https://example.com/a.png", "2026-01-31", f"tunnel_{'a' * 32}", "a")
_KINDS: tuple[tuple[str, Any], ...] = (
    *(("object", {}), ("boolean", True), ("integer", 7), ("string", "text"), ("array", []), ("number", 1.5)),
)
#: Limits above this are not gone over: the value would be too large for a test.
_LARGEST = 300_000


class Mutation(NamedTuple):
    """A valid value with one mistake: its kind, the path of what is wrong (`a[0].b`), and the whole value.

    Kinds: `missing` (the path is that of the field left out), `type`, `enum`, `limit`, `unknown` (that of the field
    added).
    """

    kind: str
    path: str
    value: Any


def examples(form: Any, definitions: _Definitions) -> list[Any]:
    """Values that `form` takes: the least one, and with all fields, one for each branch of its largest union."""
    check = _check_of(definitions)
    made = [check.make(form, full=False, pick=0)]
    made += [check.make(form, full=True, pick=pick) for pick in range(24)]
    found: list[Any] = []
    for value in made:
        if check.takes(form, value) and value not in found:
            found.append(value)
    return found


def mutations(form: Any, definitions: _Definitions, value: Any) -> list[Mutation]:
    """What becomes of `value`, which `form` takes, by one mistake each; all of them are refused."""
    check = _check_of(definitions)
    found = []
    for kind, steps, changed in _mutated(check, form, value, ()):
        whole = _put(value, steps, changed)
        if kind == "unknown" or not check.takes(form, whole):
            found.append(Mutation(kind, _path(_place(kind, steps, changed)), whole))
    return found


class _Missing(NamedTuple):
    """An object without one of its fields, or with one too many."""

    value: dict[str, Any]
    field: str


class _Check:
    """Definitions, and the validators made for them."""

    def __init__(self, definitions: _Definitions) -> None:
        self.definitions = definitions
        self._validators: dict[bytes, jsonschema_rs.Draft202012Validator] = {}

    def takes(self, form: Any, value: Any) -> bool:
        """Whether `value` is valid by `form`."""
        key = orjson.dumps(form)
        if key not in self._validators:
            document = {**form, "$defs": self._reached(key)} if isinstance(form, Mapping) else form
            self._validators[key] = jsonschema_rs.Draft202012Validator(document, validate_formats=True)
        return self._validators[key].is_valid(value)

    def _reached(self, text: bytes) -> dict[str, Any]:
        """The definitions that a schema, as JSON, refers to, and those refer to."""
        reached: dict[str, Any] = {}
        texts = [text]
        while texts:
            for ref in re.findall(rb'"#/\$defs/([^"]+)"', texts.pop()):
                name = ref.decode()
                if name not in reached:
                    reached[name] = self.definitions[name]
                    texts.append(orjson.dumps(reached[name]))
        return reached

    def branches(self, form: Any) -> list[Mapping[str, Any]]:
        """`form` without references and unions: what it may be."""
        form = self.named(form)
        for word in ("anyOf", "oneOf"):
            if word in form:
                rest = {name: held for name, held in form.items() if name != word}
                return [{**rest, **_joined(rest, each)} for branch in form[word] for each in self.branches(branch)]
        for part in form.get("allOf", ()):
            form = {**form, **_joined(form, self.branches(part)[0])}
        return [form]

    def named(self, form: Any) -> Mapping[str, Any]:
        """`form`, or the definition that it refers to."""
        while isinstance(form, Mapping) and "$ref" in form:
            form = self.definitions[form["$ref"].removeprefix("#/$defs/")]
        return form if isinstance(form, Mapping) else {}

    def make(self, form: Any, *, full: bool, pick: int, depth: int = 0) -> Any:
        """A value for `form`: with all its fields when `full`, of the branch that `pick` says."""
        branches = [each for each in self.branches(form) if each.get("type") != "null"] or self.branches(form)
        if depth > _DEEPEST:
            branches.sort(key=lambda each: "object" in _types(each) or "array" in _types(each))
        form = branches[pick % len(branches)] if depth <= _DEEPEST else branches[0]
        if "const" in form or "enum" in form:
            values = [each for each in form.get("enum", [form.get("const")]) if each is not None]
            return values[pick % len(values)]
        kind = next((each for each in _types(form) if each != "null"), "string")
        if kind == "object":
            return self._make_object(form, full=full and depth <= _DEEPEST, pick=pick, depth=depth)
        if kind == "array":
            count = max(form.get("minItems", 0), 1 if full and depth <= _DEEPEST else 0)
            return [self.make(form.get("items", {}), full=full, pick=pick, depth=depth + 1) for _ in range(count)]
        return self._make_plain(form, kind)

    def _make_object(self, form: Mapping[str, Any], *, full: bool, pick: int, depth: int) -> dict[str, Any]:
        fields = form.get("properties", {})
        wanted = fields if full else [name for name in fields if name in form.get("required", ())]
        made = {name: self.make(fields[name], full=full, pick=pick, depth=depth + 1) for name in wanted}
        others = form.get("additionalProperties")
        if full and isinstance(others, Mapping) and not fields:
            made["key"] = self.make(others, full=full, pick=pick, depth=depth + 1)
        return made

    def _make_plain(self, form: Mapping[str, Any], kind: str) -> Any:
        if kind == "boolean":
            return True
        if kind in ("integer", "number"):
            least = form.get("minimum", form.get("exclusiveMinimum", 0) + (1 if "exclusiveMinimum" in form else 0))
            return min(max(least, 1), form.get("maximum", max(least, 1)))
        texts = [text.ljust(form.get("minLength", 0), "a") for text in _TEXTS]
        return next((text for text in texts if self.takes(form, text)), texts[0])


def _check_of(definitions: _Definitions) -> _Check:
    """The same one for the same definitions, since its validators take long to make."""
    if id(definitions) not in _CHECKS:
        _CHECKS[id(definitions)] = _Check(definitions)
    return _CHECKS[id(definitions)]


_CHECKS: dict[int, _Check] = {}


def _types(form: Mapping[str, Any]) -> list[str]:
    kinds = form.get("type", "object" if "properties" in form else [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _joined(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """`other`, its fields and what it requires joined by those of `one`."""
    fields = {**one.get("properties", {}), **other.get("properties", {})}
    required = list(dict.fromkeys([*one.get("required", ()), *other.get("required", ())]))
    return {**other, **({"properties": fields} if fields else {}), **({"required": required} if required else {})}


def _mutated(check: _Check, form: Any, value: Any, steps: _Steps) -> Iterator[tuple[str, _Steps, Any]]:
    """Kind, place and new value of each mistake that can be made at and below `steps`."""
    branches = check.branches(form)
    if steps:
        yield from _wrong_types(branches, steps)
    chosen = next((each for each in branches if check.takes(each, value)), branches[0])
    yield from _wrong_choices(branches, chosen, steps)
    yield from _over_limits(chosen, value, steps)
    if isinstance(value, dict):
        yield from _wrong_fields(branches, chosen, value, steps)
        for name, inner in value.items():
            field = chosen.get("properties", {}).get(name, chosen.get("additionalProperties"))
            if isinstance(field, Mapping):
                yield from _mutated(check, field, inner, (*steps, name))
    elif isinstance(value, list) and value and "items" in chosen:
        yield from _mutated(check, chosen["items"], value[0], (*steps, 0))


def _wrong_types(branches: list[Mapping[str, Any]], steps: _Steps) -> Iterator[tuple[str, _Steps, Any]]:
    taken = {kind for each in branches for kind in _types(each)}
    if taken and all(_types(each) for each in branches):
        taken |= {"integer"} if "number" in taken else set()
        yield from (("type", steps, wrong) for kind, wrong in _KINDS[:-1] if kind not in taken)


def _wrong_choices(
    branches: list[Mapping[str, Any]], chosen: Mapping[str, Any], steps: _Steps
) -> Iterator[tuple[str, _Steps, Any]]:
    if steps and ("enum" in chosen or "const" in chosen):
        yield "enum", steps, "no-such-value"


def _over_limits(form: Mapping[str, Any], value: Any, steps: _Steps) -> Iterator[tuple[str, _Steps, Any]]:
    if isinstance(value, str) and form.get("maxLength", _LARGEST) < _LARGEST:
        yield "limit", steps, "x" * (form["maxLength"] + 1)
    if isinstance(value, str) and form.get("minLength"):
        yield "limit", steps, "x" * (form["minLength"] - 1)
    if isinstance(value, list) and value and form.get("maxItems", _LARGEST) < _LARGEST:
        yield "limit", steps, value[:1] * (form["maxItems"] + 1)
    if isinstance(value, list) and form.get("minItems"):
        yield "limit", steps, value[:1] * (form["minItems"] - 1)
    if isinstance(value, dict) and value and form.get("maxProperties", _LARGEST) < _LARGEST:
        inner = next(iter(value.values()))
        yield "limit", steps, {f"key{number}": inner for number in range(form["maxProperties"] + 1)}
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield from (("limit", steps, form[word] + 1) for word in ("maximum", "exclusiveMaximum") if word in form)
        yield from (("limit", steps, form[word] - 1) for word in ("minimum", "exclusiveMinimum") if word in form)


def _wrong_fields(
    branches: list[Mapping[str, Any]], form: Mapping[str, Any], value: dict[str, Any], steps: _Steps
) -> Iterator[tuple[str, _Steps, Any]]:
    for name in form.get("required", ()):
        if name in value:
            yield "missing", steps, _Missing({key: held for key, held in value.items() if key != name}, name)
    free = (each for each in branches if "object" in _types(each))
    if all("properties" in each and not each.get("additionalProperties") for each in free):
        yield "unknown", steps, _Missing({**value, UNKNOWN_FIELD: 1}, UNKNOWN_FIELD)


def _place(kind: str, steps: _Steps, changed: Any) -> _Steps:
    return (*steps, changed.field) if isinstance(changed, _Missing) else steps


def _put(value: Any, steps: _Steps, changed: Any) -> Any:
    """`value` with what stands at `steps` changed; what is not on the way is shared."""
    if not steps:
        return changed.value if isinstance(changed, _Missing) else changed
    step, *rest = steps
    copy: Any = list(value) if isinstance(value, list) else dict(value)
    copy[step] = _put(value[step], tuple(rest), changed)
    return copy


def _path(steps: _Steps) -> str:
    path = ""
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path
