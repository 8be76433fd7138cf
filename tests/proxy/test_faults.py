"""Answers that fail: recorded as they failed, scripted by hand, planned for a session."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
from openai import APIStatusError, AsyncOpenAI, InternalServerError

from replayproxy.config import RecordSettings
from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.fault_kinds import Delay, Fault
from replayproxy.core.faults import FaultPlan, PlannedFault
from replayproxy.core.messages import Chunk, Headers
from replayproxy.core.rules import Scope
from replayproxy.proxy.app import Proxy
from replayproxy.stores import FileStore
from tests.builders import request, response
from tests.proxies import documents, proxied
from tests.servers import Script, Visit, answering, exchange, raw_upstream

FAILURES = {"record": RecordSettings(failures=True)}
GET = b"GET /v1/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
EVENTS = Headers.of(("Content-Type", "text/event-stream"))
STREAM = b"data: 1\n\ndata: 2\n\ndata: 3\n\n"
CHUNKED = b"9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n9\r\ndata: 3\n\n\r\n"


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    """Where these tests record."""
    return tmp_path / "cassette.yaml"


def scripted(cassette: Path, fault: Fault | None = None, delay: Delay | None = None, **answer: Any) -> Path:
    """A cassette with one GET of a stream (or of another `answer`) and a fault in it."""
    given = answer or {"body": STREAM, "headers": EVENTS, "chunks": tuple(Chunk(0.0, 9) for _ in range(3))}
    interaction = Interaction(
        request("GET", "/v1/x", headers=Headers()), response(**given), fault=fault, delay=delay or Delay()
    )
    cassette.unlink(missing_ok=True)  # recorded over, it would keep the fault that it has
    recorder = FileStore(cassette).replace_take(Head())
    recorder.append(interaction, 1)
    recorder.close()
    return cassette


async def ask(url: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    async with aiohttp.ClientSession() as client, client.request(method, url) as answer:
        return answer.status, {name.lower(): value for name, value in answer.headers.items()}, await answer.read()


async def until_broken(url: str, data: bytes = GET) -> tuple[bytes, bool]:
    """The body that comes before the connection ends, and whether it ended by a reset."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    got = b""
    try:
        while piece := await reader.read(65536):
            got += piece
    except ConnectionResetError:
        return got.partition(b"\r\n\r\n")[2], True
    finally:
        writer.close()
    return got.partition(b"\r\n\r\n")[2], False


def then_closing(*pieces: bytes) -> Script:
    """A script that answers with these pieces and closes the connection."""

    async def script(visit: Visit) -> None:
        await visit.request()
        for piece in pieces:
            await visit.send(piece)

    return script


# --- recorded


