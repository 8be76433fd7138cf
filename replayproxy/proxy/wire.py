"""The client's side of the wire: requests read, answers written, byte for byte.

aiohttp's server parses and keeps the connection; heads are written here, because its own responses add headers
(Content-Type, Date, Server), and lose bytes that are not UTF-8.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Protocol

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter

from replayproxy.core.messages import Headers, Request, decode, encode
from replayproxy.proxy.endings import ends_clearly
from replayproxy.proxy.hop_by_hop import end_to_end

__all__ = [
    "CORRELATION_HEADER",
    "EXCHANGE_HEADER",
    "OWN_TARGET",
    "Answered",
    "ClientGoneError",
    "Known",
    "Reply",
    "end_to_end",
    "grant",
    "name_exchange",
    "read_body",
    "read_head",
    "read_request",
]

#: The beginning of a target in absolute form, with which a client names us once more (RFC 9112 §3.2.2).
OWN_TARGET = re.compile(r"http://(?P<authority>[^/?#\\]+)", re.IGNORECASE)
_BODILESS = frozenset({204, 304})
#: The origin whose page may read the answer.
_GRANTED = web.RequestKey("granted", str)
#: Who sends this with a request is told by the answer which exchange it became.
CORRELATION_HEADER, EXCHANGE_HEADER = "x-replayproxy-correlation", "x-replayproxy-exchange"
_NUMBER = web.RequestKey("number", int)
#: What an upstream says of whose pages may read its answers: it is said of another address than ours.
_GRANTS = ("access-control-allow-origin", "access-control-allow-credentials", "access-control-expose-headers")


class Known(Protocol):
    """A request that was answered before."""

    def answer(self, data: bytes) -> bytes | None:
        """The answer for a request of these bytes that has just arrived; None when it has to be made anew."""


class ClientGoneError(ConnectionError):
    """The client hung up, or cut its request short."""


def read_head(raw: web.BaseRequest) -> Request:
    """The request's head as it came, all headers included; the body stays unread."""
    return Request(raw.method, _origin_form(raw.raw_path), Headers.from_raw(raw.raw_headers))


