"""Two exchanges side by side: what differs in their requests and in their answers, as text that can be shown.

Rules:
1. Requests are compared as matching does (core/matching.py), and by all of their headers besides; what does not count
   for matching says so.
2. Answers are compared by status, headers and body: JSON by value, an event stream event by event, other text and bytes
   as a whole. Headers that say when and how long, and nothing about what was answered, are volatile.
3. Of a long value the part is shown in which it differs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from replayproxy.core.bodies import canonical_of, parse, parse_json
from replayproxy.core.cassette import VOLATILE_HEADERS
from replayproxy.core.differences import (
    ABSENT,
    Difference,
    body_differences,
    field_differences,
    index_path,
    json_differences,
    name_path,
)
from replayproxy.core.matching import DIFFERENCES_LIMIT, differences
from replayproxy.core.media_types import media_type
from replayproxy.core.messages import FileBody, Headers, Request, Response, plain
from replayproxy.core.sse import Event
from replayproxy.core.sse import parse as parse_events

__all__ = ["CHANGES_LIMIT", "VALUE_LIMIT", "Change", "Comparison", "compared", "shown_sides"]

#: No more differences between two answers are told.
CHANGES_LIMIT = 500
#: So many characters of a value are shown, so many of them before the place where it differs.
VALUE_LIMIT, _BEFORE = 2_000, 200
_CUT = "…"
_VOLATILE = frozenset(name_path("header", name) for name in VOLATILE_HEADERS)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs: its path, and both sides as JSON text (None: not there), the long ones cut (`…`).

    `counted` is false for what matching does not look at, `volatile` true for what differs each time.
    """

    path: str
    left: str | None
    right: str | None
    counted: bool = True
    volatile: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two exchanges differ; with `more` there are further differences that are not told."""

    request: tuple[Change, ...]
    response: tuple[Change, ...]
    more: bool = False


def compared(left: tuple[Request, Response | None], right: tuple[Request, Response | None]) -> Comparison:
    """How two exchanges differ, each given as request and answer (None where there is none)."""
    told = differences(left[0], right[0])
    found = list(islice(_answer_differences(left[1], right[1]), CHANGES_LIMIT + 1))
    answers = [_change(each, volatile=each.path in _VOLATILE) for each in found[:CHANGES_LIMIT]]
    more = len(told) == DIFFERENCES_LIMIT or len(found) > CHANGES_LIMIT
    return Comparison(_request_changes(told, left[0], right[0]), tuple(answers), more)


def shown_sides(left: object, right: object) -> tuple[str | None, str | None]:
    """Both values of a difference as JSON text, None for `ABSENT`; cut to where they differ when they are long."""
    one, other = _json_text(left), _json_text(right)
    if max(len(one or ""), len(other or "")) <= VALUE_LIMIT:
        return one, other
    start = max(0, _common(one, other) - _BEFORE) if one is not None and other is not None else 0
    return _cut(one, start), _cut(other, start)


def _request_changes(told: Iterable[Difference], left: Request, right: Request) -> tuple[Change, ...]:
    counted = {each.path: each for each in told}
    headers = {each.path: each for each in _header_differences(left.headers, right.headers)}
    before = [each for path, each in counted.items() if path not in headers and not path.startswith("body")]
    after = [each for path, each in counted.items() if path.startswith("body")]
    return tuple(_change(each, counted=each.path in counted) for each in (*before, *headers.values(), *after))


def _change(found: Difference, *, counted: bool = True, volatile: bool = False) -> Change:
    return Change(found.path, *shown_sides(found.recorded, found.received), counted, volatile)


# --- answers


def _answer_differences(left: Response | None, right: Response | None) -> Iterator[Difference]:
    if left is None or right is None:
        if left is not right:
            yield Difference("status", left.status if left else ABSENT, right.status if right else ABSENT)
        return
    if left.status != right.status:
        yield Difference("status", left.status, right.status)
    yield from _header_differences(left.headers, right.headers)
    yield from _body_differences(left, right)


def _header_differences(left: Headers, right: Headers) -> Iterator[Difference]:
    old, new = ([(name.lower(), value) for name, value in headers] for headers in (left, right))
    return field_differences("header", old, new)


def _body_differences(left: Response, right: Response) -> Iterator[Difference]:
    if isinstance(left.body, bytes) and isinstance(right.body, bytes) and _is_stream(left) and _is_stream(right):
        yield from _event_differences(parse_events(left.body), parse_events(right.body))
        return
    old, new = parse(left.headers, left.body), parse(right.headers, right.body)
    if canonical_of(old) != canonical_of(new):
        yield from body_differences((old, left.body), (new, right.body))


def _is_stream(response: Response) -> bool:
    return media_type(response.headers).essence == "text/event-stream"


def _event_differences(left: tuple[Event, ...], right: tuple[Event, ...]) -> Iterator[Difference]:
    for index in range(max(len(left), len(right))):
        path = index_path("body.events", index)
        old = left[index] if index < len(left) else None
        new = right[index] if index < len(right) else None
        if old is None or new is None:
            yield Difference(path, ABSENT if old is None else _facts(old), ABSENT if new is None else _facts(new))
        elif old.raw != new.raw:
            yield from json_differences(path, _facts(old), _facts(new))


def _facts(event: Event) -> dict[str, Any]:
    """What a client sees of an event; the raw text of a block that is none."""
    if not event.dispatched:
        return {"raw": event.raw.decode("utf-8", "replace")}
    facts = {"event": event.event or None, "id": event.id, "retry": event.retry}
    return {name: value for name, value in facts.items() if value is not None} | {"data": _data(event.data)}


def _data(text: str) -> Any:
    try:
        return parse_json(text.encode())
    except ValueError:
        return text


# --- as text


def _json_text(value: object) -> str | None:
    if value is ABSENT:
        return None
    # What is left of bytes that are no text becomes an escape of JSON.
    return plain(json.dumps(_told(value), ensure_ascii=False, default=str))


def _told(value: object) -> object:
    if isinstance(value, FileBody):
        return {"file": value.name, "size": value.size}
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"size": len(value), "hex": value.hex(" ")}


def _common(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle - 1)
    return low


def _cut(text: str | None, start: int) -> str | None:
    if text is None:
        return None
    end = start + VALUE_LIMIT
    return f"{_CUT if start else ''}{text[start:end]}{_CUT if len(text) > end else ''}"
