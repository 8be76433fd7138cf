"""What reaches the upstream, and what comes back to the client: the same bytes, whatever they are."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from tests.proxies import documents, proxied
from tests.servers import RawUpstream, Script, Visit, answering, exchange, raw_upstream

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    """Where these tests record."""
    return tmp_path / "cassette.yaml"


async def through(cassette: Path, script: Script, data: bytes, **more: object) -> tuple[bytes, RawUpstream]:
    """What a client that sends `data` gets back, and what the upstream saw."""
    async with raw_upstream(script) as upstream, proxied(cassette, upstream.url, **more) as proxy:
        return await exchange(proxy.url, data), upstream


@pytest.mark.parametrize(
    "target",
    [
        b"/v1/a%2Fb%2f%7E%252F%3B;v=1",
        b"/v1//double//slash",
        b"/v1/../admin/./x",
        b"/?x=%2F&y=a+b&z=%&&",
        b"/v1/models??",
        b"/v1/models?",
        b"/v1/files?order=desc&order=asc&b=1&a=2",
    ],
)
async def test_the_target_reaches_the_upstream_byte_for_byte(cassette: Path, target: bytes) -> None:
    """No decoding, no joining, no normalising."""
    _, upstream = await through(cassette, answering(OK), GET.replace(b" / ", b" " + target + b" "))
    assert upstream.received.startswith(b"GET " + target + b" HTTP/1.1\r\n")


async def test_request_headers_keep_order_and_repetition(cassette: Path) -> None:
    """Everything goes up but what belongs to the connection, what `Connection` names, and our own header."""
    data = (
        b"POST /x HTTP/1.1\r\nHost: localhost\r\nX-B: 2\r\nx-b: 1\r\nUser-Agent: t\r\nX-Empty:\r\nX-Utf: \xc3\xa9\r\n"
        b"X-Raw: \xff\xfe\r\nConnection: close, X-Hop\r\nX-Hop: secret\r\nTE: trailers\r\nKeep-Alive: 5\r\n"
        b"Proxy-Authorization: Basic eA==\r\nX-Replayproxy-Session: s\r\nCookie: a=b\r\nContent-Length: 2\r\n\r\nhi"
    )
    _, upstream = await through(cassette, answering(OK), data)
    authority = upstream.url.removeprefix("http://").encode()
    assert upstream.received == (
        b"POST /x HTTP/1.1\r\nHost: " + authority + b"\r\nX-B: 2\r\nx-b: 1\r\nUser-Agent: t\r\nX-Empty: \r\n"
        b"X-Utf: \xc3\xa9\r\nX-Raw: \xff\xfe\r\nCookie: a=b\r\nContent-Length: 2\r\n\r\nhi"
    )


async def test_nothing_is_added_to_a_minimal_request(cassette: Path) -> None:
    """No User-Agent, Accept, Accept-Encoding or Content-Type of ours."""
    _, upstream = await through(cassette, answering(OK), GET)
    assert upstream.received.count(b"\r\n") == 3


@pytest.mark.parametrize(
    ("answer", "method", "expected"),
    [
        (
            b"HTTP/1.1 200 Fine\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nX-Raw: \xff\r\nContent-Length: 2\r\n\r\nok",
            b"GET",
            b"HTTP/1.1 200 Fine\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nX-Raw: \xff\r\nContent-Length: 2\r\n"
            b"Connection: close\r\n\r\nok",
        ),
        (
            b"HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nContent-Length: 0\r\n\r\n",
            b"GET",
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n",
            b"HEAD",
            b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nConnection: close\r\n\r\n",
        ),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"DELETE", b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"),
        (
            b"HTTP/1.1 304 Not Modified\r\nETag: x\r\nContent-Length: 9\r\n\r\n",
            b"GET",
            b"HTTP/1.1 304 Not Modified\r\nETag: x\r\nContent-Length: 9\r\nConnection: close\r\n\r\n",
        ),
        (
            b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n\r\n",
            b"GET",
            b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n"
            b"Connection: close\r\n\r\n",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            b"GET",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        ),
    ],
)
async def test_answers_come_back_as_they_are_and_replay_the_same(
    cassette: Path, answer: bytes, method: bytes, expected: bytes
) -> None:
    """Head and body, in recording and in playback, but for the two headers that tell what played."""
    data = GET.replace(b"GET", method)
    got, _ = await through(cassette, answering(answer), data)
    assert got == expected
    async with proxied(cassette, mode="playback") as proxy:
        played = await exchange(proxy.url, data)
    mark = b"x-replayproxy-outcome: played\r\nx-replayproxy-interaction: 1\r\n"
    assert mark in played
    if b"Set-Cookie" not in expected:
        assert played.replace(mark, b"") == expected


async def test_an_answer_that_ends_with_its_connection_is_framed(cassette: Path) -> None:
    """The client can tell where it ends."""

    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.send(b"HTTP/1.1 200 OK\r\n\r\nwhole")

    got, _ = await through(cassette, script, GET)
    assert got.endswith(b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nwhole\r\n0\r\n\r\n")


async def test_an_http_1_0_client_gets_no_chunks(cassette: Path) -> None:
    """The end of the connection ends the body."""
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    got, _ = await through(cassette, answering(answer), b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
    assert got == b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok"


async def test_an_http_1_0_client_may_keep_its_connection(cassette: Path) -> None:
    """It is told so when it asks and the length is known."""
    async with raw_upstream(answering(OK)) as upstream, proxied(cassette, upstream.url) as proxy:
        host, port = proxy.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET / HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n")
        assert b"Connection: keep-alive\r\n" in await reader.readuntil(b"ok")
        writer.close()


@pytest.mark.parametrize(
    "upload",
    [
        b"Content-Length: 5\r\n\r\nhello",
        b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
    ],
)
async def test_sized_and_chunked_uploads_arrive(cassette: Path, upload: bytes) -> None:
    """The body arrives whole, framed one way or the other, and is recorded."""
    got, upstream = await through(
        cassette, answering(OK), b"PUT / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + upload
    )
    assert got.endswith(b"\r\n\r\nok")
    assert b"hello" in upstream.received.replace(b"\r\n3\r\n", b"")
    assert documents(cassette)[1]["request"]["body"] == {"text": "hello"}


async def test_expect_100_continue(cassette: Path) -> None:
    """A client that waits for the go-ahead gets it; the upstream needs no such header."""
    async with raw_upstream(answering(OK)) as upstream, proxied(cassette, upstream.url) as proxy:
        host, port = proxy.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"
        writer.write(head + b"Connection: close\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"hi")
        assert (await reader.read()).startswith(b"HTTP/1.1 200 OK")
        writer.close()
    assert b"Expect" not in upstream.received
    assert upstream.received.endswith(b"\r\n\r\nhi")


async def test_pipelined_requests_are_answered_in_order(cassette: Path) -> None:
    """Two requests in one segment are two exchanges."""
    answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + digit for digit in (b"1", b"2")]
    data = GET.replace(b"Connection: close\r\n", b"") + GET
    got, _ = await through(cassette, answering(*answers), data)
    assert got.index(b"\r\n\r\n1") < got.index(b"\r\n\r\n2")


async def test_the_key_is_put_in_on_the_way_up(cassette: Path) -> None:
    """The client's dummy key does not reach the upstream; the real one reaches nothing else."""
    data = GET.replace(b"Host: localhost", b"Host: localhost\r\nAuthorization: Bearer dummy\r\nX-After: 1")
    _, upstream = await through(cassette, answering(OK), data, key="sk-real-key-000000000000")
    assert b"\r\nAuthorization: Bearer sk-real-key-000000000000\r\nX-After: 1\r\n" in upstream.received
    assert b"sk-real" not in cassette.read_bytes()
    azure = GET.replace(b"Host: localhost", b"Host: localhost\r\napi-key: dummy")
    _, upstream = await through(cassette, answering(OK), azure, key="sk-real-key-000000000000")
    assert b"\r\napi-key: sk-real-key-000000000000\r\n" in upstream.received