def read_request(data: bytes) -> tuple[Request, bytes]:
    """Head and body of a request from its bytes, which the parser took before: whole, and with no line folded."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    method, target = first.split(b" ")[:2]
    fields = (line.partition(b":") for line in lines)
    headers = Headers.from_raw((name, value.strip(b" \t")) for name, _, value in fields)
    return Request(decode(method), _origin_form(decode(target)), headers), body


def _origin_form(target: str) -> str:
    if target.startswith("/") or (own := OWN_TARGET.match(target)) is None:
        return target
    path = target[own.end() :]
    return path if path.startswith("/") else f"/{path}"


def grant(raw: web.BaseRequest, origin: str) -> None:
    """Lets pages of `origin`, which sent the request, read whatever answers it."""
    raw[_GRANTED] = origin


def name_exchange(raw: web.BaseRequest, number: int) -> None:
    """Lets the answer name the exchange to whoever asked for it."""
    if CORRELATION_HEADER in raw.headers:
        raw[_NUMBER] = number


def _for_reader(raw: web.BaseRequest, headers: Headers) -> Headers:
    if CORRELATION_HEADER in raw.headers and (number := raw.get(_NUMBER)) is not None:
        headers = headers.without((EXCHANGE_HEADER,)).plus((EXCHANGE_HEADER, str(number)))
    if hdrs.ORIGIN not in raw.headers or (origin := raw.get(_GRANTED)) is None:
        return headers
    told = ("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", "*"), (hdrs.VARY, hdrs.ORIGIN)
    return headers.without(_GRANTS).plus(*told)


async def read_body(raw: web.BaseRequest, idle: float) -> AsyncIterator[bytes]:
    """The body's pieces as they come in, asked for with `100 Continue` when the client waits for that.

    ClientGoneError when it breaks off; TimeoutError when nothing comes for `idle` seconds (also the guard against
    aiohttp's parser, which waits for ever behind a malformed chunk).
    """
    if raw.version >= (1, 1) and raw.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
        _write(raw, b"HTTP/1.1 100 Continue\r\n\r\n")
    content = raw.content
    while True:
        try:
            # What is here already needs no timer: most bodies come with their head.
            piece = content.read_nowait()
            if not piece and not content.at_eof():
                async with asyncio.timeout(idle or None):
                    piece = await content.readany()
        except TimeoutError:
            raise
        except Exception as error:  # aiohttp hands on whatever ended the connection or the parsing
            raise ClientGoneError(str(error)) from error
        if not piece:
            return
        yield piece


class Reply:
    """An answer to the client, written as it is made.

    `headers` go out as given but for framing, which is made here: `length` bytes, or in chunks when it is None
    (closing the connection instead for an HTTP/1.0 client). `bodiless` for answers to HEAD, 204 and 304. Those of
    `headers` that are for the other end stay known; what a browser needs on top (`grant`) is in the head alone.
    Without `keep_alive` the connection ends with the answer.
    """

    def __init__(
        self,
        raw: web.BaseRequest,
        status: int,
        reason: str,
        headers: Headers,
        *,
        length: int | None = None,
        keep_alive: bool = True,
    ) -> None:
        self._raw = raw
        self._chunked = self._done = False
        self.bodiless = raw.method == hdrs.METH_HEAD or status in _BODILESS
        self.started = False
        self.keep_alive = keep_alive and raw.keep_alive and raw.method != hdrs.METH_CONNECT and ends_clearly(raw)
        self.headers = end_to_end(headers)
        self._head = self._make_head(f"HTTP/1.1 {status} {reason}", _for_reader(raw, self.headers), length)

    def _make_head(self, status_line: str, headers: Headers, length: int | None) -> bytes:
        framing = list[str]()
        if not self.bodiless:
            stated = headers.get(hdrs.CONTENT_LENGTH)
            if length is not None:
                headers = headers if stated == str(length) else headers.replacing(hdrs.CONTENT_LENGTH, str(length))
            elif self._raw.version >= (1, 1):
                headers, self._chunked = headers.without((hdrs.CONTENT_LENGTH,)), True
                framing.append(f"{hdrs.TRANSFER_ENCODING}: chunked")
            else:
                headers, self.keep_alive = headers.without((hdrs.CONTENT_LENGTH,)), False
        if not self.keep_alive:
            framing.append(f"{hdrs.CONNECTION}: close")
        elif self._raw.version < (1, 1):
            framing.append(f"{hdrs.CONNECTION}: keep-alive")
        lines = [status_line, *[f"{name}: {value}" for name, value in headers.pairs], *framing]
        return encode("\r\n".join(lines)) + b"\r\n\r\n"

    async def send(self, data: bytes) -> None:
        """Sends a piece of the body, the head before the first. ClientGoneError when nobody listens any more."""
        if self.bodiless or not data:
            data = b""
        elif self._chunked:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        if not self.started:
            self.started, data = True, self._head + data
        if data:
            self.write(data)
            await _drain(self._raw.writer)

    async def end(self, last: bytes = b"") -> None:
        """Sends the last piece and the end of the body."""
        if self._chunked and not self._done:
            data = b"%x\r\n%b\r\n0\r\n\r\n" % (len(last), last) if last else b"0\r\n\r\n"
            self._done = True
            head = b"" if self.started else self._head
            self.started = True
            self.write(head + data)
            await _drain(self._raw.writer)
        elif not self._done:
            self._done = True
            await self.send(last)
        self._finish()

    def _finish(self) -> None:
        """Nothing follows on a connection that ends, but the client may be sending still: aiohttp listens for a while
        before it closes, so that no reset overtakes the answer."""
        transport = self._raw.transport
        if not self.keep_alive and transport is not None and not self._raw.content.is_eof():
            transport.write_eof()

    def write(self, data: bytes) -> None:
        """Hands bytes of the answer, framing included, to the connection."""
        _write(self._raw, data)

    def abort(self) -> None:
        """Breaks the connection, so that the client cannot take what it has for the whole."""
        self.keep_alive = False
        if self._raw.transport is not None:
            self._raw.transport.abort()


class Answered(web.StreamResponse):
    """Tells aiohttp that the answer is on its way already, and whether the connection lives on.

    `known` answers the same request when it comes again (proxy/front.py), None when it has to be looked at again.
    """

    def __init__(self, reply: Reply, known: Known | None = None) -> None:
        super().__init__()
        self._lives, self.known = reply.keep_alive, known

    @property
    def keep_alive(self) -> bool:
        """Whether another request may follow on the connection."""
        return self._lives

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:
        """Nothing to prepare: the head is out."""
        return request.writer

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing to end: the body is out."""


def _write(raw: web.BaseRequest, data: bytes) -> None:
    transport = raw.transport
    if transport is None or transport.is_closing():
        raise ClientGoneError("the client hung up")
    transport.write(data)


async def _drain(writer: AbstractStreamWriter) -> None:
    try:
        await writer.drain()
    except ConnectionError as error:
        raise ClientGoneError("the client hung up") from error
