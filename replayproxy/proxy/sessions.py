"""The sessions of a proxy, and which of them a request belongs to.

Rules:
1. A session is opened once, however many requests wait for it, and no lock is held while a request is answered.
2. The prefix `/@NAME` and the header never go further than this: what a session sees is the request without them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from aiohttp import web

from replayproxy.config import Settings
from replayproxy.core.faults import FaultPlan
from replayproxy.core.receipt import Receipt
from replayproxy.errors import ConfigError, ReplayProxyError, TooManySessionsError
from replayproxy.proxy import answers
from replayproxy.proxy.handler import Handler
from replayproxy.proxy.heads import Heads
from replayproxy.proxy.names import DEFAULT
from replayproxy.proxy.opening import Declaration
from replayproxy.proxy.wire import Answered

__all__ = ["Opens", "Sessions"]

_log = logging.getLogger(__name__)

#: Receipts of so many sessions that could not be opened are kept, and no more.
BROKEN_KEPT = 100
_FEWER = "close some (DELETE /sessions/NAME at the admin port), or raise limits.sessions"


class Opens(Protocol):
    """Opens sessions under a proxy's settings; an `Opener` is one kind."""

    settings: Settings

    async def open(self, declaration: Declaration) -> Handler:
        """Opens a session; a ReplayProxyError says why it cannot."""


