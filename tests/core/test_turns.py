"""The recorded answers to one request, in order."""

from __future__ import annotations

import pytest

from replayproxy.core.turns import Repeat, Turns


@pytest.mark.parametrize(
    ("repeat", "method", "live", "after"),
    [
        ("last", "GET", False, [5, 5]),
        ("last", "HEAD", False, [5, 5]),
        ("last", "POST", False, [None, None]),
        ("never", "GET", False, [None, None]),
        ("cycle", "POST", False, [3, 5]),
        ("cycle", "GET", True, [None, None]),
    ],
)
def test_what_comes_past_the_end(repeat: Repeat, method: str, live: bool, after: list[int | None]) -> None:
    """Each once, in order; then what `repeat` says, unless one was recorded just now."""
    turns, given = Turns([3, 5], live=live), list[int | None]()
    for _ in range(4):
        given.append(turns.next(method, repeat))
        assert turns.over is (turns.played >= 2)
        turns.played += 1
    assert given == [3, 5, *after]
