"""The other ends of a proxy, in a process of their own: an upstream that streams, and a client that asks for streams.

`python peer.py KIND PAUSE` says on standard output where its upstream is; then, for each line `URL COUNT` of its input,
the median time of so many streams from there, in seconds. PAUSE is that between two events, in seconds. Each event is
an HTTP chunk of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import sys
import time
from collections.abc import Sequence

from samples import CREATE_MESSAGE, STREAMS

__all__: list[str] = []

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_END = b"0\r\n\r\n"


async def _main(kind: str, pause: float) -> None:
    path, body, events = STREAMS[kind]
    chunks = [b"%x\r\n%b\r\n" % (len(event), event) for event in events]

    async def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await _answer(reader, writer, chunks, pause)
        writer.close()

    server = await asyncio.start_server(visited, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        url, count = line.split()
        print(statistics.median([await _ask(url, path, body) for _ in range(int(count))]), flush=True)


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, chunks: Sequence[bytes], pause: float
) -> None:
    """Reads a request away and streams the answer to it."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n")[0]))
    writer.write(_HEAD)
    for chunk in chunks:
        writer.write(chunk)
        await asyncio.sleep(pause)
    writer.write(_END)


async def _ask(url: str, path: str, body: object) -> float:
    """Asks for a stream as a client does, reads it to its end, and gives the seconds that this took."""
    data = json.dumps(body).encode()
    fields = [f"{name}: {value}" for name, value in CREATE_MESSAGE.headers if name != "Connection"]
    head = [f"POST {path} HTTP/1.1", *fields, f"Content-Length: {len(data)}", "Connection: close", "", ""]
    host, _, port = url.removeprefix("http://").partition(":")
    began = time.perf_counter()
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write("\r\n".join(head).encode() + data)
    answer = await reader.read()
    took = time.perf_counter() - began
    writer.close()
    if not (answer.startswith(b"HTTP/1.1 200") and answer.endswith(_END)):
        raise SystemExit(f"this is no whole stream: {answer[:300]!r}")
    return took


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], float(sys.argv[2])))
