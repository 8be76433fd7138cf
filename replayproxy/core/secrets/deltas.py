"""Secrets that an event stream tells in pieces: `"sk-pr"` in one event, `"oj-…"` in the next.

Rules:
1. Pieces of one text are the strings at the same path in the events of a stream, or the events themselves where they
   are no JSON. Where events count what they are about (`index`, `output_index`, `item_id`), each count is a text of its
   own, so that streams of several answers do not mix.
2. The first piece takes what replaces the secret, the others lose their share of it; nothing else changes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import orjson

from replayproxy.core.messages import decode, encode
from replayproxy.core.secrets.json import Key, Span, event_texts, scalars
from replayproxy.core.secrets.spans import Edit
from replayproxy.core.secrets.views import json_view

__all__ = ["delta_edits"]

#: Events with values further down are not those of any API.
_DEPTH = 64
#: How the names end that say what an event is about.
_COUNTERS = ("index", "item_id")

_Path = tuple[Key, ...]
#: A path, and what the objects on it are counted by.
_Place = tuple[_Path, tuple[str, ...]]
_Event = tuple[Span, ...]
#: The place of events that are no JSON.
_PLAIN: _Place = (("",), ("",))
_Texts = dict[_Place, list[tuple[_Event, str]]]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A string of an event: where the event's JSON stands, and what the string says."""

    event: _Event
    text: bytes


def delta_edits(data: bytes, find: Callable[[bytes], tuple[Edit, ...]]) -> Iterator[Edit]:
    """Edits for the event stream `data`; `find` gives those for a text that was put together from its pieces."""
    for path, pieces in _texts(data):
        ends = list(accumulate(len(piece.text) for piece in pieces))
        for edit in find(b"".join(piece.text for piece in pieces)):
            first = bisect_right(ends, edit.start)
            before = ends[first - 1] if first else 0
            inside = replace(edit, start=edit.start - before, end=edit.end - before)
            yield from _shares(data, path, pieces[first:], inside)


def _texts(data: bytes) -> Iterator[tuple[_Path, list[_Piece]]]:
    """The texts that come in pieces. What is the same in all events (the name of the model, say) is none."""
    texts: _Texts = {}
    for event in event_texts(data):
        try:
            value = orjson.loads(_joined(data, event))
        except orjson.JSONDecodeError:
            texts.setdefault(_PLAIN, []).append((event, decode(_joined(data, event))))
        else:
            _collect(value, (), (), event, texts)
    for (path, _), pieces in texts.items():
        if len({text for _, text in pieces}) > 1:
            yield path, [_Piece(event, encode(text)) for event, text in pieces]


def _joined(data: bytes, event: _Event) -> bytes:
    return b"\n".join(data[start:end] for start, end in event)


def _collect(value: Any, path: _Path, counted: tuple[str, ...], event: _Event, texts: _Texts) -> None:
    """Adds the strings in `value` to `texts`."""
    if isinstance(value, str):
        texts.setdefault((path, counted), []).append((event, value))
    elif isinstance(value, dict) and len(path) < _DEPTH:
        counts = [
            str(count) for name, count in value.items() if name.endswith(_COUNTERS) and isinstance(count, (str, int))
        ]
        counted = (*counted, *counts) if counts else counted
        for name, item in value.items():
            if item and isinstance(item, (str, dict, list)):
                _collect(item, (*path, name), counted, event, texts)
    elif isinstance(value, list) and len(path) < _DEPTH:
        for index, item in enumerate(value):
            _collect(item, (*path, index), counted, event, texts)


def _shares(data: bytes, path: _Path, pieces: list[_Piece], edit: Edit) -> Iterator[Edit]:
    """The parts of an edit of the text that begins with `pieces`, each for the piece that it falls into."""
    begins, replacement = 0, edit.replacement
    for piece in pieces:
        start, end = max(edit.start - begins, 0), min(edit.end - begins, len(piece.text))
        if end <= 0:
            return
        span = _plain_span(piece, start, end) if path is _PLAIN[0] else _json_span(data, path, piece, start, end)
        yield Edit(*span, replacement, edit.rule, span[0])
        begins, replacement = begins + len(piece.text), b""


def _json_span(data: bytes, path: _Path, piece: _Piece, start: int, end: int) -> Span:
    found = next(scalar for scalar in reversed([*scalars(data, piece.event)]) if scalar.path == path)
    return json_view(data, found.start, found.end).span(start, end)


def _plain_span(piece: _Piece, start: int, end: int) -> Span:
    """Where a part of an event's text stands: its lines are one after the other, with a line end between them."""
    return _place(piece.event, start, first=True), _place(piece.event, end, first=False)


def _place(event: _Event, at: int, *, first: bool) -> int:
    for begin, end in event[:-1]:
        if at < end - begin or (at == end - begin and not first):
            return begin + at
        at = max(at - (end - begin) - 1, 0)
    return event[-1][0] + at
