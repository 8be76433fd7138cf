"""Answers that fail: broken off where a fault says so, in a way that no client takes for the end.

Rules:
1. What came before the fault reaches the client: a connection is closed behind it, and the missing end tells. Only
   where the end of the connection would be the end of the body (HTTP/1.0) it is reset.
2. Silence lasts until the client gives up, but not for ever.
"""

from __future__ import annotations

import asyncio
import math
import socket
import struct
import sys
from typing import Protocol

from aiohttp import web

from replayproxy.core.fault_kinds import Cut, Fault
from replayproxy.core.messages import Headers
from replayproxy.core.problem import Problem
from replayproxy.proxy.answers import own_response
from replayproxy.proxy.wire import Reply

__all__ = ["FAULT_HEADER", "Outlet", "Severed", "Severing", "break_off", "sever", "strike"]

#: Tells the fault that an answer meets.
FAULT_HEADER = "x-replayproxy-fault"

#: Close at once and send a reset: the system throws away what was not sent.
_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class Severed(Exception):  # noqa: N818 -- what was ordered, not an error
    """The place is reached where a fault breaks the answer off."""


class Outlet(Protocol):
    """Where an answer goes: a `Reply`, or one that breaks off."""

    async def send(self, data: bytes) -> None:
        """Sends a piece of the body."""
        ...

    async def end(self, last: bytes = b"") -> None:
        """Sends the last piece and the end."""
        ...


class Severing:
    """Sends what of an answer comes before a fault; then raises `Severed`, at the latest in the place of the end."""

    def __init__(self, reply: Reply, fault: Fault) -> None:
        self._reply, self._cut = reply, Cut(fault)

    async def send(self, data: bytes) -> None:
        """Sends a piece of the body, or what comes before the fault."""
        await self._reply.send(self._cut.feed(data))
        if self._cut.done:
            raise Severed

    async def end(self, last: bytes = b"") -> None:
        """Sends the last piece and no end."""
        await self.send(last)
        raise Severed


async def strike(raw: web.BaseRequest, fault: Fault, marks: Headers) -> Reply:
    """Answers with an early fault: a status with `marks` in its head, silence, or a connection that breaks."""
    if fault.kind == "status":
        return await _answer(raw, fault, marks)
    if fault.kind == "timeout":
        await asyncio.sleep(fault.lasts)
    reply = Reply(raw, 500, "", marks)
    _reset(raw, reply)
    return reply


async def sever(raw: web.BaseRequest, reply: Reply, fault: Fault, *, framed: bool) -> None:
    """Breaks off an answer that has come to the place of a fault; `framed` as in `break_off`."""
    if fault.kind == "timeout":
        await asyncio.sleep(fault.lasts)
    await break_off(raw, reply, framed=framed)


async def break_off(raw: web.BaseRequest, reply: Reply, *, framed: bool) -> None:
    """Breaks the connection behind what was sent; `framed`: the client can tell that more should have come."""
    if not framed or not reply.started:
        await asyncio.sleep(0)  # what was written goes out with the loop's next turn
        _reset(raw, reply)
        return
    reply.keep_alive = False
    if raw.transport is not None:
        raw.transport.close()


def _reset(raw: web.BaseRequest, reply: Reply) -> None:
    transport = raw.transport
    if transport is not None:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
    reply.abort()


async def _answer(raw: web.BaseRequest, fault: Fault, marks: Headers) -> Reply:
    told = f"replayproxy answers {fault.status}: this request was to meet a fault."
    response = own_response(Problem(told, code="scripted_fault", status=fault.status, type="scripted_fault"))
    body = response.body if isinstance(response.body, bytes) else b""
    headers = response.headers.plus(*_retry(fault.retry_after), *marks)
    reply = Reply(raw, response.status, response.reason, headers, length=len(body))
    await reply.end(body)
    return reply


def _retry(after: float | None) -> tuple[tuple[str, str], ...]:
    """In seconds for everybody; in milliseconds for those who know that header (OpenAI's clients), when it matters."""
    if after is None:
        return ()
    exact = (("retry-after-ms", f"{after * 1000:.0f}"),) if after % 1 else ()
    return (("retry-after", str(math.ceil(after))), *exact)
