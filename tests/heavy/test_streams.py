"""A thousand event streams at once, and one of a million events: memory does not grow with either.

`REPLAYPROXY_STREAMS` and `REPLAYPROXY_STREAM_EVENTS` say how many streams, and how many events each has, one a second;
`REPLAYPROXY_ONE_STREAM` how many events the one long stream has.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from replayproxy.proxy.loop import run_loop
from tests.heavy.traffic import Line, read_head
from tests.heavy.watching import Watched, many_descriptors, number, watched
from tests.heavy.weighing import GROWTH, MIB, tell
from tests.servers import Visit

pytestmark = pytest.mark.heavy

STREAMS, EVENTS, LONG = number("STREAMS", 1000), number("STREAM_EVENTS", 5), number("ONE_STREAM", 100_000)
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
#: A machine with little to give may let a thousand connections wait.
PATIENT = {"REPLAYPROXY_UPSTREAM__CONNECT_TIMEOUT": "60"}
END = b"0\r\n\r\n"


def event(stream: int, turn: int) -> bytes:
    """An event that is nobody else's."""
    return b'event: delta\ndata: {"stream": %d, "turn": %d, "text": "What is it to you?"}\n\n' % (stream, turn)


def chunk(data: bytes) -> bytes:
    """A piece of a body in chunks."""
    return b"%x\r\n%b\r\n" % (len(data), data)


@contextlib.asynccontextmanager
async def upstream(script: Callable[[Visit], Awaitable[None]]) -> AsyncIterator[str]:
    """The URL of a server of bytes to which a thousand may connect at once."""

    visits: set[asyncio.Task[None]] = set()

    async def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        visits.add(task)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            await script(Visit(reader, writer))
        writer.close()

    server = await asyncio.start_server(visited, "127.0.0.1", 0, backlog=4096)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in visits:
            task.cancel()
        await asyncio.gather(*visits, return_exceptions=True)


async def pace(visit: Visit) -> None:
    """An event a second, each stream at a time of its own."""
    while True:
        stream = int((await visit.request()).split(b" ")[1].rpartition(b"/")[2])
        visit.received.clear()
        await visit.send(STREAM + chunk(event(stream, 0)))
        await asyncio.sleep(1 + stream / STREAMS)
        for turn in range(1, EVENTS):
            await visit.send(chunk(event(stream, turn)))
            await asyncio.sleep(1)
        await visit.send(END)


async def body_of(line: Line) -> AsyncIterator[bytes]:
    """The chunks of an answer's body. IncompleteReadError when it breaks off."""
    while size := int(await line.reader.readuntil(b"\r\n"), 16):
        yield (await line.reader.readexactly(size + 2))[:-2]
    await line.reader.readexactly(2)


async def listen(line: Line, stream: int, opened: asyncio.Event, count: Iterator[int]) -> None:
    """Takes a whole stream, and says when all are open."""
    try:
        await take(line, stream, opened, count)
    finally:
        line.close()


async def take(line: Line, stream: int, opened: asyncio.Event, count: Iterator[int]) -> None:
    """Compares a stream with what it has to be."""
    line.send(b"GET /v1/streams/%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % stream)
    first, _ = await read_head(line.reader)
    assert " 200 " in first
    body, wanted = b"", b"".join(event(stream, turn) for turn in range(EVENTS))
    async for piece in body_of(line):
        if not body and next(count) == STREAMS - 1:
            opened.set()
        body += piece
    assert body == wanted


async def at_once(proxy: Watched, request: pytest.FixtureRequest, name: str) -> None:
    """All streams at once, from first to last: what they take while they are open, and that it is given back."""
    warm = [await Line.to(proxy.url) for _ in range(5)]
    for line in warm:  # what is loaded at the first request is none of the streams'
        await listen(line, 0, asyncio.Event(), iter(range(STREAMS)))
    base = await proxy.settled(lambda now: now.tasks <= 4)
    opened, count = asyncio.Event(), iter(range(STREAMS))
    lines = [await Line.to(proxy.url) for _ in range(STREAMS)]
    async with asyncio.TaskGroup() as group:
        for stream, line in enumerate(lines):
            group.create_task(listen(line, stream, opened, count))
        async with asyncio.timeout(60):
            await opened.wait()
        open_ = await asyncio.to_thread(proxy.look)
    after = await proxy.settled(lambda now: now.tasks <= base.tasks and now.descriptors <= base.descriptors + 100)
    told = base.figures("before") | open_.figures("open") | after.figures("after")
    each = (open_.resident - base.resident) / STREAMS / 1024
    tell(request, **told, each_kib=each, peak_mib=(proxy.peak - base.resident) / MIB)
    assert proxy.peak - base.resident < GROWTH, open_.more(base)
    assert after.tasks <= base.tasks, after.more(base, 1)
    assert after.descriptors <= base.descriptors + 100  # so many idle connections to the upstream are kept


@pytest.fixture(autouse=True)
def _descriptors() -> Iterator[None]:
    with many_descriptors(5 * STREAMS):
        yield


@pytest.mark.parametrize("mode", ["record", "passthrough"])
def test_1000_event_streams_at_once(folder: Path, request: pytest.FixtureRequest, mode: str) -> None:
    """All get all their events; what they take stays below 64 MiB, and they leave nothing behind. Played, too."""

    async def main() -> None:
        async with upstream(pace) as behind:
            with watched(mode, folder, "--upstream", behind, **PATIENT) as proxy:
                await at_once(proxy, request, mode)
        if mode == "record":
            with watched("playback", folder, "--speed", "1") as proxy:
                await at_once(proxy, request, "playback")

    run_loop(main())


# --- one stream


async def hurry(visit: Visit) -> None:
    """Two short streams, and a long one, as fast as they are taken."""
    while True:
        count = LONG if b"/long" in await visit.request() else 100
        await visit.send(STREAM)
        for first in range(0, count, 50):
            await visit.send(b"".join(chunk(event(1, turn)) for turn in range(first, first + 50)))
        await visit.send(END)


async def digest_of(url: str, target: str) -> str:
    """The digest of a stream."""
    line, digest = await Line.to(url), hashlib.sha256()
    line.send(b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % target.encode())
    await read_head(line.reader)
    async for piece in body_of(line):
        digest.update(piece)
    line.close()
    return digest.hexdigest()


@pytest.mark.parametrize("mode", ["record", "passthrough"])
def test_one_long_event_stream(folder: Path, request: pytest.FixtureRequest, mode: str) -> None:
    """Memory does not grow with the number of its events: what is saved of them goes into a file."""
    wanted = hashlib.sha256()
    for turn in range(LONG):
        wanted.update(event(1, turn))

    async def through(proxy: Watched, name: str) -> None:
        await digest_of(proxy.url, "/v1/short")
        base = await asyncio.to_thread(proxy.look)
        assert await digest_of(proxy.url, "/v1/long") == wanted.hexdigest()
        after = await asyncio.to_thread(proxy.look)
        tell(request, **base.figures("before"), **after.figures("after"), peak_mib=(proxy.peak - base.resident) / MIB)
        assert proxy.peak - base.resident < GROWTH, after.more(base)

    async def main() -> None:
        async with upstream(hurry) as behind:
            with watched(mode, folder, "--upstream", behind) as proxy:
                await through(proxy, mode)
        if mode == "record":
            with watched("playback", folder) as proxy:
                await through(proxy, "playback")

    run_loop(main())
