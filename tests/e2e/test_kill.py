"""kill -9 while four clients are being recorded: what a client had received whole is in the cassette."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from replayproxy.core.messages import FileBody
from replayproxy.stores import FileStore
from tests.processes import Running, client, started
from tests.servers import Visit, answer_body, raw_upstream

CLIENTS = 4
#: From this size on, a body stands in a file beside the cassette.
INLINE_LIMIT = 4096


async def echoing(visit: Visit) -> None:
    """Answers with the number that was asked for: small bodies, large ones, and event streams, in turn."""
    while True:
        number = int((await visit.request()).split(b" ", 2)[1].rpartition(b"/")[2])
        if number % 5 == 4:
            events = [b'data: {"number": %d, "event": %d}\n\n' % (number, event) for event in range(20)]
            await visit.send(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            for event in events:
                await visit.send(b"%x\r\n%b\r\n" % (len(event), event))
            await visit.send(b"0\r\n\r\n")
        else:
            filling = "x" * (3 * INLINE_LIMIT if number % 5 == 3 else 100)
            body = json.dumps({"number": number, "filling": filling}).encode()
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            await visit.send(head + body)


@dataclass(slots=True)
class Clients:
    """Four clients that ask one thing after the other; `received` are the bodies that came in whole."""

    url: str
    received: dict[int, bytes] = field(default_factory=dict)
    _next: int = 0
    _enough: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self, count: int) -> None:
        """Goes on until so many answers are there (other clients may be in the middle of one), and stays at it."""
        await asyncio.gather(*(self._ask(count) for _ in range(CLIENTS)), return_exceptions=True)

    async def until_enough(self) -> None:
        """Waits until the count is reached."""
        await self._enough.wait()

    async def _ask(self, count: int) -> None:
        parts = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=1 << 20)
        with contextlib.closing(writer):
            while True:
                number, self._next = self._next, self._next + 1
                writer.write(b"GET /v1/items/%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % number)
                self.received[number] = await answer_body(reader)
                if len(self.received) >= count:
                    self._enough.set()


@contextlib.asynccontextmanager
async def recording(mode: str, folder: Path) -> AsyncIterator[Running]:
    """A recording process, and its upstream."""
    async with raw_upstream(echoing) as upstream:
        options = (mode, "--cassette", "c.yaml", "--upstream", upstream.url)
        limit = {"REPLAYPROXY_RECORD__INLINE_LIMIT": str(INLINE_LIMIT)}
        with started(*options, cwd=folder, **limit) as proxy:
            yield proxy


async def killed(mode: str, folder: Path, count: int) -> dict[int, bytes]:
    """What the clients had received when the recording was killed after `count` answers."""
    async with recording(mode, folder) as proxy:
        clients = Clients(proxy.url)
        asking = asyncio.create_task(clients.receive(count))
        await clients.until_enough()
        proxy.process.send_signal(signal.SIGKILL)
        proxy.process.wait()
        await asking
    return clients.received


def bodies(folder: Path) -> dict[int, bytes]:
    """The bodies in the cassette, by their numbers."""
    store = FileStore(folder / "c.yaml")
    found = {}
    for interaction in store.load().interactions:
        body = interaction.response.body
        if isinstance(body, FileBody):
            with store.open_body(body) as file:
                body = file.read()
        found[int(interaction.request.path.rpartition("/")[2])] = body
    return found


@pytest.mark.parametrize("count", [1, 2, 7, 20, 53, 150])
async def test_killed_recording_keeps_what_was_received(tmp_path: Path, count: int) -> None:
    """The cassette loads, and every answer that a client had received whole is in it, byte for byte."""
    received = await killed("record", tmp_path, count)
    assert len(received) >= count
    saved = bodies(tmp_path)
    assert {number: saved.get(number) for number in received} == received


async def test_next_process_goes_on_where_the_killed_one_ended(tmp_path: Path) -> None:
    """`serve` plays what was saved and records the rest; then all of it plays without an upstream."""
    await killed("record", tmp_path, 10)
    received = await killed("serve", tmp_path, 40)
    assert len(received) >= 40
    saved = bodies(tmp_path)
    assert {number: saved.get(number) for number in received} == received
    with started("playback", "--cassette", "c.yaml", cwd=tmp_path) as proxy, client(proxy.url) as http:
        played = {number: http.get(f"/v1/items/{number}").content for number in saved}
    assert played == saved
    assert proxy.status == 0


async def test_earlier_take_survives_a_killed_one(tmp_path: Path) -> None:
    """It was set aside, whole, when the first interaction of the new take was saved."""
    await killed("record", tmp_path, 5)
    earlier = (tmp_path / "c.yaml").read_bytes()
    received = await killed("record", tmp_path, 20)
    assert (tmp_path / "c.yaml~").read_bytes() == earlier
    saved = bodies(tmp_path)
    assert {number: saved.get(number) for number in received} == received
