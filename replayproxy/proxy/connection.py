"""One HTTP/1.1 connection to the upstream, byte for byte.

Why not aiohttp's client: it has to see a target as a URL (which decodes and re-encodes it), keeps one spelling of a
repeated header, loses header bytes that are not UTF-8, and waits for ever on a malformed chunk. Here the head goes out
as the bytes it came in, and llhttp (by httptools) reads the answer.

Rules:
1. One exchange at a time. A connection is used again only after an answer that ended where it said it would, with
   nothing behind it.
2. Reading stops while nobody takes what was read: memory stays flat.
3. What goes wrong is an `UpstreamError` that says what the upstream did.
4. An answer that two readers could understand differently is none: llhttp refuses most of them (two lengths, a length
   beside chunks, folded lines, bare line ends, control characters), core/answer_heads.py the rest.
"""

from __future__ import annotations

import asyncio
import math
import select
import ssl
import sys
from collections import deque
from typing import cast

import httptools

from replayproxy.core.answer_heads import SWITCH, AnswerHead, kept_for, read_answer_head
from replayproxy.errors import UpstreamError

__all__ = ["Connection"]

#: Reading pauses above the one and goes on below the other, in bytes.
HIGH_WATER, LOW_WATER = 256 * 1024, 64 * 1024
#: An answer's head may be this long, in bytes, with all interim answers before it; so may whatever comes in its body
#: without bringing it on (chunk extensions, trailers). Servers send 4 to 32 KiB.
HEAD_LIMIT = 256 * 1024
#: So many interim answers may come before the final one.
INTERIM_LIMIT = 100
_BODILESS = frozenset({204, 304})


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
        self._reset("GET")
        self._complete = True

    def _reset(self, method: str) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._method = method
        self._reason, self._fields = b"", list[tuple[bytes, bytes]]()
        self._head: AnswerHead | None = None
        self._chunks: deque[bytes] = deque()
        self._buffered = self._futile = self._interim = 0
        self._paused = self._until_close = self._bodiless = self._complete = self._ended = False
        self.answered = self.sent = False

    # --- the exchange

    def begin(self, method: str) -> None:
        """Starts an exchange. Whoever writes the request sets `sent` when all of it was written."""
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
        if not self._complete or not self.sent or self._ended or self._lost or transport is None:
            return False
        return not transport.is_closing() and not transport.get_write_buffer_size()

    @property
    def keeps(self) -> float:
        """For how many seconds the upstream says that it keeps the connection; inf when it says nothing."""
        return math.inf if self._head is None else kept_for(self._head.headers)

    @property
    def spoiled(self) -> bool:
        """Whether something came on an idle connection that the loop has not noticed yet: its end, or bytes."""
        return _readable(self._open_transport().get_extra_info("socket").fileno())

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

    def _fail(self, error: UpstreamError) -> None:
        self.give_up(error)
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
        buffered = self._buffered
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(UpstreamError(SWITCH))
        except httptools.HttpParserError as error:
            self._fail(UpstreamError(f"what the upstream sent is not HTTP: {error}"))
        if self._buffered > buffered:
            self._futile = 0
        else:
            self._check_futile(data)
        if self._buffered > HIGH_WATER and not self._paused and not self._ended:
            self._paused = True
            self._open_transport().pause_reading()
        self._wake()

    def _check_futile(self, data: bytes) -> None:
        """Takes note of data that held nothing of the body."""
        if self._bodiless and not data.endswith(b"\r\n\r\n"):
            self._ended = True  # something is behind the head
        self._futile += len(data)
        if self._futile > HEAD_LIMIT and not self._complete:
            part = "head" if self._head is None else "chunk headers or trailers"
            self._fail(UpstreamError(f"the {part} of the upstream's answer is longer than {HEAD_LIMIT} bytes"))

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
        if self._until_close and self._error is None and not self._complete and not self._cut():
            self._complete = True
        if not self._complete and self._error is None:
            when = "in the middle of its answer" if self._head else "before it answered"
            self._error = UpstreamError(f"{what} {when}")
        self._wake()

    def _cut(self) -> bool:
        """Whether TLS ended with the connection and not by its own word for that: anybody can cut it like that."""
        tls = self._open_transport().get_extra_info("ssl_object")
        try:
            return tls is not None and tls.read(1) != b""
        except ssl.SSLError:
            return True

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
        if self._complete or self._error is not None:
            return
        version, status = self._parser.get_http_version(), self._parser.get_status_code()
        try:
            head = read_answer_head(version, status, self._reason, self._fields)
        except UpstreamError as error:
            self._fail(error)
            return
        if head is None:
            self._interim += 1
            if self._interim > INTERIM_LIMIT:
                self._fail(UpstreamError(f"the upstream sent more than {INTERIM_LIMIT} interim answers"))
            return
        self._head, self._futile = head, 0
        if self._method == "HEAD" or status in _BODILESS:
            # llhttp cannot know that this answers a HEAD: what it takes for the body would be the next answer's.
            self._bodiless = True
            self._finish()
        else:
            self._until_close = not head.framed

    def on_body(self, data: bytes) -> None:
        if self._complete:
            self._ended = True  # the body of an answer that has none
        elif self._head is not None:
            self._chunks.append(data)
            self._buffered += len(data)

    def on_message_complete(self) -> None:
        if self._head is not None and not self._complete:
            self._finish()

    def _finish(self) -> None:
        self._complete = True
        self._ended = self._ended or not self._parser.should_keep_alive()


def _readable(descriptor: int) -> bool:
    if sys.platform == "win32":
        return bool(select.select((descriptor,), (), (), 0)[0])
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
