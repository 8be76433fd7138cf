"""The hot path: a request whose very bytes were answered before is answered before anybody parses it.

Rules:
1. Whatever is not known byte for byte goes to aiohttp's parser as if this module were not there. What is known came
   through that parser once, as one whole request on an idle connection; the same bytes on an idle connection are the
   same request.
2. A connection is idle when every byte that came on it belongs to a request that was answered. Where that is not sure
   (pipelining, long uploads in chunks, upgrades) the connection takes the long way for the rest of its life.
3. What is remembered of a request is a digest, and whose turn it is to answer; answers wait on the session's shelf.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Any

from aiohttp import hdrs, web

from replayproxy.proxy.answers import internal_error, refused
from replayproxy.proxy.endings import behind_chunks
from replayproxy.proxy.gate import Gate
from replayproxy.proxy.waiting import Lobby, Visitor
from replayproxy.proxy.wire import Answered, Known

__all__ = ["Desk", "Front"]

_log = logging.getLogger(__name__)

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

#: Longer requests take the long way.
REQUEST_LIMIT = 64 * 1024
#: So many requests are remembered; then all are forgotten, and those that still come are learned anew.
REMEMBERED = 200_000
#: How long the rest of a request may take that came in two pieces before the first goes to the parser, in seconds.
PATIENCE = 0.5
_HEAD_END = b"\r\n\r\n"
#: Lines before a request that are nobody's (RFC 9112 §2.2).
_EMPTY = re.compile(rb"[\r\n]*")
# With one of these the end of the request's bytes is not where its framing says, or the client waits for a word first.
_SPECIAL = (hdrs.UPGRADE, hdrs.EXPECT)


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
        limits = gate.limits

        async def answered(raw: web.BaseRequest) -> web.StreamResponse:
            front = raw.protocol
            assert isinstance(front, Front), "the server makes no others"  # noqa: S101 -- for the type checker
            if problem := front.unwelcome() or gate.refusal(raw):
                answer: web.StreamResponse = await front.refuse(raw, problem)
            else:
                limits.exchanges += 1
                try:
                    answer = await handler(raw)
                except Exception:
                    _log.exception("a request could not be answered")
                    answer = Answered(await refused(raw, internal_error()))
                finally:
                    limits.exchanges -= 1
            if isinstance(answer, Answered):
                front.settle(raw, answer)
            return answer

        return _Server(answered, self, Lobby(limits), options)


class Front(Visitor):
    """A connection.

    `_idle` is rule 2. `_seen` are the first of the bytes that came since then, and `_size` counts them all, those
    before `_settled` belonging to requests that were answered; the next request begins `_at`, if that is known (-1).
    `_held` is the beginning of a request that is known to be `_due` bytes long, and stays here `_held_until` then.
    """

    __slots__ = (
        *("_at", "_desk", "_due", "_full", "_held", "_held_until", "_idle", "_idle_for", "_seen", "_settled", "_size"),
        "_timer",
    )

    def __init__(
        self, server: web.Server, desk: Desk, lobby: Lobby, loop: asyncio.AbstractEventLoop, **options: Any
    ) -> None:
        super().__init__(server, lobby, loop, **options)
        self._desk, self._idle_for = desk, lobby.idle
        self._idle, self._full = True, False
        self._seen = self._held = b""
        self._at = self._size = self._due = self._settled = 0
        self._held_until = 0.0
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
        if due := self._due:
            if size < due:
                return self._hold(data, due)
            self._due = 0
        known = self._desk.ask(data) if size <= REQUEST_LIMIT else None
        if known is None:
            return False
        if isinstance(known, int):
            self._held_until = self._loop.time() + PATIENCE
            return self._hold(data, known)
        transport = self.transport
        if self._full or transport is None or transport.is_closing():
            return False
        answer = known.answer(data)
        if answer is None:
            return False
        transport.write(answer)
        self._until = self._loop.time() + self._idle_for
        return True

    def _hold(self, data: bytes, due: int) -> bool:
        self._held, self._due = data, due
        self._timer = self._loop.call_at(self._held_until, self._give_up)
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
        if self._deaf:
            return
        if data:
            if not self._begun:
                self._begin()
            self._idle = False
            self._size += len(data)
            if (room := REQUEST_LIMIT - len(self._seen)) > 0:
                self._seen += data if len(data) <= room else data[:room]
        super().data_received(data)
        self._read(self._size - self._settled)

    def settle(self, raw: web.BaseRequest, answer: Answered) -> None:
        """Takes note that a request was answered by the long way, and learns it when it can be answered again."""
        seen, size, now = self._seen, self._size, self._loop.time()
        at = found.end() if (found := _EMPTY.match(seen, self._at)) and self._at >= 0 else -1
        end = seen.find(_HEAD_END, at) if seen[at : at + 1].isalpha() else -1
        head = end + len(_HEAD_END)
        plain = raw.version == (1, 1) and answer.keep_alive and not any(name in raw.headers for name in _SPECIAL)
        chunked = hdrs.TRANSFER_ENCODING in raw.headers
        whole = -1
        if end >= 0 and answer.keep_alive:
            whole = behind_chunks(seen, head) if chunked else head + (raw.content_length or 0)
        left = size - whole if whole >= 0 else -1
        self._at = whole if left >= 0 else -1
        if left == 0 and plain and not at:
            if answer.known is not None and size == len(seen) and not chunked:
                self._desk.learn(seen, head, answer.known)
            self._idle, self._seen, self._at, self._size, self._settled = True, b"", 0, 0, 0
            self._begun, self._until = False, now + self._idle_for
        else:
            # What is left may be the beginning of another request; where that is not sure, none is known of.
            self._begun = left > 0 and plain and not at
            self._settled, self._until = size - left if self._begun else size, now + self._lobby.head

    @property
    def _expects(self) -> bool:
        """Whether a request is held here, and not with the parser."""
        return bool(self._held)

    # --- asyncio calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection that there is no room for takes the long way, where it is told so."""
        super().connection_made(transport)
        self._idle = not self._surplus

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

    def __init__(self, handler: Handler, desk: Desk, lobby: Lobby, options: dict[str, Any]) -> None:
        super().__init__(handler, **options)
        self._desk, self._lobby = desk, lobby
        self._options = {name: each for name, each in options.items() if name != "handler_cancellation"}

    def __call__(self) -> Front:
        loop = asyncio.get_running_loop()
        return Front(self, self._desk, self._lobby, loop, **self._options)
