"""The upstream: one origin, a pool of connections to it, time-outs, and errors that say what it did."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from replayproxy.core.answer_heads import AnswerHead
from replayproxy.core.messages import Headers, Request, encode
from replayproxy.errors import UpstreamError, UpstreamTimeoutError
from replayproxy.proxy.connection import Connection
from replayproxy.proxy.heads import Recall
from replayproxy.proxy.patience import Patience, Timeouts
from replayproxy.proxy.pool import Pool

__all__ = ["Answer", "Origin", "Timeouts", "Upstream"]

#: Methods that may be sent again when a kept connection turns out to be dead (RFC 9110 §9.2.2). No other is, once a
#: byte of it was written: the upstream may have acted on it, and what happens twice cannot be told from what happened
#: once. nginx, Envoy and Go draw the same line.
IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})
_USUAL = Timeouts()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the upstream is: scheme, host, port, and the path put before a request's own."""

    tls: bool
    host: str
    port: int
    prefix: str = ""

    @classmethod
    def of(cls, url: str) -> Origin:
        """The origin of an `http` or `https` URL, with the URL's path as prefix."""
        parts = urlsplit(url)
        tls = parts.scheme == "https"
        return cls(tls, parts.hostname or "", parts.port or (443 if tls else 80), parts.path.rstrip("/"))

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.authority}{self.prefix}"

    def target(self, target: str) -> str:
        """The target to ask for: the prefix goes before it, unless it begins with it already."""
        path = target.partition("?")[0]
        inside = not target.startswith("/") or path == self.prefix or path.startswith(f"{self.prefix}/")
        return target if inside else self.prefix + target


class Answer:
    """An answer of the upstream: its head, and its body as it comes. Close it when done."""

    def __init__(
        self,
        upstream: Upstream,
        connection: Connection,
        head: AnswerHead,
        upload: asyncio.Task[None] | None,
        patience: Patience,
    ) -> None:
        self.head = head
        self._upstream, self._connection, self._upload, self._patience = upstream, connection, upload, patience

    @property
    def waiting(self) -> bool:
        """Whether `chunk` would give something at once."""
        return self._connection.buffered or self._connection.complete

    @property
    def ended(self) -> bool:
        """Whether the whole answer has arrived and was taken."""
        return self._connection.complete and not self._connection.buffered

    async def chunk(self) -> bytes:
        """The next piece of the body, b"" at its end. UpstreamError when it breaks off."""
        if self.waiting:
            return await self._connection.chunk()
        self._patience.begin("went silent in the middle of its answer")
        try:
            return await self._connection.chunk()
        finally:
            self._patience.end()

    async def close(self) -> None:
        """Ends the exchange: the connection is kept when it can be used again, and dropped when not."""
        self._patience.stop()
        if self._upload is not None and not self._upload.done():
            self._upload.cancel()
            self._connection.close()
        if self._upload is not None:
            with contextlib.suppress(asyncio.CancelledError, Exception):  # what it met no longer matters
                await self._upload
        self._upstream.give_back(self._connection)


