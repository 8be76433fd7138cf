"""A worker's part in sessions that its supervisor keeps: what it opens, saves, tells and closes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from replayproxy.config import Settings
from replayproxy.core.cassette import Interaction
from replayproxy.core.faults import FaultPlan
from replayproxy.core.receipt import Receipt
from replayproxy.errors import CassetteError, ReplayProxyError
from replayproxy.proxy.handler import Handler
from replayproxy.proxy.opening import Declaration, Opener, Share
from replayproxy.proxy.sessions import Sessions
from replayproxy.proxy.workers.channel import Asked, Channel, GoneError
from replayproxy.proxy.workers.terms import Marks, Opened
from replayproxy.stores import FileStore, Spool
from replayproxy.stores.contract import Unsaved
from replayproxy.stores.shared_tally import SharedTally
from replayproxy.stores.side_files import SideFiles

__all__ = ["RemoteOpener", "RemoteRecorder", "WorkerSessions"]


class RemoteRecorder:
    """Saves through the supervisor (see `stores/contract.py`); in a thread, while `loop` runs the channel.

    Large bodies go into the cassette's folder from here: only what tells of them travels.
    """

    def __init__(
        self, channel: Channel, loop: asyncio.AbstractEventLoop, opened: Opened, make_spool: Callable[[], Spool]
    ) -> None:
        self._channel, self._loop, self._opened, self._make_spool = channel, loop, opened, make_spool
        self._spooled = False

    def append(self, interaction: Interaction, arrival: int) -> None:
        """Saves an interaction."""
        error = self.append_all([Unsaved(interaction, arrival)])[0]
        if error is not None:
            raise error

    def prepare(self, interaction: Interaction) -> None:
        """Nothing: the supervisor knows what may be kept of an earlier take."""

    def append_all(self, batch: Sequence[Unsaved]) -> list[CassetteError | None]:
        """Saves interactions, and tells of each what kept it from being saved."""
        asking = self._channel.ask("append", self._opened.declaration.name, self._opened.generation, batch)
        try:
            errors: list[CassetteError | None] = asyncio.run_coroutine_threadsafe(asking, self._loop).result()
        except GoneError as error:
            return [CassetteError(f"the supervisor cannot save it: {error}")] * len(batch)
        return errors

    def sync(self) -> None:
        """Nothing: the supervisor does it."""

    def spool(self) -> Spool:
        """A new file for a large body."""
        if not self._spooled:
            self._spooled = True
            name, generation = self._opened.declaration.name, self._opened.generation
            self._loop.call_soon_threadsafe(self._channel.tell, "spooled", name, generation)
        return self._make_spool()

    def close(self) -> None:
        """Nothing: the supervisor ends the recording when all workers have."""


class RemoteOpener:
    """Opens a worker's part of the sessions that the supervisor has open."""

    def __init__(self, opener: Opener, channel: Channel, seat: int, known: Sequence[Opened]) -> None:
        self.settings: Settings = opener.settings
        self._opener, self._channel, self._seat = opener, channel, seat
        self._known = {opened.declaration.name: opened for opened in known}
        self._opened: dict[str, Opened] = {}
        self._ended = set[int]()

    async def open(self, declaration: Declaration) -> Handler:
        """A part of the session of that name, which the supervisor opens when it is not."""
        name = declaration.name
        opened = self._known.pop(name, None)
        while opened is None or opened.generation in self._ended:
            opened = await self._ask(name)
        self._opened[name] = opened
        self._opener.emulator_url = opened.emulator_url
        share = Share(
            tally=SharedTally(opened.tally, self._seat),
            recordings=opened.recordings,
            telling=partial(self._channel.tell, "missed", name, opened.generation),
            recorder=partial(self._recorder, opened, asyncio.get_running_loop()),
        )
        handler = await self._opener.open(opened.declaration, share)
        handler.session.set_faults(opened.faults, opened.number)
        return handler

    def generation(self, name: str) -> int:
        """Which session of that name this worker takes part in; 0 for none, or before it is known."""
        opened = self._opened.get(name)
        return opened.generation if opened else 0

    def known(self) -> list[str]:
        """The sessions that the supervisor had open in the beginning, and this worker has no part in yet."""
        return list(self._known)

    def meet(self, name: str, generation: int, plan: FaultPlan, number: int) -> None:
        """A session that is opened later has this plan of faults."""
        opened = self._known.get(name)
        if opened is not None and opened.generation == generation:
            self._known[name] = replace(opened, faults=plan, number=number)

    def end(self, name: str, generation: int) -> None:
        """No part in that session is opened any more."""
        self._ended.add(generation)
        if (opened := self._known.get(name)) is not None and opened.generation == generation:
            del self._known[name]
        if self.generation(name) == generation:
            del self._opened[name]

    async def _ask(self, name: str) -> Opened:
        try:
            opened: Opened = await self._channel.ask("open", name)
        except GoneError as error:
            raise CassetteError(f"the supervisor cannot open it: {error}") from error
        return opened

    def _recorder(self, opened: Opened, loop: asyncio.AbstractEventLoop, store: FileStore) -> RemoteRecorder:
        return RemoteRecorder(self._channel, loop, opened, SideFiles(store.path).spool)


class WorkerSessions(Sessions):
    """The sessions that a worker has a part in. Their receipts are the supervisor's affair."""

    def __init__(self, opener: RemoteOpener, channel: Channel, forget: Callable[[], None]) -> None:
        super().__init__(opener, forget)
        self._remote, self._channel = opener, channel

    def asked(self) -> Mapping[str, Asked]:
        """What the supervisor may ask for."""
        return {"close": self.end, "faults": self.meet, "marks": self.marks}

    async def end(self, name: str, generation: int) -> Marks:
        """Closes this worker's part in a session when its exchanges are done."""
        known, handler = self._remote.generation(name) == generation and name in self, None
        if known:
            # One that is still being opened is waited for: the supervisor said already what it is.
            await asyncio.wait([self._opening[name]])
            handler = self._handler(name)
        self._remote.end(name, generation)
        if handler is None:
            return {}
        await self.close(name)
        return {generation: handler.session.touched}

    async def meet(self, name: str, generation: int, plan: FaultPlan, number: int) -> None:
        """Lets requests meet the faults of a plan."""
        self._remote.meet(name, generation, plan, number)
        if self._remote.generation(name) == generation and name in self:
            await asyncio.wait([self._opening[name]])
            if (handler := self._handler(name)) and self._remote.generation(name) == generation:
                handler.session.set_faults(plan, number)

    async def marks(self) -> Marks:
        """Which rules applied in the sessions that are open."""
        handlers = {name: self._handler(name) for name in self.names()}
        return {self._remote.generation(name): each.session.touched for name, each in handlers.items() if each}

    def _handler(self, name: str) -> Handler | None:
        return self._opening[name].result() if name in self.names() else None

    async def _closed_when_done(self, opening: asyncio.Task[Handler], begin_anew: bool) -> Receipt:
        handler = await opening
        await handler.close()
        return Receipt(handler.session.mode.name, name=handler.name)

    def _refused(self, name: str, error: ReplayProxyError) -> None:
        self._channel.tell("refused", name, str(error))
