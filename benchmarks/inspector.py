"""What playback costs while somebody watches it in the inspector: `python inspector.py URL` is such a watcher."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

from load import Job
from processes import Server, proxy
from tables import Table, against, figure, ratio
from turns import Bench, Contestant, in_turns, wrong_answers

__all__ = ["inspector"]

_HELD = 10_000
_WATCHERS = {"nobody watches": 0, "the list is open": 1, "open in three windows": 3}


def inspector(bench: Bench) -> Iterator[Table]:
    """The CPU time and the rate of hits with and without the list open; the journal is full in each."""
    pairs, count = bench.of(1_000, 20), bench.of(50_000, 40)
    heads = ("the inspector", "CPU µs", "req/s", "p50 ms", "p99 ms", "× CPU", "× rate")
    table = Table(f"Playback while it is watched, {pairs:,} pairs, {_HELD:,} exchanges in the journal", heads)
    with ExitStack() as stack:
        contestants = []
        for name, watchers in _WATCHERS.items():
            settings = {"PLAYBACK__REPEAT": "cycle"}
            server = stack.enter_context(
                proxy("playback", "--cassette", bench.cassette("message", pairs), settings=settings)
            )
            bench.load.run(Job(server.url, "message", pairs, bench.of(_HELD, 40)))
            for _ in range(watchers):
                stack.enter_context(_watching(server))
            contestants.append(Contestant(name, server, Job(server.url, "message", pairs, count)))
        came = in_turns(bench, contestants)
    alone = came["nobody watches"]
    for name, figures in came.items():
        cost, rate = ratio(figures.cpu, alone.cpu), ratio(figures.rate, alone.rate)
        judged = name == "the list is open"
        cells = figure(figures.cpu), f"{figures.rate:,.0f}", figure(figures.p50), figure(figures.p99)
        table.add(
            name,
            *cells,
            against(cost, 1.1) if judged else figure(cost),
            against(rate, 0.9, least=True) if judged else figure(rate),
        )
    table.notes.append("A watcher reads the feed as the page does, in a process of its own, and does nothing with it.")
    table.notes += wrong_answers(came)
    yield table


@contextlib.contextmanager
def _watching(server: Server) -> Iterator[None]:
    """Somebody watches; they have seen what was there when the block begins."""
    command = [sys.executable, __file__, server.admin_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            if process.stdout.readline() != b"caught up\n":
                raise SystemExit(f"{server.admin_url}/feed ended before it had told what was there")
            yield
        finally:
            process.kill()


def _watch(url: str) -> None:
    """Reads the feed until it is killed."""
    import socket

    address = urlsplit(url)
    seen: bytes | None = b""
    with socket.create_connection((address.hostname or "", address.port or 80)) as connection:
        connection.sendall(b"GET /feed?limit=10000 HTTP/1.1\r\nHost: %b\r\n\r\n" % address.netloc.encode())
        while data := connection.recv(1 << 18):
            if seen is not None and b"event: caught_up" in (seen := seen[-100:] + data):
                print("caught up", flush=True)
                seen = None


if __name__ == "__main__":
    _watch(sys.argv[1])
