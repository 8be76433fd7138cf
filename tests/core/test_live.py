"""Which requests were recorded in a session."""

from __future__ import annotations

from replayproxy.core.live import Live
from tests.tallies import CommonTally


def test_what_one_recorded_the_other_knows() -> None:
    """And nothing else; the turns of the request are not touched."""
    tally, key, other = CommonTally(), b"k" * 16, b"l" * 16
    here, there = Live(tally), Live(tally)
    assert key not in there
    here.add(key)
    here.add(key)
    assert key in there
    assert key in here
    assert other not in here
    assert tally.turns(key).value == 0
