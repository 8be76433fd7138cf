"""What is counted in a session."""

from __future__ import annotations

from replayproxy.core.tally import OwnTally


def test_a_place_is_claimed_once() -> None:
    """Who comes second sees that it is gone, and nothing changes."""
    counter = OwnTally().turns(bytes(16))
    assert [counter.claim(0), counter.claim(0), counter.claim(1)] == [True, False, True]
    assert counter.value == 2


def test_whoever_adds_learns_its_place() -> None:
    """The value before."""
    counter = OwnTally().named("arrived")
    assert [counter.add(), counter.add(), counter.value] == [0, 1, 2]


def test_named_counters_are_told_in_order() -> None:
    """The one that was asked for first comes first, and a name means one counter."""
    tally = OwnTally()
    tally.named("b").add()
    tally.named("a")
    tally.named("b").add()
    assert list(tally.names().items()) == [("b", 2), ("a", 0)]


def test_what_is_only_counted_has_no_place() -> None:
    """It is one more all the same."""
    counter = OwnTally().named("played")
    counter.count()
    assert counter.value == 1
