"""On which line of a JSON text a value stands, found by the path that a problem names (`messages[0].content`).

Rules:
1. The text need not be valid JSON: what can be read of it is.
2. What the path leads to is found, or else the nearest value that holds it. A key with dots or brackets in it is met
   wherever the path goes on with its very characters.
3. One pass, without recursion: depth and size have no limit here.
"""

from __future__ import annotations

import json
import re

__all__ = ["Trace", "line_of"]

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]|[^\s{}\[\],:"]+', re.DOTALL)


def line_of(text: str, path: str) -> int:
    """The number, from 1, of the line on which the value at `path` starts; "" is the value as a whole."""
    trace = Trace(path)
    for token in _TOKEN.finditer(text):
        first = token[0][0]
        if first in "{[":
            trace.begin(token.start(), is_object=first == "{")
        elif first in "}]":
            trace.end()
        elif trace.at_key:
            trace.key(_text(token[0]))
        else:
            trace.value(token.start())
    return text.count("\n", 0, trace.place) + 1


class Trace:
    """Follows a path through a document that is told piece by piece: values that begin and end, and keys.

    `place` is that of the value that came nearest, in whatever its places are counted; 0 before any was told.
    """

    def __init__(self, path: str) -> None:
        self._path, self._nearest = path, len(path) + 1
        self._open: list[_Open] = []
        self.place = 0

    @property
    def at_key(self) -> bool:
        """Whether a key comes next."""
        return bool(self._open) and self._open[-1].at_key

    def key(self, key: str) -> None:
        """The key of the value that comes next."""
        self._open[-1].take_key(key)

    def value(self, place: int) -> None:
        """A value at `place` that holds no others."""
        self._enter(place)

    def begin(self, place: int, *, is_object: bool) -> None:
        """An object or a list begins at `place`."""
        self._open.append(_Open(self._enter(place), is_object))

    def end(self) -> None:
        """The innermost object or list ends."""
        if self._open:
            self._open.pop()

    def _enter(self, place: int) -> str | None:
        """What is left of the path after the value at `place`; None when the path does not lead there."""
        rest = self._open[-1].next_rest() if self._open else self._path
        # Of equally near ones the last: so a parser reads a key that stands there twice.
        if rest is not None and len(rest) <= self._nearest:
            self._nearest, self.place = len(rest), place
        return rest


class _Open:
    """An object or list that was begun, and what is left of the path there (None: it does not lead there)."""

    __slots__ = ("_index", "_is_object", "_next", "_rest", "at_key")

    def __init__(self, rest: str | None, is_object: bool) -> None:
        self._rest, self._is_object = rest, is_object
        self._next: str | None = None
        self._index = -1
        self.at_key = is_object

    def take_key(self, key: str) -> None:
        self.at_key = False
        self._next = _after(self._rest, key) if self._rest else None

    def next_rest(self) -> str | None:
        if self._is_object:
            self.at_key = True
            return self._next
        self._index += 1
        return _after(self._rest, f"[{self._index}]") if self._rest else None


def _after(rest: str, step: str) -> str | None:
    """What is left of `rest` after `step`; None when it does not begin with it."""
    if not rest.startswith(step):
        return None
    left = rest[len(step) :]
    return left.removeprefix(".") if not left or left[0] in ".[" else None


def _text(token: str) -> str:
    try:
        return str(json.loads(token, strict=False))
    except ValueError:
        return token.strip('"')
