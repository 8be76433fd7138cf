"""The upstream's client: bytes as they are, a pool that never mixes answers, errors that say what happened."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import AsyncIterator

import pytest
import trustme

from replayproxy.core.messages import Headers, Request
from replayproxy.errors import UpstreamError, UpstreamTimeoutError
from replayproxy.proxy.upstream import Answer, Origin, Timeouts, Upstream
from tests.servers import Script, Visit, answering, raw_upstream

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def read(answer: Answer) -> bytes:
    body = b""
    while piece := await answer.chunk():
        body += piece
    await answer.close()
    return body


async def fetch(url: str, method: str = "GET", target: str = "/", **timeouts: float) -> bytes:
    upstream = Upstream(Origin.of(url), Timeouts(**timeouts))
    try:
        return await read(await upstream.send(Request(method, target), b""))
    finally:
        await upstream.close()


@pytest.mark.parametrize(
    ("url", "target", "sent"),
    [
        ("https://api.openai.com", "/v1/models", "/v1/models"),
        ("https://api.openai.com/v1", "/v1/models", "/v1/models"),
        ("https://api.openai.com/v1/", "/models?a=b", "/v1/models?a=b"),
        ("https://api.openai.com/v1", "/v1", "/v1"),
        ("https://api.openai.com/v1", "/v1?x", "/v1?x"),
        ("https://api.openai.com/v1", "/v10/x", "/v1/v10/x"),
        ("https://api.openai.com/v1", "//evil/x", "/v1//evil/x"),
        ("https://api.openai.com/v1", "*", "*"),
    ],
)
def test_the_prefix_goes_before_a_target_once(url: str, target: str, sent: str) -> None:
    """Both an origin and an origin with /v1 serve a client whose base URL ends in /v1."""
    assert Origin.of(url).target(target) == sent


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://api.openai.com", "api.openai.com"),
        ("https://api.openai.com:443/v1", "api.openai.com"),
        ("http://localhost:8000", "localhost:8000"),
        ("http://[::1]:80", "[::1]"),
        ("https://host:80", "host:80"),
    ],
)
def test_authority(url: str, authority: str) -> None:
    """The Host header leaves out the scheme's own port."""
    assert Origin.of(url).authority == authority


async def test_the_head_goes_out_byte_for_byte() -> None:
    """Target, header order, repetition, case and bytes that are not UTF-8 stay; only Host is set."""
    headers = Headers.from_raw(
        [(b"X-A", b"1"), (b"host", b"client"), (b"x-a", b"\xff"), (b"X-Empty", b""), (b"X-U", "é".encode())]
    )
    async with raw_upstream(answering(OK)) as server:
        upstream = Upstream(Origin.of(server.url))
        await read(await upstream.send(Request("BREW", "/a%2f//%7E?x=%2F&y=a+b&&", headers), b""))
        await upstream.close()
    authority = server.url.removeprefix("http://").encode()
    assert server.received == (
        b"BREW /a%2f//%7E?x=%2F&y=a+b&& HTTP/1.1\r\nX-A: 1\r\nhost: " + authority + b"\r\n"
        b"x-a: \xff\r\nX-Empty: \r\nX-U: \xc3\xa9\r\n\r\n"
    )


async def test_an_answer_keeps_its_head() -> None:
    """Order, repetition, case, reason and bytes of the answer's head are given as they came."""
    answer = b"HTTP/1.1 207 Many Things\r\nSet-Cookie: a\r\nset-cookie: b\r\nX: \xff\r\nContent-Length: 0\r\n\r\n"
    async with raw_upstream(answering(answer)) as server:
        upstream = Upstream(Origin.of(server.url))
        got = await upstream.send(Request("GET", "/"), b"")
        await read(got)
        await upstream.close()
    assert (got.head.status, got.head.reason) == (207, "Many Things")
    assert got.head.headers.pairs == (
        ("Set-Cookie", "a"),
        ("set-cookie", "b"),
        ("X", "\udcff"),
        ("Content-Length", "0"),
    )


