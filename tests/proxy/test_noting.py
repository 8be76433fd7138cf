"""What the journal keeps of an exchange, and what it costs."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest

from replayproxy.core.journal import UNDER_WAY, Entry
from replayproxy.core.messages import Headers, Response
from replayproxy.core.modes import MODES
from replayproxy.core.redaction import Redactor
from replayproxy.core.session import Session
from replayproxy.proxy.capture import Capture
from replayproxy.proxy.glimpse import LONGEST, TOLD, Glimpse
from replayproxy.proxy.noting import Noted, Passed, Recorded, Told
from tests.builders import request, response

KEY = "sk-proj-Zm9vYmFyMTIzNDU2Nzg5MA_T3BlbkFJ-aBcDeFgHiJkLmNoPqRsTuVwXyZ012345678901234567890abcdA"
ENTRY = Entry(1, "default", "2026-01-01T00:00:00Z", request(), 200, "forwarded")


def passed(body: bytes, *, over: bool = True) -> Passed:
    """An answer that was passed on."""
    glimpse = Glimpse(Headers())
    glimpse.feed(body)
    answer = Passed(Response(200, "OK"), glimpse, Redactor(), frozenset())
    answer.over = over
    return answer


def test_what_passed_is_redacted_when_it_is_read() -> None:
    """Each time while it grows; once when it is over, and then what was kept of it is let go."""
    growing = passed(f"so {KEY}".encode(), over=False)
    first, _ = growing.read()
    growing.glimpse.feed(b" it is")
    second, _ = growing.read()
    assert (first, second) == (replace(first or Response(0), body=b"so redacted.api-key"), growing.read()[0])
    assert second is not None
    assert second.body == b"so redacted.api-key it is"
    growing.over = True
    assert growing.read()[0] == second
    assert (growing.glimpse.held, growing.read()[0]) == (0, second)


def test_a_large_body_weighs_what_is_kept_of_it() -> None:
    """A gigabyte that passed pushes nothing else out of the journal."""
    asked = Glimpse(Headers())
    for _ in range(20):
        asked.feed(bytes(LONGEST))
    weight = Noted(ENTRY, passed(bytes(9 * LONGEST)), asked, Redactor()).size
    assert 2 * LONGEST < weight < 2 * LONGEST + 10_000
    told = Told(response(200, bytes(5 * TOLD)))
    assert (told.size < TOLD + 10_000, told.read()[1]) == (True, True)


def test_a_glance_at_what_is_under_way_reads_no_body() -> None:
    """Its head is enough: that is looked at ten times a second."""
    noted = Noted(replace(ENTRY, outcome=UNDER_WAY), passed(b"x" * 1000, over=False))
    glance = noted.glance()
    assert glance.response() == Response(200, "OK")
    assert Noted(replace(ENTRY, outcome=UNDER_WAY)).glance().response() is None


@pytest.mark.parametrize("coding", ["", "gzip"])
def test_what_is_captured_is_read_from_there_until_it_is_thrown_away(coding: str) -> None:
    """One copy is enough while it comes; what is known of it stays when it was not saved."""
    headers = Headers.of(("Content-Encoding", coding)) if coding else Headers()
    capture = Capture(headers, lambda: Redactor().stream(), None, decode=True)
    body = f"so {KEY} it is".encode()
    capture.feed(gzip.compress(body) if coding else body)
    answer = Passed(Response(200, "OK"), capture, Redactor(), frozenset())
    told, cut = answer.read()
    assert told is not None
    assert (told.body, told.coding, cut) == (b"so redacted.api-key it is", coding, False)
    answer.settle()
    capture.discard()
    assert answer.read()[0] == told
    assert (answer.glimpse.size, answer.glimpse.held) == (len(body), 0)


def test_what_is_no_longer_recorded_is_not_known() -> None:
    """A session that was closed, or a cassette that changed, answers nothing."""
    assert Recorded(Session(MODES["playback"]), 3).read() == (None, False)
