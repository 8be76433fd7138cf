"""What is too much, and what is told then: of one request's head, and of all that is under way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from replayproxy.config.settings import AllowSettings, LimitSettings, PlaybackSettings
from replayproxy.core.bodies import PARSE_LIMIT
from replayproxy.errors import ConfigError
from replayproxy.proxy.app import Proxy
from replayproxy.proxy.descriptors import ENOUGH, attainable, raise_limit, within_means
from replayproxy.proxy.doorman import Doorman
from replayproxy.proxy.front import Desk
from replayproxy.proxy.gate import Gate
from replayproxy.proxy.limits import Limits, Room, SpoolFullError
from replayproxy.proxy.listening import listening
from replayproxy.proxy.opening import Declaration
from replayproxy.proxy.spooling import MeasuredSpool
from tests.proxies import proxied
from tests.servers import Visit, answering, exchange, raw_upstream

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HEAD = b"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n"
#: For tests in which a limit of time has to go by.
SHORT, LONG = 0.5, 30.0


@dataclass(slots=True)
class Client:
    """A connection of bytes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *pieces: bytes) -> Client:
        """Sends pieces that arrive apart; itself. Whoever is refused in the middle may find the other end gone."""
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                self.writer.write(piece)
                await self.writer.drain()
                await asyncio.sleep(0.01 if len(pieces) > 1 else 0)
        return self

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """The next answer: status, header fields, body."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = head[:-4].decode().split("\r\n")
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return int(first.split()[1]), fields, await self.reader.readexactly(int(fields["content-length"]))

    async def refusal(self) -> tuple[int, str]:
        """Status and code of an error of ours, after which the connection ends."""
        status, fields, body = await self.answer()
        assert fields["content-type"] == "application/json"
        assert (fields["connection"], await self.reader.read()) == ("close", b"")
        return status, json.loads(body)["error"]["code"]


@contextlib.asynccontextmanager
async def called(proxy: Proxy) -> AsyncIterator[Client]:
    """A connection to a proxy."""
    host, port = proxy.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


@contextlib.asynccontextmanager
async def limited(folder: Path, mode: str = "passthrough", **limits: Any) -> AsyncIterator[Proxy]:
    """A proxy with these limits before an upstream that is content with everything."""
    async with (
        raw_upstream(answering(OK)) as upstream,
        proxied(folder / "c.yaml", upstream.url, mode, limits=LimitSettings(**limits)) as proxy,
    ):
        yield proxy


# --- what cannot be read


@pytest.mark.parametrize(
    "sent",
    [
        b"secret\x1b[31m\r\n\r\n",
        HEAD + b"X secret\r\n\r\n",
        b"\x16\x03\x01secret\r\n\r\n",
        HEAD + b"X: \0secret\r\n\r\n",
    ],
)
async def test_what_the_parser_refuses_gets_an_error_that_quotes_nothing(
    tmp_path: Path, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """The API's envelope to the client, one line to the log, nothing to any session."""
    caplog.set_level(logging.INFO, "replayproxy")
    async with limited(tmp_path) as proxy, called(proxy) as client:
        await client.send(sent)
        status, fields, body = await client.answer()
        assert (status, fields["connection"]) == (400, "close")
        assert json.loads(body)["error"]["code"] == "malformed_request"
        assert b"secret" not in body
        assert await client.reader.read() == b""
        assert (len(proxy.journal), proxy.session.receipt().requests) == (0, 0)
    assert [record.levelname for record in caplog.records if "refused: 400" in record.getMessage()] == ["INFO"]
    assert "secret" not in caplog.text


async def test_what_cannot_be_read_does_not_lose_the_answer_before_it(tmp_path: Path) -> None:
    """A request that is under way is answered first."""
    async with limited(tmp_path) as proxy, called(proxy) as client:
        await client.send(HEAD + b"\r\n", b"no request\r\n\r\n", b"more\r\n" * 100)
        assert (await client.answer())[0] == 200
        assert await client.refusal() == (400, "malformed_request")