@pytest.mark.parametrize(
    ("answer", "method", "body"),
    [
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n",
            "GET",
            b"abcde",
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK, "GET", b"ok"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n", "HEAD", b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "DELETE", b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", "GET", b""),
    ],
)
async def test_bodies_end_where_the_framing_says(answer: bytes, method: str, body: bytes) -> None:
    """Chunked, interim answers, HEAD, 204 and 304; the connection serves the next request too."""
    async with raw_upstream(answering(answer)) as server:
        upstream = Upstream(Origin.of(server.url))
        for _ in range(2):
            assert await read(await upstream.send(Request(method, "/"), b"")) == body
        await upstream.close()
    assert len(server.visits) == 1


def closing(answer: bytes) -> Script:
    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.send(answer)

    return script


async def test_a_body_may_end_with_the_connection() -> None:
    """Without a length and without chunks the end of the connection is the end of the body."""
    async with raw_upstream(closing(b"HTTP/1.1 200 OK\r\n\r\nall of it")) as server:
        assert await fetch(server.url) == b"all of it"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"hello",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 99 OK\r\n\r\n",
        b"HTTP/1.1 1000 OK\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * (2 << 20) + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc" + OK,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\n" * 101 + OK,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=" + b"x" * (2 << 20),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: " + b"x" * (2 << 20),
    ],
)
async def test_a_broken_answer_is_an_error(answer: bytes) -> None:
    """Garbage, and answers that end before their end, never pass for whole ones."""
    async with raw_upstream(closing(answer)) as server:
        with pytest.raises(UpstreamError):
            await fetch(server.url)


@pytest.mark.parametrize("clean", [True, False])
async def test_over_tls_the_end_of_the_connection_is_not_the_end_of_the_body(clean: bool) -> None:
    """Only TLS's own end is: a connection can be cut by anybody on the way."""
    authority = trustme.CA()
    server_context, client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server_context)
    authority.configure_trust(client_context)

    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.send(b"HTTP/1.1 200 OK\r\n\r\npart")
        if not clean:
            with socket.socket(fileno=os.dup(visit.writer.get_extra_info("socket").fileno())) as below:
                below.shutdown(socket.SHUT_WR)
            await visit.reader.read()

    async with raw_upstream(script, server_context) as server:
        upstream = Upstream(Origin.of(server.url), tls=client_context)
        answer = await upstream.send(Request("GET", "/"), b"")
        if clean:
            assert await read(answer) == b"part"
        else:
            with pytest.raises(UpstreamError, match="in the middle of its answer"):
                await read(answer)
        await upstream.close()


async def test_a_reset_is_an_error_even_when_only_the_end_is_missing() -> None:
    """A connection that breaks is not one that ends."""

    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.send(b"HTTP/1.1 200 OK\r\n\r\npart")
        await visit.reader.readexactly(1)
        visit.reset()

    async with raw_upstream(script) as server:
        upstream = Upstream(Origin.of(server.url))
        answer = await upstream.send(Request("GET", "/"), b"")
        assert await answer.chunk() == b"part"
        connection = answer._connection
        connection.write(b"x")
        with pytest.raises(UpstreamError, match="broke"):
            await answer.chunk()
        await answer.close()
        await upstream.close()


async def test_bytes_behind_an_answer_never_reach_the_next_request() -> None:
    """A second answer that nobody asked for spoils the connection, not the next exchange."""
    poison = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
    async with raw_upstream(answering(OK + poison)) as server:
        upstream = Upstream(Origin.of(server.url))
        for _ in range(3):
            assert await read(await upstream.send(Request("GET", "/"), b"")) == b"ok"
        await upstream.close()
    assert len(server.visits) == 3


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\npart"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\npart"),
        ("DELETE", b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 2"),
    ],
)
async def test_bytes_behind_an_answer_without_a_body_spoil_the_connection(method: str, answer: bytes) -> None:
    """What follows is no body, and what comes next would be taken for the next answer."""
    async with raw_upstream(answering(answer)) as server:
        upstream = Upstream(Origin.of(server.url))
        assert await read(await upstream.send(Request(method, "/"), b"")) == b""
        assert not len(upstream._pool)
        await upstream.close()