async def test_events_reach_the_client_as_they_come(cassette: Path) -> None:
    """Each event is with the client before the upstream sends the next."""
    heard = asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(3):
            event = b'data: {"n": %d}\n\n' % number
            await visit.send(b"%x\r\n%b\r\n" % (len(event), event))
            await heard.wait()
            heard.clear()
        await visit.send(b"0\r\n\r\n")

    async with raw_upstream(script) as upstream, proxied(cassette, upstream.url) as proxy:
        host, port = proxy.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(GET)
        for number in range(3):
            await reader.readuntil(b'{"n": %d}\n\n' % number)
            heard.set()
        await reader.read()
        writer.close()
    events = documents(cassette)[1]["response"]["body"]["events"]
    assert [event["json"] for event in events] == [{"n": 0}, {"n": 1}, {"n": 2}]
    async with proxied(cassette, mode="playback") as proxy:
        played = await exchange(proxy.url, GET)
    assert played.endswith(b'\r\n\r\nd\r\ndata: {"n": 0}\n\n'[:0] + b'data: {"n": 2}\n\n\r\n0\r\n\r\n')


async def test_a_client_that_leaves_at_the_last_event_loses_nothing(cassette: Path) -> None:
    """Clients hang up on [DONE], a moment before the stream ends: the recording is whole all the same."""
    hung_up, saved = asyncio.Event(), asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.request()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        await visit.send(head + b"e\r\ndata: [DONE]\n\n\r\n")
        await hung_up.wait()
        await visit.send(b"0\r\n\r\n")
        saved.set()
        await visit.reader.read()

    async with raw_upstream(script) as upstream, proxied(cassette, upstream.url) as proxy:
        host, port = proxy.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(GET)
        await reader.readuntil(b"[DONE]\n\n")
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.05)
        hung_up.set()
        await saved.wait()
    assert documents(cassette)[1]["response"]["body"]["events"] == [{"at": pytest.approx(0, abs=1), "data": "[DONE]"}]


