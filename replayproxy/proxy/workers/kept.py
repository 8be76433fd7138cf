"""The sessions as the supervisor keeps them: opened, recorded, reset and closed here, served by workers."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from replayproxy.core.faults import FaultPlan
from replayproxy.core.journal import Entry, Journal
from replayproxy.core.meter import Reading
from replayproxy.core.receipt import Receipt, ToldMiss
from replayproxy.errors import CassetteError, ReplayProxyError
from replayproxy.proxy.handler import Handler
from replayproxy.proxy.opening import Declaration, Opener
from replayproxy.proxy.sessions import Sessions
from replayproxy.proxy.workers.channel import Asked, Told
from replayproxy.proxy.workers.terms import Marks, Opened
from replayproxy.stores.contract import Unsaved
from replayproxy.stores.shared_tally import SharedTally
from replayproxy.stores.writer import Writer

if TYPE_CHECKING:
    from replayproxy.proxy.admin_forms import Wanted

__all__ = ["KeptSessions"]

#: Asks all workers.
_AskAll = Callable[..., Awaitable[list[Any]]]


class KeptSessions(Sessions):
    """Sessions that workers serve; their tallies are shared ones. `ask_all` asks the workers."""

    def __init__(self, opener: Opener, ask_all: _AskAll) -> None:
        super().__init__(opener)
        self._with_link, self._ask_all = opener, ask_all
        self._generations = itertools.count(1)
        self._opened: dict[str, Opened] = {}
        self._parts: dict[int, Handler] = {}

    def asked(self) -> Mapping[str, Asked]:
        """What a worker may ask for."""
        return {"open": self.opened, "append": self.append}

    def told(self) -> Mapping[str, Told]:
        """What a worker may tell."""
        return {"missed": self.missed, "refused": self.refused, "spooled": self.spooled}

    def known(self) -> tuple[Opened, ...]:
        """The sessions that are open."""
        return tuple(self._opened.values())

    async def opened(self, name: str) -> Opened:
        """The session of that name, which is opened when it is not."""
        while True:
            await self.get(name)
            if (found := self._opened.get(name)) is not None:
                return found

    async def append(self, name: str, generation: int, batch: Sequence[Unsaved]) -> list[CassetteError | None]:
        """Saves what a worker recorded, and tells of each what kept it from being saved."""
        handler = self._parts.get(generation)
        if handler is None or handler.tape is None:
            return [CassetteError(f"the recording of session {name} has ended")] * len(batch)
        return await asyncio.gather(*(_saved(handler.tape.recorder, unsaved) for unsaved in batch))

    def missed(self, name: str, generation: int, told: ToldMiss) -> None:
        """Takes note of what a client was told about a miss."""
        if (handler := self._parts.get(generation)) is not None:
            handler.session.note_miss(told)

    def refused(self, name: str, error: str) -> None:
        """Remembers that a request could not be answered at all."""
        self._refused(name, ReplayProxyError(error))

    def spooled(self, name: str, generation: int) -> None:
        """Large bodies are being kept: the recorder has to look after them in the end."""
        handler = self._parts.get(generation)
        if handler is not None and handler.tape is not None:
            handler.tape.recorder.spool().discard()

    async def set_faults(self, name: str, plan: FaultPlan) -> None:
        """Lets an open session's requests meet the faults of a plan, whoever serves them."""
        opened, handler = await self.opened(name), await self.get(name)
        handler.session.set_faults(plan)
        opened = self._opened[name] = replace(opened, faults=plan, number=handler.session.faults.number)
        await self._ask_all("faults", name, opened.generation, plan, opened.number)

    def take(self, answers: Iterable[Marks]) -> None:
        """Takes note of the rules that applied where workers served."""
        for marks in answers:
            for generation, touched in marks.items():
                if (handler := self._parts.get(generation)) is not None:
                    handler.session.touched |= touched

    async def catch_up(self) -> None:
        """Takes in what the workers know and did not tell yet; what they told has arrived when this is over."""
        self.take(await self._ask_all("marks"))

    async def journal(self, wanted: Wanted) -> Journal:
        """What went through all workers lately, as far as it is wanted."""
        found: list[Entry] = sorted(
            itertools.chain(*await self._ask_all("journal", wanted)), key=lambda one: one.number
        )
        journal = Journal(size=self._with_link.settings.limits.journal)
        for entry in found[-wanted.limit - 1 :]:
            journal.add(entry)
        return journal

    async def entry(self, number: int) -> Entry | None:
        """The exchange with that number, None when no worker holds it."""
        found: list[Entry | None] = await self._ask_all("entry", number)
        return next((each for each in found if each is not None), None)

    async def summaries(self, text: str, limit: int) -> list[dict[str, Any]]:
        """The summaries of the latest exchanges that fit a filter, the newest first."""
        found = itertools.chain(*await self._ask_all("summaries", text, limit))
        return sorted(found, key=lambda one: int(one["number"]), reverse=True)[:limit]

    async def metrics(self) -> list[Reading]:
        """What each of the workers counted."""
        return await self._ask_all("metrics")

    async def _opened_after(self, closing: asyncio.Task[Receipt] | None, declaration: Declaration) -> Handler:
        handler = await super()._opened_after(closing, declaration)
        session, generation, link = handler.session, next(self._generations), self._with_link.link
        assert isinstance(session.tally, SharedTally), "the opener makes shared tallies"  # noqa: S101 -- for the types
        emulator_url = str(link.upstream) if link and self._with_link.settings.upstream.kind == "emulator" else ""
        recordings = len(session) if session.exists else None
        self._parts[generation] = handler
        self._opened[handler.name] = Opened(declaration, generation, session.tally.path, recordings, emulator_url)
        return handler

    async def _closed_when_done(self, opening: asyncio.Task[Handler], begin_anew: bool) -> Receipt:
        handler = await opening
        opened = self._opened.pop(handler.name)
        self.take(await self._ask_all("close", handler.name, opened.generation))
        receipt = await super()._closed_when_done(opening, begin_anew)
        del self._parts[opened.generation]
        opened.tally.unlink(missing_ok=True)
        return receipt


async def _saved(writer: Writer, unsaved: Unsaved) -> CassetteError | None:
    errors = list[Exception | None]()
    await writer.append(unsaved.interaction, unsaved.arrival, errors.append)
    error = errors[0]
    return error if error is None or isinstance(error, CassetteError) else CassetteError(f"cannot be saved: {error!r}")
