"""FRM: framing and smuggling. What could be read as another request is refused, and whatever it hides goes nowhere."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.processes import wait_until
from tests.robustness.harness import OK, Answer, Stage, staged
from tests.servers import Visit

#: A request that nobody sent, if it is hidden in another.
HIDDEN = b"GET /v1/hidden HTTP/1.1\r\nHost: localhost\r\nX-Hidden: yes\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


@pytest.fixture(scope="module", params=["passthrough", "playback"])
def elsewhere(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The proxy in the modes in which it does not record."""
    with staged(tmp_path_factory.mktemp("stage"), mode=request.param) as stage:
        yield stage


def head(fields: bytes = b"", method: bytes = b"POST", target: bytes = b"/v1/x") -> bytes:
    """A request's head; `fields` are whole lines."""
    return method + b" " + target + b" HTTP/1.1\r\nHost: {host}\r\n" + fields + b"\r\n"


def refused(stage: Stage, *pieces: bytes, status: tuple[int, ...] = (400,)) -> Answer:
    """The answer to bytes that must be refused, be the last on their connection, and reach nobody."""
    got = stage.send(*pieces)
    assert got.status in status, got
    assert got.closed
    assert not got.rest
    error = json.loads(got.body)["error"]
    assert error["message"]
    assert not stage.upstream.requests
    return got


def bodies(stage: Stage) -> list[tuple[bytes, bytes]]:
    """Targets and bodies of what arrived, chunks taken apart."""
    return [
        (each.target, unchunked(each.body) if each.all(b"transfer-encoding") else each.body) for each in arrived(stage)
    ]


def arrived(stage: Stage) -> list[Any]:
    """What arrived at the upstream."""
    return stage.upstream.requests


def unchunked(data: bytes) -> bytes:
    """A body without its chunks' framing."""
    body = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        body, data = body + data[: int(size, 16)], data[int(size, 16) + 2 :]
    return body


def split(data: bytes, size: int) -> list[bytes]:
    """The bytes in pieces."""
    return [data[at : at + size] for at in range(0, len(data), size)]


# --- lengths against chunks

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


# --- fields


@pytest.mark.parametrize("name", [b"Transfer-Encoding", b"Content-Length", b"Host", b"X-Any"])
def test_FRM_04_a_blank_before_the_colon(parsed: Stage, name: bytes) -> None:
    """No field is called that."""
    value = {b"Transfer-Encoding": b"chunked", b"Content-Length": b"5"}.get(name, b"x")
    for blank in (b" ", b"\t", b"  ", b"\x0b", b"\xa0", b"\r"):
        refused(parsed, head(name + blank + b": " + value + b"\r\n") + b"0\r\n\r\n")


@pytest.mark.parametrize(
    "field",
    [
        b" X: y",
        b"\tX: y",
        b"X y: z",
        b"X(: y",
        b'"X": y',
        b"X\xc3\xa9: y",
        b"X\x7f: y",
        b": y",
        b"no colon",
        b"X/: y",
        b"X@: y",
    ],
)
def test_FRM_04_names_that_are_none(parsed: Stage, field: bytes) -> None:
    """A name is a token, at the beginning of its line."""
    refused(parsed, head(field + b"\r\n", b"GET"))


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


