"""The load, in a process of its own: closed loops over kept-alive connections.

`python load.py` reads a job from each line of its input, and prints what came of it as a line. `Load` is the other end.
"""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import orjson
from framing import cut_answer
from traffic import KINDS, answer_id, raw_request

__all__ = ["Came", "Job", "Load", "ask", "loading"]

#: So long may pass without an answer, in seconds.
_PATIENCE = 60
#: Every so many answers one is looked at closely.
_SAMPLE = 16


@dataclass(frozen=True, slots=True)
class Job:
    """`count` requests of a kind over so many connections, cycling through `pairs` numbers from `first` on.

    `status` is what is to come; with `collect` every answer counts by the number it carries.
    """

    url: str
    kind: str
    pairs: int
    count: int
    connections: int = 32
    first: int = 0
    status: int = 200
    collect: bool = False


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a job: wall seconds, seconds of CPU of the load, latencies in ms, how many answers were wrong.

    `once` is true when each number was answered exactly once; it is false unless the answers were collected.
    """

    seconds: float
    cpu: float
    p50: float
    p99: float
    wrong: int
    once: bool


class Load:
    """The other end of the process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def run(self, job: Job) -> Came:
        """Has a job done."""
        return Came(**ask(self._process, asdict(job)))


def ask(process: subprocess.Popen[bytes], job: object) -> Any:
    """Sends a line of JSON to a process and gives the line that comes back; SystemExit when it says what went wrong."""
    assert process.stdin
    assert process.stdout
    process.stdin.write(orjson.dumps(job) + b"\n")
    process.stdin.flush()
    line = process.stdout.readline()
    told = orjson.loads(line) if line else {"error": "the process has ended"}
    if isinstance(told, dict) and "error" in told:
        raise SystemExit(f"{job}: {told['error']}")
    return told


@contextmanager
def loading() -> Iterator[Load]:
    """Starts the process."""
    command = [sys.executable, str(Path(__file__))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield Load(process)
        assert process.stdin
        process.stdin.close()


_nonces = itertools.count(1)


def _requests(job: Job) -> list[bytes]:
    """The requests in the order in which they are sent."""
    kind, numbers = KINDS[job.kind], range(job.first, job.first + job.count)
    return [raw_request(kind, number % job.pairs, next(_nonces)) for number in numbers]


class _Run:
    """A job under way: the connections take the next request, each for itself."""

    def __init__(self, job: Job) -> None:
        self.requests = _requests(job)
        self.job, self.taken, self.left, self.wrong = job, 0, job.count, 0
        self.status = b"HTTP/1.1 %d" % job.status
        self.latencies = array("d")
        self.numbers: list[bytes] = []
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def came(self, place: int, status: bytes, body: bytes) -> None:
        """Takes note of an answer."""
        self.left -= 1
        if not status.startswith(self.status):
            self.fail(f"another status than {self.job.status}: {status[:40]!r} {body[:300]!r}")
        elif self.job.collect:
            self.numbers.append(body[body.find(b"msg_") + 4 :][:8])
        elif self.left % _SAMPLE == 0 and self.job.status == 200:
            self.wrong += answer_id((self.job.first + place) % self.job.pairs) not in body[:100]
        if not self.left and not self.over.done():
            self.over.set_result(None)

    def fail(self, why: str) -> None:
        if not self.over.done():
            self.over.set_exception(OSError(why))

    @property
    def once(self) -> bool:
        return bool(self.numbers) and len(set(self.numbers)) == len(self.numbers) == self.job.count


class _Connection(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self, run: _Run) -> None:
        self._run, self._buffer, self._place, self._sent = run, b"", 0, 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass

    def connection_lost(self, exc: Exception | None) -> None:
        self._run.fail(f"a connection was lost: {exc}")

    def send(self) -> None:
        """Sends the next request, if there is one left."""
        run = self._run
        if run.taken < run.job.count:
            self._place = run.taken
            run.taken += 1
            self._sent = time.perf_counter()
            self.transport.write(run.requests[self._place])

    def data_received(self, data: bytes) -> None:
        data = self._buffer + data if self._buffer else data
        if (cut := cut_answer(data)) is None:
            self._buffer = data
            return
        body, self._buffer = cut
        run = self._run
        run.latencies.append(time.perf_counter() - self._sent)
        run.came(self._place, data[:12], body)
        self.send()


async def _done(job: Job) -> Came:
    loop, run, address = asyncio.get_running_loop(), _Run(job), urlsplit(job.url)
    connections = []
    for _ in range(min(job.connections, job.count)):
        transport, made = await loop.create_connection(lambda: _Connection(run), address.hostname, address.port)
        connections.append((transport, made))
    began, cpu = time.perf_counter(), time.process_time()
    for _, connection in connections:
        connection.send()
    async with asyncio.timeout(_PATIENCE + job.count / 100):
        await run.over
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    for transport, _ in connections:
        transport.close()
    times = sorted(run.latencies)
    p50, p99 = (times[min(len(times) - 1, int(len(times) * part))] * 1e3 for part in (0.5, 0.99))
    return Came(seconds, cpu, p50, p99, run.wrong, run.once)


def _serve() -> None:
    import gc

    import uvloop

    gc.disable()
    for line in sys.stdin.buffer:
        try:
            told: Any = asdict(uvloop.run(_done(Job(**orjson.loads(line)))))
        except (OSError, TimeoutError) as error:
            told = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    _serve()
