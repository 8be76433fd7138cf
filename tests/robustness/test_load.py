"""LOD: much at once, and much in one body."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.heavy.weighing import GIB, GROWTH, MB, Weighed, asking, client, download, lines, sha256, tell, weighed
from tests.robustness.conftest import MODES
from tests.robustness.harness import Line, Stage, staged
from tests.servers import Visit, raw_upstream

_STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_FIRST, _LAST = b'10\r\ndata: {"n": 12}\n\r\n', b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"


#: In which modes a gigabyte passes, and how it is framed. Chunked ones take minutes to be recorded.
GIGABYTES = [
    ("record", "sized"),
    pytest.param("record", "chunked", marks=pytest.mark.long),
    ("passthrough", "sized"),
    ("passthrough", "chunked"),
]


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Path]:
    """A folder that is removed at once."""
    yield tmp_path
    shutil.rmtree(tmp_path)


async def send_large(visit: Visit) -> None:
    """1 GiB, framed as the path says, and a word to others."""
    while True:
        head = await visit.request()
        if b"/sized" in head:
            await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % GIB)
            for piece in lines(GIB):
                await visit.send(piece)
        elif b"/chunked" in head:
            await visit.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for piece in lines(GIB):
                await visit.send(b"%x\r\n%b\r\n" % (len(piece), piece))
            await visit.send(b"0\r\n\r\n")
        else:
            await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


@pytest.mark.heavy
@pytest.mark.parametrize(("mode", "framing"), GIGABYTES)
async def test_LOD_01_a_download_of_1_gib(large: Path, request: pytest.FixtureRequest, mode: str, framing: str) -> None:
    """The same to the last byte, in flat memory, while others are served; and once more when it is played."""
    expected = sha256(lines(GIB))

    async def downloaded(proxy: Weighed, name: str) -> None:
        async with client() as session:
            await download(session, f"{proxy.url}/small")
            before = proxy.resident
            async with asking(session, f"{proxy.url}/small") as waits:
                got = await download(session, f"{proxy.url}/{framing}")
        growth, figures = proxy.peak - before, {"seconds": got.seconds, "wait_ms": max(waits) * 1000}
        tell(request, growth_mb=growth / MB, **{f"{name}_{what}": figure for what, figure in figures.items()})
        assert (got.sha256, got.size) == (expected, GIB)
        assert growth < GROWTH

    async with raw_upstream(send_large) as upstream:
        with weighed(mode, large, "--upstream", upstream.url) as proxy:
            await downloaded(proxy, mode)
    if mode == "record" and framing == "sized":
        with weighed("playback", large) as proxy:
            await downloaded(proxy, "playback")


async def form() -> AsyncIterator[bytes]:
    """A form with a file of 1 GiB."""
    yield b'--edge\r\nContent-Disposition: form-data; name="file"; filename="batch.jsonl"\r\n\r\n'
    for piece in lines(GIB):
        yield piece
        await asyncio.sleep(0)
    yield b"\r\n--edge--\r\n"


async def measured(request: web.Request) -> web.Response:
    """Answers with the digest and the size of what was uploaded."""
    digest, size = hashlib.sha256(), 0
    async for piece in request.content.iter_any():
        digest.update(piece)
        size += len(piece)
    return web.json_response({"sha256": digest.hexdigest(), "size": size})


@pytest.mark.heavy
@pytest.mark.parametrize(("mode", "framing"), GIGABYTES)
async def test_LOD_02_an_upload_of_1_gib(large: Path, request: pytest.FixtureRequest, mode: str, framing: str) -> None:
    """It arrives as it was sent, in flat memory."""
    digest, size = hashlib.sha256(), 0
    async for piece in form():
        digest.update(piece)
        size += len(piece)
    app = web.Application()
    app.router.add_post("/v1/files", measured)
    headers = {"Content-Type": "multipart/form-data; boundary=edge"}
    if framing == "sized":
        headers["Content-Length"] = str(size)
    async with TestServer(app) as upstream, client() as session:
        url = str(upstream.make_url(""))
        with weighed(mode, large, "--upstream", url, REPLAYPROXY_LIMITS__BODY=str(2 * GIB)) as proxy:
            async with session.post(
                f"{proxy.url}/v1/files", data=b"a", headers={"Content-Type": "text/plain"}
            ) as first:
                assert first.status == 200
            before, began = proxy.resident, time.perf_counter()
            async with session.post(f"{proxy.url}/v1/files", data=form(), headers=headers) as answer:
                told = await answer.json()
            tell(request, seconds=time.perf_counter() - began, growth_mb=(proxy.peak - before) / MB)
            assert told == {"sha256": digest.hexdigest(), "size": size}
            assert proxy.peak - before < GROWTH


@pytest.mark.parametrize("mode", MODES)
def test_LOD_04_150_event_streams_at_once(folder: Path, mode: str) -> None:
    """Each has its first event within 5 s while all others are open: no pool of connections runs out."""
    count = 150
    with staged(folder, mode=mode) as stage:
        ends = asyncio.Event()

        async def script(visit: Visit) -> None:
            await stage.upstream.take(visit)
            await visit.send(_STREAM + _FIRST)
            await ends.wait()
            await visit.send(_LAST)
            await visit.reader.read()

        stage.upstream.follow(script)
        began, streams = time.monotonic(), [stage.line() for _ in range(count)]
        for number, line in enumerate(streams):
            line.send(b"POST /v1/streams/%d HTTP/1.1\r\nHost: %b\r\nContent-Length: 2\r\n\r\n{}" % (number, stage.host))
        seen = [until(line, _FIRST) for line in streams]
        assert time.monotonic() - began < 5
        stage.upstream.soon(ends.set)
        for line, first in zip(streams, seen, strict=True):
            assert (first + until(line, b"0\r\n\r\n")).endswith(_FIRST + _LAST)
        stage.part()
        stage.check()


def until(line: Line, end: bytes) -> bytes:
    """What comes on a line until `end` has come."""
    seen = b""
    while not seen.endswith(end):
        seen += line.more()
    return seen


@pytest.mark.parametrize(("clients", "requests"), [(16, 25), pytest.param(64, 50, marks=pytest.mark.heavy)])
def test_LOD_06_every_answer_belongs_to_its_request(stage: Stage, clients: int, requests: int) -> None:
    """Many clients at once; some answers come sooner, some later, some are broken off in between."""

    async def script(visit: Visit) -> None:
        while True:
            arrived = await stage.upstream.take(visit)
            number = int(json.loads(arrived.body)["id"])
            await asyncio.sleep(number % 5 / 1000)
            body = b'{"target": "%b", "id": %d}' % (arrived.target, number)
            whole = (
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            )
            if number % 97 == 13:
                await visit.send(whole[:-3])
                return
            await visit.send(whole)

    stage.upstream.follow(script)
    stage.part()
    assert asyncio.run(_talk_all(stage.proxy.url, clients, requests)) == clients * requests
    assert len(stage.upstream.requests) == clients * requests
    stage.part()


async def _talk_all(url: str, clients: int, requests: int) -> int:
    async with client() as session:
        return sum(await asyncio.gather(*(_talk(session, url, who, requests) for who in range(clients))))


async def _talk(session: aiohttp.ClientSession, url: str, who: int, requests: int) -> int:
    """One client's requests, each with an id of its own; gives how many were answered as they should be."""
    right = 0
    for turn in range(requests):
        number, path = who * 1000 + turn, f"/v1/ids/{who}-{turn}"
        try:
            async with session.post(url + path, json={"id": number}) as answer:
                right += json.loads(await answer.read()) == {"target": path, "id": number}
        except aiohttp.ClientError:
            right += number % 97 == 13
    return right
