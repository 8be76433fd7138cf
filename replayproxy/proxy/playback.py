"""Gives a recorded answer: its head and its body, in the coding the client takes, at the speed that was asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import IO

from aiohttp import web

from replayproxy.core import codings
from replayproxy.core.cassette import Interaction
from replayproxy.core.messages import FileBody, Headers, Response
from replayproxy.proxy.wire import Reply

OpenFile = Callable[[FileBody], IO[bytes]]

__all__ = ["OpenFile", "play"]

_PIECE = 256 * 1024


async def play(
    raw: web.BaseRequest,
    interaction: Interaction,
    marks: Headers,
    open_file: OpenFile,
    speed: float,
) -> Reply:
    """Sends the interaction's answer with `marks` added to its headers.

    `speed` 0 answers at once, 1 as recorded, N so many times faster. `open_file` opens the file of a large body.
    """
    response, started = interaction.response, asyncio.get_running_loop().time()
    headers, body = _coded(response, raw.headers.get("Accept-Encoding"))
    reply = Reply(raw, response.status, response.reason, headers.plus(*marks), length=_length(response, headers, body))
    if speed:
        await _until(started + interaction.first_byte / speed)
    if isinstance(body, FileBody):
        await _send_file(reply, body, open_file)
    elif response.chunks and len(body) == sum(chunk.size for chunk in response.chunks):
        await _send_chunks(reply, response, body, speed)
    elif speed and not reply.bodiless:
        await reply.send(b"")
        await _until(started + interaction.took / speed)
        await reply.end(body)
    else:
        await reply.end(body)
    return reply


async def _send_chunks(reply: Reply, response: Response, body: bytes, speed: float) -> None:
    began, place = asyncio.get_running_loop().time(), 0
    if speed:
        await reply.send(b"")
    for chunk in response.chunks:
        if speed:
            await _until(began + chunk.at / speed)
        await reply.send(body[place : place + chunk.size])
        place += chunk.size
    await reply.end()


async def _send_file(reply: Reply, body: FileBody, open_file: OpenFile) -> None:
    if reply.bodiless:
        await reply.end()
        return
    with open_file(body) as file:
        while piece := file.read(_PIECE):
            await reply.send(piece)
    await reply.end()


def _coded(response: Response, accept_encoding: str | None) -> tuple[Headers, bytes | FileBody]:
    body = response.body
    if not response.coding:
        return response.headers, body
    if isinstance(body, bytes) and codings.accepts(accept_encoding, response.coding):
        return response.headers, codings.encode(response.coding, body)
    return response.headers.without(("content-encoding",)), body


def _length(response: Response, headers: Headers, body: bytes | FileBody) -> int | None:
    if response.chunks or "content-length" not in headers:
        return None
    return body.size if isinstance(body, FileBody) else len(body)


async def _until(moment: float) -> None:
    delay = moment - asyncio.get_running_loop().time()
    if delay > 0:
        await asyncio.sleep(delay)