async def test_bytes_that_come_later_spoil_a_kept_connection() -> None:
    """The same when they arrive while the connection waits in the pool."""
    sent = asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.send(OK)
        await asyncio.sleep(0)
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
        sent.set()
        await visit.reader.read()

    async with raw_upstream(script) as server:
        upstream = Upstream(Origin.of(server.url))
        assert await read(await upstream.send(Request("GET", "/"), b"")) == b"ok"
        await sent.wait()
        assert await read(await upstream.send(Request("GET", "/"), b"")) == b"ok"
        await upstream.close()


async def test_a_dead_kept_connection_is_replaced_for_an_idempotent_request() -> None:
    """The upstream that hangs up on the second request of a connection is asked again on a new one, and only then."""

    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.send(OK)
        await visit.request()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"ab"

    async with raw_upstream(script) as server:
        upstream = Upstream(Origin.of(server.url))
        for _ in range(2):
            assert await read(await upstream.send(Request("GET", "/"), b"")) == b"ok"
        assert len(server.visits) == 2
        with pytest.raises(UpstreamError, match=r"before it answered.*it may have acted on it"):
            await upstream.send(Request("POST", "/"), b"")
        assert len(server.visits) == 2
        assert await read(await upstream.send(Request("GET", "/"), b"")) == b"ok"
        with pytest.raises(UpstreamError, match="it may have acted on it"):
            await upstream.send(Request("PUT", "/", Headers.of(("Content-Length", "2"))), pieces())
        await upstream.close()
    assert server.received.count(b"POST") == 1
    assert server.received.count(b"PUT") == 1


async def test_a_dead_connection_is_replaced_once() -> None:
    """A new connection that dies is no reason to make another."""

    async def script(visit: Visit) -> None:
        await visit.request()
        if len(server.visits) <= 3:
            await visit.send(OK)
            await visit.request()

    async with raw_upstream(script) as server:
        upstream = Upstream(Origin.of(server.url))
        answers = [await upstream.send(Request("GET", "/"), b"") for _ in range(3)]
        for answer in answers:
            await read(answer)
        with pytest.raises(UpstreamError, match="before it answered"):
            await upstream.send(Request("GET", "/"), b"")
        await upstream.close()
    assert len(server.visits) == 4


async def test_a_connection_on_which_half_a_request_is_is_not_used_again() -> None:
    """An upload that fails after its answer came: what follows would be taken for the rest of the body."""
    answered = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"ab"
        await answered.wait()
        raise ConnectionError("the client hung up")

    async def script(visit: Visit) -> None:
        await visit.reader.readuntil(b"ab")
        await visit.send(OK)
        await visit.reader.read()

    async with raw_upstream(script) as server:
        upstream = Upstream(Origin.of(server.url))
        answer = await upstream.send(Request("POST", "/", Headers.of(("Content-Length", "5"))), pieces())
        answered.set()
        assert await read(answer) == b"ok"
        assert not len(upstream._pool)
        await upstream.close()


async def test_the_time_for_the_whole_counts_from_the_beginning() -> None:
    """Time that connecting took is not there for the answer."""
    with socket.socket() as full, contextlib.ExitStack() as held:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):  # whoever waits to be accepted fills the queue: the next is not answered
            waiting = held.enter_context(contextlib.closing(socket.socket()))
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        for timeouts in ({"total": 0.05}, {"total": 0.05, "connect": 0.0}, {"connect": 0.05}):
            with pytest.raises(UpstreamTimeoutError, match="no connection"):
                await fetch(f"http://127.0.0.1:{full.getsockname()[1]}", **timeouts)


async def test_time_outs_name_what_took_too_long() -> None:
    """An upstream that never answers is told from one that stops in the middle."""

    async def silent(visit: Visit) -> None:
        await visit.request()
        await visit.reader.read()

    async def stalling(visit: Visit) -> None:
        await visit.request()
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        await visit.reader.read()

    async with raw_upstream(silent) as server:
        with pytest.raises(UpstreamTimeoutError, match="did not answer"):
            await fetch(server.url, idle=0.05)
    async with raw_upstream(stalling) as server:
        with pytest.raises(UpstreamTimeoutError, match="went silent"):
            await fetch(server.url, idle=0.05)
        with pytest.raises(UpstreamTimeoutError, match=r"the whole took longer than 0\.05 s"):
            await fetch(server.url, total=0.05)


