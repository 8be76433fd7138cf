"""The beginning of a body that nobody records."""

from __future__ import annotations

import gzip

import pytest

from replayproxy.core.journal import Allowance
from replayproxy.core.messages import Chunk, Headers
from replayproxy.proxy.glimpse import LONGEST, TOLD, Glimpse, shortened

STREAM = Headers.of(("Content-Type", "text/event-stream"))


def test_a_short_body_is_kept_whole_with_its_pieces() -> None:
    """An event stream tells when each piece came; anything else does not."""
    glimpse = Glimpse(STREAM)
    glimpse.feed(b"data: 1\n\n", 0.25)
    glimpse.feed(b"data: 2\n\n", 0.5)
    assert glimpse.read() == (b"data: 1\n\ndata: 2\n\n", "", (Chunk(0.25, 9), Chunk(0.5, 9)), False)
    plain = Glimpse(Headers())
    plain.feed(b"abc", 0.25)
    assert plain.read() == (b"abc", "", (), False)


def test_a_long_body_is_cut_but_counted() -> None:
    """However much passes, so much is kept."""
    glimpse = Glimpse(Headers())
    for _ in range(3):
        glimpse.feed(bytes(LONGEST // 2 + 1))
    body, _, _, cut = glimpse.read()
    assert (len(body), cut, glimpse.size) == (LONGEST, True, 3 * (LONGEST // 2 + 1))


@pytest.mark.parametrize("end", [None, -10], ids=["whole", "not at its end yet"])
def test_a_coding_is_taken_off(end: int | None) -> None:
    """As far as the body came."""
    glimpse = Glimpse(Headers.of(("Content-Encoding", "gzip")))
    glimpse.feed(gzip.compress(b"hello" * 10_000)[:end])
    body, coding, chunks, cut = glimpse.read()
    assert (body[:10], coding, chunks, cut) == (b"hellohello", "gzip", (), False)


def test_a_coding_that_is_broken_or_unknown_stays_on() -> None:
    """The bytes are shown as they came."""
    for coding in ("gzip", "rot13"):
        glimpse = Glimpse(Headers.of(("Content-Encoding", coding)))
        glimpse.feed(b"no such thing")
        assert glimpse.read() == (b"no such thing", "", (), False)


def test_a_bomb_stays_small() -> None:
    """What unpacks to more than is kept is cut while it unpacks."""
    glimpse = Glimpse(Headers.of(("Content-Encoding", "gzip")))
    glimpse.feed(gzip.compress(bytes(100 * LONGEST)))
    body, _, _, cut = glimpse.read()
    assert (len(body), cut) == (LONGEST, True)


def test_an_answer_is_shortened_only_when_it_is_long() -> None:
    """And says whether it was."""
    assert shortened(b"abc") == (b"abc", False)
    assert shortened(bytes(TOLD + 1)) == (bytes(TOLD), True)


def test_what_is_under_way_has_an_allowance_together() -> None:
    """Beyond it nothing more is kept, and says so; when an exchange is over, its share is there for others."""
    allowance = Allowance(100)
    first, second, third = (Glimpse(Headers(), allowance) for _ in range(3))
    first.feed(bytes(80))
    second.feed(bytes(80))
    second.feed(bytes(80))
    assert (first.read()[3], second.held, second.size, second.read()[3]) == (False, 20, 160, True)
    first.end()
    first.end()
    second.feed(bytes(10))
    third.feed(bytes(80))
    assert (second.held, third.held, allowance.left) == (20, 80, 0)
