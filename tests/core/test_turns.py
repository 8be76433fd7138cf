"""The recorded answers to one request, in order."""

from __future__ import annotations

import pytest

from replayproxy.core.tally import Count
from replayproxy.core.turns import Repeat, Turns


def taken(turns: Turns, method: str, repeat: Repeat, times: int) -> list[tuple[int, bool, bool] | None]:
    """The turns of so many requests, each taken: number, repeated, failing."""
    found: list[tuple[int, bool, bool] | None] = []
    for _ in range(times):
        turn = turns.next(method, repeat)
        assert turn is None or turns.counter.claim(turn.place)
        found.append(turn and (turn.number, turn.repeated, turn.failing))
    return found


@pytest.mark.parametrize(
    ("repeat", "method", "after"),
    [
        ("last", "GET", [5, 5, 5]),
        ("last", "HEAD", [5, 5, 5]),
        ("last", "POST", [None, None, None]),
        ("never", "GET", [None, None, None]),
        ("cycle", "POST", [3, 5, 3]),
    ],
)
def test_what_comes_past_the_end(repeat: Repeat, method: str, after: list[int | None]) -> None:
    """Each once, in order; then what `repeat` says."""
    turns = Turns([3, 5], Count())
    found = [each and each[:2] for each in taken(turns, method, repeat, 5)]
    assert found == [(3, False), (5, False), *(number and (number, True) for number in after)]


def test_a_turn_that_nobody_takes_stays() -> None:
    """Looking does not use anything up, and a place is taken once only."""
    turns = Turns([3, 5], Count())
    first, same = turns.next("POST", "last"), turns.next("POST", "last")
    assert first is not None
    assert first == same
    assert turns.counter.claim(first.place)
    assert not turns.counter.claim(first.place)
    assert list(turns.given()) == [3]


def test_what_fails_first_answers_afterwards() -> None:
    """A fault that is met twice takes two places before its answer, which is given when the third is taken."""
    turns, given = Turns([3, 5], Count(), {5: 2}), list[list[int]]()
    for expected in [(3, False, False), (5, False, True), (5, False, True), (5, False, False), (3, True, False)]:
        assert taken(turns, "POST", "cycle", 1) == [expected]
        given.append(list(turns.given()))
    assert given == [[3], [3], [3], [3, 5], [3, 5]]


@pytest.mark.parametrize(
    ("numbers", "method", "repeat", "lasting"),
    [([3], "POST", "cycle", True), ([3, 5], "POST", "cycle", False), ([3, 5], "GET", "last", True)],
)
def test_what_answers_everybody_is_nobodys_place(
    numbers: list[int], method: str, repeat: Repeat, lasting: bool
) -> None:
    """Once a request has only one answer left, nobody has to wait for anybody to know which it is."""
    turns = Turns(numbers, Count())
    for _ in numbers:
        turn = turns.next(method, repeat)
        assert turn is not None
        assert not turn.lasting
        turns.counter.claim(turn.place)
    again = turns.next(method, repeat)
    assert again is not None
    assert again.lasting is lasting
