"""One request through the proxy, in every mode: what is decided, saved, refused and told."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO, Any

import aiohttp
import pytest

from replayproxy.config import LimitSettings
from replayproxy.core.messages import FileBody
from tests.proxies import documents, proxied
from tests.servers import Script, Visit, answering, exchange, raw_upstream

BETA = {"OpenAI-Beta": "assistants=v2", "Authorization": "Bearer any"}


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    """Where these tests record."""
    return tmp_path / "cassette.yaml"


def answer(status: int = 200, body: bytes = b"ok", *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 %d X" % status, *headers, b"Content-Length: %d" % len(body)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def ask(url: str, method: str = "GET", **more: Any) -> tuple[int, dict[str, str], bytes]:
    async with aiohttp.ClientSession() as client, client.request(method, url, **more) as response:
        return response.status, {name.lower(): value for name, value in response.headers.items()}, await response.read()


def error(body: bytes) -> dict[str, Any]:
    return dict(json.loads(body)["error"])


async def test_a_miss_is_424_and_says_what_to_do(cassette: Path) -> None:
    """The reason is in the code and a header, the client is told not to try again, the message names the path."""
    async with raw_upstream(answering(answer())) as upstream, proxied(cassette, upstream.url) as proxy:
        await ask(f"{proxy.url}/v1/chat/completions", "POST", json={"model": "a"})
    async with proxied(cassette, mode="playback") as proxy:
        status, headers, body = await ask(f"{proxy.url}/v1/chat/completions", "POST", json={"model": "b"})
        assert proxy.session.receipt().missed == 1
    told = error(body)
    assert (status, headers["x-should-retry"], headers["x-replayproxy-miss"]) == (424, "false", "no_match")
    assert headers["x-replayproxy-outcome"] == "missed"
    assert (told["type"], told["code"], told["param"]) == ("replay_miss", "no_match", None)
    assert 'body.model: recorded "a", received "b"' in told["message"]


async def test_playback_without_a_cassette_names_the_file(cassette: Path) -> None:
    """Every request is a miss `no_cassette`."""
    async with proxied(cassette, mode="playback") as proxy:
        _, _, body = await ask(f"{proxy.url}/v1/models")
    assert error(body)["code"] == "no_cassette"
    assert str(cassette) in error(body)["message"]


async def test_a_miss_with_an_invalid_body_names_the_problem(cassette: Path) -> None:
    """In playback the validator speaks only when nothing recorded answers."""
    async with proxied(cassette, mode="playback") as proxy:
        url = f"{proxy.url}/v1/threads/thread_1/messages"
        _, _, body = await ask(url, "POST", json={"role": "human", "content": "x"}, headers=BETA)
    assert "Invalid value: 'human'." in error(body)["message"]


async def test_enforce_answers_itself_and_saves_the_answer(cassette: Path) -> None:
    """The upstream never sees a bad body; playback gives the same error again."""
    async with proxied(cassette, mode="record") as proxy:
        url = f"{proxy.url}/v1/threads/thread_1/messages"
        got = await ask(url, "POST", json={"role": "human", "content": "x"}, headers=BETA)
        assert (proxy.session.receipt().forwarded, proxy.session.receipt().problems) == (1, 1)
    assert (got[0], error(got[2])["param"], got[1]["x-replayproxy-outcome"]) == (400, "role", "rejected")
    recorded = documents(cassette)[1]
    assert recorded["answered_by"] == "validator"
    assert recorded["problems"][0]["param"] == "role"
    async with proxied(cassette, mode="playback") as proxy:
        url = f"{proxy.url}/v1/threads/thread_1/messages"
        played = await ask(url, "POST", json={"role": "human", "content": "x"}, headers=BETA)
    assert played[2] == got[2]


async def test_enforce_in_passthrough_saves_nothing(cassette: Path) -> None:
    """There is nothing to save on."""
    async with proxied(cassette, mode="passthrough", validate="enforce") as proxy:
        url = f"{proxy.url}/v1/threads/thread_1/messages"
        assert (await ask(url, "POST", json={"role": "human"}, headers=BETA))[0] == 400
    assert not cassette.exists()


@pytest.mark.parametrize(("validate", "problems"), [("warn", 1), ("off", 0)])
async def test_warn_forwards_and_marks(cassette: Path, validate: str, problems: int) -> None:
    """Under warn the upstream decides, and the recording says what was wrong."""
    async with (
        raw_upstream(answering(answer())) as upstream,
        proxied(cassette, upstream.url, validate=validate) as proxy,
    ):
        url = f"{proxy.url}/v1/threads/thread_1/messages"
        assert (await ask(url, "POST", json={"role": "human", "content": "x"}, headers=BETA))[0] == 200
        assert proxy.session.receipt().problems == problems
    assert len(documents(cassette)[1].get("problems", [])) == problems


async def test_warn_marks_what_was_passed_on_in_pieces_too(cassette: Path) -> None:
    """A body that was not read before it was forwarded is looked at afterwards."""

    async def body() -> AsyncIterator[bytes]:
        yield b'{"role": "human", '
        yield b'"content": "x"}'

    async with raw_upstream(answering(answer())) as upstream, proxied(cassette, upstream.url) as proxy:
        headers = {**BETA, "Content-Type": "application/json"}
        await ask(f"{proxy.url}/v1/threads/thread_1/messages", "POST", data=body(), headers=headers)
    assert documents(cassette)[1]["problems"][0]["param"] == "role"


@pytest.mark.parametrize("status", [401, 403, 408, 429, 500, 503])
@pytest.mark.parametrize("failures", [False, True])
async def test_failures_are_passed_on_and_saved_only_when_asked_for(
    cassette: Path, status: int, failures: bool
) -> None:
    """A bad moment is not baked into a test by accident."""
    from replayproxy.config import RecordSettings

    body = b'{"error": {"message": "no"}}'
    settings = {"record": RecordSettings(failures=failures)}
    async with (
        raw_upstream(answering(answer(status, body, b"Retry-After: 7"))) as upstream,
        proxied(cassette, upstream.url, **settings) as proxy,
    ):
        got = await ask(f"{proxy.url}/v1/models")
    assert (got[0], got[1]["retry-after"], got[2]) == (status, "7", body)
    assert cassette.exists() is failures


async def test_an_upstream_out_of_reach_is_502(cassette: Path) -> None:
    """In the API's envelope, naming the upstream and the reason; nothing is saved."""
    async with raw_upstream(answering(b"")) as upstream:
        pass
    async with proxied(cassette, upstream.url) as proxy:
        status, headers, body = await ask(f"{proxy.url}/v1/models")
    assert (status, headers["x-replayproxy-outcome"]) == (502, "failed")
    assert (error(body)["type"], error(body)["code"]) == ("upstream_error", "upstream_unreachable")
    assert upstream.url in error(body)["message"]
    assert "refused" in error(body)["message"]
    assert not cassette.exists()


