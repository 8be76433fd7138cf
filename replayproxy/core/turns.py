"""Whose turn it is: the recorded answers to one request, given in order, and what happens past the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Repeat", "Turns"]

Repeat = Literal["last", "never", "cycle"]

#: Methods whose last recorded answer may be given again when the recordings are used up (`repeat: last`).
SAFE_METHODS = frozenset({"GET", "HEAD"})


@dataclass(slots=True)
class Turns:
    """The interactions of one identity, by number, and how many were given.

    `live`: one of them was recorded in this session. It is as fresh as can be, and says nothing about the next answer.
    """

    numbers: list[int] = field(default_factory=list)
    played: int = 0
    live: bool = False

    @property
    def over(self) -> bool:
        """Whether each was given once."""
        return self.played >= len(self.numbers)

    def next(self, method: str, repeat: Repeat) -> int | None:
        """The number of the one that answers next, None when there is none."""
        if not self.over:
            return self.numbers[self.played]
        if self.live or repeat == "never" or (repeat == "last" and method not in SAFE_METHODS):
            return None
        return self.numbers[self.played % len(self.numbers) if repeat == "cycle" else -1]
