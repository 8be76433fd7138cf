"""A request's body on its way in: read whole before anything is decided, or passed on while it comes."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import IO

from aiohttp import web

from replayproxy.core.bodies import PARSE_LIMIT
from replayproxy.core.messages import Request
from replayproxy.proxy.admin_token import TOKEN_HEADER
from replayproxy.proxy.capture import Capture
from replayproxy.proxy.glimpse import Glimpse
from replayproxy.proxy.limits import Room, SpoolFullError
from replayproxy.proxy.wire import CORRELATION_HEADER, end_to_end, read_body

__all__ = ["SESSION_HEADER", "Intake", "TooLargeError", "framed", "onward", "stored"]

#: Names the session; never forwarded.
SESSION_HEADER = "x-replayproxy-session"
#: A body whose stated length is no more than this is read whole even where it could be passed on as it comes.
SMALL = 64 * 1024
_PIECE = 256 * 1024
_NOT_FORWARDED = frozenset({"expect", SESSION_HEADER, TOKEN_HEADER, CORRELATION_HEADER})
_NOT_STORED = _NOT_FORWARDED | {"host", "content-length"}


class TooLargeError(Exception):
    """The body is longer than the configured limit."""


def onward(head: Request) -> Request:
    """The head as it goes to the upstream, but for framing that the client did not state."""
    return Request(head.method, head.target, end_to_end(head.headers, _NOT_FORWARDED))


def framed(head: Request, body: bytes | None, chunked: bool) -> Request:
    """An `onward` head with framing for `body` (None: passed on as it comes); the same when it has it already."""
    if body is None and chunked:
        field = ("Transfer-Encoding", "chunked")
    elif body is not None and (chunked or body) and "content-length" not in head.headers:
        field = ("Content-Length", str(len(body)))
    else:
        return head
    return Request(head.method, head.target, head.headers.plus(field))


def stored(head: Request) -> Request:
    """The head as it is matched and stored (before redaction): nothing that only says how and where it was sent."""
    return Request(head.method, head.target, end_to_end(head.headers, _NOT_STORED))


@dataclass(slots=True)
class Intake:
    """The body of one request. `limit` is in bytes, `idle` in seconds (0: none); `done` when all of it was read.

    A body too large for the memory takes `room` for the file that it waits in.
    """

    raw: web.BaseRequest
    limit: int
    idle: float
    room: Room = field(default_factory=Room)
    file: IO[bytes] | None = None
    done: bool = False
    #: whether the client sends it without saying how long it is
    chunked: bool = field(init=False)
    _spooled: int = 0

    def __post_init__(self) -> None:
        self.chunked = self.raw.content_length is None and self.raw.can_read_body

    @property
    def small(self) -> bool:
        """Whether it is known to be small."""
        return not self.chunked and (self.raw.content_length or 0) <= SMALL

    async def pieces(self) -> AsyncIterator[bytes]:
        """The pieces as they come. TooLargeError beyond the limit."""
        if (self.raw.content_length or 0) > self.limit:
            raise TooLargeError
        size = 0
        if self.raw.can_read_body:
            async for piece in read_body(self.raw, self.idle):
                size += len(piece)
                if size > self.limit:
                    raise TooLargeError
                yield piece
        self.done = True

    async def teed(self, capture: Capture | Glimpse) -> AsyncIterator[bytes]:
        """The pieces as they come, copied into `capture`."""
        async for piece in self.pieces():
            capture.feed(piece)
            yield piece

    async def whole(self, capture: Capture) -> bytes | None:
        """All of it, copied into `capture`; None when it is too large for memory and waits in `file` instead.

        The file has no name: nobody else can read it, and it is gone when it is closed. SpoolFullError when there is no
        room for it.
        """
        if (body := self._there()) is not None:
            capture.feed(body)
            self.done = True
            return body
        held: list[bytes] = []
        size = 0
        async for piece in self.pieces():
            capture.feed(piece)
            size += len(piece)
            held.append(piece)
            if size > PARSE_LIMIT:
                self._spool(b"".join(held))
                held = []
        return b"".join(held) if self.file is None else None

    def _spool(self, data: bytes) -> None:
        self.room.take(len(data))
        self._spooled += len(data)
        try:
            if self.file is None:
                self.file = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with the exchange
            self.file.write(data)
        except OSError as error:
            raise SpoolFullError(f"a temporary file cannot be written: {error.strerror or error}") from error

    def _there(self) -> bytes | None:
        """A small body that came with its head, as most do; None for any other."""
        if not self.small or (self.raw.content_length or 0) > self.limit:
            return None
        if not self.raw.can_read_body:
            return b""
        content = self.raw.content
        return content.read_nowait() if content.is_eof() and content.exception() is None else None

    async def from_file(self) -> AsyncIterator[bytes]:
        """The pieces of a body that waits in `file`."""
        if self.file is not None:
            self.file.seek(0)
            while piece := self.file.read(_PIECE):
                yield piece

    def close(self) -> None:
        """Lets go of the file."""
        if self.file is not None:
            with contextlib.suppress(OSError):  # what could not be written cannot be flushed either
                self.file.close()
        self.room.give(self._spooled)
        self._spooled = 0
