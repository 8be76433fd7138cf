"""Who waits for whom before a request is there: how many connections may be open, and how long each may say nothing.

Rules:
1. There is one timer for all connections, which looks after those that are overdue; a request costs no timer.
2. A connection on which nothing is under way is closed without a word: whatever is written there, a client could take
   for the answer to its next request. One on which a head is under way is told.
3. A client whose bytes nobody takes at the moment, since the upstream does not, is looked after as well: its end would
   wait unread behind them.
4. A request that cannot be read, or does not come to its end, gets an answer of ours that quotes nothing of it; what
   comes behind it is not looked at any more.
"""

from __future__ import annotations

import asyncio
import logging
import math
import select
import sys
from typing import Any, cast

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import _ErrInfo

from replayproxy.core.problem import Problem
from replayproxy.proxy.answers import refused, unasked
from replayproxy.proxy.limits import Limits, crowded, head_too_late, head_too_long, parser_problem
from replayproxy.proxy.wire import Answered

__all__ = ["LINGER", "Farewell", "Lobby", "Visitor", "tell_refusal"]

_log = logging.getLogger(__name__)

#: How long a client that is refused in the middle of its request may go on sending, in seconds: what it sends is thrown
#: away. When the connection were closed at once, its end would meet those bytes with a reset, and the answer were lost.
LINGER = 1.0
#: The timer looks so many times while the shortest of the time-outs goes by, and no more seldom than so many seconds.
_LOOKS, _SELDOM = 10, 1.0
#: What of the end of a connection can be seen while there are unread bytes before it: a FIN on Linux only.
_ENDS = 0 if sys.platform == "win32" else getattr(select, "POLLRDHUP", 0)
#: aiohttp's own time-out for connections between two requests, which knows nothing of requests that it did not see:
#: never, in seconds. The lobby looks after them.
NEVER = 1e8


