"""Event streams in time, and many clients at once."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.heavy.weighing import MB, RESIDENT, client, tell, weighed
from tests.proxies import documents
from tests.servers import Visit, raw_upstream

pytestmark = pytest.mark.heavy

STREAM = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n"
    b"Connection: close\r\n\r\n"
)


async def send_chunk(visit: Visit, data: bytes) -> None:
    """A piece of a body in chunks."""
    await visit.send(b"%x\r\n%b\r\n" % (len(data), data))


async def test_200_events_over_10_seconds(folder: Path, request: pytest.FixtureRequest) -> None:
    """The first event is with the client 20 ms after it was sent, none is late, and the recording has them all."""
    count, pause = 200, 0.05
    events = [b'event: delta\ndata: {"n": %d, "text": "%b"}\n\n' % (n, b"word " * 20) for n in range(count)]
    sent, heard = list[float](), list[float]()

    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.send(STREAM)
        began = time.perf_counter()
        for number, event in enumerate(events, 1):
            await asyncio.sleep(began + number * pause - time.perf_counter())
            sent.append(time.perf_counter())
            await send_chunk(visit, event)
        await visit.send(b"0\r\n\r\n")

    async def listen(session: aiohttp.ClientSession, url: str) -> bytes:
        body = b""
        async with session.post(f"{url}/v1/responses", json={"stream": True}) as answer:
            async for piece in answer.content.iter_any():
                body += piece
                heard.extend([time.perf_counter()] * (body.count(b"\n\n") - len(heard)))
        return body

    async with raw_upstream(script) as upstream, client() as session:
        with weighed("record", folder, "--upstream", upstream.url) as proxy:
            assert await listen(session, proxy.url) == b"".join(events)
            peak = proxy.peak
    late = [there - here for here, there in zip(sent, heard, strict=True)]
    figures = {"first": late[0], "median": statistics.median(late), "latest": max(late)}
    tell(request, seconds=heard[-1] - sent[0], peak_mb=peak / MB, **{f"{n}_ms": v * 1000 for n, v in figures.items()})
    assert late[0] < 0.02
    assert max(late) < 0.05
    assert peak < RESIDENT
    async with client() as session:
        with weighed("playback", folder) as proxy:
            assert await listen(session, proxy.url) == b"".join(events)


async def test_150_event_streams_at_once(folder: Path, request: pytest.FixtureRequest) -> None:
    """All get their first event while all others are open: no pool of connections runs out."""
    count, heard, everybody = 150, 0, asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.send(STREAM)
        await send_chunk(visit, b'data: {"n": 1}\n\n')
        await everybody.wait()
        await send_chunk(visit, b"data: [DONE]\n\n")
        await visit.send(b"0\r\n\r\n")

    async def listen(session: aiohttp.ClientSession, url: str) -> bytes:
        nonlocal heard
        async with session.get(url) as answer:
            first = await answer.content.readuntil(b"\n\n")
            heard += 1
            if heard == count:
                everybody.set()
            return first + await answer.content.read()

    async with raw_upstream(script) as upstream, client() as session:
        with weighed("record", folder, "--upstream", upstream.url) as proxy:
            began = time.perf_counter()
            streams = [asyncio.create_task(listen(session, f"{proxy.url}/v1/streams/{n}")) for n in range(count)]
            await asyncio.wait_for(everybody.wait(), 5)
            tell(request, seconds=time.perf_counter() - began, peak_mb=proxy.peak / MB)
            assert set(await asyncio.gather(*streams)) == {b'data: {"n": 1}\n\ndata: [DONE]\n\n'}
            assert proxy.peak < RESIDENT
    assert len(documents(folder / "heavy.yaml")) == 1 + count


async def answer_by_id(request: web.Request) -> web.Response:
    """Repeats the ids in path and body, some sooner, some later."""
    asked = await request.json()
    await asyncio.sleep(asked["id"] % 7 / 1000)
    return web.json_response({"path": request.path, "id": asked["id"]})


async def talk(session: aiohttp.ClientSession, url: str, who: int) -> None:
    """One client's requests, each with an id of its own."""
    for turn in range(50):
        number, path = who * 1000 + turn, f"/v1/echo/{who}-{turn}"
        async with session.post(url + path, json={"id": number}) as answer:
            assert json.loads(await answer.read()) == {"path": path, "id": number}


async def test_64_clients_with_50_requests_each(folder: Path, request: pytest.FixtureRequest) -> None:
    """Every answer belongs to its request, when they are recorded and when they are played."""
    app = web.Application()
    app.router.add_post("/v1/echo/{name}", answer_by_id)

    async def talk_at_once(url: str) -> float:
        began = time.perf_counter()
        async with client() as session:
            await asyncio.gather(*(talk(session, url, who) for who in range(64)))
        return time.perf_counter() - began

    async with TestServer(app) as upstream:
        with weighed("record", folder, "--upstream", str(upstream.make_url(""))) as proxy:
            seconds = await talk_at_once(proxy.url)
            tell(request, seconds=seconds, per_second=3200 / seconds, peak_mb=proxy.peak / MB)
            assert proxy.peak < RESIDENT
    with weighed("playback", folder) as proxy:
        seconds = await talk_at_once(proxy.url)
        tell(request, played_seconds=seconds, per_second=3200 / seconds, peak_mb=proxy.peak / MB)