async def test_an_upstream_that_does_not_answer_is_504(cassette: Path) -> None:
    """After the idle time-out, whatever the client would have waited."""

    async def silent(visit: Visit) -> None:
        await visit.request()
        await visit.reader.read()

    async with raw_upstream(silent) as upstream, proxied(cassette, upstream.url, idle_timeout=0.1) as proxy:
        status, _, body = await ask(f"{proxy.url}/v1/models")
    assert (status, error(body)["code"]) == (504, "upstream_timeout")


def cut(data: bytes) -> Script:
    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.send(data)
        visit.reset()

    return script


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n",
    ],
)
async def test_half_an_answer_breaks_and_is_not_saved(cassette: Path, data: bytes) -> None:
    """The client must not take what it has for the whole, and playback must not either."""
    async with raw_upstream(cut(data)) as upstream, proxied(cassette, upstream.url) as proxy:
        with pytest.raises(aiohttp.ClientError):
            await ask(f"{proxy.url}/v1/x")
        assert (await ask(f"{proxy.admin_url}/health"))[0] == 200
    assert not cassette.exists()


async def test_a_body_beyond_the_limit_is_413(cassette: Path) -> None:
    """By its stated length before a byte of it is read, by its bytes when it states none."""
    from replayproxy.config import LimitSettings

    async def body() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield bytes(50)

    limits = LimitSettings(body=100)
    async with raw_upstream(answering(answer())) as upstream, proxied(cassette, upstream.url, limits=limits) as proxy:
        for data in (bytes(101), body()):
            status, _, told = await ask(f"{proxy.url}/v1/x", "POST", data=data)
            assert (status, error(told)["code"]) == (413, "request_too_large")
        assert (await ask(f"{proxy.url}/v1/x", "POST", data=bytes(100)))[0] == 200


