"""Minimal servers to compare with, each a process of its own: `python floors.py KIND [ARGUMENT...]`.

It prints its URL and serves until it is terminated.

    bare                   asyncio.Protocol, fixed bytes: nothing in Python is cheaper
    look-up TRAFFIC COUNT  aiohttp's low-level server: parses the JSON, looks its canonical form up among COUNT
    forwarder URL          aiohttp's low-level server and client: passes each chunk on as it comes
    upstream               asyncio.Protocol: JSON of 600 bytes, and event streams that carry the time of sending
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import uvloop
from framing import Requests
from traffic import KINDS, event

__all__: list[str] = []

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_STREAM = re.compile(rb"events=(\d+) gap=(\d+)")


def _whole(body: bytes) -> bytes:
    return _HEAD % len(body) + body


class _Bare(Requests):
    answer = _whole(KINDS["message"].answer(0))

    def answered(self, body: bytes) -> None:
        self.transport.write(self.answer)


class _Upstream(_Bare):
    def answered(self, body: bytes) -> None:
        if wanted := _STREAM.search(body):
            self.transport.write(_STREAM_HEAD)
            self._send(int(wanted[1]), int(wanted[2]) / 1e3, asyncio.get_running_loop().time())
        else:
            place = body.find(b"Question ") + len("Question ")
            self.transport.write(self.answer.replace(b"msg_00000000", b"msg_" + body[place : place + 8], 1))

    def _send(self, left: int, gap: float, due: float) -> None:
        if self.transport.is_closing():
            return
        if not left:
            self.transport.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")
            return
        data = event(f"t={time.monotonic_ns()}.")
        self.transport.write(b"%x\r\n%b\r\n" % (len(data), data))
        due += gap  # by the clock, not by the last event: a late one delays no other
        asyncio.get_running_loop().call_at(due, self._send, left - 1, gap, due)


@contextlib.asynccontextmanager
async def _bare(protocol: Callable[[], Requests]) -> AsyncIterator[int]:
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, backlog=2048)
    async with server:
        yield server.sockets[0].getsockname()[1]


@contextlib.asynccontextmanager
async def _aiohttp(handler: Any) -> AsyncIterator[int]:
    from aiohttp import web

    runner = web.ServerRunner(web.Server(handler, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=2048).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


def _canonical(body: bytes) -> bytes:
    value = orjson.loads(body)
    value["metadata"].pop("run_id", None)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


@contextlib.asynccontextmanager
async def _looking_up(name: str, count: str) -> AsyncIterator[int]:
    from aiohttp import web

    kind, numbers = KINDS[name], range(int(count))
    bodies = {_canonical(kind.body(number, 0)) if name != "get" else kind.target(number): number for number in numbers}
    answers = {key: kind.answer(number) for key, number in bodies.items()}

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        key: Any = _canonical(await request.read()) if request.body_exists else request.path
        return web.Response(body=answers[key], content_type="application/json")

    async with _aiohttp(handler) as port:
        yield port


@contextlib.asynccontextmanager
async def _forwarding(upstream: str) -> AsyncIterator[int]:
    from aiohttp import ClientSession, TCPConnector, web

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        sent = await request.read()
        url = upstream + request.path_qs
        async with session.request(request.method, url, data=sent, headers=request.headers) as answer:
            passed = web.StreamResponse(status=answer.status)
            passed.content_type = answer.content_type
            passed.content_length = answer.content_length
            await passed.prepare(request)
            async for chunk in answer.content.iter_any():
                await passed.write(chunk)
            await passed.write_eof()
            return passed

    async with (
        ClientSession(connector=TCPConnector(limit=0), auto_decompress=False) as session,
        _aiohttp(handler) as at,
    ):
        yield at


_FLOORS: dict[str, Callable[..., contextlib.AbstractAsyncContextManager[int]]] = {
    "bare": lambda: _bare(_Bare),
    "upstream": lambda: _bare(_Upstream),
    "look-up": _looking_up,
    "forwarder": _forwarding,
}


async def _main(kind: str, *arguments: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with _FLOORS[kind](*arguments) as port:
        print(f"http://127.0.0.1:{port}", flush=True)
        await stop.wait()


if __name__ == "__main__":
    uvloop.run(_main(*sys.argv[1:]))
