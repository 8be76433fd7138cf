"""Event streams in time."""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path

import aiohttp
import pytest

from tests.heavy.weighing import MB, RESIDENT, client, tell, weighed
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