async def test_a_client_that_stalls_is_408(cassette: Path) -> None:
    """Nothing more of its body comes, and nothing of it goes up."""
    request = b"POST /v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nab"
    async with (
        raw_upstream(answering(answer())) as upstream,
        proxied(cassette, upstream.url, limits=LimitSettings(body_timeout=0.1)) as proxy,
    ):
        host, port = proxy.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(request)
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 408 ")
        writer.close()
    assert upstream.received == b""


@pytest.mark.parametrize("length", [b"5", b"99999"])
async def test_a_client_that_cuts_its_upload_short_sends_nothing_whole(cassette: Path, length: bytes) -> None:
    """Neither a small body (read first) nor a large one (passed on) arrives as if it were complete."""
    whole = asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.request()
        whole.set()

    async with raw_upstream(script) as upstream, proxied(cassette, upstream.url) as proxy:
        host, port = proxy.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + length + b"\r\n\r\nab")
        await writer.drain()
        writer.write_eof()
        await reader.read()
        writer.close()
    assert not whole.is_set()
    assert not cassette.exists()


async def test_auto_plays_what_it_has_and_records_the_rest(cassette: Path) -> None:
    """The second run of a script asks nobody."""
    for forwarded in (2, 0):
        async with proxied(cassette, mode="auto") as proxy:
            _, _, body = await ask(f"{proxy.url}/v1/threads", "POST", json={}, headers=BETA)
            thread = json.loads(body)["id"]
            message = {"role": "user", "content": "hello"}
            await ask(f"{proxy.url}/v1/threads/{thread}/messages", "POST", json=message, headers=BETA)
            assert proxy.session.receipt().forwarded == forwarded
    assert len(documents(cassette)) == 3


async def test_large_bodies_go_beside_the_cassette_and_play_from_there(cassette: Path) -> None:
    """Above the size that is parsed a body is a file, both ways, in recording, auto and playback."""
    big = bytes(range(256)) * 40_000
    script = answering(answer(200, big, b"Content-Type: application/octet-stream"))
    for mode in ("record", "auto", "playback"):
        async with raw_upstream(script) as upstream, proxied(cassette, upstream.url, mode=mode) as proxy:
            status, _, body = await ask(f"{proxy.url}/v1/files", "POST", data=io.BytesIO(big))
            assert (status, body == big) == (200, True)
            missed = (
                await ask(f"{proxy.url}/v1/files", "POST", data=io.BytesIO(big + b"!"))
                if mode == "playback"
                else (424,)
            )
            assert missed[0] == 424
    recorded = documents(cassette)[1]
    for message in (recorded["request"], recorded["response"]):
        assert message["body"]["file"]["size"] == len(big)
        assert (cassette.parent / "cassette.files" / message["body"]["file"]["name"]).stat().st_size == len(big)


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_large_body_that_was_read_first_goes_up_whole(cassette: Path, chunked: bool) -> None:
    """In auto mode it waits in a file without a name until it is known that nothing recorded answers."""
    big = bytes(range(256)) * 40_000

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(big), 1 << 20):
            yield big[start : start + (1 << 20)]

    async with raw_upstream(answering(answer())) as upstream, proxied(cassette, upstream.url, mode="auto") as proxy:
        data: Any = pieces() if chunked else io.BytesIO(big)
        assert (await ask(f"{proxy.url}/v1/files", "POST", data=data))[2] == b"ok"
        head, _, body = upstream.received.partition(b"\r\n\r\n")
    assert (b"chunked" in head) is chunked
    assert chunked or body == big
    assert documents(cassette)[1]["request"]["body"]["file"]["size"] == len(big)


async def test_compressed_answers_are_stored_decoded_and_play_in_their_coding(cassette: Path) -> None:
    """Bytes pass through as they are; the file is readable; a client that takes no gzip gets none."""
    text = json.dumps({"answer": "x" * 100}).encode()
    packed = gzip.compress(text)
    script = answering(answer(200, packed, b"Content-Type: application/json", b"Content-Encoding: gzip"))
    data = b"GET /v1/x HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
    async with raw_upstream(script) as upstream, proxied(cassette, upstream.url) as proxy:
        assert (await exchange(proxy.url, data)).endswith(packed)
    body = documents(cassette)[1]["response"]["body"]
    assert (body["coding"], body["json"]) == ("gzip", json.loads(text))
    async with proxied(cassette, mode="playback") as proxy:
        head, _, played = (await exchange(proxy.url, data)).partition(b"\r\n\r\n")
        assert gzip.decompress(played) == text
        assert b"Content-Encoding: gzip" in head
        assert b"Content-Length: %d\r\n" % len(played) in head
    async with proxied(cassette, mode="playback") as proxy:
        head, _, played = (await exchange(proxy.url, data.replace(b"gzip", b"br"))).partition(b"\r\n\r\n")
    assert played == text
    assert b"Content-Encoding" not in head


