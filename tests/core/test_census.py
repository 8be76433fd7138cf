"""What was asked for, by operation."""

from __future__ import annotations

from replayproxy.core.catalog import Operation
from replayproxy.core.census import Census
from replayproxy.core.problem import Problem
from replayproxy.core.receipt import Asked
from replayproxy.core.tally import OwnTally

ONE, OTHER = Operation("one", "GET", "/1", "f"), Operation("other", "GET", "/2", "g")


def test_messages_are_counted_by_the_gravest_of_their_problems() -> None:
    """A warning beside a problem does not count; nothing wrong is nothing to count; what nobody knows has a row."""
    census = Census(OwnTally())
    for operation in (ONE, OTHER, ONE, None):
        census.arrived(operation)
    census.found(ONE, (Problem("a"), Problem("b", warning=True)))
    census.found(ONE, (Problem("b", warning=True),))
    census.found(OTHER, ())
    census.found(None, (Problem("c", warning=True),))
    assert census.rows() == (Asked("one", "f", 2, 1, 1), Asked("other", "g", 1), Asked("", "", 1, 0, 1))
