"""What is counted in a session, in a form that several processes can share.

Rules:
1. A count only grows, by one at a time, and whoever makes it grow knows what it was before: no two get the same place.
2. Nothing else of a session changes from outside, so a tally is all that those who serve one session have in common.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Count", "Counter", "OwnTally", "Tally"]


class Counter(Protocol):
    """A number that grows."""

    @property
    def value(self) -> int:
        """How far it has come."""

    def add(self) -> int:
        """Makes it one more; what it was before."""

    def count(self) -> None:
        """Makes it one more, for `value` alone: it is nobody's place, and what `add` and `claim` see is as before."""

    def claim(self, place: int) -> bool:
        """Makes it one more if it is `place` still; whether it was."""


class Tally(Protocol):
    """The counters of one session, all 0 at first."""

    def turns(self, key: bytes) -> Counter:
        """How many of the answers to the request with that identity (16 bytes) were given. Asked for once by each who
        serves the session."""

    def named(self, name: str) -> Counter:
        """The counter of that name (printable, up to 200 characters)."""

    def names(self) -> Mapping[str, int]:
        """All named counters that were asked for, in the order in which they first were, and how far each has come."""


@dataclass(slots=True)
class Count:
    """A counter of one process."""

    value: int = 0

    def add(self) -> int:
        """Makes it one more; what it was before."""
        before = self.value
        self.value = before + 1
        return before

    def count(self) -> None:
        """Makes it one more."""
        self.value += 1

    def claim(self, place: int) -> bool:
        """Makes it one more if it is `place` still; whether it was."""
        if self.value != place:
            return False
        self.value = place + 1
        return True


class OwnTally:
    """The counters of a session that one process serves."""

    def __init__(self) -> None:
        self._named: dict[str, Count] = {}

    def turns(self, key: bytes) -> Count:
        """A counter for that request, which the session keeps."""
        return Count()

    def named(self, name: str) -> Count:
        """The counter of that name."""
        return self._named.setdefault(name, Count())

    def names(self) -> Mapping[str, int]:
        """All named counters."""
        return {name: count.value for name, count in self._named.items()}
