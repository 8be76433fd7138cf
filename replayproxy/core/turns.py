"""Whose turn it is: the recorded answers to one request, given in order, and what happens past the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from replayproxy.core.tally import Counter

__all__ = ["Repeat", "Turn", "Turns"]

Repeat = Literal["last", "never", "cycle"]

#: Methods whose last recorded answer may be given again when the recordings are used up (`repeat: last`).
SAFE_METHODS = frozenset({"GET", "HEAD"})


class Turn(NamedTuple):
    """One place in the line: the interaction that answers, whether it was given before, and whether it only fails this
    time (its fault is met a limited number of times) and answers whoever comes next. A `lasting` one is for everybody
    who comes from now on: its place need not be taken."""

    place: int
    number: int
    repeated: bool = False
    failing: bool = False
    lasting: bool = False


class Turns:
    """The interactions of one identity, by number, and how many places of their line were taken.

    `fails` says how often an interaction fails before it answers, for those that do.
    """

    __slots__ = ("_order", "counter", "numbers")

    def __init__(self, numbers: Sequence[int], counter: Counter, fails: Mapping[int, int] = {}) -> None:
        self.numbers, self.counter = numbers, counter
        self._order = [n for n in numbers for _ in range(fails.get(n, 0) + 1)] if fails else numbers

    def next(self, method: str, repeat: Repeat) -> Turn | None:
        """The turn that is next, None when there is none. It is not taken before `counter.claim` of its place."""
        place, order = self.counter.value, self._order
        if place < len(order):
            number = order[place]
            return Turn(place, number, False, order[place + 1 : place + 2] == [number])
        if repeat == "never" or (repeat == "last" and method not in SAFE_METHODS):
            return None
        again = self.numbers[(place - len(order)) % len(self.numbers) if repeat == "cycle" else -1]
        return Turn(place, again, True, False, repeat == "last" or len(self.numbers) == 1)

    def given(self) -> Iterator[int]:
        """The numbers of the interactions that answered."""
        place, order = self.counter.value, self._order
        taken = enumerate(order[:place], 1)
        return (number for after, number in taken if order[after : after + 1] != [number])