async def test_a_client_that_leaves_early_releases_the_upstream(cassette: Path) -> None:
    """Tokens cost money: the upstream's connection is closed, and nothing is saved."""
    released = asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.request()
        with contextlib.suppress(ConnectionError):
            await visit.reader.read()
        released.set()

    async with raw_upstream(script) as upstream, proxied(cassette, upstream.url) as proxy:
        host, port = proxy.url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(GET)
        while not upstream.received:
            await asyncio.sleep(0.01)
        writer.close()
        await asyncio.wait_for(released.wait(), 5)
    assert not cassette.exists()


TRACED = [
    (
        b"traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
        b"tracestate: a=1,b=2\r\nTraceState: c=3\r\nbaggage: user=1;p=2, k=%20v\r\n"
    ),
    b"Traceparent: no trace at all\r\ntracestate: ,,=,\r\nbaggage:\r\ntraceparent: twice\r\n",
]


@pytest.mark.parametrize("lines", TRACED, ids=["good", "malformed"])
@pytest.mark.parametrize("mode", ["record", "passthrough"])
async def test_traces_go_on_as_they_came(cassette: Path, mode: str, lines: bytes) -> None:
    """Byte for byte, be they what the specification says or not."""
    _, upstream = await through(cassette, answering(OK), GET.replace(b"Connection", lines + b"Connection"), mode=mode)
    assert lines.replace(b"baggage:\r\n", b"baggage: \r\n") in upstream.received


async def test_a_trace_makes_no_miss_and_no_other_cassette(cassette: Path) -> None:
    """Each request belongs to another one: it plays all the same, and recorded again the file stays what it was."""
    first, second = (GET.replace(b"Connection", lines + b"Connection") for lines in TRACED)
    await through(cassette, answering(OK), first)
    recorded = cassette.read_bytes()
    assert b"4bf92f3577b34da6a3ce929d0e0e4736" in recorded
    async with proxied(cassette, mode="playback") as proxy:
        for data in (second, GET, first):
            assert (await exchange(proxy.url, data)).startswith(b"HTTP/1.1 200 OK\r\n")
    for data in (second, GET):
        await through(cassette, answering(OK), data)
        assert cassette.read_bytes() == recorded