@pytest.mark.parametrize("method", [b"GET", b"POST"])
@pytest.mark.parametrize(
    "request_bytes",
    [
        b"%b /v1/x HTTP/1.1\nHost: {host}\r\n\r\n",
        b"%b /v1/x HTTP/1.1\r\nHost: {host}\n\r\n",
        b"%b /v1/x HTTP/1.1\r\nHost: {host}\nX: y\r\n\r\n",
        b"%b /v1/x HTTP/1.1\r\nHost: {host}\r\n\n",
        b"%b /v1/x HTTP/1.1\nHost: {host}\n\n",
        b"%b /v1/x HTTP/1.1\r\nHost: {host}\r\nX: a\nContent-Length: 5\r\n\r\nhello",
        b"%b /v1/x HTTP/1.1\r\nHost: {host}\r\nX: a\rContent-Length: 5\r\n\r\nhello",
        b"%b /v1/x HTTP/1.1\rHost: {host}\r\n\r\n",
        b"%b /v1/x HTTP/1.1\r\nHost: {host}\r\r\n\r\n",
        b"%b /v1/x HTTP/1.1\r\nHost: {host}\r\n\r\r\n",
        b"%b /v1/x HTTP/1.1\r\nHost: {host}\r\nX: a\n\nGET /v1/hidden HTTP/1.1\r\nHost: {host}\r\n\r\n",
    ],
)
def test_FRM_11_bare_line_ends(parsed: Stage, request_bytes: bytes, method: bytes) -> None:
    """A line ends with CR and LF, or the request is refused."""
    refused(parsed, request_bytes % method, b"\r\n\r\n")  # for the reader to whom the head is not over


@pytest.mark.parametrize("before", [b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"\r\n\n"])
def test_FRM_11_empty_lines_before_a_request(parsed: Stage, before: bytes) -> None:
    """They are skipped or refused; nothing of them goes on."""
    got = parsed.send(before + head(b"", b"GET"))
    assert got.status == 400 or (got.status, [each.line for each in arrived(parsed)]) == (200, [b"GET /v1/x HTTP/1.1"])


@pytest.mark.parametrize(
    "fields",
    [
        b"X: a\r\n b\r\n",
        b"X: a\r\n\tb\r\n",
        b"X:\r\n a\r\n",
        b"X: a\r\n \r\n",
        b"X: a\r\n Content-Length: 5\r\n",
        b"Content-Length: 5\r\n 0\r\n",
        b"Transfer-Encoding:\r\n\tchunked\r\n",
        b"X: a\r\n Transfer-Encoding: chunked\r\n",
    ],
)
def test_FRM_13_folded_lines(parsed: Stage, fields: bytes) -> None:
    """Nobody folds lines any more but to hide something."""
    refused(parsed, head(fields) + b"hello")


def test_FRM_13_a_folded_first_field(parsed: Stage) -> None:
    """The line behind the first one cannot go on with it."""
    refused(parsed, b"GET /v1/x HTTP/1.1\r\n Host: {host}\r\n\r\n")


@pytest.mark.parametrize(
    "place",
    [
        b"GET /v1/a%bb HTTP/1.1\r\nHost: {host}\r\n\r\n",
        b"GET /v1/x?a%bb HTTP/1.1\r\nHost: {host}\r\n\r\n",
        b"G%bET /v1/x HTTP/1.1\r\nHost: {host}\r\n\r\n",
        b"GET /v1/x HTTP/1.1%b\r\nHost: {host}\r\n\r\n",
        b"GET /v1/x HTTP/1.1\r\nHost: {host}\r\nX%bY: z\r\n\r\n",
        b"GET /v1/x HTTP/1.1\r\nHost: {host}\r\nX: y%bz\r\n\r\n",
        b"GET /v1/x HTTP/1.1\r\nHost: {host}%b\r\n\r\n",
    ],
)
def test_FRM_16_control_bytes(parsed: Stage, place: bytes) -> None:
    """NUL and its like have no place in a head."""
    for control in (*range(9), *range(10, 32), 127):
        # For the reader to whom the head is not over.
        refused(parsed, place.replace(b"%b", bytes([control])), b"\r\n\r\n")


# --- several requests


def test_FRM_19_two_requests_in_one_segment(parsed: Stage) -> None:
    """Two answers in order, two requests at the upstream."""
    parsed.upstream.answer(*(OK.replace(b"yes", b"%03d" % number) for number in (1, 2)))
    line = parsed.line()
    line.send(b"".join(head(b"", b"GET", b"/v1/%d" % number) for number in (1, 2)).replace(b"{host}", parsed.host))
    assert [line.answer().body for _ in range(2)] == [b'{"fine": "001"}', b'{"fine": "002"}']
    assert [each.target for each in arrived(parsed)] == [b"/v1/1", b"/v1/2"]