async def test_nobody_there_says_who_and_why() -> None:
    """A refused connection names the upstream and the reason."""
    async with raw_upstream(answering(OK)) as server:
        pass
    with pytest.raises(UpstreamError, match=rf"no connection to {server.url}: .*[Rr]efused"):
        await fetch(server.url)


async def test_uploads_go_up_in_pieces() -> None:
    """An iterator's pieces go out as they come: as they are with a length, as chunks without."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"ab"
        yield b"cde"

    async with raw_upstream(answering(OK)) as server:
        upstream = Upstream(Origin.of(server.url))
        sized, chunked = Headers.of(("Content-Length", "5")), Headers.of(("Transfer-Encoding", "chunked"))
        for headers in (sized, chunked):
            assert await read(await upstream.send(Request("PUT", "/", headers), pieces())) == b"ok"
        await upstream.close()
    assert server.received.count(b"\r\n\r\nabcde") == 1
    assert b"\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n" in server.received


async def test_an_upload_that_breaks_off_never_looks_complete() -> None:
    """When the source fails the upstream's connection is broken, and the error is the source's."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"ab"
        raise ConnectionError("the client hung up")

    async with raw_upstream(answering(OK)) as server:
        upstream = Upstream(Origin.of(server.url))
        with pytest.raises(ConnectionError, match="client"):
            await upstream.send(Request("PUT", "/", Headers.of(("Transfer-Encoding", "chunked"))), pieces())
        await upstream.close()
    assert b"0\r\n\r\n" not in server.received


async def test_an_answer_may_come_before_the_upload_ends() -> None:
    """An upstream that refuses early is heard at once; the connection is not used again."""
    endless = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"ab"
        await endless.wait()

    async def script(visit: Visit) -> None:
        await visit.reader.readuntil(b"ab\r\n")
        await visit.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await visit.reader.read()

    async with raw_upstream(script) as server:
        upstream = Upstream(Origin.of(server.url))
        headers = Headers.of(("Transfer-Encoding", "chunked"))
        answer = await upstream.send(Request("PUT", "/", headers), pieces())
        assert answer.head.status == 413
        await read(answer)
        assert not len(upstream._pool)
        await upstream.close()


async def test_a_body_nobody_takes_stops_the_upstream() -> None:
    """Memory stays flat: what was read and not taken is bounded."""
    sent = 0

    async def script(visit: Visit) -> None:
        nonlocal sent
        await visit.request()
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
        while True:
            await visit.send(bytes(65536))
            sent += 65536

    async with raw_upstream(script) as server:
        upstream = Upstream(Origin.of(server.url))
        answer = await upstream.send(Request("GET", "/"), b"")
        before = -1
        while before != sent:
            before = sent
            await asyncio.sleep(0.05)
        assert answer._connection._buffered < 1 << 20
        assert await answer.chunk()
        await answer.close()
        await upstream.close()


@pytest.mark.parametrize("name", ["127.0.0.1", "elsewhere.example"])
async def test_https_checks_certificates(name: str) -> None:
    """A certificate that nobody vouches for is refused, and so is one for another host."""
    authority = trustme.CA()
    serving, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert(name).configure_cert(serving)
    authority.configure_trust(trusting)
    async with raw_upstream(answering(OK), serving) as server:
        with pytest.raises(UpstreamError, match="certificate"):
            await fetch(server.url)
        upstream = Upstream(Origin.of(server.url), tls=trusting)
        if name == "127.0.0.1":
            assert await read(await upstream.send(Request("GET", "/"), b"")) == b"ok"
        else:
            with pytest.raises(UpstreamError, match="certificate"):
                await upstream.send(Request("GET", "/"), b"")
        await upstream.close()
