"""Streams through a proxy that checks them and through one that does not, in turns.

The upstream and the client are a process of their own (peer.py): the CPU time of this one is the proxies'.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from replayproxy.config import Settings, UpstreamSettings, ValidateSettings
from replayproxy.config.values import Address
from replayproxy.core.levels import Level
from replayproxy.proxy.app import Proxy, running

__all__ = ["Case", "Figures", "measured"]

_PEER = Path(__file__).with_name("peer.py")
_Drive = Callable[[str, int], Awaitable[float]]

_LEVELS: tuple[Level, Level] = ("off", "warn")


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of stream, the mode of the proxy, and the seconds between two events (0: all at once)."""

    kind: str
    mode: str = "passthrough"
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Medians over the rounds, of one stream, in seconds: as the client sees it, and what the proxy's process used."""

    took: dict[str, float]
    cpu: dict[str, float]


async def measured(case: Case, rounds: int, streams: int) -> Figures:
    """What a stream takes without and with checks: `rounds` times `streams` of each, one after the other."""
    took: dict[str, list[float]] = {level: [] for level in _LEVELS}
    cpu: dict[str, list[float]] = {level: [] for level in _LEVELS}
    async with _peer(case) as (upstream, drive), contextlib.AsyncExitStack() as stack:
        proxies = {level: await stack.enter_async_context(_proxy(upstream, case.mode, level)) for level in _LEVELS}
        for proxy in proxies.values():
            await drive(proxy.url, 2)  # the schemas are compiled with the first
        for number in range(rounds):
            for level in _LEVELS if number % 2 else reversed(_LEVELS):
                began = time.process_time()
                took[level].append(await drive(proxies[level].url, streams))
                cpu[level].append((time.process_time() - began) / streams)
        for level, proxy in proxies.items():
            found = [problem for entry in proxy.journal.latest() for problem in entry.problems]
            assert not found, f"the sample is not in order ({level}): {found[0].message}"
    return Figures(
        {level: statistics.median(times) for level, times in took.items()},
        {level: statistics.median(times) for level, times in cpu.items()},
    )


@contextlib.asynccontextmanager
async def _proxy(upstream: str, mode: str, level: Level) -> AsyncIterator[Proxy]:
    """A proxy in that mode, which checks at that level."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            mode=mode,
            cassettes=Path(folder),
            port=0,
            admin_port=0,
            upstream=UpstreamSettings(url=Address("http", upstream)),
            validate=ValidateSettings(level),
        )
        async with running(settings) as proxy:
            yield proxy


@contextlib.asynccontextmanager
async def _peer(case: Case) -> AsyncIterator[tuple[str, _Drive]]:
    """The other process: where its upstream is, and how to make its client ask for streams."""
    pipe = asyncio.subprocess.PIPE
    options = (case.kind, str(case.pause))
    process = await asyncio.create_subprocess_exec(sys.executable, _PEER, *options, stdin=pipe, stdout=pipe)
    asked, told = process.stdin, process.stdout
    assert asked
    assert told

    async def drive(url: str, streams: int) -> float:
        """The median time of so many streams, in seconds."""
        asked.write(f"{url} {streams}\n".encode())
        return float(await told.readline())

    try:
        yield (await told.readline()).decode().strip(), drive
    finally:
        asked.close()
        await process.wait()
