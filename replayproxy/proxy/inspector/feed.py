"""The feed: what the journal holds, the newest first, and then every exchange as it happens.

Rules:
1. Nobody waits for whoever watches: an exchange costs nothing here when it happens. The feed looks at the journal some
   times a second, and takes no more than a small part of the time.
2. When more happens than is worth showing at once, the newest is told, and the rest when less happens. What the journal
   has dropped before it could be told is counted, never passed over in silence.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from aiohttp import web

from replayproxy.core.filters import Filter, parse_filter
from replayproxy.core.journal import Journal, Noted
from replayproxy.errors import ConfigError
from replayproxy.proxy.admin_forms import AdminError
from replayproxy.proxy.admin_port import answered
from replayproxy.proxy.inspector.describing import operation
from replayproxy.proxy.inspector.event_stream import EventStream
from replayproxy.proxy.inspector.forms import Summaries, message_text
from replayproxy.proxy.inspector.inspector import Inspector

if TYPE_CHECKING:
    from replayproxy.proxy.admin import Others

__all__ = ["DESCRIBED", "Matching", "give_feed", "give_keys", "read_filter"]

#: How often the journal is looked at, how long a look may take, and how often a silent feed shows that it lives; in
#: seconds.
TICK, AT_ONCE, SILENCE = 0.1, 0.004, 10.0
#: So many new exchanges are told at a look: a few hundred a second, which costs some hundredths of the time.
MOST_AT_ONCE = 40
#: So many exchanges make a page of what was there already.
PAGE = 500
#: A feed tells no more exchanges of the past than this.
MOST = 10_000

DESCRIBED: dict[str, Any] = {
    "/feed": {
        "get": operation(
            "feed",
            "The exchanges that fit a filter, as an event stream: `page` with those of the past, the newest first,"
            " `caught_up`, and from then on `exchanges` and `gone` (through which number the journal dropped them).",
            query={"filter": "What has to fit; empty for all.", "limit": "How many of the past, at most 10000."},
            gives="text/event-stream",
            refusals={400: "The filter or the limit cannot be understood."},
        )
    },
    "/filters": {"get": operation("filters", "The keys of the filter language, with examples.")},
}


async def give_keys(inspector: Inspector, request: web.Request) -> web.Response:
    """The keys of the filter language."""
    from replayproxy.core.filters import FILTER_KEYS

    return answered({"keys": FILTER_KEYS})


def read_filter(text: str) -> Filter:
    """The filter that a query spells. AdminError when it is none."""
    try:
        return parse_filter(text)
    except ConfigError as error:
        raise AdminError.invalid(("filter", str(error))) from None


@dataclass(slots=True)
class Matching:
    """Finds out which exchanges fit a filter, a few at a time."""

    filter: Filter
    summaries: Summaries = field(default_factory=Summaries)

    def of(self, noted: Noted) -> dict[str, Any] | None:
        """The summary of an exchange that fits, None for one that does not."""
        summary = self.summaries.of(noted.glance())
        return summary if self.filter.matches(summary, lambda: _texts(noted)) else None

    async def among(self, found: Sequence[Noted], size: int) -> AsyncIterator[tuple[list[dict[str, Any]], int]]:
        """The summaries of those that fit in this order, and of how many so far: whenever there are `size` of them or
        a moment has passed. Others have their turn in between."""
        told, began = list[dict[str, Any]](), time.perf_counter()
        for place, noted in enumerate(found, 1):
            if (summary := self.of(noted)) is not None:
                told.append(summary)
            if len(told) == size or place == len(found):
                yield told, place
                told = []
            if time.perf_counter() - began > AT_ONCE:
                await asyncio.sleep(2 * AT_ONCE)
                began = time.perf_counter()


def _texts(noted: Noted) -> tuple[str, str]:
    entry = noted.entry()
    return message_text(entry.request), message_text(entry.response) if entry.response is not None else ""


async def give_feed(inspector: Inspector, request: web.Request) -> web.StreamResponse:
    """The feed."""
    matching, limit = Matching(read_filter(request.query.get("filter", ""))), _limit(request)
    feed = _Feed(await EventStream.begun(request), matching)
    if inspector.others is not None:
        await feed.run_remote(inspector.others, request.query.get("filter", ""), limit)
    else:
        await feed.run(inspector.journal, limit)
    return feed.stream.response


def _limit(request: web.Request) -> int:
    given = request.query.get("limit", str(MOST))
    if not (given.isascii() and given.isdecimal() and len(given) <= 5 and int(given) <= MOST):
        raise AdminError.invalid(("limit", f"expected a whole number from 0 to {MOST}"))
    return int(given)


@dataclass(slots=True)
class _Feed:
    """One watcher's view of the journal.

    `live` are the exchanges under way, as they were last told; `behind` are those that were passed over while too much
    happened, by how many had been added before the first and after the last of them, the newest last. They are told
    when less happens.
    """

    stream: EventStream
    matching: Matching
    live: dict[int, dict[str, Any]] = field(default_factory=dict)
    behind: list[tuple[int, int]] = field(default_factory=list)
    told_at: float = 0.0

    async def run(self, journal: Journal, limit: int) -> None:
        """Tells until the watcher has gone."""
        added, through = await self._tell_past(journal, limit), 0
        while not self.stream.gone:
            await asyncio.sleep(TICK)
            await self._tell_new(journal, added)
            added = journal.added
            if journal.oldest - 1 > through:
                through = journal.oldest - 1
                await self._send("gone", {"through": through})
            await self._breathe()

    async def run_remote(self, others: Others, text: str, limit: int) -> None:
        """The same of exchanges that went through other processes, which are asked a few times a second."""
        past = await others.summaries(text, limit)
        told = {each["number"]: each for each in past}
        for start in range(0, max(1, len(past)), PAGE):
            page = past[start : start + PAGE]
            await self._send("page", {"exchanges": page, "searched": start + len(page), "of": len(past)})
        await self._send("caught_up", {"matched": len(past), "held": len(past)})
        while not self.stream.gone:
            await asyncio.sleep(5 * TICK)
            latest = await others.summaries(text, PAGE)
            changed = [each for each in latest if told.get(each["number"]) != each]
            told |= {each["number"]: each for each in changed}
            while len(told) > 2 * MOST:
                del told[next(iter(told))]
            if changed:
                await self._send("exchanges", {"exchanges": changed[::-1]})
            await self._breathe()

    async def _tell_past(self, journal: Journal, limit: int) -> int:
        """Tells what is there, the newest first; gives how many had been added by then."""
        added = journal.added
        past = journal.since(added - limit)[::-1] if limit else []
        matched = 0
        async for page, searched in self.matching.among(past, PAGE):
            matched += len(page)
            await self._send("page", {"exchanges": page, "searched": searched, "of": len(past)})
            if self.stream.gone:
                break
        await self._send("caught_up", {"matched": matched, "held": len(journal)})
        return added

    async def _tell_new(self, journal: Journal, added: int) -> None:
        """Tells what came since so many had been added: all of it, or the newest when it is much; what was passed over
        before when nothing came."""
        new = min(journal.added - added, MOST_AT_ONCE)
        if journal.added - new > added:
            self.behind.append((added, journal.added - new))
        told, unfit = self._fitting(journal.since(journal.added - new) or self._passed_over(journal))
        told += self._changed(journal.under_way())
        lost, waiting = self._waiting(journal)
        if told or unfit or lost:
            counts = {"held": len(journal), "waiting": waiting, "left_out": lost}
            await self._send("exchanges", {"exchanges": told, "unfit": unfit, **counts})

    def _fitting(self, found: Iterable[Noted]) -> tuple[list[dict[str, Any]], list[int]]:
        """The summaries of those that fit, and the numbers of those that were told while they did and do not now."""
        told, unfit = list[dict[str, Any]](), list[int]()
        for noted in found:
            before = self.live.pop(noted.number, None)
            if (summary := self.matching.of(noted)) is not None:
                told.append(summary)
            elif before is not None:
                unfit.append(noted.number)
        return told, unfit

    def _passed_over(self, journal: Journal) -> list[Noted]:
        """The newest of those that were passed over."""
        if not self.behind:
            return []
        start, end = self.behind.pop()
        first = max(start, end - 4 * MOST_AT_ONCE)
        if first > start:
            self.behind.append((start, first))
        held = journal.since(first)
        return held[: max(0, len(held) - (journal.added - end))]

    def _waiting(self, journal: Journal) -> tuple[int, int]:
        """How many the journal has dropped before they were told, and how many are still to be told."""
        dropped, lost = journal.added - len(journal), 0
        for place, (start, end) in enumerate(self.behind):
            lost += max(0, min(end, dropped) - start)
            self.behind[place] = max(start, dropped), end
        self.behind = [(start, end) for start, end in self.behind if start < end]
        return lost, sum(end - start for start, end in self.behind)

    def _changed(self, under_way: Iterable[Noted]) -> list[dict[str, Any]]:
        """Those under way of which something else is to be told than before; the time that goes by is nothing new. What
        is looked for in bodies is looked for when they are complete."""
        told = list[dict[str, Any]]()
        if self.matching.filter.needs_bodies:
            return told
        for noted in islice(under_way, MOST_AT_ONCE):
            summary = self.matching.of(noted)
            known = self.live.get(noted.number)
            if summary is None or (known is not None and known | {"seconds": 0} == summary | {"seconds": 0}):
                continue
            self.live[noted.number] = summary
            told.append(summary)
        return told

    async def _send(self, event: str, value: dict[str, Any]) -> None:
        self.told_at = time.perf_counter()
        await self.stream.send(event, value)

    async def _breathe(self) -> None:
        if time.perf_counter() - self.told_at > SILENCE:
            self.told_at = time.perf_counter()
            await self.stream.breathe()
