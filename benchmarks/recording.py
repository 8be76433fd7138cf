"""Recording and forwarding: what passes through costs, and how much later it comes than without a proxy."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace

from listeners import listening
from load import Job
from processes import Server, floor, proxy
from tables import Table, against, figure, ratio
from turns import Bench, Contestant, Figures, in_turns, wrong_answers

__all__ = ["forward", "record"]

_NAMES = {
    "direct": "direct",
    "forwarder": "bare aiohttp forwarder",
    "passthrough": "replayproxy passthrough",
    "record": "replayproxy record",
}


def _servers(bench: Bench, stack: ExitStack) -> dict[str, Server]:
    """The upstream itself and those before it, by the keys of `_NAMES`."""
    upstream = stack.enter_context(floor("upstream"))
    passing = proxy("serve", "--mode", "passthrough", "--upstream", upstream.url, "--cassettes", bench.folder)
    cassette = bench.folder / f"recorded-{upstream.process.pid}.yaml"
    servers = {
        "direct": upstream,
        "forwarder": stack.enter_context(floor("forwarder", upstream.url)),
        "passthrough": stack.enter_context(passing),
        "record": stack.enter_context(proxy("record", "--upstream", upstream.url, "--cassette", cassette)),
    }
    for server in servers.values():  # the schemas are compiled with the first
        bench.load.run(Job(server.url, "message", 1, bench.of(500, 5)))
    return servers


def _turns(bench: Bench, servers: Mapping[str, Server], count: int, connections: int) -> dict[str, Figures]:
    job = Job("", "message", 1_000_000, count, connections)
    return in_turns(bench, [Contestant(name, server, replace(job, url=server.url)) for name, server in servers.items()])


def forward(bench: Bench) -> Iterator[Table]:
    """CPU, rate and latency of forwarding and recording, and when the first event of a stream comes."""
    with ExitStack() as stack:
        servers = _servers(bench, stack)
        many = _turns(bench, servers, bench.of(4_000, 20), 32)
        one = _turns(bench, servers, bench.of(1_000, 5), 1)
        yield _rates(many, one)
        yield _first_events(bench, servers)


def _rates(many: Mapping[str, Figures], one: Mapping[str, Figures]) -> Table:
    heads = (
        "server",
        "CPU µs",
        "req/s",
        "p50 ms",
        "× rate of the forwarder",
        "1: CPU µs",
        "p50 ms",
        "added",
    )
    table = Table("Forwarding, 120-byte request, 600-byte answer, 32 connections and 1", heads)
    floor_rate, direct = many["forwarder"].rate, one["direct"].p50
    for name, title in _NAMES.items():
        share, added = ratio(many[name].rate, floor_rate), one[name].p50 - direct
        judged = against(share, 0.5, least=True) if name == "record" else figure(share)
        later = against(added, 1.0) if title.startswith("replayproxy") else figure(added)
        cells = (figure(many[name].cpu), f"{many[name].rate:,.0f}", figure(many[name].p50), judged)
        table.add(title, *cells, figure(one[name].cpu), figure(one[name].p50), later)
    table.notes += wrong_answers(many)
    return table


def _first_events(bench: Bench, servers: Mapping[str, Server]) -> Table:
    """Streams of a second, an event each 5 ms, one after the other, in turns."""
    found: dict[str, list[float]] = {name: [] for name in servers}
    gaps = dict[str, list[float]]((name, []) for name in servers)
    with listening() as listener:
        for _ in range(bench.of(10, 1)):
            for name, server in servers.items():
                heard = listener.listen(server.url, 1, bench.of(200, 5), 5)
                found[name].append(heard.first)
                gaps[name].append(heard.p50)
    heads = ("server", "first event ms", "behind direct", "an event's way ms, median")
    table = Table("The first event of a stream of a second, one each 5 ms", heads)
    medians = {name: statistics.median(times) for name, times in found.items()}
    for name, title in _NAMES.items():
        behind = medians[name] - medians["direct"]
        judged = against(behind, 2.0) if title.startswith("replayproxy") else figure(behind)
        table.add(title, figure(medians[name]), judged, figure(statistics.median(gaps[name])))
    return table


def record(bench: Bench) -> Iterator[Table]:
    """A long recording: what the last interactions cost, against the first."""
    step, steps = bench.of(2_000, 20), bench.of(10, 2)
    with floor("upstream") as upstream:
        cassette = bench.folder / f"long-{upstream.process.pid}.yaml"
        with proxy("record", "--upstream", upstream.url, "--cassette", cassette) as server:
            bench.load.run(Job(server.url, "message", 1_000_000, bench.of(300, 5)))
            job = Job(server.url, "message", 1_000_000, step, first=1_000)
            contestants = [Contestant(str(n), server, replace(job, first=1_000 + n * step)) for n in range(steps)]
            for contestant in contestants:
                contestant.run(bench.load)
            size = server.memory()[1]
    first, last = contestants[0].figures, contestants[-1].figures
    table = Table(
        f"A recording of {step * steps:,} interactions", ("interactions", "CPU µs", "req/s", "p50 ms", "× first")
    )
    for title, figures in ((f"first {step:,}", first), (f"last {step:,}", last)):
        cells = (figure(figures.cpu), f"{figures.rate:,.0f}", figure(figures.p50))
        table.add(title, *cells, figure(ratio(figures.cpu, first.cpu)))
    table.notes.append(f"Recorded: {_recorded(cassette)}. Most memory that it took: {size:.0f} MB.")
    yield table


def _recorded(cassette: object) -> str:
    with open(str(cassette), "rb") as file:
        text = file.read()
    return f"{text.count(b'--- # '):,} interactions, {len(text) / 1e6:.1f} MB"
