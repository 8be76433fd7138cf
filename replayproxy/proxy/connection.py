"""One HTTP/1.1 connection to the upstream, byte for byte.

Why not aiohttp's client: it has to see a target as a URL (which decodes and re-encodes it), keeps one spelling of a
repeated header, loses header bytes that are not UTF-8, and waits for ever on a malformed chunk. Here the head goes out
as the bytes it came in, and llhttp (by httptools) reads the answer.

Rules:
1. One exchange at a time. A connection is used again only after an answer that ended where it said it would, with
   nothing behind it.
2. Reading stops while nobody takes what was read: memory stays flat.
3. What goes wrong is an `UpstreamError` that says what the upstream did.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import cast

import httptools

from replayproxy.core.messages import Headers
from replayproxy.errors import UpstreamError

__all__ = ["AnswerHead", "Connection"]

#: Reading pauses above the one and goes on below the other, in bytes.
HIGH_WATER, LOW_WATER = 256 * 1024, 64 * 1024
#: An answer's head may be this long, in bytes.
HEAD_LIMIT = 1024 * 1024
_BODILESS = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """Status line and all header fields of an answer, hop-by-hop ones included."""

    status: int
    reason: str
    headers: Headers


class Connection(asyncio.Protocol):
    """A client connection. `begin`, `write`, `head`, then `chunk` until it gives b""."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._waiter: asyncio.Future[None] | None = None
        self._error: UpstreamError | None = None
        self._lost = False
        self.used = False
        self._reset("GET")
        self._complete = True

    def _reset(self, method: str) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._method = method
        self._reason, self._fields = b"", list[tuple[bytes, bytes]]()
        self._head: AnswerHead | None = None
        self._chunks: deque[bytes] = deque()
        self._buffered = self._head_size = 0
        self._paused = self._until_close = self._complete = self._ended = False
        self.answered = False

    # --- the exchange

    def begin(self, method: str) -> None:
        """Starts an exchange."""
        self._reset(method)

    def write(self, data: bytes) -> None:
        """Sends bytes; `drain` waits until they may be followed by more."""
        if self._transport is not None and not self._lost:
            self._transport.write(data)

    async def drain(self) -> None:
        """Waits until the upstream takes more."""
        await self._writable.wait()
        if self._lost and not self._complete:
            raise self._error or UpstreamError("the upstream closed the connection")

    async def head(self) -> AnswerHead:
        """The head of the final answer."""
        while self._head is None:
            await self._more()
        return self._head

    async def chunk(self) -> bytes:
        """The next piece of the body as it came, b"" at its end. What came before a failure is given first."""
        while not self._chunks:
            if self._complete:
                return b""
            await self._more()
        data = self._chunks.popleft()
        self._buffered -= len(data)
        if self._paused and self._buffered < LOW_WATER:
            self._paused = False
            self._open_transport().resume_reading()
        return data

    @property
    def complete(self) -> bool:
        """Whether the whole answer is here (pieces of it may not have been taken yet)."""
        return self._complete

    @property
    def buffered(self) -> bool:
        """Whether a piece of the body is here and was not taken yet."""
        return bool(self._chunks)

    @property
    def reusable(self) -> bool:
        """Whether another exchange may follow on this connection."""
        transport = self._transport
        return bool(self._complete and not self._ended and not self._lost and transport and not transport.is_closing())

    def close(self) -> None:
        """Drops the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def give_up(self, error: UpstreamError) -> None:
        """Lets nobody wait for the rest of the answer any more: `error` is what they get."""
        self._ended = True
        if self._error is None and not self._complete:
            self._error = error
        self._wake()

    async def _more(self) -> None:
        if self._error is not None:
            raise self._error
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, what: str) -> None:
        self.give_up(UpstreamError(what))
        self.close()

    def _open_transport(self) -> asyncio.Transport:
        assert self._transport is not None, "not connected"  # noqa: S101 -- a state that cannot be, for the type checker
        return self._transport

    # --- asyncio calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._complete:
            # Bytes nobody asked for: whatever they are, they must never become somebody's answer.
            self._ended = True
            self.close()
            return
        self.answered = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail("the upstream wants to switch protocols")
        except httptools.HttpParserError as error:
            self._fail(f"what the upstream sent is not HTTP: {error}")
        self._check_head_size(len(data))
        if self._buffered > HIGH_WATER and not self._paused and not self._ended:
            self._paused = True
            self._open_transport().pause_reading()
        self._wake()

    def _check_head_size(self, received: int) -> None:
        if self._head is None:
            self._head_size += received
            if self._head_size > HEAD_LIMIT:
                self._fail(f"the head of the upstream's answer is longer than {HEAD_LIMIT} bytes")

    def eof_received(self) -> None:
        self._end_of_input("the upstream closed the connection")

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        self._writable.set()
        if exc is not None:
            self._until_close = False
            self._end_of_input(f"the connection to the upstream broke ({exc})")
        else:
            self._end_of_input("the upstream closed the connection")

    def _end_of_input(self, what: str) -> None:
        self._ended = True
        if self._until_close and self._error is None:
            self._complete = True
        if not self._complete and self._error is None:
            when = "in the middle of its answer" if self._head else "before it answered"
            self._error = UpstreamError(f"{what} {when}")
        self._wake()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # --- the parser calls these

    def on_message_begin(self) -> None:
        self._ended = self._ended or self._complete
        if not self._complete:
            self._reason, self._fields = b"", []

    def on_status(self, status: bytes) -> None:
        self._reason += status

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._head is None:
            self._fields.append((name, value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if self._complete or 100 <= status < 200:
            return
        headers = Headers.from_raw(self._fields)
        framed = "content-length" in headers or "transfer-encoding" in headers
        self._head = AnswerHead(status, self._reason.decode("utf-8", "surrogateescape"), headers)
        if self._method == "HEAD" or status in _BODILESS:
            # llhttp cannot know that this answers a HEAD: what it takes for the body would be the next answer's.
            self._finish()
        elif not framed:
            self._until_close = True

    def on_body(self, data: bytes) -> None:
        if not self._complete and self._head is not None:
            self._chunks.append(data)
            self._buffered += len(data)

    def on_message_complete(self) -> None:
        if self._head is not None and not self._complete:
            self._finish()

    def _finish(self) -> None:
        self._complete = True
        self._ended = self._ended or not self._parser.should_keep_alive()