async def test_a_broken_coding_is_stored_as_received(cassette: Path) -> None:
    """What cannot be decoded is kept byte for byte."""
    script = answering(answer(200, b"not gzip", b"Content-Encoding: gzip"))
    data = b"GET /v1/x HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
    async with raw_upstream(script) as upstream, proxied(cassette, upstream.url) as proxy:
        await exchange(proxy.url, data)
    async with proxied(cassette, mode="playback") as proxy:
        played = await exchange(proxy.url, data)
    assert played.endswith(b"\r\n\r\nnot gzip")
    assert b"Content-Encoding: gzip" in played


async def test_an_upstream_that_answers_before_the_upload_ends_is_not_saved(cassette: Path) -> None:
    """Half a request would never match again."""
    endless = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"begin"
        await endless.wait()

    async def script(visit: Visit) -> None:
        await visit.reader.readuntil(b"begin\r\n")
        await visit.send(answer(413, b"too much"))
        await visit.reader.read()

    async with (
        raw_upstream(script) as upstream,
        proxied(cassette, upstream.url) as proxy,
        aiohttp.ClientSession() as client,
        client.post(f"{proxy.url}/v1/x", data=body()) as response,
    ):
        assert (response.status, await response.read()) == (413, b"too much")
        endless.set()
    assert not cassette.exists()


async def test_what_cannot_be_saved_is_said_and_the_client_is_answered(cassette: Path) -> None:
    """A cassette that changed under the recording is not overwritten; the receipt fails."""
    async with raw_upstream(answering(answer())) as upstream, proxied(cassette, upstream.url) as proxy:
        assert (await ask(f"{proxy.url}/v1/a"))[0] == 200
        cassette.unlink()
        assert (await ask(f"{proxy.url}/v1/b"))[2] == b"ok"
        assert proxy.session.receipt().lost == 1
    assert proxy.session.receipt().lost == 2  # what was there could not be put in order either


async def test_no_tunnels(cassette: Path) -> None:
    """Taken for a forward proxy it says what it is; nobody is connected to."""
    async with raw_upstream(answering(answer())) as upstream, proxied(cassette, upstream.url) as proxy:
        got = await exchange(proxy.url, b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 405 ")
    assert upstream.visits == []


async def test_an_error_of_our_own_is_500_without_a_traceback(cassette: Path, caplog: Any) -> None:
    """The client learns that it was the proxy; the log tells the rest."""
    async with (
        raw_upstream(answering(answer(200, bytes(10_000_000)))) as upstream,
        proxied(cassette, upstream.url) as proxy,
    ):
        await ask(f"{proxy.url}/v1/x")
    (body,) = (cassette.parent / "cassette.files").iterdir()
    async with proxied(cassette, mode="playback") as proxy:

        def failing(_: FileBody) -> IO[bytes]:
            raise RuntimeError(f"cannot think of {body}")

        (await proxy.sessions.get("default")).open_file = failing
        status, _, told = await ask(f"{proxy.url}/v1/x")
    assert (status, error(told)["type"]) == (500, "proxy_error")
    assert b"Traceback" not in told
    assert str(cassette.parent).encode() not in told
    assert "cannot think of" in caplog.text


async def test_what_cannot_be_read_any_more_is_no_answer(cassette: Path, caplog: Any) -> None:
    """A miss of another kind: the client is told what is the matter, the log also where."""
    caplog.set_level("INFO", "replayproxy")
    async with (
        raw_upstream(answering(answer(200, bytes(10_000_000)))) as upstream,
        proxied(cassette, upstream.url) as proxy,
    ):
        await ask(f"{proxy.url}/v1/x")
    (body,) = (cassette.parent / "cassette.files").iterdir()
    async with proxied(cassette, mode="playback") as proxy:
        body.unlink()
        status, _, told = await ask(f"{proxy.url}/v1/x")
        (entry,) = proxy.journal.latest()
        receipt = proxy.session.receipt()
    assert (status, error(told)["code"]) == (424, "cassette_unreadable")
    assert [miss.reason for miss in receipt.misses] == ["unreadable"]
    assert f"the file {body.name} cannot be read" in error(told)["message"]
    assert str(cassette.parent).encode() not in told
    assert str(cassette.parent) in entry.entry().note
