"""The hot path: a request whose very bytes were answered before is answered before anybody parses it.

Rules:
1. Whatever is not known byte for byte goes to aiohttp's parser as if this module were not there. What is known came
   through that parser once, as one whole request on an idle connection; the same bytes on an idle connection are the
   same request.
2. A connection is idle when every byte that came on it belongs to a request that was answered. Where that is not sure
   (pipelining, chunked uploads, upgrades) the connection takes the long way for the rest of its life.
3. What is remembered of a request is a digest, and whose turn it is to answer; answers wait on the session's shelf.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Any

from aiohttp import hdrs, web

from replayproxy.proxy.answers import refused
from replayproxy.proxy.gate import Gate
from replayproxy.proxy.wire import Answered, Known

__all__ = ["Desk", "Front"]

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

#: Longer requests take the long way; so does one request of a connection in so many seconds, since aiohttp closes a
#: connection on which it has seen nothing for an hour.
REQUEST_LIMIT, LONG_WAY_EVERY = 64 * 1024, 1800.0
#: So many requests are remembered; then all are forgotten, and those that still come are learned anew.
REMEMBERED = 200_000
#: How long the rest of a request may take that came in two pieces before the first goes to the parser, in seconds.
PATIENCE = 0.5
_HEAD_END = b"\r\n\r\n"
# With one of these the end of the request's bytes is not where its length says, or the client waits for a word first.
_SPECIAL = (hdrs.TRANSFER_ENCODING, hdrs.UPGRADE, hdrs.EXPECT)


class Desk:
    """What all connections of a proxy know: requests by the digest of their bytes, and how long these are by the digest
    of their heads, since many clients send head and body apart."""

    def __init__(self, limit: int = REMEMBERED) -> None:
        self._limit = limit
        self._known: dict[bytes, Known | int] = {}

    def ask(self, data: bytes) -> Known | int | None:
        """The request with these bytes, or how many bytes it has when these are its head."""
        return self._known.get(blake2b(data, digest_size=16).digest())

    def learn(self, data: bytes, head: int, known: Known) -> None:
        """Remembers a request, of which the first `head` bytes are the head."""
        if len(self._known) >= self._limit:
            self._known.clear()
        self._known[blake2b(data, digest_size=16).digest()] = known
        if head < len(data):
            self._known[blake2b(data[:head], digest_size=16).digest()] = len(data)

    def forget(self) -> None:
        """Forgets all requests: one of those who answered them is gone."""
        self._known.clear()

    def server(self, handler: Handler, gate: Gate, **options: Any) -> web.Server:
        """aiohttp's low-level server, with this desk and the gate before it; `options` are those of `web.Server`."""

        async def answered(raw: web.BaseRequest) -> web.StreamResponse:
            if problem := gate.refusal(raw):
                return Answered(await refused(raw, problem))
            answer = await handler(raw)
            if isinstance(raw.protocol, Front) and isinstance(answer, Answered):
                raw.protocol.settle(raw, answer)
            return answer

        return _Server(answered, self, options)


class Front(web.RequestHandler):
    """A connection.

    `_idle` is rule 2. `_seen` are the bytes that came since then, if they are few, and `_size` counts them all. `_held`
    is the beginning of a request that is known to be `_due` bytes long.
    """

    __slots__ = ("_desk", "_due", "_full", "_held", "_idle", "_long_way_at", "_seen", "_size", "_timer")

    def __init__(self, server: web.Server, desk: Desk, loop: asyncio.AbstractEventLoop, **options: Any) -> None:
        super().__init__(server, loop=loop, **options)
        self._desk = desk
        self._idle, self._full = True, False
        self._seen = self._held = b""
        self._size = self._due = 0
        self._long_way_at = loop.time() + LONG_WAY_EVERY
        self._timer: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Answers what is known; everything else goes on to the parser."""
        if self._held:
            data = self._taken_up() + data
        if not (self._idle and data and self._answered(data)):
            self._pass_on(data)

    def _answered(self, data: bytes) -> bool:
        """Whether nothing more is to be done about these bytes for now."""
        size = len(data)
        if size < self._due:
            return self._hold(data, self._due)
        known = self._desk.ask(data) if size <= REQUEST_LIMIT else None
        if known is None:
            return False
        if isinstance(known, int):
            return self._hold(data, known)
        transport = self.transport
        if self._full or transport is None or transport.is_closing() or self._loop.time() > self._long_way_at:
            return False
        answer = known.answer(data)
        if answer is None:
            return False
        transport.write(answer)
        return True

    def _hold(self, data: bytes, due: int) -> bool:
        self._held, self._due = data, due
        self._timer = self._loop.call_later(PATIENCE, self._give_up)
        return True

    def _taken_up(self) -> bytes:
        if self._timer is not None:
            self._timer.cancel()
        held, self._held, self._timer = self._held, b"", None
        return held

    def _give_up(self) -> None:
        """The parser knows what to do about a request that does not end."""
        if self._held:
            self._pass_on(self._taken_up())

    def _pass_on(self, data: bytes) -> None:
        self._due = 0
        if data:
            self._idle = False
            self._size += len(data)
            if self._size <= REQUEST_LIMIT:
                self._seen += data
        super().data_received(data)

    def settle(self, raw: web.BaseRequest, answer: Answered) -> None:
        """Takes note that a request was answered by the long way, and learns it when it can be answered again."""
        seen, size = self._seen, self._size
        head = seen.find(_HEAD_END) + len(_HEAD_END)
        plain = raw.version == (1, 1) and answer.keep_alive and not any(name in raw.headers for name in _SPECIAL)
        if plain and seen[:1].isalpha() and size == head + (raw.content_length or 0):
            if answer.known is not None and size == len(seen):
                self._desk.learn(seen, head, answer.known)
            self._idle, self._seen, self._size = True, b"", 0
            self._long_way_at = self._loop.time() + LONG_WAY_EVERY

    # --- asyncio calls these

    def eof_received(self) -> None:
        """Half a request is the parser's to judge."""
        self._give_up()
        super().eof_received()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Lets go of what was held."""
        self._taken_up()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not read: the long way waits for it."""
        self._full = True
        super().pause_writing()

    def resume_writing(self) -> None:
        """The client reads again."""
        self._full = False
        super().resume_writing()


class _Server(web.Server):
    """aiohttp's server with connections of ours."""

    def __init__(self, handler: Handler, desk: Desk, options: dict[str, Any]) -> None:
        super().__init__(handler, **options)
        self._desk, self._options = (
            desk,
            {name: each for name, each in options.items() if name != "handler_cancellation"},
        )

    def __call__(self) -> Front:
        return Front(self, self._desk, asyncio.get_running_loop(), **self._options)
