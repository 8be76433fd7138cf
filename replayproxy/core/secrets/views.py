r"""Text as a reader sees it, with the way back to its bytes: `\u00fc` of JSON and `%C3%BC` of a URL are `ü`."""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

__all__ = ["View", "json_view", "url_view", "view"]

_PAIR = rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPES = re.compile(_PAIR + rb"|\\u[0-9a-fA-F]{4}|\\[\"\\/bfnrt]")
_PERCENT = re.compile(rb"%[0-9A-Fa-f]{2}|\+")


@dataclass(frozen=True, slots=True)
class View:
    """`text` is what is seen. Escape N stands from `raw[N][0]` to `raw[N][1]` in the bytes, and from `seen[N][0]` to
    `seen[N][1]` in the text; between escapes both are the same."""

    text: bytes
    start: int
    raw: tuple[tuple[int, int], ...]
    seen: tuple[tuple[int, int], ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where in the bytes the text from `start` to `end` stands; escapes count as a whole."""
        return self._begins(start), self._ends(end)

    def touches(self, start: int, end: int) -> bool:
        """Whether there is an escape in the text from `start` to `end`."""
        number = bisect_right(self.seen, start, key=lambda span: span[1])
        return number < len(self.seen) and self.seen[number][0] < end

    def _begins(self, at: int) -> int:
        """The bytes before the escape that `at` is in, or before which it stands."""
        number = bisect_right(self.seen, at, key=lambda span: span[0]) - 1
        if number < 0:
            return self.start + at
        if at < self.seen[number][1]:
            return self.raw[number][0]
        return self.raw[number][1] + at - self.seen[number][1]

    def _ends(self, at: int) -> int:
        """The bytes after the escape that `at` is in, or after which it stands."""
        number = bisect_left(self.seen, at, key=lambda span: span[0]) - 1
        if number < 0:
            return self.start + at
        return self.raw[number][1] + max(0, at - self.seen[number][1])


def json_view(data: bytes, start: int, end: int) -> View:
    """The inside of JSON strings in `data` from `start` to `end`, one level of escapes taken off."""
    return view(data, start, end, _ESCAPES, _unescaped)


def url_view(data: bytes, start: int, end: int) -> View:
    """A query or a form in `data` from `start` to `end`, decoded."""
    return view(data, start, end, _PERCENT, lambda code: b" " if code[0] == b"+" else unquote_to_bytes(code[0]))


def view(
    data: bytes, start: int, end: int, escapes: re.Pattern[bytes], decoded: Callable[[re.Match[bytes]], bytes]
) -> View:
    """`data` from `start` to `end` with what is `decoded` in the place of each of the `escapes`."""
    text, raw, seen, done = bytearray(), list[tuple[int, int]](), list[tuple[int, int]](), start
    for found in escapes.finditer(data, start, end):
        text += data[done : found.start()]
        before = len(text)
        text += decoded(found)
        done = found.end()
        raw.append(found.span())
        seen.append((before, len(text)))
    return View(bytes(text + data[done:end]), start, tuple(raw), tuple(seen))


def _unescaped(code: re.Match[bytes]) -> bytes:
    text: str = json.loads(b'"' + code[0] + b'"')
    return text.encode("utf-8", "surrogatepass")