async def test_a_body_that_cannot_be_read_to_its_end_ends_its_exchange_at_once(tmp_path: Path) -> None:
    """A malformed chunk in a segment of its own keeps nobody waiting, and the upstream sees no whole request."""
    begun = b"POST /v1/files HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with limited(tmp_path) as proxy, called(proxy) as client:
        await client.send(begun, b"5\r\nhello\r\n", b"zz\r\n")
        with contextlib.suppress(ConnectionError):
            assert await client.reader.read() == b""
        async with called(proxy) as other:
            assert (await (await other.send(HEAD + b"\r\n")).answer())[0] == 200
        assert proxy.session.receipt().requests == 2


async def test_an_error_of_our_own_is_told_without_a_trace(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever breaks before a session has a request, the client gets a 500 that says nothing more; the log has it."""

    async def broken(raw: web.BaseRequest) -> web.StreamResponse:
        raise RuntimeError("secret")

    gate = Gate(Limits(LimitSettings()), Doorman(AllowSettings(), "127.0.0.1"))
    runner = web.ServerRunner(Desk().server(broken, gate, handler_cancellation=True, access_log=None))
    async with listening(runner, "127.0.0.1", 0, "--port") as url:
        got = await exchange(url, HEAD + b"\r\n")
    assert got.startswith(b"HTTP/1.1 500 ")
    assert b"secret" not in got
    assert "secret" in caplog.text
    assert gate.limits.exchanges == gate.limits.connections == 0


# --- heads


def field(size: int) -> bytes:
    """A header field of so many bytes, name and value."""
    return b"X: " + b"a" * (size - 1) + b"\r\n"


@pytest.mark.parametrize(
    ("sent", "refused"),
    [
        (b"GET /" + b"a" * 999 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", None),
        (b"GET /" + b"a" * 1000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", (414, "target_too_large")),
        (b"GET /" + b"a" * 5000, (414, "target_too_large")),
        (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", (414, "target_too_large")),
        (HEAD + field(1000) + b"\r\n", None),
        (HEAD + field(1001) + b"\r\n", (431, "header_too_large")),
        (HEAD + field(5000) + b"\r\n", (431, "header_too_large")),
        (HEAD + field(5000)[:-2], (431, "header_too_large")),
        (HEAD + b"a" * 5000 + b": b\r\n\r\n", (431, "header_too_large")),
        (HEAD + b"X: a\r\n" * 9 + b"\r\n", None),
        (HEAD + b"X: a\r\n" * 10 + b"\r\n", (431, "headers_too_large")),
        (HEAD + b"X: a\r\n" * 500, (431, "headers_too_large")),
        (HEAD + field(900) * 6 + b"\r\n", (431, "head_too_large")),
        (HEAD + field(900) * 6, (431, "head_too_large")),
    ],
)
@pytest.mark.parametrize("piece", [1 << 20, 500])
async def test_a_head_that_is_too_long_is_refused(
    tmp_path: Path, sent: bytes, refused: tuple[int, str] | None, piece: int
) -> None:
    """By what is too long of it, also when its end never comes; what is just short enough is taken."""
    async with limited(tmp_path, target=1000, header=1000, headers=10, head=5000) as proxy, called(proxy) as client:
        await client.send(*[sent[at : at + piece] for at in range(0, len(sent), piece)])
        if refused is None:
            assert (await client.answer())[0] == 200
        else:
            assert await client.refusal() == refused
            assert len(proxy.journal) == 0


@pytest.mark.parametrize("target", [100, 60_000])
async def test_a_long_field_may_come_in_pieces_whatever_the_target_may_be(tmp_path: Path, target: int) -> None:
    """The limit of the first line is none for the others."""
    async with limited(tmp_path, target=target) as proxy, called(proxy) as client:
        await client.send(HEAD, field(30_000)[:20_000], field(30_000)[20_000:], b"\r\n")
        assert (await client.answer())[0] == 200


async def test_the_body_does_not_count_for_the_head(tmp_path: Path) -> None:
    """Nor does what came before on the connection, whether or not it is known where that ended."""
    body = b"a" * 20_000
    upload = b"POST /v1/a HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    async with limited(tmp_path, head=2000) as proxy, called(proxy) as client:
        for _ in range(3):
            await client.send(upload + b"Content-Length: %d\r\n\r\n" % len(body), body)
            assert (await client.answer())[0] == 200
            await client.send(upload + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body), body, b"\r\n0\r\n\r\n")
            assert (await client.answer())[0] == 200
        await client.send(HEAD, *[field(500)] * 4)
        assert await client.refusal() == (431, "head_too_large")


async def test_many_small_requests_at_once_are_no_long_head(tmp_path: Path) -> None:
    """Pipelined requests are each of them short."""
    async with limited(tmp_path, head=500) as proxy, called(proxy) as client:
        await client.send((HEAD + b"\r\n") * 60)
        assert [(await client.answer())[0] for _ in range(60)] == [200] * 60


# --- time


@pytest.mark.parametrize(
    "before",
    [
        (),
        (HEAD + b"\r\n",),
        (b"POST /v1/a HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",),
    ],
)
async def test_a_head_that_does_not_come_to_its_end_is_told_so(tmp_path: Path, before: tuple[bytes, ...]) -> None:
    """On a new connection, and on one that was kept; not even a byte now and then keeps it open."""
    async with limited(tmp_path, head_timeout=SHORT, idle_timeout=LONG) as proxy, called(proxy) as client:
        for request in before:
            assert (await (await client.send(request)).answer())[0] == 200
        dripping = asyncio.create_task(client.send(*[HEAD[at : at + 1] for at in range(30)], *[b"X"] * 200))
        assert await client.refusal() == (408, "request_timeout")
        await dripping


@pytest.mark.parametrize(
    "before",
    [
        HEAD + b"\r\n",
        b"POST /v1/a HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
    ],
)
async def test_a_head_behind_another_request_has_no_more_time(tmp_path: Path, before: bytes) -> None:
    """It came with the request before, and counts from that one's answer."""
    async with limited(tmp_path, head_timeout=SHORT, idle_timeout=LONG) as proxy, called(proxy) as client:
        await client.send(before + HEAD)
        assert (await client.answer())[0] == 200
        assert await client.refusal() == (408, "request_timeout")


async def test_where_nobody_knows_what_is_behind_a_request_nobody_is_told(tmp_path: Path) -> None:
    """Whatever was said then could be taken for the answer to another request."""
    old = b"GET /v1/a HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n\r\n"
    async with limited(tmp_path, head_timeout=SHORT, idle_timeout=LONG) as proxy, called(proxy) as client:
        await client.send(old + HEAD)
        assert (await client.answer())[0] == 200
        assert await client.reader.read() == b""


async def test_a_connection_that_says_nothing_is_closed_without_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that connects in advance is not told of anything it did not ask."""
    async with limited(tmp_path, head_timeout=SHORT, idle_timeout=LONG) as proxy, called(proxy) as client:
        assert await client.reader.read() == b""
    assert "refused" not in caplog.text


async def test_a_connection_between_two_requests_is_kept_for_the_idle_time_out(tmp_path: Path) -> None:
    """Longer than a head may take, and then closed without a word."""
    async with limited(tmp_path, head_timeout=SHORT / 3, idle_timeout=SHORT) as proxy, called(proxy) as client:
        assert (await (await client.send(HEAD + b"\r\n")).answer())[0] == 200
        began = asyncio.get_running_loop().time()
        assert await client.reader.read() == b""
        assert asyncio.get_running_loop().time() - began > SHORT * 0.9


async def test_answers_that_need_no_parser_keep_a_connection_too(tmp_path: Path) -> None:
    """Requests that come again and again are answered on one connection, for longer than it may be idle."""
    cassette = tmp_path / "c.yaml"
    async with raw_upstream(answering(OK)) as upstream, proxied(cassette, upstream.url) as proxy, called(proxy) as one:
        assert (await (await one.send(HEAD + b"\r\n")).answer())[0] == 200
    limits = LimitSettings(head_timeout=2 * SHORT, idle_timeout=2 * SHORT)
    async with proxied(cassette, mode="playback", limits=limits) as proxy, called(proxy) as client:
        end = asyncio.get_running_loop().time() + 4 * SHORT
        while asyncio.get_running_loop().time() < end:
            assert (await (await client.send(HEAD + b"\r\n")).answer())[0] == 200
            await asyncio.sleep(SHORT / 10)
        assert await client.reader.read() == b""


@pytest.mark.parametrize("size", [10, 100_000, 1_000_000])
async def test_a_connection_is_kept_whatever_the_size_of_its_requests(tmp_path: Path, size: int) -> None:
    """Where a request ended is known when its length is."""
    upload = b"POST /v1/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % size + b"a" * size
    async with limited(tmp_path, head_timeout=SHORT / 3, idle_timeout=LONG) as proxy, called(proxy) as client:
        for _ in range(2):
            assert (await (await client.send(upload)).answer())[0] == 200
            await asyncio.sleep(SHORT)


async def test_a_known_head_does_not_buy_time_for_its_body(tmp_path: Path) -> None:
    """A request that was answered before and comes bit by bit goes to the parser, which waits as long as for others."""
    cassette, limits = tmp_path / "c.yaml", LimitSettings(body_timeout=SHORT)
    head, body = b"POST /v1/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4000\r\n\r\n", b"a" * 4000
    async with raw_upstream(answering(OK)) as upstream, proxied(cassette, upstream.url) as proxy, called(proxy) as one:
        assert (await (await one.send(head + body)).answer())[0] == 200
    settings = {"limits": limits, "playback": PlaybackSettings(repeat="cycle")}
    async with proxied(cassette, mode="playback", **settings) as proxy, called(proxy) as client:
        assert (await (await client.send(head + body)).answer())[0] == 200
        dripping = asyncio.create_task(client.send(head, *[b"a"] * 1000))
        handler = await proxy.sessions.get("default")
        await until(lambda: handler.under_way)
        assert not dripping.done()
        dripping.cancel()
        assert (await client.answer())[0] == 408


async def test_no_time_out_is_none(tmp_path: Path) -> None:
    """0 stands for as long as it takes."""
    async with limited(tmp_path, head_timeout=0, idle_timeout=0, body_timeout=0) as proxy, called(proxy) as client:
        for _ in range(2):
            await client.send(HEAD)
            await asyncio.sleep(SHORT)
            assert (await (await client.send(b"\r\n")).answer())[0] == 200


async def test_a_slow_exchange_is_no_slow_head(tmp_path: Path) -> None:
    """Neither a body that takes its time nor an answer that does."""
    released = asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.request()
        await released.wait()
        await visit.send(OK)

    limits = LimitSettings(head_timeout=SHORT, idle_timeout=SHORT, body_timeout=LONG)
    async with (
        raw_upstream(script) as upstream,
        proxied(tmp_path / "c.yaml", upstream.url, "passthrough", limits=limits) as proxy,
        called(proxy) as client,
    ):
        await client.send(b"POST /v1/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\n\r\na")
        await asyncio.sleep(2 * SHORT)
        await client.send(b"bcd")
        await asyncio.sleep(2 * SHORT)
        released.set()
        assert (await client.answer())[0] == 200


@pytest.mark.parametrize("mode", ["record", "auto", "passthrough"])
async def test_a_body_that_stalls_is_told_so(tmp_path: Path, mode: str) -> None:
    """And the connection ends, since the rest of the body would be in the way."""
    begun = b"POST /v1/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n"
    async with limited(tmp_path, mode, body_timeout=SHORT) as proxy, called(proxy) as client:
        await client.send(begun, b"a")
        status, fields, body = await client.answer()
        assert (status, fields["connection"]) == (408, "close")
        assert json.loads(body)["error"]["code"] == "request_timeout"


# --- connections, exchanges, sessions


async def until(holds: Any) -> None:
    """Waits for the proxy to get there."""
    async with asyncio.timeout(LONG):
        while not holds():
            await asyncio.sleep(0.01)


async def test_connections_beyond_the_limit_are_told_to_come_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Those that were there are served, those far beyond are closed at once, and there is room again afterwards."""
    async with limited(tmp_path, connections=4) as proxy, contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(called(proxy)) for _ in range(4)]
        for client in clients:
            assert (await (await client.send(HEAD + b"\r\n")).answer())[0] == 200
        surplus = await stack.enter_async_context(called(proxy))
        async with called(proxy) as beyond:
            with contextlib.suppress(ConnectionError):
                assert await beyond.reader.read() == b""
        status, fields, body = await (await surplus.send(HEAD + b"\r\n")).answer()
        assert (status, fields["retry-after"], fields["connection"]) == (503, "1", "close")
        assert json.loads(body)["error"]["code"] == "too_many_connections"
        assert await surplus.reader.read() == b""
        assert (await (await clients[0].send(HEAD + b"\r\n")).answer())[0] == 200
        clients[1].writer.close()
        await clients[1].writer.wait_closed()
        async with called(proxy) as another:
            assert (await (await another.send(HEAD + b"\r\n")).answer())[0] == 200
    assert caplog.text.count("limits.connections") >= 1