class Sessions:
    """Opens sessions when they are first asked for or declared; keeps the receipts of those that were closed.

    `forget` is called when one is closed: nobody may answer in its name any more.
    """

    def __init__(self, opener: Opens, forget: Callable[[], None] = lambda: None) -> None:
        self._opener, self._forget = opener, forget
        self._opening: dict[str, asyncio.Task[Handler]] = {}
        self._closing: dict[str, asyncio.Task[Receipt]] = {}
        self._declared: dict[str, Declaration] = {}
        self._closed: list[Receipt] = []
        self._broken: dict[str, Receipt] = {}
        self._begun_anew: set[str] = set()
        self._heads = Heads()

    async def __call__(self, raw: web.BaseRequest) -> web.StreamResponse:
        """Answers a request, in the session that it is for."""
        name = ""
        try:
            name, head = self._heads.read(raw)
            handler = await self.get(name)
        except ReplayProxyError as error:
            self._refused(name, error)
            return Answered(await answers.no_session(raw, error))
        return await handler.handle(raw, head)

    async def get(self, name: str) -> Handler:
        """The session's handler; opened with the proxy's settings when nobody declared it.

        TooManySessionsError when it is not open, and as many are as may be.
        """
        opening = self._opening.get(name)
        if opening is None:
            return await self._open(Declaration(name))
        return opening.result() if opening.done() else await asyncio.shield(opening)

    async def declare(self, declaration: Declaration) -> Handler:
        """Opens a session as declared. ConfigError when its name is taken, or as many are open as may be."""
        if declaration.name in self:
            raise ConfigError(f"there is a session {declaration.name} already; delete it first, or choose another name")
        return await self._open(declaration)

    def __contains__(self, name: str) -> bool:
        """Whether a session of that name is open, or being opened."""
        return name in self._opening

    def names(self) -> tuple[str, ...]:
        """The open sessions, in the order in which they were opened."""
        return tuple(name for name, opening in self._opening.items() if _opened(opening))

    def receipt(self, name: str) -> Receipt:
        """What happened so far in an open session. KeyError when there is no such session."""
        if name not in self.names():
            raise KeyError(name)
        return _receipt(self._opening[name].result())

    def unplayed(self, name: str) -> tuple[int, frozenset[int]] | None:
        """How many recordings an open session plays, and the numbers of those that it never gave; None when it plays
        none, or none as the cassette is now. KeyError when there is no such session."""
        opening = self._opening.get(name)
        if opening is None or not _opened(opening):
            raise KeyError(name)
        session = opening.result().session
        if not (session.mode.plays and session.exists and session.is_current()):
            return None
        return len(session), frozenset(session.unplayed())

    async def set_faults(self, name: str, plan: FaultPlan) -> None:
        """Lets an open session's requests meet the faults of a plan from now on."""
        (await self.get(name)).session.set_faults(plan)

    async def reset(self, name: str) -> Handler:
        """Closes a session and opens it again as it was declared: its play counts begin anew. KeyError for no such.

        The receipt so far is kept when a request came: what missed stays missed.
        """
        closing = self._close(name, begin_anew=True)
        handler = await self._open(self._declared[name])
        await closing
        return handler

    async def change(self, name: str, mode: str) -> Handler:
        """Lets a session go on in another of `core.modes.MODES`: what is under way finishes, then it is opened again as
        it was declared but for the mode, and keeps its receipt so far as `reset` does. KeyError for no such session.

        Nothing happens when it is in that mode already. When it cannot be opened in that mode the ReplayProxyError says
        why, and it is opened again in the mode that it had.
        """
        if name not in self:
            raise KeyError(name)
        handler = await self.get(name)
        if handler.session.mode.name == mode:
            return handler
        before = self._declared[name]
        self._declared[name] = replace(before, mode=mode)
        try:
            return await self.reset(name)
        except ReplayProxyError:
            if name not in self:
                await self._open(before)
            raise

    async def close(self, name: str) -> Receipt:
        """Closes a session when its exchanges are done; its receipt is kept. KeyError when there is no such session."""
        return await asyncio.shield(self._close(name))

    async def close_all(self) -> None:
        """Closes every session, those included that somebody else is closing."""
        for name in list(self._opening):
            self._close(name)
        results = await asyncio.gather(*self._closing.values(), return_exceptions=True)
        for result in results:
            # One that could not be opened was told to whoever asked for it.
            if isinstance(result, BaseException) and not isinstance(result, ReplayProxyError):
                raise result

    def receipts(self) -> tuple[tuple[str, Receipt], ...]:
        """The receipts of all sessions there were, closed ones first.

        Sessions in which nothing happened are left out when there are others: the default session when nobody used it,
        those that had nothing to play either, those that were reset and not used again.
        """
        living = [_receipt(self._opening[name].result()) for name in self.names()]
        found = [*self._closed, *self._broken.values(), *living]
        counted = [receipt for receipt in found if self._counts(receipt)]
        return tuple((receipt.name, receipt) for receipt in counted or found)

    def cassettes(self) -> Mapping[str, str]:
        """Where each open session records or plays."""
        return {name: self._opening[name].result().cassette for name in self.names()}

    def _counts(self, receipt: Receipt) -> bool:
        if receipt.requests or receipt.lost or receipt.broken:
            return True
        return receipt.name != DEFAULT and bool(receipt.unplayed) and receipt.name not in self._begun_anew

    async def _open(self, declaration: Declaration) -> Handler:
        name, limit = declaration.name, self._opener.settings.limits.sessions
        if len(self._opening) >= limit:
            raise TooManySessionsError(f"{limit} sessions are open, which is as many as may be; {_FEWER}")
        opening = self._opening[name] = asyncio.create_task(self._opened_after(self._closing.get(name), declaration))
        opening.add_done_callback(lambda done: self._forget_failure(name, done))
        self._declared[name] = declaration
        return await asyncio.shield(opening)

    async def _opened_after(self, closing: asyncio.Task[Receipt] | None, declaration: Declaration) -> Handler:
        """Opens a session when an earlier one of its name is closed: both may record into one cassette."""
        if closing is not None:
            await asyncio.wait([closing])
        return await self._opener.open(declaration)

    def _close(self, name: str, *, begin_anew: bool = False) -> asyncio.Task[Receipt]:
        """Begins to close a session: from now on it is another one's name. KeyError when there is no such session."""
        closing = asyncio.create_task(self._closed_when_done(self._opening.pop(name), begin_anew))
        self._forget()
        self._closing[name] = closing
        closing.add_done_callback(lambda done: self._forget_closed(name, done))
        return closing

    async def _closed_when_done(self, opening: asyncio.Task[Handler], begin_anew: bool) -> Receipt:
        handler = await opening
        await handler.close()
        receipt = _receipt(handler)
        used = bool(receipt.requests or receipt.lost)
        if used or not (begin_anew or receipt.name in self._begun_anew):
            self._closed.append(receipt)
        if not begin_anew:
            self._begun_anew.discard(receipt.name)
        elif used:
            self._begun_anew.add(receipt.name)
        return receipt

    def _forget_closed(self, name: str, closing: asyncio.Task[Receipt]) -> None:
        if self._closing.get(name) is closing:
            del self._closing[name]
        if not closing.cancelled():
            closing.exception()  # counts as seen: it goes to whoever closes, when nobody waits for that it is no loss

    def _forget_failure(self, name: str, opening: asyncio.Task[Handler]) -> None:
        """The next request for a session that could not be opened tries again: its cassette may have been mended."""
        if not _opened(opening) and self._opening.get(name) is opening:
            del self._opening[name]

    def _refused(self, name: str, error: ReplayProxyError) -> None:
        """Remembers, and tells, that a request could not be answered at all: nobody else does."""
        _log.error("session %s: %s", name or "?", error)
        if name in self._broken or len(self._broken) < BROKEN_KEPT:
            self._broken[name] = Receipt(self._opener.settings.mode, name=name or "?", broken=str(error))


def _opened(opening: asyncio.Task[Handler]) -> bool:
    return opening.done() and not opening.cancelled() and opening.exception() is None


def _receipt(handler: Handler) -> Receipt:
    return replace(handler.session.receipt(), name=handler.name, cassette=handler.cassette)
