"""FRM: lengths, and bodies where few expect them, that have to be asked for, or that are cut off."""

from __future__ import annotations

import asyncio

import pytest

from tests.processes import wait_until
from tests.robustness.harness import OK, Stage
from tests.robustness.smuggled import CHUNKED, HIDDEN, arrived, bodies, head, refused
from tests.servers import Visit


@pytest.mark.parametrize(
    "lengths",
    [(b"5", b"6"), (b"6", b"5"), (b"5", b"5"), (b"0", b"5"), (b"5", b"0"), (b"5", b"5, 6"), (b"5", b"")],
)
def test_FRM_07_several_lengths(parsed: Stage, lengths: tuple[bytes, bytes]) -> None:
    """Two lengths are refused, the same twice too."""
    fields = b"".join(b"Content-Length: " + length + b"\r\n" for length in lengths)
    refused(parsed, head(fields) + b"hello" + HIDDEN)


@pytest.mark.parametrize(
    "length",
    [
        b"+5",
        b"-1",
        b"-0",
        b"0x5",
        b"5_0",
        b"5 5",
        b"5,5",
        b"5, 5",
        b"",
        b"\xd9\xa5",
        b"99999999999999999999",
        b"18446744073709551615",
        b"18446744073709551616",
        b"18446744073709551621",
        b"9223372036854775808",
        b"5.0",
        b"5e0",
        b"5;",
        b'"5"',
        b"five",
        b"\xc2\xb2",
        b"5\x0b",
        b"5\x00",
        b"5\xc2\xa0",
    ],
)
def test_FRM_09_lengths_that_are_none(parsed: Stage, length: bytes) -> None:
    """A length is made of digits, and of so many that it can be counted."""
    refused(parsed, head(b"Content-Length: " + length + b"\r\n") + b"hello" + HIDDEN)


@pytest.mark.parametrize("length", [b"5", b"05", b"0000000000000005", b" 5", b"\t5\t "])
def test_FRM_09_lengths_that_are_some(parsed: Stage, length: bytes) -> None:
    """Blanks around and zeros before do not count."""
    got = parsed.send(head(b"Content-Length:" + length + b"\r\n") + b"hello")
    assert got.status == 200
    assert bodies(parsed) == [(b"/v1/x", b"hello")]


# --- bodies where few expect them


@pytest.mark.parametrize("method", [b"GET", b"DELETE", b"OPTIONS", b"HEAD", b"PATCH"])
@pytest.mark.parametrize("chunked", [False, True])
def test_FRM_28_a_body_that_looks_like_a_request(parsed: Stage, method: bytes, chunked: bool) -> None:
    """Whatever the method, a body is a body: one request arrives, with it."""
    hidden = HIDDEN
    if method == b"HEAD":
        parsed.upstream.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n")
    sized = head(b"Content-Length: %d\r\n" % len(hidden), method) + hidden
    data = head(CHUNKED, method) + b"%x\r\n%b\r\n0\r\n\r\n" % (len(hidden), hidden) if chunked else sized
    got = parsed.send(data, method=method)
    assert got.status == 200
    assert not got.rest
    assert bodies(parsed) == [(b"/v1/x", hidden)]
    assert arrived(parsed)[0].line == method + b" /v1/x HTTP/1.1"


@pytest.mark.parametrize("size", [10, 200_000])
@pytest.mark.parametrize(
    "named", [b"content-length", b"Content-Length, close", b"keep-alive,\tCONTENT-LENGTH", b"host", b"content-type"]
)
def test_FRM_28_a_length_that_is_called_the_connections_own(parsed: Stage, named: bytes, size: int) -> None:
    """If it were dropped as such, the body would be read as the next request."""
    body = HIDDEN + b"x" * (size - len(HIDDEN))
    refused(parsed, head(b"Connection: " + named + b"\r\nContent-Length: %d\r\n" % len(body)) + body)


# --- bodies that the client is asked for


@pytest.mark.parametrize("expect", [b"100-continue", b"100-Continue"])
@pytest.mark.parametrize("fields", [b"Content-Length: 5\r\n", CHUNKED])
def test_FRM_29_a_client_that_waits_to_be_asked(parsed: Stage, expect: bytes, fields: bytes) -> None:
    """It hears 100, then the answer; the upstream needs no such field."""
    line = parsed.line()
    line.send(head(b"Expect: " + expect + b"\r\n" + fields).replace(b"{host}", parsed.host))
    asked = line.more()
    assert asked == b"HTTP/1.1 100 Continue\r\n\r\n"
    line.send(b"hello" if fields != CHUNKED else b"5\r\nhello\r\n0\r\n\r\n")
    assert line.answer().status == 200
    assert bodies(parsed) == [(b"/v1/x", b"hello")]
    assert not arrived(parsed)[0].all(b"Expect")


def test_FRM_29_other_expectations(parsed: Stage) -> None:
    """Nobody knows any: they are no reason to wait, and go nowhere."""
    got = parsed.send(head(b"Expect: 200-maybe\r\nContent-Length: 5\r\n") + b"hello")
    assert got.status in (200, 417)
    assert all(not each.all(b"Expect") for each in arrived(parsed))


def test_FRM_29_a_client_that_is_refused_is_not_asked(parsed: Stage) -> None:
    """Its body would be thrown away."""
    got = parsed.send(head(b"Expect: 100-continue\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"))
    assert got.status == 400


# --- bodies that are cut off


@pytest.mark.parametrize(
    "upload",
    [
        b"Content-Length: 10\r\n\r\nhello",
        b"Content-Length: 200000\r\n\r\nhello",
        b"Content-Length: 200000\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n9\r\nhello",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    ],
)
@pytest.mark.parametrize("fin", [True, False])
def test_FRM_32_an_upload_that_is_cut_off(parsed: Stage, upload: bytes, fin: bool) -> None:
    """The upstream never sees a whole request, and the client never a good answer."""
    whole, cut = list[bytes](), list[bytes]()
    parsed.upstream.answer(OK.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
    assert parsed.say(b"GET /v1/last-on-its-connection").status == 200

    async def script(visit: Visit) -> None:
        try:
            whole.append(await visit.request())
        except asyncio.IncompleteReadError:
            cut.append(b"")
            raise

    parsed.upstream.follow(script)
    line = parsed.line()
    line.send(b"POST /v1/x HTTP/1.1\r\nHost: " + parsed.host + b"\r\n" + upload)
    if b"200000" in upload or b"chunked" in upload:
        wait_until(lambda: bool(parsed.upstream.connections))
    if fin:
        line.finish()
        assert b" 200 " not in line.everything()
    else:
        line.close()
    if parsed.upstream.connections[1:]:
        wait_until(lambda: bool(cut))
    assert not whole
