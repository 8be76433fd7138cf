"""Large bodies go through a recording proxy in little memory, unchanged, and come back from the recording the same."""

from __future__ import annotations

import hashlib
import io
import struct
import time
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.heavy.weighing import GROWTH, MB, MIB, RESIDENT, asking, client, download, lines, tell, weighed
from tests.servers import Visit, raw_upstream

pytestmark = pytest.mark.heavy

OK = b"HTTP/1.1 200 OK\r\n"


# --- uploads


async def measured(request: web.Request) -> web.Response:
    """Answers with digest and size of what was uploaded."""
    digest, size = hashlib.sha256(), 0
    async for piece in request.content.iter_any():
        digest.update(piece)
        size += len(piece)
    return web.json_response({"sha256": digest.hexdigest(), "size": size})


def upload_of(kind: str, boundary: str) -> tuple[bytes, str]:
    """10 MB and their media type: one long string as an image is, a file in a part, or lines."""
    if kind == "json":
        return b'{"image": "%b"}' % (b"QUJDRA" * (10 * MB // 6)), "application/json"
    content = b"".join(lines(10 * MB))
    if kind == "chunked":
        return content, "application/jsonl"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="batch.jsonl"\r\n\r\n'
    body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


async def in_pieces(body: bytes) -> AsyncIterator[bytes]:
    """A body whose length the client does not tell."""
    for at in range(0, len(body), 100_000):
        yield body[at : at + 100_000]


@pytest.mark.parametrize("kind", ["json", "multipart", "chunked"])
async def test_an_upload_of_10_mb(folder: Path, request: pytest.FixtureRequest, kind: str) -> None:
    """It arrives byte for byte, and is known again when it is played: a multipart body by another boundary, too."""
    app = web.Application()
    app.router.add_post("/v1/files", measured)

    async def upload(url: str, boundary: str) -> Any:
        body, media_type = upload_of(kind, boundary)
        data = in_pieces(body) if kind == "chunked" else io.BytesIO(body)
        headers = {"content-type": media_type}
        async with client() as session, session.post(f"{url}/v1/files", data=data, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async with TestServer(app) as upstream:
        with weighed("record", folder, "--upstream", str(upstream.make_url(""))) as proxy:
            began = time.perf_counter()
            arrived = await upload(proxy.url, "one")
            tell(request, seconds=time.perf_counter() - began, peak_mb=proxy.peak / MB)
            body, _ = upload_of(kind, "one")
            assert arrived == {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body)}
            assert proxy.peak < RESIDENT
    with weighed("playback", folder) as proxy:
        assert await upload(proxy.url, "another") == arrived
        assert proxy.peak < RESIDENT


# --- a small answer that is large


def bomb(mebibytes: int) -> bytes:
    """So many MiB of zeros in a thousandth of the bytes, by gzip."""
    zeros, packer, checksum = bytes(MIB), zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS), 0
    first, again = (packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    for _ in range(mebibytes):
        checksum = zlib.crc32(zeros, checksum)
    end = struct.pack("<II", checksum, mebibytes * MIB)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + first + again * (mebibytes - 1) + packer.flush() + end


async def test_a_gzip_bomb(folder: Path, request: pytest.FixtureRequest) -> None:
    """1 MiB that unpacks to 1 GiB reaches the client as it is, and plays packed; nobody waits, memory stays flat."""
    body = bomb(1024)

    async def script(visit: Visit) -> None:
        while True:
            small = b"/small" in await visit.request()
            data = b"ok" if small else body
            head = b"" if small else b"Content-Type: application/json\r\nContent-Encoding: gzip\r\n"
            await visit.send(OK + head + b"Content-Length: %d\r\n\r\n" % len(data) + data)

    async with raw_upstream(script) as upstream, client() as session:
        with weighed("record", folder, "--upstream", upstream.url) as proxy:
            await download(session, f"{proxy.url}/small")
            before = proxy.resident
            async with asking(session, f"{proxy.url}/small") as waits:
                got = await download(session, f"{proxy.url}/bomb")
            growth = proxy.peak - before
            tell(request, seconds=got.seconds, growth_mb=growth / MB, longest_wait_ms=max(waits) * 1000)
            assert got.sha256 == hashlib.sha256(body).hexdigest()
            assert growth < GROWTH
            assert proxy.peak < RESIDENT
            assert max(waits) < 1
    expected = hashlib.sha256()
    for _ in range(1024):
        expected.update(bytes(MIB))
    async with client() as session:
        with weighed("playback", folder) as proxy:
            before = proxy.resident
            async with asking(session, f"{proxy.url}/small") as waits:
                coded = await download(session, f"{proxy.url}/bomb", **{"Accept-Encoding": "gzip"})
            growth = proxy.peak - before
            tell(request, played_seconds=coded.seconds, growth_mb=growth / MB, longest_wait_ms=max(waits) * 1000)
            assert coded.size < 8 * MIB
            plain = await download(session, f"{proxy.url}/bomb", **{"Accept-Encoding": "identity"})
            assert (plain.sha256, plain.size) == (expected.hexdigest(), 1024 * MIB)
            assert growth < GROWTH
            assert proxy.peak < RESIDENT
            assert max(waits) < 1
