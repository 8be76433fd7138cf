"""What it costs to know the API: python benchmarks/validation.py [--quick]

Each figure is the median of five runs; beside it stands the floor, what the same costs without any knowledge.
"""

from __future__ import annotations

import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from importlib import resources

import orjson
from samples import CHAT, CHAT_LARGE, CREATE_MESSAGE, EVENTS, STREAMS
from streaming import Case, measured
from timing import cpu_of

import replayproxy
from replayproxy import openai_api
from replayproxy.core.catalog import Resolved, Stream
from replayproxy.core.catalog_form import read_catalog
from replayproxy.core.messages import Request
from replayproxy.core.sse import EventParser
from replayproxy.core.stream_checks import StreamCheck
from replayproxy.core.validation import problems
from replayproxy.openai_api.checks import CHECKS
from replayproxy.proxy.loop import run_loop

_RUNS = 5
#: In a process of their own: nothing has been imported, nothing compiled.
_LOAD = "import replayproxy.openai_api; replayproxy.openai_api.catalog()"
#: How streams go through the proxy: its mode, and the seconds between two events.
_WAYS = (("passthrough", 0.001), ("record", 0.001), ("passthrough", 0.0), ("record", 0.0))
_Row = tuple[str, str, str, str]


def main(arguments: Sequence[str]) -> None:
    """Prints the tables; `--quick` only shows that all of it works."""
    quick = "--quick" in arguments
    print(f"replayproxy {replayproxy.__version__}, Python {platform.python_version()}, {platform.machine()}\n")
    _print("Catalog", "ms", _catalog_rows(1 if quick else 50))
    _print("A request", "µs", _request_rows(20 if quick else 20_000))
    _print("An event of a stream", "µs", _event_rows(1 if quick else 400))
    _print_streams(rounds=1 if quick else _RUNS, streams=2 if quick else 40)


def _catalog_rows(times: int) -> Iterator[_Row]:
    text = resources.files(openai_api).joinpath("catalog.json").read_bytes()
    floor = cpu_of(lambda: orjson.loads(text), times) * 1e3
    read = cpu_of(lambda: read_catalog(text, CHECKS), times) * 1e3
    yield f"read the catalog of {len(text) / 1e3:,.0f} KB", f"{read:.1f}", "orjson.loads of it", f"{floor:.1f}"
    runs = _RUNS if times > 1 else 1
    started, bare = (_process(code, runs) for code in (_LOAD, "pass"))
    yield "a new process: import and read", f"{started - bare:.0f}", "a process that does nothing", f"{bare:.0f}"


def _request_rows(times: int) -> Iterator[_Row]:
    catalog = openai_api.catalog()
    for name, request in (("Create message", CREATE_MESSAGE), ("chat request", CHAT), ("chat request", CHAT_LARGE)):
        resolved, body = _resolved(request), request.body
        assert isinstance(body, bytes)
        named = f"{name}, {len(body) / 1e3:.1f} KB"
        assert not problems(request, resolved)
        floor = cpu_of(partial(orjson.loads, body), times) * 1e6
        found = cpu_of(partial(catalog.resolve, request.method, request.target), times) * 1e6
        checked = cpu_of(partial(problems, request, resolved), times) * 1e6
        yield f"{named}: which operation", f"{found:.1f}", "", ""
        yield f"{named}: whether it is valid", f"{checked:.1f}", "orjson.loads of its body", f"{floor:.1f}"
        yield f"{named}: together", f"{found + checked:.1f}", "", ""


def _event_rows(times: int) -> Iterator[_Row]:
    catalog = openai_api.catalog()
    for name, (path, _, events) in STREAMS.items():
        resolved = catalog.resolve("POST", path)
        stream = resolved.operation.stream if resolved else None
        assert stream
        size = sum(map(len, events)) / len(events)
        checked = cpu_of(partial(_check, stream, events), times) / len(events) * 1e6
        parsed = cpu_of(partial(_parse, events), times) / len(events) * 1e6
        yield f"{name}, {size:.0f} bytes: checked", f"{checked:.1f}", "parsed only", f"{parsed:.1f}"


def _check(stream: Stream, events: list[bytes]) -> None:
    check = StreamCheck(stream)
    for event in events:
        check.feed(event)
    assert not check.finish()


def _parse(events: list[bytes]) -> None:
    parser = EventParser()
    for event in events:
        parser.feed(event)
    parser.finish()


def _print_streams(rounds: int, streams: int) -> None:
    print(f"A stream of {EVENTS} events through the proxy, in ms\n")
    heads = ("stream", "events", "mode", "measured", "validate: off", "validate: warn", "ratio")
    print("| " + " | ".join(heads) + " |\n| --- | --- | --- | --- | ---: | ---: | ---: |")
    for case in (Case(kind, mode, pause) for mode, pause in _WAYS for kind in STREAMS):
        if case.pause and rounds == 1:
            continue
        figures = run_loop(measured(case, rounds, max(2, streams // 4) if case.pause else streams))
        pace = f"every {case.pause * 1e3:.0f} ms" if case.pause else "at once"
        for what, times in (("by the client", figures.took), ("CPU of the proxy", figures.cpu)):
            off, warn = times["off"], times["warn"]
            cells = (case.kind, pace, case.mode, what, f"{off * 1e3:.1f}", f"{warn * 1e3:.1f}", f"{warn / off:.2f}")
            print("| " + " | ".join(cells) + " |", flush=True)


def _print(title: str, unit: str, rows: Iterator[_Row]) -> None:
    print(f"| {title} | {unit} | floor | {unit} |\n| --- | ---: | --- | ---: |")
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)
    print()


def _process(code: str, runs: int) -> float:
    """The milliseconds that a Python process with that code takes."""
    found = []
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        found.append((time.perf_counter() - began) * 1e3)
    return statistics.median(found)


def _resolved(request: Request) -> Resolved:
    resolved = openai_api.catalog().resolve(request.method, request.target)
    assert resolved
    return resolved


if __name__ == "__main__":
    main(sys.argv[1:])