@pytest.mark.parametrize(
    ("head", "sent", "comes"),
    [
        (b"Content-Length: 10", b"half", b"half"),
        (b"Content-Length: 10", b"", b""),
        (b"Transfer-Encoding: chunked", b"4\r\nhalf\r\n", b"4\r\nhalf\r\n"),
        (b"Transfer-Encoding: chunked\r\nContent-Type: text/event-stream", CHUNKED[:28], CHUNKED[:28]),
        (
            b"Transfer-Encoding: chunked\r\nContent-Type: text/event-stream",
            CHUNKED[:20],
            b"9\r\ndata: 1\n\n\r\n3\r\ndat\r\n",
        ),
        (b"Content-Length: 99\r\nContent-Encoding: gzip", b"\x1f\x8b\x08\x00", b"\x1f\x8b\x08\x00"),
    ],
)
async def test_half_an_answer_breaks_at_the_same_byte_again(
    cassette: Path, head: bytes, sent: bytes, comes: bytes
) -> None:
    """The recording client and every later one get the same bytes and no end; a stated length stays."""
    script = then_closing(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n", sent)
    async with raw_upstream(script) as upstream, proxied(cassette, upstream.url, **FAILURES) as proxy:
        recorded = await exchange(proxy.url, GET)
        assert proxy.session.receipt().saved == 1
    assert recorded.partition(b"\r\n\r\n")[2] == comes
    assert documents(cassette)[1]["fault"] == "truncate"
    async with proxied(cassette, mode="playback") as proxy:
        played = [await exchange(proxy.url, GET) for _ in range(2)]
        assert proxy.session.receipt().failures == ()
    for each, outcome in zip(played, (b"played", b"repeated"), strict=True):
        mark = b"x-replayproxy-outcome: %b\r\nx-replayproxy-interaction: 1\r\nx-replayproxy-fault: truncate\r\n"
        assert each.replace(mark % outcome, b"") == recorded


async def test_a_large_half_is_kept_in_a_file(cassette: Path) -> None:
    """It breaks as far behind."""
    script = then_closing(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", bytes(10_000_000))
    async with raw_upstream(script) as upstream, proxied(cassette, upstream.url, **FAILURES) as proxy:
        assert len((await exchange(proxy.url, GET)).partition(b"\r\n\r\n")[2]) == 10_000_000
    assert documents(cassette)[1]["response"]["body"]["file"]["size"] == 10_000_000
    async with proxied(cassette, mode="playback") as proxy:
        head, _, body = (await exchange(proxy.url, GET)).partition(b"\r\n\r\n")
    assert b"Content-Length: 99999999\r\n" in head
    assert body == bytes(10_000_000)


async def silent(visit: Visit) -> None:
    await visit.request()
    await visit.reader.read()


async def resetting(visit: Visit) -> None:
    await visit.request()
    visit.reset()


@pytest.mark.parametrize(
    ("script", "status", "kind"), [(silent, 504, "timeout"), (resetting, 502, "reset"), (None, 502, "refused")]
)
async def test_no_answer_is_recorded_as_what_the_client_was_told(
    cassette: Path, script: Script | None, status: int, kind: str
) -> None:
    """The same status and envelope come back, without anybody to wait for."""
    async with raw_upstream(script or answering(b"")) as upstream:
        if script is None:
            upstream_url = upstream.url
        else:
            async with proxied(cassette, upstream.url, idle_timeout=0.1, **FAILURES) as proxy:
                recorded = await ask(f"{proxy.url}/v1/x")
    if script is None:
        async with proxied(cassette, upstream_url, **FAILURES) as proxy:
            recorded = await ask(f"{proxy.url}/v1/x")
    assert (recorded[0], recorded[1]["x-replayproxy-outcome"]) == (status, "saved")
    assert documents(cassette)[1]["fault"] == {"kind": kind, "of": "upstream"}
    async with proxied(cassette, mode="playback") as proxy:
        played = await ask(f"{proxy.url}/v1/x")
    assert (played[0], played[2]) == (recorded[0], recorded[2])
    assert played[1]["x-replayproxy-outcome"] == "played"
    assert "x-replayproxy-fault" not in played[1]


async def test_an_upload_that_the_upstream_does_not_take_is_not_saved(cassette: Path) -> None:
    """Half a request would never match again."""

    async def body() -> AsyncIterator[bytes]:
        yield bytes(100_000)
        await asyncio.Event().wait()

    async def script(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        visit.reset()

    async with (
        raw_upstream(script) as upstream,
        proxied(cassette, upstream.url, **FAILURES) as proxy,
        aiohttp.ClientSession() as client,
        client.post(f"{proxy.url}/v1/x", data=body()) as answer,
    ):
        assert answer.status == 502
        assert answer.headers["x-replayproxy-outcome"] == "failed"
    assert not cassette.exists()


async def test_secrets_in_half_an_answer_are_redacted(cassette: Path) -> None:
    """What was cut off is no JSON any more; what looks like a key is still found."""
    body = b'{"note": "sk-proj-' + b"aB3dE6gH9j" * 5 + b'", "half": "'
    script = then_closing(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n", body)
    async with raw_upstream(script) as upstream, proxied(cassette, upstream.url, **FAILURES) as proxy:
        await exchange(proxy.url, GET)
    assert documents(cassette)[1]["fault"] == "truncate"
    assert b"aB3dE6gH9j" not in cassette.read_bytes()


@pytest.fixture
async def client_of() -> AsyncIterator[Any]:
    """Makes official clients of a proxy."""
    clients: list[AsyncOpenAI] = []

    def make(proxy: Proxy, **options: Any) -> AsyncOpenAI:
        clients.append(AsyncOpenAI(base_url=f"{proxy.url}/v1", api_key="any", **options))
        return clients[-1]

    yield make
    for client in clients:
        await client.close()


async def chat(client: AsyncOpenAI) -> str:
    """What a chat answers."""
    answer = await client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
    return str(answer.choices[0].message.content)


def json_answer(status: int, value: Any, *headers: bytes) -> bytes:
    """An answer of the API."""
    body = json.dumps(value).encode()
    lines = [b"HTTP/1.1 %d X" % status, b"Content-Type: application/json", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
}
LIMITED = {"error": {"message": "Rate limit reached", "type": "requests", "param": None, "code": "rate_limit_exceeded"}}


async def test_the_client_gets_over_a_recorded_429(cassette: Path, client_of: Any) -> None:
    """It waits as long as the recorded header says, asks again, and gets the answer, each time it is played."""
    script = answering(json_answer(429, LIMITED, b"Retry-After-Ms: 20"), json_answer(200, COMPLETION))
    async with raw_upstream(script) as upstream, proxied(cassette, upstream.url, **FAILURES) as proxy:
        assert await chat(client_of(proxy)) == "hello"
    assert [each["response"]["status"] for each in documents(cassette)[1:]] == [429, 200]
    for _ in range(2):
        async with proxied(cassette, mode="playback") as proxy:
            began = asyncio.get_running_loop().time()
            assert await chat(client_of(proxy)) == "hello"
            assert 0.02 <= asyncio.get_running_loop().time() - began < 0.4  # without the header: half a second
            assert proxy.session.receipt().played == 2


async def streamed(client: AsyncOpenAI) -> tuple[list[str], str]:
    """The words of a streamed chat, and the name of what ended it before its time."""
    words: list[str] = []
    try:
        stream = await client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "hi"}], stream=True
        )
        async for chunk in stream:
            words += [chunk.choices[0].delta.content or ""]
    except Exception as error:  # whichever HTTP library the client's version stands on
        return words, type(error).__name__
    return words, ""


def chat_event(word: str) -> bytes:
    """An event of a streamed chat."""
    choice = {"index": 0, "delta": {"content": word}, "finish_reason": None}
    value = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return b"data: " + json.dumps(value).encode() + b"\n\n"


async def test_a_recorded_stream_breaks_at_the_same_event_of_the_client(cassette: Path, client_of: Any) -> None:
    """The same words and the same error, when it is recorded and whenever it is played; a stream that has no more
    than its last event missing would look whole to this client."""
    pieces = (b"%x\r\n%b\r\n" % (len(event), event) for event in map(chat_event, ("Hel", "lo", " wor")))
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with (
        raw_upstream(then_closing(head, *pieces)) as upstream,
        proxied(cassette, upstream.url, **FAILURES) as proxy,
    ):
        recorded = await streamed(client_of(proxy, max_retries=0))
    assert recorded[0] == ["Hel", "lo", " wor"]
    assert recorded[1]
    for _ in range(2):
        async with proxied(cassette, mode="playback") as proxy:
            assert await streamed(client_of(proxy, max_retries=0)) == recorded
            assert proxy.session.receipt().failures == ()


# --- scripted by hand


async def test_a_reset_breaks_before_a_byte(cassette: Path) -> None:
    """As a network does."""
    async with proxied(scripted(cassette, Fault("reset")), mode="playback") as proxy:
        assert await until_broken(proxy.url) == (b"", True)
        assert (await ask(f"{proxy.admin_url}/health"))[0] == 200


@pytest.mark.parametrize(
    ("fault", "comes"),
    [
        (Fault("truncate", after=0), b""),
        (Fault("truncate", after=12), b"9\r\ndata: 1\n\n\r\n3\r\ndat\r\n"),
        (Fault("truncate", after_events=2), CHUNKED[:28]),
        (Fault("truncate", after_events=9), CHUNKED),
        (Fault("truncate"), CHUNKED),
        (Fault("timeout", after_events=1, lasts=0.05), CHUNKED[:14]),
    ],
)
async def test_a_stream_breaks_where_it_is_told(cassette: Path, fault: Fault, comes: bytes) -> None:
    """After so many bytes or events; never with an end."""
    async with proxied(scripted(cassette, fault), mode="playback") as proxy:
        assert await until_broken(proxy.url) == (comes, False)


@pytest.mark.parametrize(
    ("fault", "head", "comes"),
    [
        (Fault("truncate", after=4), b"Content-Length: 10\r\n", b"0123"),
        (Fault("truncate"), b"Transfer-Encoding: chunked\r\n", b"a\r\n0123456789\r\n"),
        (Fault("truncate", after=10), b"Transfer-Encoding: chunked\r\n", b"a\r\n0123456789\r\n"),
    ],
)
async def test_a_sized_answer_breaks_where_it_is_told(cassette: Path, fault: Fault, head: bytes, comes: bytes) -> None:
    """It states its length when less than that comes, and none when all of it does."""
    headers = Headers.of(("Content-Type", "text/plain"), ("Content-Length", "10"))
    scripted(cassette, fault, body=b"0123456789", headers=headers)
    async with proxied(cassette, mode="playback") as proxy:
        answer = await exchange(proxy.url, GET)
        assert head in answer
        assert answer.endswith(b"\r\n\r\n" + comes)


async def test_an_old_client_sees_a_reset(cassette: Path) -> None:
    """For HTTP/1.0 the end of the connection would be the end of the answer."""
    async with proxied(scripted(cassette, Fault("truncate", after_events=1)), mode="playback") as proxy:
        data = GET.replace(b"1.1", b"1.0").replace(b"Connection: close\r\n", b"")
        assert (await until_broken(proxy.url, data))[1]


async def test_a_compressed_answer_breaks_uncompressed(cassette: Path) -> None:
    """Bytes are counted as they stand in the cassette; HEAD has none to count."""
    headers = Headers.of(("Content-Type", "text/plain"), ("Content-Encoding", "gzip"))
    scripted(cassette, Fault("truncate", after=3), body=b"0123456789", headers=headers, coding="gzip")
    async with proxied(cassette, mode="playback") as proxy:
        answer = await exchange(proxy.url, GET.replace(b"Host", b"Accept-Encoding: gzip\r\nHost"))
    assert b"Content-Encoding" not in answer
    assert answer.endswith(b"\r\n\r\n3\r\n012\r\n")


async def test_head_meets_no_truncation(cassette: Path) -> None:
    """There is no body to break."""
    interaction = Interaction(request("HEAD", "/v1/x", headers=Headers()), response(), fault=Fault("truncate"))
    recorder = FileStore(cassette).replace_take(Head())
    recorder.append(interaction, 1)
    recorder.close()
    async with proxied(cassette, mode="playback") as proxy:
        assert (await ask(f"{proxy.url}/v1/x", "HEAD"))[0] == 200


async def test_a_timeout_is_silence_until_the_client_gives_up(cassette: Path) -> None:
    """Its own read time-out is what it meets; after `for` seconds the connection breaks."""
    async with proxied(scripted(cassette, Fault("timeout")), mode="playback") as proxy, httpx.AsyncClient() as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get(f"{proxy.url}/v1/x", timeout=0.1)
    async with proxied(scripted(cassette, Fault("timeout", lasts=0.05)), mode="playback") as proxy:
        assert await until_broken(proxy.url) == (b"", True)


@pytest.mark.parametrize(
    ("retry_after", "expected"),
    [(None, (None, None)), (1.0, ("1", None)), (0.02, ("1", "20")), (0.0, ("0", None))],
)
async def test_a_status_answers_once_then_the_recording(
    cassette: Path, retry_after: float | None, expected: tuple[str | None, str | None]
) -> None:
    """In the API's envelope, with the wait it asks for, and marked as what it is."""
    scripted(cassette, Fault("status", status=503, retry_after=retry_after, times=1))
    async with proxied(cassette, mode="playback") as proxy:
        status, headers, body = await ask(f"{proxy.url}/v1/x")
        assert status == 503
        assert json.loads(body)["error"]["code"] == "scripted_fault"
        assert (headers.get("retry-after"), headers.get("retry-after-ms")) == expected
        assert headers["x-replayproxy-fault"] == "status 503"
        assert (await ask(f"{proxy.url}/v1/x"))[2] == STREAM
        assert proxy.session.receipt().played == 1


async def test_delays_hold_at_every_speed(cassette: Path) -> None:
    """Before the answer, and before each event of it."""
    scripted(cassette, delay=Delay(first_byte=0.1, each_event=0.05))
    clock = asyncio.get_running_loop().time
    async with proxied(cassette, mode="playback") as proxy:
        host, port = proxy.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        began, came = clock(), []
        writer.write(GET)
        await reader.readuntil(b"\r\n\r\n")
        came.append(clock() - began)
        for number in (b"1", b"2", b"3"):
            await reader.readuntil(b"data: " + number + b"\n\n")
            came.append(clock() - began)
        writer.close()
    assert came == pytest.approx([0.1, 0.15, 0.2, 0.25], abs=0.05)
    assert came[-1] >= 0.25


async def test_a_file_that_is_missing_is_no_half_answer(cassette: Path) -> None:
    """That it cannot be read is told in the place of the answer, not in its middle."""
    headers = Headers.of(("Content-Type", "application/octet-stream"))
    scripted(cassette, Fault("truncate", after=5), body=bytes(10_000_000), headers=headers)
    (body,) = (cassette.parent / "cassette.files").iterdir()
    async with proxied(cassette, mode="playback") as proxy:
        body.unlink()
        assert (await ask(f"{proxy.url}/v1/x"))[0] == 424


# --- planned for a session

HIT = PlannedFault(Fault("status", status=500, retry_after=0.01, times=2), Scope("POST", "/v1/chat/**"))


async def test_a_planned_fault_in_playback(cassette: Path, client_of: Any) -> None:
    """The app's retries are tested with the recording of a day without trouble."""
    async with (
        raw_upstream(answering(json_answer(200, COMPLETION))) as upstream,
        proxied(cassette, upstream.url) as proxy,
    ):
        assert await chat(client_of(proxy)) == "hello"
    async with proxied(cassette, mode="playback") as proxy:
        handler = await proxy.sessions.get("default")
        handler.session.set_faults(FaultPlan((HIT,)))
        assert await chat(client_of(proxy)) == "hello"
        assert (handler.session.faulted, handler.session.faults.met) == (2, [2])
        assert proxy.session.receipt().failures == ()
        handler.session.set_faults(FaultPlan((HIT,)))
        with pytest.raises(APIStatusError, match="already_played"):  # there is nothing left that could fail
            await chat(client_of(proxy, max_retries=0))


async def test_a_planned_fault_is_what_the_app_gets_without_retries(cassette: Path, client_of: Any) -> None:
    """As the API's own error, in the client's own exception."""
    async with proxied(cassette, mode="passthrough") as proxy:
        proxy.session.set_faults(FaultPlan((HIT,)))
        with pytest.raises(InternalServerError, match="was to meet a fault"):
            await chat(client_of(proxy, max_retries=0))


async def test_a_planned_fault_while_recording_is_not_recorded(cassette: Path) -> None:
    """An early one never reaches the upstream; one in the middle breaks the client's answer; then all is well."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED
    faults = (Fault("status", status=429, times=1), Fault("reset", times=1), Fault("truncate", after_events=1, times=1))
    async with raw_upstream(answering(answer + b"0\r\n\r\n")) as upstream, proxied(cassette, upstream.url) as proxy:
        proxy.session.set_faults(FaultPlan(tuple(PlannedFault(fault) for fault in faults)))
        assert (await ask(f"{proxy.url}/v1/x"))[0] == 429
        assert await until_broken(proxy.url) == (b"", True)
        assert upstream.visits == []
        assert await until_broken(proxy.url) == (b"9\r\ndata: 1\n\n\r\n", False)
        assert not cassette.exists()
        assert (await ask(f"{proxy.url}/v1/x"))[2] == STREAM
        told = [(entry.status, entry.outcome, entry.note) for entry in proxy.journal.latest()]
    assert [entry[2] for entry in told] == ["fault: status 429", "fault: reset", "fault: truncate after 1 events", ""]
    assert [entry[1] for entry in told] == ["failed", "failed", "forwarded", "saved"]
    assert len(documents(cassette)) == 2


async def test_a_planned_fault_past_the_end_of_an_answer_breaks_it_there(cassette: Path) -> None:
    """It never ends as if it were whole."""
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    async with (
        raw_upstream(answering(answer)) as upstream,
        proxied(cassette, upstream.url, mode="passthrough") as proxy,
    ):
        proxy.session.set_faults(FaultPlan((PlannedFault(Fault("truncate", after=99)),)))
        assert await until_broken(proxy.url) == (b"2\r\nok\r\n", False)
