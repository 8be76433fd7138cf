"""Results kept in bounded memory."""

from __future__ import annotations

from replayproxy.core.memo import Memo


def test_what_was_put_is_there_and_given_back() -> None:
    """A result is found by its key; what nobody put is not there."""
    memo = Memo[str, int](entries=3, size=1000)
    assert memo.put("a", 1, size=10) == 1
    assert (memo.get("a"), memo.get("b")) == (1, None)


def test_there_are_never_more_entries_than_allowed() -> None:
    """When there is no more room, all go and the new one stays."""
    memo = Memo[int, int](entries=3, size=1000)
    for number in range(4):
        memo.put(number, number, size=1)
    assert [memo.get(number) for number in range(4)] == [None, None, None, 3]


def test_keys_together_are_never_larger_than_allowed() -> None:
    """Sizes count as well as entries, and count anew when all have gone."""
    memo = Memo[int, int](entries=1000, size=100)
    for number in range(21):
        memo.put(number, number, size=10)
    assert [number for number in range(21) if memo.get(number) is not None] == [20]


def test_what_is_large_is_not_remembered() -> None:
    """One key that takes more than a tenth of the room drives nothing else out."""
    memo = Memo[str, int](entries=3, size=100)
    memo.put("a", 1, size=10)
    assert memo.put("large", 2, size=11) == 2
    assert (memo.get("large"), memo.get("a")) == (None, 1)
