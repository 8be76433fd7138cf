"""Clients that hang up in the middle: the log says so in a line, nothing is left behind, and the proxy goes on."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.processes import Running, started
from tests.servers import Visit, raw_upstream

MESSAGES = "/v1/threads/thread_abc/messages"


async def taking_all(visit: Visit) -> None:
    """Reads what comes and answers nothing, but for a GET."""
    head = await visit.reader.readuntil(b"\r\n\r\n")
    if head.startswith(b"GET "):
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    while await visit.reader.read(65536):
        pass


async def leave(proxy: Running, head: str, body: bytes, reset: bool) -> None:
    """Sends the beginning of a request and hangs up, or breaks the connection."""
    parts = urlsplit(proxy.url)
    _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(head.encode() + body)
    await writer.drain()
    if reset:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("validate", ["enforce", "off"])
async def test_client_that_leaves_during_its_upload(tmp_path: Path, validate: str, reset: bool) -> None:
    """Read first or passed on while it comes, sized or chunked, in memory or in a file: no traceback, no file left."""
    options = ("--cassette", "c.yaml", "--validate", validate)
    async with raw_upstream(taking_all) as upstream:
        with started("record", *options, "--upstream", upstream.url, cwd=tmp_path) as proxy:
            for framing, body in (
                ("Content-Length: 1000", b"x" * 10),
                ("Content-Length: 30000000", b"x" * 12_000_000),
                ("Transfer-Encoding: chunked", b"100000\r\n" + b"x" * 1000),
                ("Transfer-Encoding: chunked", b"FFFFFFF\r\n" + b"x" * 12_000_000),
            ):
                await leave(proxy, f"POST {MESSAGES} HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n", body, reset)
            async with httpx.AsyncClient(trust_env=False, verify=False) as http:
                assert (await http.get(f"{proxy.url}/v1/models")).text == "ok"
            await asyncio.to_thread(proxy.stop)
    assert proxy.status == 0
    assert not re.search("Traceback|Exception|Warning", proxy.err), proxy.err
    assert len(re.findall(rf"POST {MESSAGES} - the client hung up", proxy.err)) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["c.yaml"]


async def test_client_that_leaves_after_the_end_got_its_answer(tmp_path: Path) -> None:
    """Clients close a stream as soon as they have seen its last event: that is no reason to call it lost."""

    async def streaming(visit: Visit) -> None:
        await visit.request()
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        await visit.send(b"data: 1\n\ndata: [DONE]\n\n")
        visit.writer.close()

    async with raw_upstream(streaming) as upstream:
        with started("record", "--cassette", "c.yaml", "--upstream", upstream.url, cwd=tmp_path) as proxy:
            for number in range(20):
                parts = urlsplit(proxy.url)
                reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
                writer.write(f"GET /v1/streams/{number} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                await reader.readuntil(b"[DONE]\n\n")
                writer.close()
            await asyncio.to_thread(proxy.stop)
    assert proxy.err.count(" 200 saved ") == 20
    assert "20 forwarded, 20 saved" in proxy.err
