"""What the handlers of all families share."""

from __future__ import annotations

from replayproxy.core.catalog import Resolved
from replayproxy.core.messages import Request
from replayproxy.core.problem import Call, Problem
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.assistants.threads import THREAD
from replayproxy.emulator.family import page_answer
from replayproxy.emulator.records import Record
from replayproxy.emulator.shelf import Shelf
from replayproxy.openai_api import catalog


def asked(query: tuple[tuple[str, str], ...] = ()) -> Asked:
    """A call that nobody has checked."""
    return Asked(Request("GET", "/v1/x"), Resolved(catalog().operation("listMessages")), Call({}, query))


def test_page_of_a_call_that_nobody_checked() -> None:
    """A wrong query is a problem here, too, and not an exception."""
    shelf: Shelf[Record] = Shelf(str)
    answer = page_answer(shelf, THREAD, asked((("limit", "x"),)))
    assert isinstance(answer, Problem)
    assert answer.param == "limit"


def test_body_that_was_not_read_counts_as_empty() -> None:
    """A call without a body has no fields."""
    assert asked().body == {}
    assert asked().uploads("file") == ()
