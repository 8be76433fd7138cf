"""A proxy in a process of its own, whose memory is watched, and a client and loads to put through it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import random
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from tests.processes import COMMAND, environment

MB, MIB, GIB = 1_000_000, 1024**2, 1024**3
#: What a proxy may take, whatever goes through it, and what one load may add to what it took before.
RESIDENT, GROWTH = 100 * MB, 64 * MIB


@dataclass(frozen=True, slots=True)
class Weighed:
    """A running proxy. Memory is in bytes."""

    url: str
    pid: int

    @property
    def resident(self) -> int:
        """What it takes now."""
        return self._read("VmRSS")

    @property
    def peak(self) -> int:
        """The most it ever took."""
        return self._read("VmHWM")

    def _read(self, name: str) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition(f"{name}:")[2].split()[0]) * 1024


@contextlib.contextmanager
def weighed(mode: str, folder: Path, *options: str, **more: str) -> Iterator[Weighed]:
    """Runs `replayproxy serve` in `mode` with its cassette in `folder`, and ends it as users do; `more` are environment
    variables.

    Its log goes into a file: thousands of lines would fill a pipe that nobody reads. Coverage is not measured in it:
    that takes memory too.
    """
    ready, log = folder / f"ready-{time.monotonic_ns()}.json", folder / f"{mode}.log"
    words = [
        *COMMAND,
        "serve",
        "--mode",
        mode,
        "--port",
        "0",
        "--admin-port",
        "0",
        "--ready-file",
        str(ready),
        *options,
    ]
    env = {name: value for name, value in environment(**more).items() if not name.startswith("COVERAGE_")}
    with log.open("a") as errors:
        process = subprocess.Popen(
            [*words, "--cassette", "heavy.yaml"], cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=errors
        )
        try:
            while not ready.exists():
                assert process.poll() is None, log.read_text()
                time.sleep(0.01)
            yield Weighed(json.loads(ready.read_text())["url"], process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            status = process.wait(timeout=60)
    assert status == 0, log.read_text()


def lines(size: int) -> Iterator[bytes]:
    """`size` bytes of JSON lines, like the results of a batch, in pieces that are all different."""
    noise = random.Random(2).randbytes(768 * 1024)
    block = b"".join(
        b'{"custom_id": "request-%d", "content": "%b"}\n' % (at, base64.b64encode(noise[at : at + 150]))
        for at in range(0, len(noise), 150)
    )
    number = 0
    while size > 0:
        piece = (b'{"block": %d}\n' % number + block)[:size]
        number, size = number + 1, size - len(piece)
        yield piece


def sha256(pieces: Iterator[bytes]) -> str:
    """The digest of all pieces together."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


@contextlib.asynccontextmanager
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """A client without limits, which leaves bodies as they come."""
    async with aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=None),
        connector=aiohttp.TCPConnector(limit=0),
        auto_decompress=False,
        read_bufsize=MIB,
    ) as session:
        yield session


@dataclass(frozen=True, slots=True)
class Downloaded:
    """What a client got: digest and size of the body, and how long it took."""

    sha256: str
    size: int
    seconds: float


async def download(session: aiohttp.ClientSession, url: str, **headers: str) -> Downloaded:
    """Gets a large answer without keeping it."""
    digest, size, began = hashlib.sha256(), 0, time.perf_counter()
    async with session.get(url, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        async for piece in answer.content.iter_any():
            digest.update(piece)
            size += len(piece)
    return Downloaded(digest.hexdigest(), size, time.perf_counter() - began)


@contextlib.asynccontextmanager
async def asking(session: aiohttp.ClientSession, url: str) -> AsyncIterator[list[float]]:
    """Asks for `url` all the time, as another client would, and collects how long each answer took, in seconds."""
    waits: list[float] = []

    async def ask() -> None:
        while True:
            waits.append((await download(session, url)).seconds)
            await asyncio.sleep(0.02)

    task = asyncio.create_task(ask())
    try:
        yield waits
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def tell(record: pytest.FixtureRequest, **figures: float) -> None:
    """Prints what was measured (`pytest -rP` shows it)."""
    print(record.node.name, *(f"{name}={value:,.4g}" for name, value in figures.items()))