async def test_a_connection_that_came_too_early_is_served_when_there_is_room(tmp_path: Path) -> None:
    """What counts is how many there are when its request comes."""
    async with limited(tmp_path, connections=4) as proxy, contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(called(proxy)) for _ in range(5)]
        for client in clients[:4]:
            assert (await (await client.send(HEAD + b"\r\n")).answer())[0] == 200
        await clients[0].send(HEAD + b"Connection: close\r\n\r\n")
        assert (await clients[0].answer())[0] == 200
        assert await clients[0].reader.read() == b""
        assert (await (await clients[4].send(HEAD + b"\r\n")).answer())[0] == 200


async def test_exchanges_beyond_the_limit_are_told_to_come_again(tmp_path: Path) -> None:
    """On the same connection when there is no body in the way; nothing of them is in any session."""
    released = asyncio.Event()

    async def script(visit: Visit) -> None:
        while True:
            await visit.request()
            await released.wait()
            await visit.send(OK)

    limits = LimitSettings(exchanges=2)
    async with (
        raw_upstream(script) as upstream,
        proxied(tmp_path / "c.yaml", upstream.url, "passthrough", limits=limits) as proxy,
        called(proxy) as one,
        called(proxy) as other,
        called(proxy) as third,
        called(proxy) as fourth,
    ):
        await one.send(HEAD + b"\r\n")
        await other.send(HEAD + b"\r\n")
        await until(lambda: len(upstream.visits) == 2)
        status, fields, body = await (await third.send(HEAD + b"\r\n")).answer()
        assert (status, fields["retry-after"], fields.get("connection")) == (429, "1", None)
        assert json.loads(body)["error"]["code"] == "too_many_exchanges"
        await fourth.send(b"POST /v1/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\n\r\na")
        assert await fourth.refusal() == (429, "too_many_exchanges")
        released.set()
        assert [(await client.answer())[0] for client in (one, other)] == [200, 200]
        assert (await (await third.send(HEAD + b"\r\n")).answer())[0] == 200
        assert proxy.session.receipt().requests == 3


