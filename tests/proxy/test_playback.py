"""Recorded answers, at the speed that was asked for."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from replayproxy.core import codings
from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.messages import Chunk, Headers
from replayproxy.stores import FileStore
from tests.builders import request, response
from tests.proxies import proxied
from tests.servers import exchange

GET = b"GET /v1/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
EVENTS = Headers.of(("Content-Type", "text/event-stream"))


def recorded(cassette: Path, interaction: Interaction) -> Path:
    recorder = FileStore(cassette).replace_take(Head())
    recorder.append(interaction, 1)
    recorder.close()
    return cassette


def stream(first_byte: float = 0.0) -> Interaction:
    chunks = (Chunk(0.0, 9), Chunk(0.2, 9), Chunk(0.4, 9))
    body = b"data: 1\n\ndata: 2\n\ndata: 3\n\n"
    asked = request("GET", "/v1/x", headers=Headers())
    return Interaction(asked, response(200, body, EVENTS, chunks=chunks), first_byte=first_byte)


async def times(url: str) -> list[float]:
    """When each event came, counted from the request."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    clock = asyncio.get_running_loop().time
    began, came = clock(), []
    writer.write(GET)
    for number in (b"1", b"2", b"3"):
        await reader.readuntil(b"data: " + number + b"\n\n")
        came.append(clock() - began)
    writer.close()
    return came


async def test_at_once_by_default(tmp_path: Path) -> None:
    """Streams replay their chunks, each a chunk again, without waiting."""
    async with proxied(recorded(tmp_path / "c.yaml", stream(9.0)), mode="playback") as proxy:
        assert (await exchange(proxy.url, GET)).endswith(
            b"\r\n\r\n9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n9\r\ndata: 3\n\n\r\n0\r\n\r\n"
        )


@pytest.mark.parametrize("speed", [1, 4])
async def test_in_recorded_time(tmp_path: Path, speed: float) -> None:
    """The first byte and each chunk come when they came, or so many times sooner."""
    async with proxied(recorded(tmp_path / "c.yaml", stream(0.1)), mode="playback", speed=speed) as proxy:
        came = await times(proxy.url)
    assert came == pytest.approx([0.1 / speed, 0.3 / speed, 0.5 / speed], abs=0.08)
    assert came[0] >= 0.1 / speed
    assert came[2] >= 0.5 / speed


async def test_other_answers_take_their_time_too(tmp_path: Path) -> None:
    """Head and end of a plain answer come as late as they did."""
    plain = Interaction(request("GET", "/v1/x", headers=Headers()), response(200, b"ok"), first_byte=0.1, took=0.2)
    clock = asyncio.get_running_loop().time
    async with proxied(recorded(tmp_path / "c.yaml", plain), mode="playback", speed=1) as proxy:
        began = clock()
        assert (await exchange(proxy.url, GET)).endswith(b"2\r\nok\r\n0\r\n\r\n")
    assert clock() - began >= 0.2


async def test_a_large_answer_to_head_opens_no_file(tmp_path: Path) -> None:
    """A body that is not sent need not be there."""
    large = response(200, bytes(100), Headers.of(("Content-Length", "100")))
    asked = request("HEAD", "/v1/x", headers=Headers())
    cassette = recorded(tmp_path / "c.yaml", Interaction(asked, large))
    async with proxied(cassette, mode="playback") as proxy:
        assert b"Content-Length: 100\r\n" in await exchange(proxy.url, GET.replace(b"GET", b"HEAD"))


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate"])
async def test_a_large_compressed_answer_plays_in_its_coding(tmp_path: Path, coding: str) -> None:
    """A file is compressed again while it goes out, for a client that takes it, and goes out as it is to others."""
    body = b"".join(b"line %d\n" % number for number in range(1_000_000))
    headers = Headers.of(("Content-Type", "text/plain"), ("Content-Encoding", coding), ("Content-Length", "5"))
    asked = request("GET", "/v1/x", headers=Headers())
    cassette = recorded(tmp_path / "c.yaml", Interaction(asked, response(200, body, headers, coding=coding)))
    async with proxied(cassette, mode="playback") as proxy:
        coded = await exchange(proxy.url, GET.replace(b"Host", b"Accept-Encoding: " + coding.encode() + b"\r\nHost"))
        plain = await exchange(proxy.url, GET)
    head, _, chunks = coded.partition(b"\r\n\r\n")
    assert b"Content-Encoding: " + coding.encode() in head
    assert b"Transfer-Encoding: chunked" in head
    assert len(chunks) < len(body) / 3
    assert b"".join(uncoded(coding, unchunked(chunks))) == body
    assert plain.endswith(b"\r\n\r\n" + body)
    assert b"Content-Length: %d\r\n" % len(body) in plain
    assert b"Content-Encoding" not in plain


async def test_a_compressed_stream_can_be_read_chunk_by_chunk(tmp_path: Path) -> None:
    """What came compressed plays compressed, and each event is there when its chunk is."""
    headers = EVENTS.plus(("Content-Encoding", "gzip"))
    compressed = replace(stream(), response=replace(stream().response, headers=headers, coding="gzip"))
    async with proxied(recorded(tmp_path / "c.yaml", compressed), mode="playback") as proxy:
        got = await exchange(proxy.url, GET.replace(b"Host", b"Accept-Encoding: gzip\r\nHost"))
    decoder = codings.decoder("gzip")
    assert decoder is not None
    events = [b"".join(decoder.feed(chunk)) for chunk in pieces(got.partition(b"\r\n\r\n")[2])]
    assert events == [b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n", b""]


def pieces(chunks: bytes) -> list[bytes]:
    """The chunks of a chunked body."""
    found = []
    while chunks:
        size, _, rest = chunks.partition(b"\r\n")
        if length := int(size, 16):
            found.append(rest[:length])
        chunks = rest[length + 2 :]
    return found


def unchunked(chunks: bytes) -> bytes:
    """The body that came in chunks."""
    return b"".join(pieces(chunks))


def uncoded(coding: str, body: bytes) -> list[bytes]:
    """A body without its coding, which must be complete."""
    decoder = codings.decoder(coding)
    assert decoder is not None
    found = list(decoder.feed(body))
    decoder.finish()
    return found


async def test_an_edited_body_is_honoured(tmp_path: Path) -> None:
    """Its length is made anew."""
    headers = Headers.of(("Content-Type", "application/json"), ("Content-Length", "13"))
    asked = request("GET", "/v1/x", headers=Headers())
    cassette = recorded(tmp_path / "c.yaml", Interaction(asked, response(200, b'{"text":"a"}', headers)))
    cassette.write_text(cassette.read_text().replace("text: a", "text: hello"))
    async with proxied(cassette, mode="playback") as proxy:
        head, _, body = (await exchange(proxy.url, GET)).partition(b"\r\n\r\n")
    assert body == b'{"text":"hello"}'
    assert b"Content-Length: 16" in head
