"""What counts of a request, taken out of it under the rules of matching: one reading for each matcher.

Rules:
1. What is ignored is not in a reading, and a masked text is masked in it; so keys and differences agree by themselves.
2. The other items of a list keep their index when one is ignored: a `HOLE` takes its place, except at the end.
3. Bodies that are not taken apart (over `PARSE_LIMIT`, kept in a file, JSON that counts by its bytes) can be ignored as
   a whole; inside them no path leads anywhere.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any, Final

from replayproxy.core.bodies import Parsed, Part, media_type, parse, parse_form
from replayproxy.core.media_types import essence
from replayproxy.core.messages import Body, Headers, Request, encode
from replayproxy.core.rule_paths import DEEP, Step, Wild
from replayproxy.core.rules import GONE, InForce, MatchRule, Placed
from replayproxy.core.url_paths import normal_path

__all__ = ["HOLE", "HOLE_PART", "IDENTITY_HEADERS", "read_body", "read_headers", "read_path", "read_query"]

#: The header fields that count when no rule says otherwise.
IDENTITY_HEADERS = ("openai-beta", "content-type")

#: What stands for an ignored item of a list, and for an ignored part of a multipart body; known by `is`.
HOLE: Final = "⟨ignored⟩"
HOLE_PART: Final = Part(HOLE, None, Headers(), b"", 0, 0)

_Fields = tuple[tuple[str, str], ...]


def read_path(request: Request, force: InForce) -> tuple[str, str]:
    """The path as it came, and what it is compared by."""
    path = request.path
    normal: Any = normal_path(path)
    for place, rule in force.path:
        normal, hit = rule.change(normal)
        if hit:
            force.touched.add(place)
    return path, normal


def read_query(request: Request, force: InForce) -> _Fields:
    """The decoded fields of the query, in order."""
    return _fields(parse_form(encode(request.query)), force.query, force)


def read_headers(request: Request, force: InForce) -> dict[str, str]:
    """The header fields that count, by lower-case name; those that repeat are joined."""
    if not force.header:
        return _headers(request.headers, IDENTITY_HEADERS)
    present = _headers(request.headers, None)
    counted = {name: value for name, value in present.items() if name in IDENTITY_HEADERS}
    for place, rule in force.header:
        if rule.act == "also":
            for name in filter(rule.path.leads_to, present):
                counted[name] = present[name]
                force.touched.add(place)
        elif rule.act == "ignore":
            for name in [*filter(rule.path.leads_to, counted)]:
                del counted[name]
                force.touched.add(place)
    return dict(_fields(tuple(counted.items()), [placed for placed in force.header if placed[1].pattern], force))


def read_body(request: Request, force: InForce) -> tuple[Parsed, Body]:
    """The structure of the body, and the body itself."""
    body = request.body
    parsed = parse(request.headers, body)
    if not force.body or parsed.kind == "empty":
        return parsed, body
    for place, rule in force.body:
        if rule.act == "ignore" and not rule.path.steps:
            force.touched.add(place)
            return Parsed("empty", None), b""
    if parsed.kind == "json":
        value = _walked(parsed.value, force)
        return (Parsed("empty", None), b"") if value is GONE else (Parsed("json", value), body)
    if parsed.kind == "form":
        return Parsed("form", _fields(parsed.value, force.body, force)), body
    if parsed.kind == "multipart":
        return Parsed("multipart", _parts(parsed.value, force)), body
    if parsed.kind == "bytes":
        masked = _walked(parsed.value, force)
        return (Parsed("empty", None), b"") if masked is GONE else (Parsed("bytes", masked), masked)
    return parsed, body


def _headers(headers: Headers, wanted: Container[str] | None) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for name, value in headers:
        lower = name.lower()
        if wanted is None or lower in wanted:
            found.setdefault(lower, []).append(essence(value) if lower == "content-type" else value.strip())
    # One field with a list is what RFC 9110 5.2 makes of a field that repeats.
    return {name: ", ".join(values) for name, values in found.items()}


def _fields(fields: _Fields, rules: Iterable[Placed], force: InForce) -> _Fields:
    for place, rule in rules:
        kept: list[tuple[str, str]] = []
        for name, value in fields:
            new: Any = value
            if rule.path.leads_to(name):
                new, hit = rule.change(value)
                if hit:
                    force.touched.add(place)
            if new is not GONE:
                kept.append((name, new))
        fields = tuple(kept)
    return fields


def _parts(parts: tuple[Part, ...], force: InForce) -> tuple[Part, ...]:
    walked = _walked({"parts": [_facts(part) for part in parts]}, force)
    return () if walked is GONE else tuple(_part(facts) for facts in walked.get("parts", ()))


def _facts(part: Part) -> dict[str, Any]:
    facts = {"name": part.name, "filename": part.filename, "content-type": media_type(part.headers).essence or None}
    return {name: value for name, value in (facts | {"content": part.content}).items() if value is not None}


def _part(facts: Any) -> Part:
    if facts is HOLE:
        return HOLE_PART
    headers = Headers.of(("content-type", facts["content-type"])) if "content-type" in facts else Headers()
    return Part(facts.get("name"), facts.get("filename"), headers, facts.get("content", b""), 0, 0)


def _walked(value: Any, force: InForce) -> Any:
    """What the rules for the body leave of `value`, which is changed in place; `GONE` when nothing."""
    for place, rule in force.body:
        value, hit = _follow(value, rule, 0)
        if hit:
            force.touched.add(place)
        if value is GONE:
            break
    return value


def _follow(value: Any, rule: MatchRule, at: int) -> tuple[Any, bool]:
    """`value` changed by a rule whose path leads on from here with its step `at`, and whether it was."""
    steps = rule.path.steps
    if at == len(steps):
        return rule.change(value)
    step, ahead, touched = steps[at], at + 1, False
    if step is DEEP:
        value, touched = _follow(value, rule, at + 1)
        ahead = at
    for key in _keys(value, step):
        inside = value[key]
        if inside is not HOLE:
            new, hit = _follow(inside, rule, ahead)
            if hit:
                touched = True
                _put(value, key, new)
    if touched and isinstance(value, list):
        while value and value[-1] is HOLE:
            value.pop()
    return value, touched


def _keys(value: Any, step: Step) -> Iterable[Any]:
    """Where `step` leads in `value`."""
    if isinstance(value, dict):
        return tuple(value) if isinstance(step, Wild) else (step,) if step in value else ()
    if isinstance(value, list):
        return range(len(value)) if isinstance(step, Wild) else (step,) if _is_index(step, value) else ()
    return ()


def _is_index(step: Step, items: list[Any]) -> bool:
    return isinstance(step, int) and step < len(items)


def _put(value: Any, key: Any, new: Any) -> None:
    if new is not GONE:
        value[key] = new
    elif isinstance(value, dict):
        del value[key]
    else:
        value[key] = HOLE
