"""What the handlers of all families share."""

from __future__ import annotations

from replayproxy.core.problem import Call, Problem
from replayproxy.emulator.family import body_of, page_answer
from replayproxy.emulator.shelf import Shelf


def test_page_of_a_call_that_nobody_checked() -> None:
    """A wrong query is a problem here, too, and not an exception."""
    shelf: Shelf[str] = Shelf("msg", 0, "thread_1", 0)
    answer = page_answer(shelf, "message", Call({}, (("limit", "x"),)), lambda item: {"item": item})
    assert isinstance(answer, Problem)
    assert answer.param == "limit"


def test_body_that_was_not_read_counts_as_empty() -> None:
    """A call without a body has no fields."""
    assert body_of(Call({})) == {}
