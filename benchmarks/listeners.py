"""Clients of event streams, in a process of their own, that tell when each event came.

`python listeners.py` reads a job from each line of its input, and prints what was heard as a line. `Listener` is the
other end. A live event says when it was sent (`t=NANOSECONDS.`, on the clock of the whole machine), a recorded one
which it is (`t=NUMBER.`).
"""

from __future__ import annotations

import asyncio
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import orjson
from load import ask
from traffic import GAP, KINDS, STREAM_EVENTS, Kind, raw_request, stream_body

__all__ = ["Heard", "Listener", "listening"]

_STAMP = re.compile(rb"t=(\d+)\.")
_END = b"\r\n0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Heard:
    """How late events came, in ms: live ones after their sending, recorded ones (early or late) beside their time.

    `first` is the median from a request to its first event; `began` and `ended` are the medians of the first and the
    last quarter of the streams; `late10` and `late50` the shares of events that were later than 10 and 50 ms. `events`
    counts them, and `missing` those that did not come.
    """

    first: float
    p50: float
    p99: float
    most: float
    began: float
    ended: float
    late10: float
    late50: float
    events: int
    missing: int


class Listener:
    """The other end of the process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def listen(self, url: str, streams: int, events: int, gap_ms: int, spread: float = 0.0) -> Heard:
        """Asks for so many live streams, begun within `spread` seconds, and hears them out."""
        return self._ask(url=url, streams=streams, events=events, gap_ms=gap_ms, spread=spread)

    def replayed(self, url: str, streams: int) -> Heard:
        """Asks for so many recorded streams at once."""
        return self._ask(url=url, streams=streams, events=STREAM_EVENTS, gap_ms=0, spread=0.0)

    def _ask(self, **job: object) -> Heard:
        return Heard(**ask(self._process, job))


@contextmanager
def listening() -> Iterator[Listener]:
    """Starts the process."""
    command = [sys.executable, str(Path(__file__))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield Listener(process)
        assert process.stdin
        process.stdin.close()


class _Stream(asyncio.Protocol):
    def __init__(self, request: bytes, live: bool) -> None:
        self._request, self._live, self._tail = request, live, b""
        self.sent = self.head = self.first = 0
        self.lags: list[float] = []
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass
        self.sent = time.monotonic_ns()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        self.head = self.head or now
        data, place = self._tail + data, 0
        for stamp in _STAMP.finditer(data):
            self.first = self.first or now
            place = stamp.end()
            self.lags.append(self._lag(now, int(stamp[1])))
        self._tail = data[place:][-64:]
        if self._tail.endswith(_END):
            self._transport.close()

    def _lag(self, now: int, stamp: int) -> float:
        if self._live:
            return (now - stamp) / 1e6
        return abs((now - self.head) / 1e6 - stamp * GAP * 1e3)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_result(None)


async def _heard(url: str, streams: int, events: int, gap_ms: int, spread: float) -> Heard:
    loop, address, kind, live = asyncio.get_running_loop(), urlsplit(url), KINDS["stream"], gap_ms > 0
    began, found = loop.time(), list[_Stream]()
    for number in range(streams):
        request = _live_request(kind, events, gap_ms, number) if live else raw_request(kind, 0)
        stream = _Stream(request, live)
        found.append(stream)
        await loop.create_connection(lambda stream=stream: stream, address.hostname, address.port)  # type: ignore[misc]
        await asyncio.sleep(max(0.0, began + spread * (number + 1) / streams - loop.time()))
    async with asyncio.timeout(60 + events * gap_ms / 1e3):
        await asyncio.gather(*(stream.over for stream in found))
    return _summed(found, events)


def _live_request(kind: Kind, events: int, gap_ms: int, number: int) -> bytes:
    head, _, _ = raw_request(kind, 0).partition(b"Content-Length")
    body = stream_body(events, gap_ms, number)
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _summed(streams: Sequence[_Stream], events: int) -> Heard:
    lags = sorted(lag for stream in streams for lag in stream.lags)
    if not lags:
        raise OSError("no event came")
    count, quarter = len(lags), max(1, events // 4)
    return Heard(
        first=statistics.median((stream.first - stream.sent) / 1e6 for stream in streams),
        p50=lags[count // 2],
        p99=lags[int(count * 0.99)],
        most=lags[-1],
        began=statistics.median(lag for stream in streams for lag in stream.lags[:quarter]),
        ended=statistics.median(lag for stream in streams for lag in stream.lags[-quarter:]),
        late10=sum(lag > 10 for lag in lags) / count,
        late50=sum(lag > 50 for lag in lags) / count,
        events=count,
        missing=len(streams) * events - count,
    )


def _serve() -> None:
    import gc

    import uvloop

    gc.disable()
    for line in sys.stdin.buffer:
        try:
            told: Any = asdict(uvloop.run(_heard(**orjson.loads(line))))
        except (OSError, TimeoutError) as error:
            told = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    _serve()
