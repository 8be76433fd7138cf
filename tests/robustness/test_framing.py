"""FRM: lengths against chunks. What could be read as another request is refused, and whatever it hides goes nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.robustness.harness import Stage, staged
from tests.robustness.smuggled import CHUNKED, HIDDEN, arrived, bodies, head, refused, split


@pytest.fixture(scope="module", params=["passthrough", "playback"])
def elsewhere(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The proxy in the modes in which it does not record."""
    with staged(tmp_path_factory.mktemp("stage"), mode=request.param) as stage:
        yield stage


CL_TE = (
    b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked\r\nContent-Length: %d\r\n",
    b"content-length: %d\r\ntransfer-ENCODING: Chunked\r\n",
    b"Content-Length: %d\r\nX-Between: 1\r\nTransfer-Encoding:\tchunked \r\n",
    b"Content-Length: %d\r\nTransfer-Encoding: identity\r\n",
    b"Content-Length: %d\r\nTransfer-Encoding: xchunked\r\n",
    b"Content-Length: %d\r\nTransfer-Encoding:\r\n",
    b"Content-Length: %d\r\nTransfer-Encoding: \r\nTransfer-Encoding: chunked\r\n",
)


@pytest.mark.parametrize("fields", CL_TE)
def test_FRM_01_a_length_and_chunks_with_a_request_behind_the_last_chunk(parsed: Stage, fields: bytes) -> None:
    """CL.TE: who counts sees one request, who reads chunks sees two: refused."""
    body = b"0\r\n\r\n" + HIDDEN
    refused(parsed, head(fields % len(body)) + body)


@pytest.mark.parametrize("fields", CL_TE)
def test_FRM_02_a_length_and_chunks_with_a_request_in_a_chunk(parsed: Stage, fields: bytes) -> None:
    """TE.CL: the length ends within the first chunk: refused."""
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN)
    refused(parsed, head(fields % 4) + body)


@pytest.mark.parametrize("fields", CL_TE[:2])
def test_FRM_01_in_every_mode(elsewhere: Stage, fields: bytes) -> None:
    """It is refused where nothing is recorded, too, and normal requests are answered afterwards."""
    elsewhere.upstream.forget()
    body = b"0\r\n\r\n" + HIDDEN
    refused(elsewhere, head(fields % len(body)) + body)
    got = elsewhere.say(b"GET /v1/normal")
    assert got.status in (200, 424)
    elsewhere.end()


def test_FRM_01_head_and_body_apart(parsed: Stage) -> None:
    """The head alone is enough to be refused, whatever comes later."""
    refused(parsed, head(CL_TE[0] % 4), b"0\r\n\r\n", HIDDEN)


@pytest.mark.parametrize(
    "coding",
    [
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: chunkedx\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding: identity, chunked\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding: chunked, chunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        b"Transfer-Encoding: ,chunked\r\n",
        b"Transfer-Encoding: chunked,\r\n",
        b"Transfer-Encoding: chunked;q=1\r\n",
        b'Transfer-Encoding: "chunked"\r\n',
        b"Transfer-Encoding: \x0bchunked\r\n",
        b"Transfer-Encoding: chunked\x0b\r\n",
        b"Transfer-Encoding: chun\xc7\xb5ed\r\n",
        b"Transfer-Encoding: \xe2\x84\xaa\r\n",
        b"Transfer-Encoding: identity\r\n",
        b"Transfer-Encoding:\r\n",
        b"Transfer-Encoding:\r\n chunked\r\n",
        b"X: y\rTransfer-Encoding: chunked\r\n",
        b"X: y\nTransfer-Encoding: chunked\r\n",
    ],
)
def test_FRM_02_other_words_for_chunked(parsed: Stage, coding: bytes) -> None:
    """Some readers would see chunks where others see none: only the one word is taken."""
    refused(parsed, head(coding) + b"0\r\n\r\n" + HIDDEN, status=(400, 501))


@pytest.mark.parametrize("coding", [b"Transfer-Encoding: Chunked\r\n", b"transfer-encoding: \t chunked \r\n"])
def test_FRM_02_the_same_word_in_other_letters(parsed: Stage, coding: bytes) -> None:
    """Case and blanks around do not count: it is one request, and framed anew on the way up."""
    got = parsed.send(head(coding) + b"5\r\nhello\r\n0\r\n\r\n")
    assert got.status == 200
    assert bodies(parsed) == [(b"/v1/x", b"hello")]