class Lobby:
    """The open connections of a process. `head` and `idle` are in seconds, infinite where there is no limit."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        settings = limits.settings
        self.head, self.idle = settings.head_timeout or math.inf, settings.idle_timeout or math.inf
        self._every = min(_SELDOM, min(self.head, self.idle) / _LOOKS)
        self._visitors: dict[Visitor, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._told = False

    def enter(self, visitor: Visitor) -> bool:
        """Takes a connection in; whether there is room for it."""
        limits = self.limits
        limits.connections += 1
        self._visitors[visitor] = None
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._every, self._look)
        if limits.crowded and not self._told:
            self._told = True
            _log.warning(
                "more than %d connections are open: further ones are refused (limits.connections)",
                limits.settings.connections,
            )
        return not limits.crowded

    def leave(self, visitor: Visitor) -> None:
        """A connection has ended."""
        self.limits.connections -= 1
        del self._visitors[visitor]
        self._told = self._told and self.limits.crowded
        if not self._visitors and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._every, self._look)
        now = loop.time()
        for visitor in list(self._visitors):
            visitor.look(now)


class Farewell(web.StreamResponse):
    """The last answer on a connection, to a request that could not be read."""

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self._problem = problem

    @property
    def keep_alive(self) -> bool:
        """Nothing can follow."""
        return False

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:
        """Says it."""
        transport = request.transport
        if transport is not None and not transport.is_closing():
            transport.write(unasked(self._problem))
            transport.write_eof()
        return request.writer

    async def write_eof(self, data: bytes = b"") -> None:
        """Gives the client time to hear it."""
        await asyncio.sleep(LINGER)


class Visitor(web.RequestHandler):
    """A connection in the lobby.

    `_until` is when the next request's head must be there, if none is, and `_begun` whether it is known to be on its
    way. `_surplus`: there was no room for it when it came. When `_deaf`, nothing that comes is looked at any more.
    """

    __slots__ = ("_begun", "_deaf", "_first", "_lobby", "_surplus", "_until")

    def __init__(self, server: web.Server, lobby: Lobby, loop: asyncio.AbstractEventLoop, **options: Any) -> None:
        super().__init__(server, loop=loop, keepalive_timeout=NEVER, **options)
        self._lobby = lobby
        self._begun = self._deaf = self._surplus = False
        self._first = self._until = loop.time() + lobby.head

    @property
    def _expects(self) -> bool:
        """Whether more of a request is waited for elsewhere."""
        return False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Comes in, or is closed at once when there are too many."""
        self._surplus = not self._lobby.enter(self)
        if self._lobby.limits.full:
            cast("asyncio.WriteTransport", transport).abort()  # uvloop's are none by their class
        else:
            super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Leaves."""
        self._lobby.leave(self)
        super().connection_lost(exc)

    def look(self, now: float) -> None:
        """Ends the connection when it has waited for too long, or has ended unseen; `now` is on the loop's clock."""
        if (self._reading_paused or self._buffer_paused) and self.transport is not None and _ended(self.transport):
            self.transport.abort()
            return
        if now < self._until or self._expects or not self._waits():
            return
        if self._begun and not self._deaf:
            self._turn_away(head_too_late(self._lobby.limits.settings))
        else:
            self.force_close()

    def unwelcome(self) -> Problem | None:
        """Why no request is taken on this connection; None when they are."""
        limits = self._lobby.limits
        return crowded(limits.settings) if self._surplus and limits.crowded else None

    async def refuse(self, raw: web.BaseRequest, problem: Problem) -> Answered:
        """Answers a request that does not come in. One that comes too early may come again on this connection."""
        tell_refusal(problem, self.peername)
        stays = problem.code == "too_many_exchanges" and not raw.can_read_body
        return Answered(await refused(raw, problem, ends=not stays))

    def _begin(self) -> None:
        """A head is on its way. The first one counts from when the connection was made."""
        self._begun = True
        if self._until != self._first:
            self._until = self._loop.time() + self._lobby.head

    def _waits(self) -> bool:
        """Whether everything that was asked is answered, and the next request is not there."""
        waiter = self._waiter
        return not self._messages and waiter is not None and not waiter.done()

    def _read(self, size: int) -> None:
        """Looks at what the parser made of what came, `size` bytes since the last request that was answered."""
        if self._messages:
            if isinstance(self._messages[-1][0], _ErrInfo):
                self._spoil()
        elif size > self._lobby.limits.settings.head and self._waits():
            self._turn_away(head_too_long(self._lobby.limits.settings))

    def _turn_away(self, problem: Problem) -> None:
        """Answers a request whose head is not there. Only while the connection waits for one."""
        self._deaf = True
        tell_refusal(problem, self.peername)
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(unasked(problem))
            self.transport.write_eof()
        self._loop.call_later(LINGER, self.force_close)

    def _spoil(self, again: int = 3) -> None:
        """The parser gave up: nothing more of a body that was on its way will come, and whoever waits for it is told.
        What the parser met is answered when it is its turn (`handle_error`).

        A request that was taken off the queue, and whose task has not begun yet, is in no place where it could be
        found: `again` is how often the loop may go round until it is.
        """
        self._deaf = True
        bodies = [body for _, body in self._messages]
        if self._current_request is not None:
            bodies.append(self._current_request.content)
        elif again and not self._waits():
            self._loop.call_soon(self._spoil, again - 1)
        for body in bodies:
            if not body.is_eof() and body.exception() is None:
                body.set_exception(web.RequestPayloadError("the rest of the request's body cannot be read"))

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to a request that aiohttp's parser refused. Whatever else aiohttp met ends the connection."""
        self._deaf = True
        if not isinstance(exc, HttpProcessingError):
            _log.error("a connection broke", exc_info=exc)
            raise ConnectionError
        in_fields = bool(getattr(self._parser, "_lines", ()))
        problem = parser_problem(exc, self._lobby.limits.settings, in_fields=in_fields)
        tell_refusal(problem, self.peername)
        return Farewell(problem)


def _ended(transport: asyncio.Transport) -> bool:
    """Whether the client has hung up, be it behind bytes that were not read; False where that cannot be seen."""
    if sys.platform == "win32" or transport.is_closing():
        return False
    poll = select.poll()
    poll.register(transport.get_extra_info("socket").fileno(), _ENDS)
    return bool(poll.poll(0))


def tell_refusal(problem: Problem, peer: object) -> None:
    """Tells the log of a request that is no exchange of any session, since it did not come in."""
    client = f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else "a client"
    _log.info("%s refused: %d %s", client, problem.status, problem.message)
