"""Multipart bodies: their parts, and where these stand in the bytes.

Facts: RFC 2046 5.1.1. A delimiter is a line that begins with `--` and the boundary; lines end with CRLF; the line
end before a delimiter belongs to the delimiter; text before the first and after the last one is to be ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from replayproxy.core.media_types import media_type, parameters
from replayproxy.core.messages import Headers, encode

__all__ = ["PARTS_LIMIT", "Part", "boundary", "parse_multipart"]

#: A body with more parts is not taken apart.
PARTS_LIMIT = 10_000

_DELIMITER_TAIL = re.compile(rb"(--)?[ \t]*(?=\r\n|\Z)")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a multipart body; `content` is `body[start:end]`. `name` and `filename` are None when not given."""

    name: str | None
    filename: str | None
    headers: Headers
    content: bytes
    start: int
    end: int


class _Delimiter(NamedTuple):
    start: int
    end: int
    closes: bool


def boundary(headers: Headers) -> bytes | None:
    """The boundary of a multipart body, or None when the headers do not announce one."""
    media = media_type(headers)
    found = encode(media.parameters.get("boundary", "")) if media.is_multipart else b""
    return found or None


def parse_multipart(headers: Headers, body: bytes) -> tuple[Part, ...] | None:
    """The parts in their order, or None when the body is malformed: no boundary, no end, a part without head."""
    wanted = boundary(headers)
    if wanted is None:
        return None
    parts: list[Part] = []
    before: _Delimiter | None = None
    for delimiter in _delimiters(body, wanted):
        if before is not None:
            part = _part(body, before.end + 2, delimiter.start)
            if part is None or len(parts) == PARTS_LIMIT:
                return None
            parts.append(part)
        if delimiter.closes:
            return tuple(parts)
        before = delimiter
    return None


def _delimiters(body: bytes, wanted: bytes) -> Iterator[_Delimiter]:
    if body.startswith(b"--" + wanted) and (tail := _DELIMITER_TAIL.match(body, 2 + len(wanted))):
        yield _Delimiter(0, tail.end(), tail.group(1) is not None)
    mark = b"\r\n--" + wanted
    place = body.find(mark)
    while place >= 0:
        if tail := _DELIMITER_TAIL.match(body, place + len(mark)):
            yield _Delimiter(place, tail.end(), tail.group(1) is not None)
        place = body.find(mark, place + len(mark))


def _part(body: bytes, start: int, end: int) -> Part | None:
    if body.startswith(b"\r\n", start, end):
        lines, content = [], start + 2
    else:
        blank = body.find(b"\r\n\r\n", start, end)
        if blank < 0:
            return None
        lines, content = body[start:blank].split(b"\r\n"), blank + 4
    pairs = [line.partition(b":") for line in lines]
    if not all(name and colon and name.strip() == name for name, colon, _ in pairs):
        return None
    headers = Headers.from_raw((name, value.strip()) for name, _, value in pairs)
    named = parameters(headers.get("content-disposition") or "")
    return Part(named.get("name"), named.get("filename"), headers, body[content:end], content, end)