def test_FRM_19_many_requests_in_one_segment(parsed: Stage) -> None:
    """More than any queue holds at once."""
    line, count = parsed.line(), 300
    sent = b"".join(head(b"", b"GET", b"/v1/%d" % number) for number in range(count))
    line.send(sent.replace(b"{host}", parsed.host))
    assert {line.answer().status for _ in range(count)} == {200}
    assert [each.target for each in arrived(parsed)] == [b"/v1/%d" % number for number in range(count)]


def test_FRM_19_a_request_behind_the_last(parsed: Stage) -> None:
    """What comes behind `Connection: close` is not looked at."""
    got = parsed.send(head(b"Connection: close\r\n", b"GET"), head(b"", b"GET", b"/v1/late"))
    assert got.status in (200, 400)
    assert b"/v1/late" not in [each.target for each in arrived(parsed)]


THREE = (
    head(b"Content-Length: 11\r\n", b"POST", b"/v1/sized")
    + b"hello\r\n0\r\n\r"
    + head(CHUNKED, b"POST", b"/v1/chunked")
    + b"5\r\nGET /\r\n3;x\r\n v1\r\n0\r\n\r\n"
    + head(b"", b"GET", b"/v1/last")
)


@pytest.mark.parametrize("pause", [0.0, 0.001])
@pytest.mark.parametrize("cut", [1, 2, 3, 7, 11, 64, 10_000])
def test_FRM_20_pipelined_requests_in_pieces(parsed: Stage, cut: int, pause: float) -> None:
    """Wherever the segments end, the same three requests arrive, in order and whole."""
    parsed.upstream.answer(*(OK.replace(b"yes", b"%03d" % number) for number in (1, 2, 3)))
    line = parsed.line()
    for piece in split(THREE.replace(b"{host}", parsed.host), cut):
        line.send(piece)
        time.sleep(pause)  # so that some segments are read on their own
    assert [line.answer().body for _ in range(3)] == [b'{"fine": "00%d"}' % number for number in (1, 2, 3)]
    assert bodies(parsed) == [(b"/v1/sized", b"hello\r\n0\r\n\r"), (b"/v1/chunked", b"GET / v1"), (b"/v1/last", b"")]


# --- versions


@pytest.mark.parametrize("connection", [b"", b"Connection: keep-alive\r\n", b"Connection: close\r\n"])
def test_FRM_21_chunks_in_http_1_0(parsed: Stage, connection: bytes) -> None:
    """HTTP/1.0 knows no chunks."""
    first = b"POST /v1/x HTTP/1.0\r\nHost: {host}\r\n" + connection + CHUNKED + b"\r\n"
    refused(parsed, first + b"5\r\nhello\r\n0\r\n\r\n" + HIDDEN)


@pytest.mark.parametrize(
    "line",
    [
        b"GET /v1/x HTTP/2.0",
        b"GET /v1/x HTTP/1.2",
        b"GET /v1/x HTTP/0.9",
        b"GET /v1/x HTTP/3.0",
        b"GET /v1/x HTTP/1.10",
        b"GET /v1/x HTTP/01.1",
        b"GET /v1/x HTTP/1",
        b"GET /v1/x HTTP/1,1",
        b"GET /v1/x http/1.1",
        b"GET /v1/x HTTPS/1.1",
        b"GET /v1/x HTTP/1.1 ",
        b"GET /v1/x  HTTP/1.1",
        b"GET  /v1/x HTTP/1.1",
        b"GET\t/v1/x\tHTTP/1.1",
        b"GET /v1/x HTTP/1.1 HTTP/1.1",
        b" GET /v1/x HTTP/1.1",
        b"GET /v1/x",
        b"GET",
        b"get /v1/x HTTP/1.1",
        b"Get /v1/x HTTP/1.1",
        b"FOO /v1/x HTTP/1.1",
        b"SOURCE /v1/x ICE/1.0",
        b"SOURCE /v1/x HTTP/1.1",
        b"DESCRIBE /v1/x RTSP/1.0",
        b"GET /v1/x RTSP/1.0",
        b"PRI * HTTP/2.0",
        b"PRI /v1/x HTTP/1.1",
        b"G@T /v1/x HTTP/1.1",
        b"G\xc3\x89T /v1/x HTTP/1.1",
        b"HTTP/1.1 200 OK",
    ],
)
def test_FRM_21_other_first_lines(parsed: Stage, line: bytes) -> None:
    """Only HTTP/1.0 and HTTP/1.1, asked with a method of theirs, in one spelling."""
    refused(parsed, line + b"\r\nHost: {host}\r\n\r\n", status=(400, 501, 505))


