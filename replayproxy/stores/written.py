"""What a recording wrote: where each document stands, and when its request had arrived.

A document costs a few bytes here, however many there are: a recording may go on for weeks.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Written", "WrittenDocuments"]


@dataclass(frozen=True, slots=True)
class Written:
    """A document in the bytes from `start` to `end` of its file; `key` tells its exchange, b"" where none was noted."""

    key: bytes
    start: int
    end: int


class WrittenDocuments:
    """Documents that stand behind each other, the first where `begin` says."""

    def __init__(self, begin: int = 0) -> None:
        self._arrivals, self._ends, self._keys = array("q"), array("q", [begin]), list[bytes]()

    def add(self, arrival: int, key: bytes, size: int) -> None:
        """Takes down a document of so many bytes behind the last one."""
        self._arrivals.append(arrival)
        self._ends.append(self._ends[-1] + size)
        if key:
            self._keys.append(key)

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return self._ends[-1]

    @property
    def in_order(self) -> bool:
        """Whether they stand in the order in which their requests arrived."""
        return all(one <= other for one, other in pairwise(self._arrivals))

    def by_arrival(self) -> Iterator[Written]:
        """All of them, in the order in which their requests arrived."""
        for at in sorted(range(len(self)), key=self._arrivals.__getitem__):
            yield Written(self._keys[at] if self._keys else b"", self._ends[at], self._ends[at + 1])

    def __len__(self) -> int:
        return len(self._arrivals)
