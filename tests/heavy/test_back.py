"""After many mixed requests a proxy holds what it held before; clients that read slowly make it hold little.

`REPLAYPROXY_REQUESTS=100000` says how many requests there are in each mode. A fifth of them come before the first look:
what is meant to be filled (the journal, heads and requests that are remembered) has been filled then.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from replayproxy.proxy.loop import run_loop
from tests.heavy.traffic import KINDS, Line, Upstream, expected, upstream
from tests.heavy.watching import Look, Watched, many_descriptors, number, watched
from tests.heavy.weighing import GROWTH, MIB, tell

pytestmark = pytest.mark.heavy

REQUESTS, CLIENTS, SLOW = number("REQUESTS", 6_000), 32, number("SLOW", 200)
#: How much more the second half of the requests may leave behind, of memory and of objects.
LEFT, OBJECTS = 4 * MIB, max(2_000, REQUESTS // 20)
#: A request that was answered from a recording is known by its bytes from then on, up to a number: so many bytes each,
#: and so many objects, what others call it being one.
PLACE, PLACES, EACH = 384, "replayproxy.proxy.again.Again", 2
#: What may wait in the proxy for a client that does not read, whatever it asked for; and what an answer of 1 MB takes
#: besides where it is recorded or played: a body of up to 8 MiB is in memory then, and a copy of it for a moment.
WAITING, WHOLE = 512 * 1024, 2 * MIB
#: The journal is bounded by bytes, and its answers are of all sizes: a small one varies little in what it holds.
SETTINGS = {"REPLAYPROXY_LIMITS__JOURNAL": str(MIB // 16), "REPLAYPROXY_PLAYBACK__REPEAT": "cycle"}
#: What comes often, and what comes seldom.
OFTEN = ("small", "got", "known", "packed", "refused", "head", "deleted", "unchanged")
SELDOM = ("sized", "chunked", "multipart", "large", "stream", "limited", "faulty", "closed", "cut")


def mixed(count: int, first: int) -> Iterator[tuple[str, str, str]]:
    """So many requests: kind, id, and a header line of which most requests have none and some one of their own."""
    chance = random.Random(first)
    for turn in range(first, first + count):
        kind = chance.choice(SELDOM if turn % 40 == 0 else OFTEN)
        yield kind, f"n{turn}", "" if turn % 4 else f"X-Request-Id: {turn}\r\n"


async def ask_all(url: str, wanted: Iterator[tuple[str, str, str]]) -> None:
    """Clients that keep their connections ask for all that is wanted, and compare what they get."""

    async def ask() -> None:
        line = await Line.to(url)
        for kind, id_, fields in wanted:
            answer = await line.ask(kind, id_, "", fields)
            assert expected(kind, id_, answer), (kind, id_, answer)
            if KINDS[kind].broken or answer.fields.get("connection") == "close":
                line.close()
                line = await Line.to(url)
        line.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(ask())


async def quiet(proxy: Watched, behind: Upstream | None, base: Look | None) -> Look:
    """A look when nothing is under way."""
    if behind is not None:
        await behind.hang_up()
    least = base or Look(0, 0, 0, 4, 0, 0, Counter())
    return await proxy.settled(
        lambda now: now.tasks <= least.tasks and (base is None or now.descriptors <= base.descriptors)
    )


async def three_looks(
    proxy: Watched, behind: Upstream | None, parts: Sequence[Iterator[tuple[str, str, str]]]
) -> list[Look]:
    """Looks after each part of the requests."""
    looks: list[Look] = []
    for part in parts:
        await ask_all(proxy.url, part)
        looks.append(await quiet(proxy, behind, looks[0] if looks else None))
    return looks


def check(request: pytest.FixtureRequest, name: str, looks: Sequence[Look]) -> None:
    """The second half of the requests left nothing behind."""
    warm, half, end = looks
    figures = warm.figures("fifth") | half.figures("half") | end.figures("end")
    tell(request, requests=REQUESTS, left_mib=(end.resident - half.resident) / MIB, **figures)
    known = end.kinds[PLACES] - half.kinds[PLACES]
    assert end.resident - half.resident < LEFT + PLACE * known, (name, end.more(half))
    assert end.objects - half.objects - EACH * known < OBJECTS, (name, end.more(half))
    assert (end.tasks, end.descriptors) == (warm.tasks, warm.descriptors), (name, end.more(warm, 1))
    assert end.threads <= warm.threads + 1


SHARES = (REQUESTS // 5, REQUESTS // 10 * 3, REQUESTS // 2)
FIRSTS = tuple(itertools.accumulate(SHARES, initial=0))[:-1]


@pytest.mark.parametrize("mode", ["record", "passthrough"])
def test_what_many_requests_leave_behind(folder: Path, request: pytest.FixtureRequest, mode: str) -> None:
    """Tasks, descriptors and memory are back when requests are forwarded, saved or not."""

    async def main() -> list[Look]:
        async with upstream() as behind:
            with watched(mode, folder, "--upstream", behind.url, **SETTINGS) as proxy:
                parts = [mixed(count, first) for count, first in zip(SHARES, FIRSTS, strict=True)]
                looks = await three_looks(proxy, behind, parts)
            assert behind.oddities == []
            return looks

    check(request, mode, run_loop(main()))


def test_what_many_requests_leave_behind_when_they_are_played(folder: Path, request: pytest.FixtureRequest) -> None:
    """Tasks, descriptors and memory are back when answers are played, to bytes that came before and to others."""
    kept = [each for each in mixed(800, 0) if KINDS[each[0]].saved]

    def again(count: int, first: int) -> Iterator[tuple[str, str, str]]:
        for turn in range(first, first + count):
            kind, id_, _ = kept[turn % len(kept)]
            yield kind, id_, "" if turn % 2 else f"X-Request-Id: {turn}\r\n"

    async def main() -> list[Look]:
        async with upstream() as behind:
            with watched("record", folder, "--upstream", behind.url) as proxy:
                await ask_all(proxy.url, iter(kept))
        with watched("playback", folder, **SETTINGS) as proxy:
            parts = [again(count, first) for count, first in zip(SHARES, FIRSTS, strict=True)]
            return await three_looks(proxy, None, parts)

    check(request, "playback", run_loop(main()))


@pytest.mark.parametrize("mode", ["record", "passthrough"])
def test_clients_that_read_slowly(folder: Path, request: pytest.FixtureRequest, mode: str) -> None:
    """200 of them, with an answer of 1 MB each that none reads: a bounded part of it waits in the proxy."""

    async def take(line: Line, kind: str, id_: str) -> None:
        assert expected(kind, id_, await line.answer())
        line.close()

    async def a_round(proxy: Watched) -> Look:
        lines = [await Line.to(proxy.url, buffer=4_096) for _ in range(SLOW)]
        for turn, line in enumerate(lines):
            await line.send_request("large", f"s{turn % 40}")
        waiting = await proxy.settled(lambda now: False, seconds=3)
        async with asyncio.TaskGroup() as group:
            for turn, line in enumerate(lines):
                group.create_task(take(line, "large", f"s{turn % 40}"))
        return waiting

    async def all_slow(proxy: Watched, behind: Upstream | None, name: str) -> None:
        await ask_all(proxy.url, iter([("large", f"s{turn}", "") for turn in range(40)]))
        base = await quiet(proxy, behind, None)
        waiting = await a_round(proxy)
        first = await quiet(proxy, behind, base)
        await a_round(proxy)
        after = await quiet(proxy, behind, base)
        told = base.figures("before") | waiting.figures("waiting") | first.figures("first") | after.figures("after")
        growth, most = proxy.peak - base.resident, WAITING + WHOLE * (name != "passthrough")
        tell(request, clients=SLOW, each_kib=growth / SLOW / 1024, peak_mib=growth / MIB, **told)
        assert growth < SLOW * most, (name, waiting.more(base))
        assert after.resident - first.resident < GROWTH, (name, after.more(first))
        assert after.tasks <= base.tasks
        assert after.descriptors <= base.descriptors

    async def main() -> None:
        async with upstream() as behind:
            with watched(mode, folder, "--upstream", behind.url, **SETTINGS) as proxy:
                await all_slow(proxy, behind, mode)
        if mode == "record":
            with watched("playback", folder, **SETTINGS) as proxy:
                await all_slow(proxy, None, "playback")

    with many_descriptors(4 * SLOW + 100):
        run_loop(main())
