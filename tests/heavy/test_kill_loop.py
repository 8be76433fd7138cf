"""kill -9 and full disks in a loop, at moments that chance chooses: nothing that a client got whole is ever lost.

The checker is PyYAML's own safe loader wherever it can tell, so that a cassette opens for others than us as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import resource
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from replayproxy.core.bodies import PARSE_LIMIT
from replayproxy.core.messages import FileBody
from replayproxy.stores import FileStore
from tests.processes import Running, started
from tests.servers import Visit, answer_body, raw_upstream

pytestmark = pytest.mark.heavy

#: REPLAYPROXY_KILLS=50 makes 200 kills of it, and 240 rounds with a full disk.
KILLS = int(os.environ.get("REPLAYPROXY_KILLS", "8"))
CLIENTS, CHAINS, ROUNDS = 4, 4, KILLS + KILLS // 5
#: From this size on, a body stands in a file beside the cassette.
INLINE_LIMIT = 4096
#: What a run may be: it takes the place of what was recorded, or adds to it.
MODES, FSYNC = ("record", "auto", "auto"), ("never", "interval", "always")
#: Seconds: no kill comes later than this after the first request.
LATEST = 0.4


def expected(number: int) -> bytes:
    """The body of `/v1/items/N`: small, in a file of its own, an event stream, or too large for memory."""
    if number % 5 == 4:
        return b"".join(b'data: {"number": %d, "event": %d}\n\n' % (number, event) for event in range(20))
    filling = PARSE_LIMIT if number % 97 == 3 else 3 * INLINE_LIMIT if number % 5 == 3 else 100
    return json.dumps({"number": number, "filling": "x" * filling}).encode()


async def echoing(visit: Visit) -> None:
    """Answers with the number that was asked for."""
    while True:
        number = int((await visit.request()).split(b" ", 2)[1].rpartition(b"/")[2])
        body = expected(number)
        if number % 5 == 4:
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
            await visit.send(head)
            for event in body.split(b"\n\n")[:-1]:
                await visit.send(b"%x\r\n%b\n\n\r\n" % (len(event) + 2, event))
            await visit.send(b"0\r\n\r\n")
        else:
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            await visit.send(head + body)


@dataclass(slots=True)
class Clients:
    """Four clients that ask one thing after the other; `received` are the numbers whose answers came in whole."""

    url: str
    chance: random.Random
    received: set[int] = field(default_factory=set)
    first: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self) -> None:
        """Goes on until the proxy is gone."""
        await asyncio.gather(*(self._ask() for _ in range(CLIENTS)), return_exceptions=True)

    async def some(self, count: int) -> None:
        """Each client asks for so many things."""
        await asyncio.gather(*(self._ask(count) for _ in range(CLIENTS)))

    async def _ask(self, count: int = 1 << 30) -> None:
        parts = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=1 << 20)
        with contextlib.closing(writer):
            for _ in range(count):
                number = self.chance.randrange(2000)
                writer.write(b"GET /v1/items/%d HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % number)
                self.first.set()
                assert await answer_body(reader) == expected(number), number
                self.received.add(number)


@contextlib.asynccontextmanager
async def recording(folder: Path, mode: str, fsync: str) -> AsyncIterator[Running]:
    """A recording process, and its upstream."""
    more = {"REPLAYPROXY_RECORD__INLINE_LIMIT": str(INLINE_LIMIT), "REPLAYPROXY_RECORD__FSYNC": fsync}
    async with raw_upstream(echoing) as upstream:
        options = ("--mode", mode, "--cassette", "c.yaml", "--upstream", upstream.url, "--validate", "off")
        with started("serve", *options, cwd=folder, **more) as proxy:
            yield proxy


def there(folder: Path) -> set[int]:
    """The numbers whose answers are in the cassette, byte for byte; fails when it does not open."""
    path = folder / "c.yaml"
    if not path.exists():
        return set()
    text = path.read_text("utf-8")
    whole = text[: max(text.rfind("\n...\n"), text.rfind("\n... ")) + 1]
    others = [each["request"]["target"] for each in list(yaml.load_all(whole + "...\n", yaml.CSafeLoader))[1:]]
    store, found = FileStore(path), list[str]()
    for interaction in store.load().interactions:
        body = interaction.response.body
        if isinstance(body, FileBody):
            with store.open_body(body) as file:
                body = file.read()
        found.append(interaction.request.path)
        assert body == expected(_number(found[-1])), found[-1]
    assert found == others
    return {_number(target) for target in found}


def _number(target: str) -> int:
    return int(target.rpartition("/")[2])


def strays(folder: Path) -> list[str]:
    """What a recording leaves when it is killed over it."""
    return [each.name for each in folder.rglob(".*") if not each.name.endswith(".lock")]


async def killed(folder: Path, mode: str, fsync: str, chance: random.Random) -> set[int]:
    """What the clients had received when the recording was killed."""
    async with recording(folder, mode, fsync) as proxy:
        assert strays(folder) == []
        clients = Clients(proxy.url, chance)
        asking = asyncio.create_task(clients.ask())
        await clients.first.wait()
        await asyncio.sleep(chance.uniform(0, LATEST))
        proxy.process.send_signal(signal.SIGKILL)
        proxy.process.wait()
        await asking
    return clients.received


@pytest.mark.parametrize("chain", range(CHAINS))
async def test_kills_lose_nothing(folder: Path, chain: int) -> None:
    """Kill after kill over one cassette: it opens, and has every answer that a client got whole; nothing piles up."""
    seed = int(os.environ.get("KILL_SEED", random.SystemRandom().randrange(1 << 32))) + chain
    chance, kept, counts = random.Random(seed), set[int](), dict.fromkeys(MODES, 0)
    print(f"seed {seed - chain}")
    for _ in range(KILLS):
        mode, fsync = chance.choice(MODES), chance.choice(FSYNC)
        before = there(folder)
        got = await killed(folder, mode, fsync, chance)
        found = there(folder)
        kept = got if mode == "record" and (got or found != before) else kept | got
        assert kept <= found, (mode, fsync, seed)
        counts[mode] += len(got)
        # What recording over and over set aside would be looked into as well: only the last take is kept.
        assert {each.name for each in folder.iterdir()} <= {
            *("c.yaml", "c.yaml~", "c.files", ".c.yaml.lock", ".c.yaml.new", ".c.yaml~.new", "c.yaml.torn")
        }
    async with recording(folder, "auto", "interval") as proxy:
        await Clients(proxy.url, chance).some(3)
    assert proxy.status == 0, proxy.err
    assert kept <= there(folder)
    assert strays(folder) == []
    assert not (folder / ".c.yaml.lock").exists()
    print(f"{KILLS} kills, {counts} answers received, {len(kept)} in the end")


@pytest.mark.parametrize("chain", range(CHAINS))
async def test_full_disks_lose_only_what_is_told(folder: Path, chain: int) -> None:
    """Round after round with a little room: every answer arrives, what is not in the cassette was told, and the
    cassette opens at every moment; with room again the recording goes on."""
    seed = int(os.environ.get("KILL_SEED", random.SystemRandom().randrange(1 << 32))) + chain
    chance = random.Random(seed)
    print(f"seed {seed - chain}")
    for mode in ("record", "auto"):
        kept, lost = there(folder) if mode == "auto" else set[int](), 0
        async with recording(folder, mode, chance.choice(FSYNC)) as proxy:
            pid = proxy.process.pid
            for _ in range(ROUNDS // 2):
                size = (folder / "c.yaml").stat().st_size if (folder / "c.yaml").exists() else 0
                clients = Clients(proxy.url, chance)
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size + chance.randrange(20_000), resource.RLIM_INFINITY))
                await clients.some(chance.randrange(1, 4))
                found = there(folder)
                if kept or found & clients.received:
                    assert kept <= found, seed
                    kept, lost = found, lost + len(clients.received - found)
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
                clients = Clients(proxy.url, chance)
                await clients.some(1)
                kept = there(folder)
                assert clients.received <= kept, seed
        assert (proxy.status == 1) >= bool(lost), proxy.err
        assert kept <= there(folder), seed
        assert strays(folder) == []
