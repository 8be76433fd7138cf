"""Mixed traffic for a while: every answer is that of its request, every count is right, and nothing grows.

`REPLAYPROXY_SOAK=600` says how many seconds it takes in all; 30 when nothing is said.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from replayproxy.proxy.loop import run_loop
from tests.heavy.clients import Client, Deeds, End
from tests.heavy.traffic import KINDS, Line, Upstream, expected, upstream
from tests.heavy.watching import Look, Watched, number, watched
from tests.heavy.weighing import MIB, tell

pytestmark = pytest.mark.heavy

SECONDS, CLIENTS = number("SOAK", 30), 24
#: To look into a process stops it for a moment: so often while it works, and no more.
LOOKS = 4
#: By how much memory may differ between the third and the last quarter of a soak.
SWAY = 8 * MIB
#: The journal is full soon: it is not to be taken for a leak.
SETTINGS = {"REPLAYPROXY_LIMITS__JOURNAL": str(2 * MIB), "REPLAYPROXY_PLAYBACK__REPEAT": "cycle"}


@dataclass(slots=True)
class Soak:
    """A soak under way: the proxy, who talks to it, and what it was seen to hold."""

    proxy: Watched
    end: End
    deeds: Deeds = field(default_factory=Deeds)
    looks: list[Look] = field(default_factory=list)
    weights: list[int] = field(default_factory=list)

    async def go(self, seconds: float, recorded: Sequence[tuple[str, str]] = (), known: int = 0) -> None:
        """Lets all clients do what they do for so long; weighs the proxy all the time, and looks at it now and then."""
        began = time.monotonic()
        over = began + seconds
        async with asyncio.TaskGroup() as group:
            for who in range(CLIENTS):
                client = Client(who, self.end, self.deeds, recorded, known)
                group.create_task(client.go(lambda: time.monotonic() >= over))
            while time.monotonic() < over:
                await asyncio.sleep(min(1.0, seconds / 20))
                self.weights.append(self.proxy.resident)
                if time.monotonic() - began > seconds / LOOKS * (len(self.looks) + 1):
                    self.looks.append(await asyncio.to_thread(self.proxy.look))

    def most(self, quarter: int) -> int:
        """The most that it weighed in a quarter of the time, from 1."""
        size = len(self.weights) // 4
        return max(self.weights[(quarter - 1) * size : quarter * size])

    async def quiet(self, base: Look) -> Look:
        """A look when all clients have left, as soon as it is as it was in the beginning."""
        if self.end.upstream is not None:
            await self.end.upstream.hang_up()
        return await self.proxy.settled(lambda now: now.tasks <= base.tasks and now.descriptors <= base.descriptors)

    async def journalled(self) -> int:
        """How many exchanges the journal has numbered."""
        told = await self.end.call("GET", "/exchanges", params={"limit": "1"})
        return int(told["exchanges"][-1]["number"])


@contextlib.asynccontextmanager
async def soaking(mode: str, folder: Path, behind: Upstream, *options: str, status: int = 0) -> AsyncIterator[Soak]:
    """A soak of a proxy in `mode`."""
    options = options if mode == "playback" else ("--upstream", behind.url, *options)
    with watched(mode, folder, *options, status=status, **SETTINGS) as proxy:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
            source = None if mode == "playback" else behind
            yield Soak(proxy, End(proxy.url, proxy.admin, proxy.token, mode, source, session))


async def record(folder: Path, behind: Upstream) -> list[tuple[str, str]]:
    """Records answers of every kind that is saved; kinds and ids."""
    asked = [(kind, f"r{turn}") for turn in range(20) for kind, of in KINDS.items() if of.saved and kind != "held"]
    with watched("record", folder, "--upstream", behind.url) as proxy:
        for kind, id_ in asked:
            line = await Line.to(proxy.url)
            assert expected(kind, id_, await line.ask(kind, id_)), kind
            line.close()
    return asked


@pytest.mark.parametrize("mode", ["record", "auto", "passthrough", "playback"])
def test_mixed_traffic(folder: Path, request: pytest.FixtureRequest, mode: str) -> None:
    """Ids that go in come out, receipt and journal count what the clients did, and what is held levels off."""

    async def main() -> tuple[Soak, Look, Look]:
        async with upstream() as behind:
            recorded = await record(folder, behind) if mode in ("auto", "playback") else []
            async with soaking(mode, folder, behind, status=int(mode == "playback")) as soak:
                await soak.go(1)
                await soak.quiet(Look(0, 0, 0, 0, 0, 0, Counter()))
                base = await asyncio.to_thread(soak.proxy.look)
                soak.looks.clear()
                soak.weights.clear()
                await soak.go(SECONDS / 4, recorded, 8 if mode == "playback" else 5)
                after = await soak.quiet(base)
                numbered = await soak.journalled()
            assert soak.deeds.requests <= numbered <= soak.deeds.requests + soak.deeds.maybe
            assert behind.oddities == []
            return soak, base, after

    soak, base, after = run_loop(main())
    check_level(request, soak, base, after)
    check_counts(soak.deeds, soak.proxy.told())


def check_level(request: pytest.FixtureRequest, soak: Soak, base: Look, after: Look) -> None:
    """What is held while it goes on levels off, and afterwards it is what it was before."""
    peaks = {f"most_{name}": max(getattr(look, name) for look in soak.looks) for name in ("tasks", "descriptors")}
    quarters = {f"quarter_{at}_mib": soak.most(at) / MIB for at in (1, 2, 3, 4)}
    tell(request, requests=soak.deeds.requests, **quarters, **peaks, **base.figures("before"), **after.figures("after"))
    assert soak.most(4) - soak.most(3) < SWAY, soak.looks[-1].more(soak.looks[0])
    assert (after.tasks, after.descriptors) == (base.tasks, base.descriptors), after.more(base, 1)
    assert after.threads <= base.threads + 2


def check_counts(deeds: Deeds, told: dict[str, Any]) -> None:
    """The receipts count what the clients did, session by session."""
    found = {session["name"]: Counter(session["counts"]) for session in told["sessions"]}
    for name, did in deeds.counts.items():
        counts = found[name]
        for what in ("played", "repeated", "missed", "forwarded", "saved"):
            assert did[what] <= counts[what] <= did[what] + did[f"maybe_{what}"], (name, what, counts, did)
        assert counts["lost"] == 0


def test_mixed_traffic_for_two_workers(folder: Path, request: pytest.FixtureRequest) -> None:
    """The same for several processes that serve one port: what they played, forwarded and saved adds up."""

    async def main() -> Soak:
        async with upstream() as behind, soaking("record", folder, behind, "--workers", "2") as soak:
            await soak.go(SECONDS / 6)
            return soak

    soak = run_loop(main())
    tell(request, requests=soak.deeds.requests)
    check_counts(soak.deeds, soak.proxy.told())
