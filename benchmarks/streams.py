"""Many event streams at once through one worker, and how a recorded stream keeps its time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import ExitStack

from listeners import Heard, Listener, listening
from processes import Server, floor, proxy
from tables import Table, against, figure, ratio
from turns import Bench

__all__ = ["streams"]


def streams(bench: Bench) -> Iterator[Table]:
    """Live streams, then recorded ones."""
    _more_files()
    with listening() as listener:
        yield _live(bench, listener)
        yield _replayed(bench, listener)


def _more_files() -> None:
    """As many open files as the system lets us have: the processes started from here on inherit it."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _live(bench: Bench, listener: Listener) -> Table:
    count, events = bench.of(1_000, 5), bench.of(160, 4)
    heads = (
        "server",
        "cores needed",
        "µs an event",
        "way p50 ms",
        "p99",
        "most",
        "> 10 ms",
        "> 50 ms",
        "end ÷ begin",
    )
    table = Table(f"{count:,} streams at 20 events/s, {events} events each", heads)
    with ExitStack() as stack:
        upstream = stack.enter_context(floor("upstream"))
        forwarder = stack.enter_context(floor("forwarder", upstream.url))
        cassette = bench.folder / f"streams-{upstream.process.pid}.yaml"
        ways = {
            "direct": upstream,
            "bare aiohttp forwarder": forwarder,
            "replayproxy passthrough": stack.enter_context(
                proxy("serve", "--mode", "passthrough", "--upstream", upstream.url, "--cassettes", bench.folder)
            ),
            "replayproxy record": stack.enter_context(
                proxy("record", "--upstream", upstream.url, "--cassette", cassette)
            ),
        }
        for name, server in ways.items():
            listener.listen(server.url, 1, 2, 5)
            _live_row(table, name, server, listener, (count, events))
    table.notes.append("An event's way is from its sending to its coming; the streams begin within one second.")
    table.notes.append("Last: the way in the last quarter of the streams ÷ that in the first.")
    return table


def _live_row(table: Table, name: str, server: Server, listener: Listener, size: tuple[int, int]) -> None:
    (count, events), before = size, server.cpu()
    heard = listener.listen(server.url, count, events, 50, spread=count / 1_000)
    used = server.settled_cpu() - before
    table.add(
        name,
        figure(used / (events / 20)),
        figure(used / heard.events * 1e6),
        *(figure(lag) for lag in (heard.p50, heard.p99, heard.most)),
        f"{heard.late10:.1%}",
        f"{heard.late50:.1%}",
        figure(ratio(heard.ended, heard.began)),
    )
    if heard.missing:
        table.notes.append(f"{name}: {heard.missing:,} events did not come")


def _replayed(bench: Bench, listener: Listener) -> Table:
    heads = ("streams at once", "off its time: p50 ms", "p99 ms", "most ms", "first event ms (recorded: 50)")
    table = Table("A recorded stream of 50 events, one each 20 ms, at --speed 1", heads)
    options = ("playback", "--cassette", bench.cassette("stream", 1), "--speed", "1")
    with proxy(*options, settings={"PLAYBACK__REPEAT": "cycle"}) as server:
        for count in bench.of((1, 100), (2,)):
            heard: Heard = listener.replayed(server.url, count)
            offs = figure(heard.p50), figure(heard.p99), against(heard.most, 5.0)
            table.add(str(count), *offs, figure(heard.first))
    return table
