"""Where the CPU time of a request goes: python benchmarks/layers.py [MODE] [--kind KIND] [--all N]

The proxy runs with a timer that strikes after each millisecond of CPU time, under the load of `run.py`. What a sample
finds in C (aiohttp's parser, orjson, the system) counts for the Python function that called it.
"""

from __future__ import annotations

import argparse
import atexit
import json
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from load import Job
from processes import Server, floor, proxy
from tables import Table, figure
from turns import Bench, benching

__all__ = ["main", "sampled"]

_EACH = 0.001
_LOOP = "the loop itself"
_KIND = "what is asked; of `varied` no bytes ever repeat"
_SETTINGS = {"PLAYBACK__REPEAT": "cycle", "MATCH__IGNORE": "body.metadata.run_id"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a table of modules (their own time) and one of functions (with all that they call)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", nargs="?", default="playback", choices=("playback", "passthrough", "record"))
    parser.add_argument("--kind", default="message", choices=("message", "varied", "get", "large"), help=_KIND)
    parser.add_argument("--all", type=int, default=30, metavar="N", help="how many rows a table has")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, benching(Path(folder), quick=False) as bench:
        cost, samples = _measured(bench, given.mode, given.kind)
    print(f"{given.mode}, {given.kind}: {cost:.0f} µs of CPU a request, the sampling included\n")
    for title, counts in (("module: its own time", samples["own"]), ("function: with what it calls", samples["all"])):
        print(_table(title, counts, samples["count"], cost, given.all))


def _table(title: str, counts: dict[str, int], total: int, cost: float, rows: int) -> Table:
    what, _, how = title.partition(":")
    table = Table(f"A {what},{how}", (what, "share", "µs"))
    for name, count in Counter(counts).most_common(rows):
        table.add(name, f"{count / total:.1%}", figure(count / total * cost))
    return table


def _measured(bench: Bench, mode: str, kind: str) -> tuple[float, dict[str, Any]]:
    """µs of CPU for a request, and the samples that were taken in between."""
    kept = bench.folder / "samples.json"
    with _serving(bench, mode, kind, kept) as server:
        pairs = 1_000 if mode == "playback" else 1_000_000
        bench.load.run(Job(server.url, kind, pairs, 1_000))
        server.process.send_signal(signal.SIGUSR1)
        count, before = 100_000 if mode == "playback" else 20_000, server.cpu()
        bench.load.run(Job(server.url, kind, pairs, count, first=1_000 % pairs))
        cost = (server.settled_cpu() - before) / count * 1e6
        server.process.send_signal(signal.SIGUSR1)
    return cost, json.loads(kept.read_text())


@contextmanager
def _serving(bench: Bench, mode: str, kind: str, kept: Path) -> Iterator[Server]:
    program = (__file__, "--inside", str(kept))
    with ExitStack() as stack:
        if mode == "playback":
            options = ["playback", "--cassette", str(bench.cassette(kind, 1_000))]
        else:
            upstream = stack.enter_context(floor("upstream"))
            cassette = str(bench.folder / "recorded.yaml")
            options = ["serve", "--mode", mode, "--upstream", upstream.url, "--cassette", cassette]
        yield stack.enter_context(proxy(*options, settings=_SETTINGS, program=program))


def sampled(kept: Path) -> None:
    """Samples this process between one SIGUSR1 and the next; writes what was found to a file when it ends."""
    own, everything, count = Counter[str](), Counter[str](), 0
    under_way = False

    def strike(_: int, frame: FrameType | None) -> None:
        nonlocal count
        count += 1
        names = [_name(each) for each in _stack(frame)]
        own[names[0].partition(" ")[0] if names else _LOOP] += 1
        everything.update({name for name in names if name.startswith(("replayproxy", "aiohttp"))})

    def switch(*_: object) -> None:
        nonlocal under_way
        under_way = not under_way
        signal.setitimer(signal.ITIMER_PROF, *((_EACH, _EACH) if under_way else (0, 0)))

    signal.signal(signal.SIGPROF, strike)
    signal.signal(signal.SIGUSR1, switch)
    atexit.register(lambda: kept.write_text(json.dumps({"own": own, "all": everything, "count": count})))


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _name(frame: FrameType) -> str:
    """`module function`."""
    return f"{frame.f_globals.get('__name__', '?')} {frame.f_code.co_qualname}"


def _inside(kept: str, options: Sequence[str]) -> None:
    from replayproxy.cli import main as replayproxy

    sampled(Path(kept))
    sys.argv[1:] = options
    replayproxy()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        _inside(sys.argv[2], sys.argv[3:])
    else:
        main()
