"""Servers and clients of bytes, for tests that look at what really goes over the wire."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

Script = Callable[["Visit"], Awaitable[None]]


@dataclass(slots=True)
class Visit:
    """One connection to a `RawUpstream`: what came in, and a way to answer."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    received: bytearray = field(default_factory=bytearray)

    async def request(self) -> bytes:
        """The next request as its bytes: the head, and the body that its framing tells of."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        lower, body, size = head.lower(), b"", 1
        if b"\r\ntransfer-encoding: chunked" in lower:
            while size:
                line = await self.reader.readuntil(b"\r\n")
                size = int(line, 16)
                body += line + await self.reader.readexactly(size + 2)
        elif b"\r\ncontent-length:" in lower:
            length = int(lower.partition(b"\r\ncontent-length:")[2].split(b"\r\n")[0])
            body = await self.reader.readexactly(length)
        self.received += head + body
        return head + body

    async def send(self, data: bytes) -> None:
        """Sends bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Breaks the connection: the other end sees a reset, not an end."""
        linger = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()


@dataclass(slots=True)
class RawUpstream:
    """A server that follows a script on each connection."""

    url: str
    visits: list[Visit] = field(default_factory=list)

    @property
    def received(self) -> bytes:
        """All that came in, over all connections."""
        return b"".join(bytes(visit.received) for visit in self.visits)


@contextlib.asynccontextmanager
async def raw_upstream(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawUpstream]:
    """Runs a server of bytes on a loopback port."""
    upstream = RawUpstream("")
    tasks: set[asyncio.Task[None]] = set()

    async def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = Visit(reader, writer)
        upstream.visits.append(visit)
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await script(visit)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the other end left, or the test is over
        finally:
            writer.close()

    server = await asyncio.start_server(visited, "127.0.0.1", 0, limit=1 << 24, ssl=tls)
    upstream.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield upstream
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def answering(*answers: bytes) -> Script:
    """A script that gives these answers to the requests of a connection, one after the other, the last for ever."""

    async def script(visit: Visit) -> None:
        count = 0
        while True:
            await visit.request()
            await visit.send(answers[min(count, len(answers) - 1)])
            count += 1

    return script


async def exchange(url: str, data: bytes) -> bytes:
    """Sends bytes to a server and gives all that comes back until it closes."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    await writer.drain()
    try:
        return await reader.read()
    finally:
        writer.close()


async def answer_body(reader: asyncio.StreamReader) -> bytes:
    """The body of the next answer, sized or in chunks. IncompleteReadError when the connection ends before it does."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b"content-length: " in head:
        return await reader.readexactly(int(head.partition(b"content-length: ")[2].split(b"\r\n")[0]))
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return body