@pytest.mark.parametrize(
    "chunks",
    [
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"+5\r\nhello\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"5 \r\nhello\r\n0\r\n\r\n",
        b" 5\r\nhello\r\n0\r\n\r\n",
        b"\r\n5\r\nhello\r\n0\r\n\r\n",
        b"5_0\r\nhello\r\n0\r\n\r\n",
        b"\xd9\xa5\r\nhello\r\n0\r\n\r\n",
        b"5\nhello\r\n0\r\n\r\n",
        b"5\rhello\r\n0\r\n\r\n",
        b"5\r\nhello0\r\n\r\n",
        b"5\r\nhello\n0\r\n\r\n",
        b"5\r\nhelloX\r\n0\r\n\r\n",
        b"6\r\nhello\r\n0\r\n\r\n",
        b"5;a\nb\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\r\n0\n\n",
        b"5\r\nhello\r\n0\r\nX y\r\n\r\n",
        b"5\r\nhello\r\n0\r\n folded\r\n\r\n",
        b"FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n",
        b"g\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\r\nGET /v1/hidden HTTP/1.1\r\n\r\n",
    ],
)
def test_FRM_02_chunks_that_are_none(parsed: Stage, chunks: bytes) -> None:
    """A body whose chunks cannot be read never becomes a request at the upstream; what is behind it is nothing."""
    line = parsed.line()
    line.send(head(CHUNKED).replace(b"{host}", parsed.host) + chunks)
    if chunks.startswith(b"FFFF"):
        line.finish()
    told = line.everything()
    assert re.findall(rb"HTTP/1\.1 (\d)", told) in ([b"4"], [])
    assert not parsed.upstream.requests


@pytest.mark.parametrize(
    "chunks",
    [
        b"5\r\nhello\r\n0\r\n\r\n",
        b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        b"0005\r\nhello\r\n0000\r\n\r\n",
        b'5;ext=1;other="a b"\r\nhello\r\n0;last\r\n\r\n',
        b"5\r\nhello\r\n0\r\nX-Trailer: 1\r\nAuthorization: Bearer x\r\n\r\n",
    ],
)
@pytest.mark.parametrize("cut", [1, 7, 1000])
def test_FRM_02_chunks_arrive_without_what_was_around_them(parsed: Stage, chunks: bytes, cut: int) -> None:
    """Extensions and trailers are dropped, and never become header fields of this or another request."""
    got = parsed.send(*split(head(CHUNKED).replace(b"{host}", parsed.host) + chunks, cut))
    assert got.status == 200
    assert bodies(parsed) == [(b"/v1/x", b"hello")]
    (request,) = arrived(parsed)
    assert b"ext" not in request.body
    assert not request.all(b"X-Trailer")
    assert len(request.all(b"Host")) == 1


@pytest.mark.parametrize("trailer", [b"Host: evil.example", b"Content-Length: 99", b"Transfer-Encoding: chunked"])
def test_FRM_02_trailers_that_would_be_framing(parsed: Stage, trailer: bytes) -> None:
    """They are refused or dropped."""
    chunks = b"5\r\nhello\r\n0\r\n" + trailer + b"\r\n\r\n"
    line = parsed.line()
    data = head(CHUNKED) + chunks + head(b"Connection: close\r\n", b"GET", b"/v1/next")
    line.send(data.replace(b"{host}", parsed.host))
    line.everything()
    assert bodies(parsed) in ([], [(b"/v1/x", b"hello")], [(b"/v1/x", b"hello"), (b"/v1/next", b"")])
    assert b"evil" not in b"".join(value for each in arrived(parsed) for _, value in each.fields)


def test_FRM_02_trailers_do_not_become_fields_of_the_next_request(parsed: Stage) -> None:
    """Not of one that came with them, nor of one that comes later on the connection, if any can."""
    for trailer in (b"X-Leak: 1", b"Authorization: Bearer leak", b"X-Leak: 0", b"Content-Type: leak"):
        chunks = b"5\r\nhello\r\n0\r\n" + trailer + b"\r\n\r\n"
        following = head(b"", b"GET", b"/v1/next").replace(b"{host}", parsed.host)
        for data, later in ((chunks + following, b""), (chunks, following)):
            line = parsed.line()
            line.send(head(CHUNKED).replace(b"{host}", parsed.host) + data)
            assert line.answer().status == 200
            line.send(later)
            line.finish()
            line.everything()
    assert arrived(parsed)
    names = {name.lower() for each in arrived(parsed) for name, _ in each.fields}
    assert names <= {b"host", b"transfer-encoding", b"content-length"}


def test_FRM_02_chunks_do_not_end_a_connection(parsed: Stage) -> None:
    """Uploads without trailers can follow one another."""
    line = parsed.line()
    for number in range(5):
        line.send(head(CHUNKED).replace(b"{host}", parsed.host) + b"5\r\nhello\r\n0\r\n\r\n")
        got = line.answer()
        assert (got.status, got.closed) == (200, False), number
    assert bodies(parsed) == [(b"/v1/x", b"hello")] * 5