class Upstream:
    """Sends requests to one origin.

    `tls` is the context for an https origin; None makes one that checks certificates and host names.
    """

    def __init__(self, origin: Origin, timeouts: Timeouts = _USUAL, tls: ssl.SSLContext | None = None) -> None:
        self.origin = origin
        self._timeouts = timeouts
        self._pool = Pool()
        self._heads = Recall(partial(_head_bytes, origin=origin))
        self._tls = (tls or _checking_context()) if origin.tls else None

    def __str__(self) -> str:
        return str(self.origin)

    async def send(self, request: Request, body: bytes | AsyncIterator[bytes]) -> Answer:
        """Sends a request and gives its answer as soon as the answer's head is there.

        The request's headers go out as they are, but for `Host`; they must hold the framing that fits `body`: bytes
        go out as given, an iterator's pieces as chunks when `Transfer-Encoding` says so. UpstreamError when no
        answer comes.
        """
        deadline = Patience.deadline(self._timeouts)
        kept = self._pool.take()
        if kept is not None:
            try:
                return await self._exchange(kept, request, body, deadline)
            except UpstreamTimeoutError:
                raise
            except UpstreamError as error:
                if kept.answered:
                    raise
                if not isinstance(body, bytes) or request.method not in IDEMPOTENT:
                    raise UpstreamError(f"{error} (it may have acted on it, so it was not asked again)") from None
        return await self._exchange(await self._connect(deadline), request, body, deadline)

    async def close(self) -> None:
        """Drops the kept connections."""
        self._pool.close()

    def give_back(self, connection: Connection) -> None:
        """Keeps a connection for the next exchange if it can have one."""
        self._pool.keep(connection)

    async def _connect(self, deadline: float | None) -> Connection:
        origin, seconds, loop = self.origin, self._timeouts.connect, asyncio.get_running_loop()
        if deadline is not None:
            seconds = min(seconds or math.inf, max(deadline - loop.time(), 0.001))
        try:
            async with asyncio.timeout(seconds or None):
                _, connection = await loop.create_connection(
                    Connection,
                    origin.host,
                    origin.port,
                    ssl=self._tls,
                    server_hostname=origin.host if self._tls else None,
                )
        except TimeoutError:
            raise UpstreamTimeoutError(f"no connection to {origin} within {seconds:g} s") from None
        except ssl.SSLCertVerificationError as error:
            raise UpstreamError(f"the certificate of {origin} is not to be trusted: {error.verify_message}") from error
        except (OSError, UnicodeError) as error:
            raise UpstreamError(f"no connection to {origin}: {_why(error)}") from error
        return connection

    async def _exchange(
        self,
        connection: Connection,
        request: Request,
        body: bytes | AsyncIterator[bytes],
        deadline: float | None,
    ) -> Answer:
        patience = Patience(self._timeouts, deadline, connection.give_up)
        try:
            return await self._ask(connection, request, body, patience)
        except BaseException:
            patience.stop()
            connection.close()
            raise

    async def _ask(
        self, connection: Connection, request: Request, body: bytes | AsyncIterator[bytes], patience: Patience
    ) -> Answer:
        connection.begin(request.method)
        head = self._heads.of(request)
        if isinstance(body, bytes):
            connection.write(head + body)
            connection.sent = True
            patience.begin(_NO_ANSWER)
            try:
                return Answer(self, connection, await connection.head(), None, patience)
            finally:
                patience.end()
        connection.write(head)
        chunked = "transfer-encoding" in request.headers
        upload = asyncio.create_task(_upload(connection, body, chunked, patience))
        try:
            return Answer(self, connection, await _head_while(connection, upload, patience), upload, patience)
        except BaseException:
            upload.cancel()
            with contextlib.suppress(BaseException):
                await upload
            raise


_NO_ANSWER = "did not answer"


async def _head_while(connection: Connection, upload: asyncio.Task[None], patience: Patience) -> AnswerHead:
    # The idle time-out counts from the end of the upload; an answer may come earlier, and an upload may fail.
    head = asyncio.create_task(connection.head())
    try:
        await asyncio.wait({head, upload}, return_when=asyncio.FIRST_COMPLETED)
        if not head.done():
            upload.result()
        return await patience.wait(head, _NO_ANSWER)
    finally:
        head.cancel()


async def _upload(connection: Connection, body: AsyncIterator[bytes], chunked: bool, patience: Patience) -> None:
    async for piece in body:
        connection.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        await patience.wait(connection.drain(), "took no more of the request")
    if chunked:
        connection.write(b"0\r\n\r\n")
    connection.sent = True


def _head_bytes(request: Request, origin: Origin) -> bytes:
    headers = _hosted(request.headers, origin.authority)
    lines = [f"{request.method} {origin.target(request.target)} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers]
    return encode("\r\n".join(lines)) + b"\r\n\r\n"


def _hosted(headers: Headers, authority: str) -> Headers:
    if "host" in headers:
        return headers.replacing("Host", authority)
    return Headers((("Host", authority), *headers.pairs))


def _checking_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _why(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return f"the host name cannot be resolved ({error.strerror})"
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        return os.strerror(error.errno)
    return str(error) or type(error).__name__
