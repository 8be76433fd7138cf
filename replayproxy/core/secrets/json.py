"""Where the values of JSON stand in its bytes: of one text, of texts one after the other, of an event stream.

Rules:
1. Nothing is parsed as a whole: what is cut off or garbled is read as far as it goes.
2. A text may lie in pieces (the `data` lines of one event); no string does, since a string has no line end in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from replayproxy.core.messages import decode

__all__ = ["Key", "Scalar", "Span", "event_texts", "scalars"]

#: A member's name, an item's index; None for what has lost its name.
Key = str | int | None
Span = tuple[int, int]

#: Deeper down all values have the path of what they are in.
_DEPTH = 256
_TOKEN = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)("?)|([{\[])|([}\]])|(,)|([^\s",:{}\[\]]++)', re.DOTALL)
_STRING, _OPENS, _CLOSES, _COMMA = 2, 3, 4, 5
#: A `data` line of an event, or the blank line that ends it.
_EVENT_LINE = re.compile(
    rb"(?:\A(?:\xef\xbb\xbf)?|(?<=\n)|(?<=\r)(?!\n))(?:data(?:: ?([^\r\n]*)|(?=[\r\n]))|(\r\n|\n|\r))"
)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A string, or anything else that is no object and no list: its path, and where it stands.

    `start` and `end` of a string leave the quotes out.
    """

    path: tuple[Key, ...]
    start: int
    end: int
    is_text: bool


def scalars(data: bytes, spans: Iterable[Span]) -> Iterator[Scalar]:
    """The scalars of the JSON in `spans` of `data`, in order; after one text another may begin."""
    place = _Place()
    for start, end in spans:
        for token in _TOKEN.finditer(data, start, end):
            kind = token.lastindex
            if kind == _STRING and place.wants_name:
                place.keys[-1] = _name(token[1])
            elif kind == _STRING:
                yield Scalar(place.path, *token.span(1), is_text=True)
            elif kind in (_OPENS, _CLOSES, _COMMA):
                place.move(token[0])
            else:
                yield Scalar(place.path, *token.span(), is_text=False)


def event_texts(data: bytes) -> Iterator[tuple[Span, ...]]:
    """Where the data of each event of an event stream stands, line by line."""
    spans = list[Span]()
    for line in _EVENT_LINE.finditer(data):
        if line.start(2) >= 0:
            if spans:
                yield tuple(spans)
            spans = []
        elif line.start(1) >= 0:
            spans.append(line.span(1))
    if spans:
        yield tuple(spans)


@dataclass(slots=True)
class _Place:
    """The containers that are open, each by the key of its member that comes or came last."""

    keys: list[Key] = field(default_factory=list)

    @property
    def path(self) -> tuple[Key, ...]:
        return tuple(self.keys[:_DEPTH])

    @property
    def wants_name(self) -> bool:
        return bool(self.keys) and self.keys[-1] is None

    def move(self, sign: bytes) -> None:
        if sign in b"{[":
            self.keys.append(None if sign == b"{" else 0)
        elif self.keys and sign == b",":
            last = self.keys[-1]
            self.keys[-1] = last + 1 if isinstance(last, int) else None
        elif self.keys:
            self.keys.pop()


def _name(raw: bytes) -> str:
    text = decode(raw)
    if "\\" not in text:
        return text
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text
