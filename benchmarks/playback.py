"""Playback under load: whatever the size of the cassette, sequences, misses, several workers."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from load import Job
from processes import NotStartedError, Server, floor, proxy
from tables import Table, against, figure, ratio
from turns import Bench, Contestant, Figures, in_turns, wrong_answers

__all__ = ["miss", "playback", "sequences", "workers"]

_CYCLE = {"PLAYBACK__REPEAT": "cycle"}
_OTHERS = {"get": "GET", "large": "answer of 20 KB", "varied": "bytes never repeat, a field is ignored"}
_RUN_ID = {"MATCH__IGNORE": "body.metadata.run_id"}
#: A first pass asks no more than so many bodies, once each.
_FIRST = 10_000


def playback(bench: Bench) -> Iterator[Table]:
    """CPU and rate of hits at each size, and of other kinds of traffic at one size."""
    yield _sizes(bench, bench.of((1, 1_000, 10_000, 100_000), (1, 20)))
    yield _kinds(bench, bench.of(1_000, 20))


def _sizes(bench: Bench, sizes: tuple[int, ...]) -> Table:
    count, first = bench.of(50_000, 40), dict[int, float]()
    with ExitStack() as stack:
        bare = stack.enter_context(floor("bare"))
        contestants = [Contestant("bare", bare, Job(bare.url, "message", 1, count))]
        for pairs in sizes:
            known = stack.enter_context(floor("look-up", "message", str(pairs)))
            contestants.append(Contestant(f"aiohttp {pairs}", known, Job(known.url, "message", pairs, count)))
            ours = stack.enter_context(_playing(bench.cassette("message", pairs), _CYCLE))
            first[pairs] = _warmed(bench, ours, "message", pairs)
            contestants.append(Contestant(f"ours {pairs}", ours, Job(ours.url, "message", pairs, count)))
        came = in_turns(bench, contestants)
    return _size_table(came, sizes, first)


def _playing(cassette: Path, settings: dict[str, str], *options: str) -> contextlib.AbstractContextManager[Server]:
    return proxy("playback", "--cassette", cassette, *options, settings=settings)


def _warmed(bench: Bench, server: Server, kind: str, pairs: int) -> float:
    """The µs of CPU of a request of the first pass; each body of the cassette was asked once when this returns."""
    bench.load.run(Job(server.url, kind, pairs, 1, 1))  # what is done for the first request of all
    count, before = min(pairs, _FIRST), server.cpu()
    bench.load.run(Job(server.url, kind, pairs, count))
    cost = (server.settled_cpu() - before) / count * 1e6
    if pairs > count:
        bench.load.run(Job(server.url, kind, pairs, pairs - count, first=count))
    return cost if pairs >= 20 else float("nan")


def _size_table(came: dict[str, Figures], sizes: tuple[int, ...], first: dict[int, float]) -> Table:
    heads = ("server", "pairs", "first pass µs", "CPU µs", "req/s", "p50 ms", "p99 ms", "× aiohttp", "× 1 pair")
    table = Table("Playback, 120-byte request, 600-byte answer, 32 connections", heads)
    bare, one = came["bare"], came["ours 1"].cpu
    table.add("bare asyncio protocol", "1", "–", *_cells(bare), figure(ratio(bare.cpu, came["aiohttp 1"].cpu)), "–")
    for pairs in sizes:
        known, ours = came[f"aiohttp {pairs}"], came[f"ours {pairs}"]
        table.add("bare aiohttp, look-up", f"{pairs:,}", "–", *_cells(known), "1", figure(ratio(known.cpu, one)))
        cost, growth = ratio(ours.cpu, known.cpu), ratio(ours.cpu, one)
        judged = against(cost, 0.6) if pairs == 1 else figure(cost)
        grown = against(growth, 1.15) if pairs == sizes[-1] else figure(growth)
        table.add("replayproxy", f"{pairs:,}", figure(first[pairs]), *_cells(ours), judged, grown)
    table.notes.append(
        f"First pass: each body once, up to {_FIRST:,} of them. The load takes {bare.load:.1f} µs itself."
    )
    table.notes += wrong_answers(came)
    return table


def _cells(figures: Figures) -> tuple[str, ...]:
    return figure(figures.cpu), f"{figures.rate:,.0f}", figure(figures.p50), figure(figures.p99)


def _kinds(bench: Bench, pairs: int) -> Table:
    table = Table(
        f"Playback of other traffic, {pairs:,} pairs",
        ("traffic", "server", "first pass µs", "CPU µs", "req/s", "p50 ms", "p99 ms", "× aiohttp"),
    )
    names = bench.of(_OTHERS, {"varied": _OTHERS["varied"]})
    contestants, first = [], {}
    with ExitStack() as stack:
        for kind in names:
            known = stack.enter_context(floor("look-up", kind, str(pairs)))
            settings = _CYCLE | (_RUN_ID if kind == "varied" else {})
            ours = stack.enter_context(_playing(bench.cassette(kind, pairs), settings))
            first[kind] = _warmed(bench, ours, kind, pairs)
            for name, server in (("aiohttp", known), ("ours", ours)):
                job = Job(server.url, kind, pairs, bench.of(20_000, 20))
                contestants.append(Contestant(f"{name} {kind}", server, job))
        came = in_turns(bench, contestants)
    for kind, name in names.items():
        known_figures, figures = came[f"aiohttp {kind}"], came[f"ours {kind}"]
        table.add(name, "bare aiohttp, look-up", "–", *_cells(known_figures), "1")
        table.add(
            name, "replayproxy", figure(first[kind]), *_cells(figures), figure(ratio(figures.cpu, known_figures.cpu))
        )
    table.notes += wrong_answers(came)
    return table


def sequences(bench: Bench) -> Iterator[Table]:
    """One request with a thousand answers: each comes once."""
    answers = bench.of(1_000, 50)
    table = Table(f"A sequence of {answers:,} answers, 32 connections", ("server", "CPU µs", "req/s", "each once"))
    with _playing(bench.cassette("sequence", answers), _CYCLE) as server:
        job = Job(server.url, "sequence", answers, answers, collect=True)
        came = in_turns(bench, [Contestant("ours", server, job)])["ours"]
    table.add("replayproxy", figure(came.cpu), f"{came.rate:,.0f}", "yes" if came.once else "NO")
    yield table


def miss(bench: Bench) -> Iterator[Table]:
    """A request that differs in one field from one of many recordings."""
    pairs = bench.of(100_000, 100)
    heads = ("pairs", "first ms, a second after the start", "later ms, median", "later ms, most")
    table = Table("A miss that is explained, one connection", heads)
    with _playing(bench.cassette("message", pairs), _CYCLE) as server:
        bench.load.run(Job(server.url, "message", pairs, 1, 1))
        time.sleep(1)  # a proxy makes ready for a miss when it is up, and clients take longer than this to come up
        took = [_missed(bench, server, pairs, number) for number in range(0, pairs, pairs // bench.of(20, 2))]
    first, later = took[0], took[1:]
    table.add(f"{pairs:,}", against(first, 50), against(statistics.median(later), 50), against(max(later), 50))
    yield table


def _missed(bench: Bench, server: Server, pairs: int, number: int) -> float:
    return bench.load.run(Job(server.url, "missing", pairs, 1, 1, first=number, status=424)).p50


def workers(bench: Bench) -> Iterator[Table]:
    """Two workers against one: rate, cost, and whether a sequence stays exact."""
    heads = ("traffic", "workers", "CPU µs", "req/s", "× rate of 1", "× CPU of 1")
    table = Table("Workers, 64 connections", heads)
    try:
        for kind, name in {"message": "the same bytes again and again", "varied": _OTHERS["varied"]}.items():
            one, two = _both(bench, kind)
            table.add(name, "1", figure(one.cpu), f"{one.rate:,.0f}", "1", "1")
            rate, cost = against(ratio(two.rate, one.rate), 1.7, least=True), against(ratio(two.cpu, one.cpu), 1.1)
            table.add(name, "2", figure(two.cpu), f"{two.rate:,.0f}", rate, cost)
        answers = bench.of(2_000, 50)
        exact = _exact(bench, answers)
    except NotStartedError as error:
        table.notes.append(f"not available: {str(error).strip().splitlines()[-1]}")
    else:
        table.notes.append("One of the two bounds is to hold: the load is a process on the same cores.")
        table.notes.append(f"With 2 workers a sequence of {answers:,} answers came each once: {exact}.")
    yield table


def _both(bench: Bench, kind: str) -> tuple[Figures, Figures]:
    """What one worker needs and reaches, and what two do."""
    pairs, settings = bench.of(1_000, 20), _CYCLE | (_RUN_ID if kind == "varied" else {})
    count = bench.of(50_000 if kind == "message" else 15_000, 40)
    with ExitStack() as stack:
        contestants = []
        for number in ("1", "2"):
            server = stack.enter_context(_playing(bench.cassette(kind, pairs), settings, "--workers", number))
            contestants.append(Contestant(number, server, Job(server.url, kind, pairs, count, 64)))
        came = in_turns(bench, contestants)
    return came["1"], came["2"]


def _exact(bench: Bench, answers: int) -> str:
    with _playing(bench.cassette("sequence", answers), _CYCLE, "--workers", "2") as server:
        job = Job(server.url, "sequence", answers, answers, 64, collect=True)
        return "yes" if bench.load.run(job).once else "NO"