async def test_a_session_beyond_the_limit_is_not_opened(tmp_path: Path) -> None:
    """Neither for a request nor when it is declared; sessions that are open go on, and closing one makes room."""
    told = "2 sessions are open, which is as many as may be; close some .* or raise limits.sessions"
    asked = b"GET /@%b/v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    async with limited(tmp_path, sessions=2) as proxy, called(proxy) as client:
        assert (await (await client.send(asked % b"one")).answer())[0] == 200
        status, fields, body = await (await client.send(asked % b"two")).answer()
        assert (status, fields["x-should-retry"], json.loads(body)["error"]["code"]) == (
            429,
            "false",
            "too_many_sessions",
        )
        with pytest.raises(ConfigError, match=told):
            await proxy.sessions.declare(Declaration("two"))
        assert (await (await client.send(asked % b"one")).answer())[0] == 200
        await proxy.sessions.reset("one")
        await proxy.sessions.close("one")
        assert (await (await client.send(asked % b"two")).answer())[0] == 200
        assert next(receipt.broken for name, receipt in proxy.sessions.receipts() if name == "two")


async def test_workers_have_the_same_limits(tmp_path: Path) -> None:
    """Each of its own, but for sessions, which are those of all."""
    limits = LimitSettings(sessions=2, header=1000, head_timeout=SHORT)
    asked = b"GET /@%b/v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    async with (
        raw_upstream(answering(OK)) as upstream,
        proxied(tmp_path / "c.yaml", upstream.url, "passthrough", limits=limits, workers=2) as proxy,
    ):
        for name, expected in ((b"one", 200), (b"two", 429), (b"three", 429), (b"one", 200)):
            async with called(proxy) as client:
                status, _, body = await (await client.send(asked % name)).answer()
                assert status == expected, body
                assert status == 200 or json.loads(body)["error"]["code"] == "too_many_sessions"
        async with called(proxy) as client:
            assert await (await client.send(HEAD + field(2000))).refusal() == (431, "header_too_large")
        async with called(proxy) as client:
            assert await (await client.send(HEAD)).refusal() == (408, "request_timeout")