def test_FRM_21_the_preface_of_http_2(parsed: Stage) -> None:
    """Whoever speaks HTTP/2 to us learns that nobody here does."""
    refused(parsed, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00", status=(400, 505))


@pytest.mark.parametrize(
    "upgrade", [b"h2c", b"H2C", b"websocket", b"tcp", b"TLS/1.0", b"h2c, websocket", b"HTTP/2.0", b"\xe2\x84\xaa"]
)
@pytest.mark.parametrize("body", [b"", b"hello"])
def test_FRM_21_a_wish_for_another_protocol(parsed: Stage, upgrade: bytes, body: bytes) -> None:
    """It is not heard, nor passed on; what comes behind it, in whatever protocol, is not looked at."""
    fields = b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n"
    fields += b"Upgrade: " + upgrade + b"\r\nContent-Length: %d\r\n" % len(body)
    hidden = HIDDEN.replace(b"X-Hidden: yes", b"X-Hidden: GET /v1/more HTTP/1.1")
    got = parsed.send(head(fields) + body + hidden[:40], hidden[40:], HIDDEN)
    assert got.status == 200
    assert got.closed
    assert not got.rest
    assert bodies(parsed) == [(b"/v1/x", body)]
    (request,) = arrived(parsed)
    assert not {b"upgrade", b"connection", b"http2-settings"} & {name.lower() for name, _ in request.fields}


# --- hosts


@pytest.mark.parametrize("body", [b"", b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_FRM_23_a_request_without_a_host(parsed: Stage, body: bytes) -> None:
    """HTTP/1.1 without Host is refused."""
    refused(parsed, b"POST /v1/models HTTP/1.1\r\n" + body + b"\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b" ",
        b"a b",
        b"{host}, evil.example",
        b"{host} evil.example",
        b"{host}/",
        b"{host}?",
        b"u@{host}",
        b"[::1",
        b"a:b",
        b"http://{host}",
        b"\xc3\xa9.example",
        b"localhost:99999999999",
        b"..%2f",
        b'"localhost"',
        b"local\thost",
    ],
)
def test_FRM_23_hosts_that_are_none(parsed: Stage, host: bytes) -> None:
    """A host has the form of one."""
    refused(parsed, b"GET /v1/x HTTP/1.1\r\nHost:" + host + b"\r\n\r\n", status=(400, 403))


@pytest.mark.parametrize(
    "fields",
    [
        b"Host: {host}\r\nHost: {host}\r\n",
        b"Host: {host}\r\nHost: evil.example\r\n",
        b"Host: evil.example\r\nHost: {host}\r\n",
        b"Host: {host}\r\nX: y\r\nhost: evil.example\r\n",
        b"Host: {host}\r\nHost:\r\n",
        b"HOST: {host}\r\nHost: {host}\r\nHost: {host}\r\n",
    ],
)
@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
def test_FRM_24_several_hosts(parsed: Stage, fields: bytes, version: bytes) -> None:
    """There is one host, or the request is refused."""
    refused(parsed, b"GET /v1/x HTTP/" + version + b"\r\n" + fields + b"\r\n")


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
