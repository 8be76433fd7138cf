"""What a target makes of the bytes that it is given: choices first, then the material.

The choices are the first bytes, one each, so that a change of one byte is a change of one choice; where the bytes are
used up every choice is the first of its options. No chance is involved: the same bytes are the same case.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

__all__ = ["Input", "as_text", "pieces_of"]

Option = TypeVar("Option")


class Input:
    """Bytes, taken from the front."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def number(self) -> int:
        """The next byte, 0 when there is none."""
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def one_of(self, options: Sequence[Option]) -> Option:
        """The option that the next byte chooses."""
        return options[self.number() % len(options)]

    def rest(self) -> bytes:
        """What is left."""
        return self._data[self._at :]

    def halves(self) -> tuple[bytes, bytes]:
        """What is left, before and after its first byte 0xFF; the same twice when there is none."""
        first, mark, second = self.rest().partition(b"\xff")
        return first, second if mark else first


def pieces_of(data: bytes, way: int) -> list[bytes]:
    """`data` cut in one of 256 ways: whole, byte by byte, in pieces of even and of uneven size."""
    if way == 0:
        return [data]
    if way < 16:
        return [data[start : start + way] for start in range(0, len(data), way)]
    random, found, at = Random(way), list[bytes](), 0
    while at < len(data):
        size = random.choice((0, 1, 2, 3, 7, 20, 100, len(data)))
        found.append(data[at : at + size])
        at += size
    return found


def as_text(data: bytes) -> str:
    """Bytes of a head as text, as `core/messages.py` reads them."""
    return data.decode("utf-8", "surrogateescape")
