"""A copy of a body, made while it passes."""

from __future__ import annotations

import gzip

import pytest

from replayproxy.core.bodies import PARSE_LIMIT
from replayproxy.core.messages import Chunk, FileBody, Headers
from replayproxy.core.redaction import Redactor
from replayproxy.errors import CassetteError
from replayproxy.proxy.capture import MOST_CHUNKS, Capture

EVENTS = Headers.of(("Content-Type", "text/event-stream"))
GZIPPED = Headers.of(("Content-Encoding", "gzip"))
PIECE = bytes(1 << 20)


class Shelf:
    """A spool in memory; `room` is how many bytes it takes."""

    def __init__(self, room: int = 1 << 40) -> None:
        self.content, self.state, self.room = b"", "open", room

    def write(self, data: bytes) -> None:
        self.room -= len(data)
        if self.room < 0:
            raise CassetteError("no space left on device")
        self.content += data

    def adopt(self, sha256: str, extension: str) -> str:
        self.state = "adopted"
        return sha256[:32] + extension

    def discard(self) -> None:
        self.state = "discarded"


def capture(headers: Headers, shelf: Shelf | None = None, *, decode: bool = False) -> Capture:
    return Capture(headers, lambda: Redactor().stream(frozenset()), (lambda: shelf) if shelf else None, decode=decode)


def test_a_small_body_stays_in_memory_with_its_chunks() -> None:
    """An event stream remembers when each piece came."""
    copy = capture(EVENTS)
    copy.feed(b"data: 1\n\n", 0.5)
    copy.feed(b"", 0.6)
    copy.feed(b"data: 2\n\n", 1.5)
    assert copy.finish() == (b"data: 1\n\ndata: 2\n\n", "", (Chunk(0.5, 9), Chunk(1.5, 9)))


def test_a_stream_of_very_many_chunks_goes_into_a_file() -> None:
    """However small they are; when each of them came is not kept then."""
    shelf = Shelf()
    copy = capture(EVENTS, shelf)
    for _ in range(MOST_CHUNKS + 2):
        copy.feed(b"data: 1\n\n")
    body, _, chunks = copy.finish()
    assert isinstance(body, FileBody)
    assert (shelf.content, chunks) == (b"data: 1\n\n" * (MOST_CHUNKS + 2), ())


def test_only_event_streams_have_chunks() -> None:
    """How other bodies were cut up says nothing."""
    copy = capture(Headers())
    copy.feed(b"a")
    copy.feed(b"b")
    assert copy.finish() == (b"ab", "", ())


def test_a_large_body_goes_into_a_redacted_file() -> None:
    """From the first byte on, secrets included that stand before the limit."""
    shelf, copy = Shelf(), capture(EVENTS)
    copy = capture(Headers(), shelf)
    secret = b"sk-proj-" + b"A1b2C3d4" * 8
    copy.feed(secret + b" ")
    for _ in range(9):
        copy.feed(PIECE)
    body, coding, chunks = copy.finish()
    assert isinstance(body, FileBody)
    assert (body.size, coding, chunks) == (len(shelf.content), "", ())
    assert secret not in shelf.content
    assert shelf.state == "adopted"


def test_without_a_file_a_large_body_is_only_measured() -> None:
    """In playback the digest is all that is needed."""
    copy = capture(Headers())
    for _ in range(9):
        copy.feed(PIECE)
    body, _, _ = copy.finish()
    assert isinstance(body, FileBody)
    assert (body.name, body.size) == ("", 9 << 20)
    copy.discard()


@pytest.mark.parametrize("shelf", [None, Shelf()])
def test_discard_forgets(shelf: Shelf | None) -> None:
    """A file that nobody needs is thrown away."""
    copy = capture(Headers(), shelf)
    for _ in range(9):
        copy.feed(PIECE)
    copy.discard()
    assert shelf is None or shelf.state == "discarded"


def test_a_full_disk_is_told_at_the_end() -> None:
    """The copy fails, not the exchange it is a copy of."""
    shelf = Shelf(room=1 << 20)
    copy = capture(Headers(), shelf)
    for _ in range(12):
        copy.feed(PIECE)
    with pytest.raises(CassetteError, match="no space left"):
        copy.finish()
    assert shelf.state == "discarded"


def test_a_coding_is_taken_off() -> None:
    """What is stored is readable, and knows what to put on again."""
    copy = capture(GZIPPED, decode=True)
    packed = gzip.compress(b"text" * 100)
    for start in range(0, len(packed), 7):
        copy.feed(packed[start : start + 7])
    assert copy.finish() == (b"text" * 100, "gzip", ())


@pytest.mark.parametrize("body", [b"", b"not gzip at all", gzip.compress(b"text", mtime=0)[:-3]])
def test_what_cannot_be_decoded_is_kept_as_received(body: bytes) -> None:
    """An empty body, garbage, or half of one: the bytes stay."""
    copy = capture(GZIPPED, decode=True)
    copy.feed(body)
    copy.feed(b"")
    assert copy.finish() == (body, "", ())


def test_a_bomb_is_unpacked_into_a_file() -> None:
    """Its decoded size is not held in memory."""
    shelf = Shelf()
    copy = capture(GZIPPED, shelf, decode=True)
    copy.feed(gzip.compress(bytes(20 << 20)))
    body, coding, _ = copy.finish()
    assert isinstance(body, FileBody)
    assert (body.size, coding) == (20 << 20, "gzip")


def test_a_large_body_with_a_broken_coding_is_kept_as_received_while_it_is_short() -> None:
    """Its packed bytes fit in memory: they are what is kept, and the file goes."""
    shelf = Shelf()
    copy = capture(GZIPPED, shelf, decode=True)
    packed = gzip.compress(bytes(20 << 20))[:-3]
    copy.feed(packed)
    assert copy.finish() == (packed, "", ())
    assert shelf.state == "discarded"


def test_a_large_broken_body_cannot_be_kept() -> None:
    """Neither decoded nor as received: it says so."""
    copy = capture(GZIPPED, decode=True)
    for _ in range(PARSE_LIMIT // len(PIECE) + 1):
        copy.feed(b"x" * len(PIECE))
    with pytest.raises(CassetteError, match="broken"):
        copy.finish()