# --- memory and files


async def test_the_journal_takes_as_much_as_it_may(tmp_path: Path) -> None:
    """The latest exchanges stay."""
    async with limited(tmp_path, journal=4000) as proxy, called(proxy) as client:
        for number in range(20):
            await client.send(b"GET /v1/models/%d HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % number)
            assert (await client.answer())[0] == 200
        targets = [noted.entry().request.target for noted in proxy.journal.entries()]
        assert 1 < len(targets) < 8
        assert targets[-1] == "/v1/models/19"


LARGE = b'"' + b"x" * (PARSE_LIMIT + 1000) + b'"'


@pytest.mark.parametrize("mode", ["auto", "record"])
@pytest.mark.parametrize("room", [PARSE_LIMIT // 2, PARSE_LIMIT + 10_000])
async def test_a_body_for_which_there_is_no_room(
    tmp_path: Path, mode: str, room: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Where it must be read first it is refused, and nothing forwarded; where it need not be, its recording is lost."""
    upload = b"POST /v1/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(LARGE)
    async with (
        raw_upstream(answering(OK)) as upstream,
        proxied(tmp_path / "c.yaml", upstream.url, mode, limits=LimitSettings(spool=room)) as proxy,
    ):
        async with called(proxy) as client:
            await client.send(upload + LARGE)
            if mode == "auto":
                status, fields, body = await client.answer()
                assert (status, fields["retry-after"], fields["connection"]) == (503, "1", "close")
                assert json.loads(body)["error"]["code"] == "spool_full"
                assert upstream.received == b""
            else:
                assert (await client.answer())[0] == 200
        async with called(proxy) as client:
            await client.send(HEAD + b"\r\n")
            assert (await client.answer())[0] == 200
        assert proxy.session.receipt().lost == (mode == "record" and room < PARSE_LIMIT)
    if mode == "record" and room < PARSE_LIMIT:
        assert "limits.spool" in caplog.text


async def test_an_answer_for_which_there_is_no_room_is_answered_and_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The client gets every byte; the log and the receipt say that it is not in the cassette."""
    large = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(LARGE) + LARGE
    async with (
        raw_upstream(answering(large)) as upstream,
        proxied(tmp_path / "c.yaml", upstream.url, limits=LimitSettings(spool=1000)) as proxy,
        called(proxy) as client,
    ):
        status, _, body = await (await client.send(HEAD + b"\r\n")).answer()
        assert (status, body) == (200, LARGE)
        assert proxy.session.receipt().lost == 1
    assert "limits.spool" in caplog.text


async def test_room_comes_back(tmp_path: Path) -> None:
    """One large body after the other passes where two at once would not."""
    upload = b"POST /v1/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(LARGE)
    async with limited(tmp_path, "auto", spool=2 * len(LARGE) + 1000) as proxy, called(proxy) as client:
        for number in range(3):
            await client.send(upload + LARGE[:-2] + b'%d"' % number)
            assert (await client.answer())[0] == 200
        assert proxy.session.receipt().saved == 3


class Disk:
    """A spool in memory."""

    def __init__(self) -> None:
        self.held = b""

    def write(self, data: bytes) -> None:
        """Keeps it."""
        self.held += data

    def adopt(self, sha256: str, extension: str) -> str:
        """Its name."""
        return sha256 + extension

    def discard(self) -> None:
        """Forgets it."""
        self.held = b""


def test_a_measured_spool_gives_back_what_it_took_once() -> None:
    """However it ends, and how often it is told so."""
    room = Room(10)
    one, other = MeasuredSpool(Disk(), room), MeasuredSpool(Disk(), room)
    one.write(b"a" * 6)
    with pytest.raises(SpoolFullError, match="10 bytes at once"):
        other.write(b"b" * 5)
    other.write(b"b" * 4)
    assert (room.taken, one.adopt("name", ".txt")) == (10, "name.txt")
    one.discard()
    assert room.taken == 4
    other.discard()
    other.discard()
    assert room.taken == 0


# --- what is not looked into


@pytest.mark.parametrize(
    ("body", "why"),
    [(b"[" * 100_000 + b"]" * 100_000, "nested too deep"), (LARGE, "larger than 8 MiB"), (b'{"a": 1}', "")],
)
async def test_a_body_that_is_not_looked_into_is_carried_and_said_so(tmp_path: Path, body: bytes, why: str) -> None:
    """It is recorded and played by its bytes; the journal says why nothing in it counts."""
    head = b"POST /v1/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    asked = head % len(body) + body
    note = f"the request's body was not looked into: {why}" if why else ""
    async with (
        raw_upstream(answering(OK)) as upstream,
        proxied(tmp_path / "c.yaml", upstream.url) as proxy,
        called(proxy) as client,
    ):
        assert (await (await client.send(asked)).answer())[0] == 200
        assert upstream.received.endswith(body)
        assert [noted.entry().note for noted in proxy.journal.entries()] == [note]
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, called(proxy) as client:
        assert (await (await client.send(asked)).answer())[::2] == (200, b"ok")
        assert [noted.entry().note for noted in proxy.journal.entries()] == [note]


# --- descriptors


@pytest.mark.parametrize(("files", "connections"), [(65_536, 4096), (8292, 4096), (8290, 4095), (1024, 462), (10, 1)])
def test_there_are_no_more_connections_than_descriptors_allow(files: int, connections: int) -> None:
    """Two for each exchange, and some to spare."""
    assert attainable(LimitSettings(), files).connections == connections


def test_as_many_files_may_be_opened_as_the_system_allows() -> None:
    """What is enough already stays as it is."""
    resource = pytest.importorskip("resource")
    files = raise_limit()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert files == raise_limit() <= max(ENOUGH, soft)
    assert soft in (files, hard) or files == ENOUGH


def test_a_low_soft_limit_is_raised() -> None:
    """As shells set it: what counts is the hard one."""
    told = "import resource as r; from replayproxy.proxy.descriptors import raise_limit as up; "
    program = f"{told}print(up(), *r.getrlimit(r.RLIMIT_NOFILE))"
    words = ["sh", "-c", 'ulimit -Sn 256 && exec "$0" -c "$1"', sys.executable, program]
    files, soft, hard = map(int, subprocess.run(words, capture_output=True, check=True).stdout.split())
    assert files == soft > 256
    assert hard == -1 or soft == min(hard, ENOUGH)


def test_fewer_connections_than_asked_for_are_told_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """Since whoever asked for more should know before they are refused."""
    asked = replace(LimitSettings(), connections=10_000_000)
    assert within_means(asked).connections < asked.connections
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "ulimit -Hn" in caplog.text


def test_a_limit_of_connections_leaves_some_to_be_told() -> None:
    """A quarter more."""
    limits = Limits(LimitSettings(connections=8))
    limits.connections = 10
    assert (limits.crowded, limits.full) == (True, False)
    limits.connections = 11
    assert (limits.crowded, limits.full) == (True, True)
