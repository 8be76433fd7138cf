"""Gives a recorded answer: its head and its body, in the coding the client takes, at the speed that was asked for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, replace
from typing import IO, NamedTuple

from aiohttp import web

from replayproxy.core import codings
from replayproxy.core.cassette import Interaction
from replayproxy.core.fault_kinds import NO_DELAY, Fault
from replayproxy.core.messages import FileBody, Headers, Response
from replayproxy.core.session import Replay
from replayproxy.core.sse import parse
from replayproxy.proxy.breaking import FAULT_HEADER, Outlet, Severed, Severing, sever, strike
from replayproxy.proxy.shelf import ANSWER_LIMIT
from replayproxy.proxy.wire import CORRELATION_HEADER, Reply

OpenFile = Callable[[FileBody], IO[bytes]]

__all__ = ["POLL_HEADER", "Copied", "OpenFile", "Pace", "play"]

#: How long OpenAI's poll helpers wait before they ask again, in milliseconds.
POLL_HEADER = "openai-poll-after-ms"

_PIECE = 256 * 1024


class Pace(NamedTuple):
    """How fast an answer is given: `speed` 0 at once, 1 as recorded, N so many times faster; delays of the interaction
    come on top. A poll is told to wait for `poll_after_ms`, unless that is 0. `began` is called when the answer
    begins."""

    speed: float = 0.0
    poll_after_ms: int = 0
    began: Callable[[], None] = lambda: None


async def play(raw: web.BaseRequest, replay: Replay, marks: Headers, open_file: OpenFile, pace: Pace) -> Reply:
    """Sends a recorded answer with `marks` added to its headers, or as much of it as its fault lets through.

    `open_file` opens the file of a large body.
    """
    fault, response = replay.fault, replay.interaction.response
    if replay.poll and pace.poll_after_ms:
        response = replace(response, headers=response.headers.replacing(POLL_HEADER, str(pace.poll_after_ms)))
    act = _Act(replay.interaction, response, open_file, pace.speed, asyncio.get_running_loop().time())
    await act.until_first_byte()
    pace.began()
    if fault is None:
        # An answer that names its exchange is nobody else's.
        kind = Copied if act.lasting and CORRELATION_HEADER not in raw.headers else Reply
        return await _give(raw, act, marks, kind)
    marks = marks.plus((FAULT_HEADER, str(fault)))
    return await (strike(raw, fault, marks) if fault.early else _break(raw, act, fault, marks))


class Copied(Reply):
    """An answer of which a copy is kept; `sent` is that copy, framing included, once the answer is complete."""

    _copy: bytes | None = b""

    def write(self, data: bytes) -> None:
        """Sends bytes and keeps them, as long as they are not too many."""
        super().write(data)
        if self._copy is not None:
            self._copy = self._copy + data if len(self._copy) + len(data) <= ANSWER_LIMIT else None

    @property
    def sent(self) -> bytes | None:
        """What was sent; None when it was too much, or the connection does not live on."""
        return self._copy if self.keep_alive else None


async def _give(raw: web.BaseRequest, act: _Act, marks: Headers, kind: type[Reply]) -> Reply:
    coding = act.response.coding
    if coding and not codings.accepts(raw.headers.get("Accept-Encoding"), coding):
        act, coding = act.decoded(), ""
    elif coding and not act.in_pieces:
        act, coding = act.encoded(), ""
    response = act.response
    length = None if response.chunks or coding or "content-length" not in response.headers else _size(response.body)
    reply = kind(raw, response.status, response.reason, response.headers.plus(*marks), length=length)
    if reply.bodiless:
        await reply.end()
    elif isinstance(response.body, bytes) and not (act.speed or act.in_pieces):
        await reply.end(response.body)
    else:
        await _send(reply, act.coded(coding) if coding else act.pieces())
    return reply


async def _break(raw: web.BaseRequest, act: _Act, fault: Fault, marks: Headers) -> Reply:
    act = act.decoded()  # a fault counts the bytes that stand in the cassette
    response = act.response
    length = None if response.chunks else _stated(response, fault)
    reply = Reply(raw, response.status, response.reason, response.headers.plus(*marks), length=length)
    if reply.bodiless:
        await reply.end()
        return reply
    try:
        await _send(Severing(reply, fault), act.pieces())
    except Severed:
        await sever(raw, reply, fault, framed=length is not None or raw.version >= (1, 1))
    return reply


async def _send(outlet: Outlet, pieces: AsyncGenerator[bytes, None]) -> None:
    async with contextlib.aclosing(pieces):
        async for piece in pieces:
            await outlet.send(piece)
    await outlet.end()


@dataclass(frozen=True, slots=True)
class _Act:
    """An answer being played: its pace and the pieces of its body. `began` is on the loop's clock."""

    interaction: Interaction
    response: Response
    open_file: OpenFile
    speed: float
    began: float

    @property
    def lasting(self) -> bool:
        """Whether it is the same each time, and given at once."""
        return not self.speed and self.interaction.delay == NO_DELAY and isinstance(self.response.body, bytes)

    @property
    def in_pieces(self) -> bool:
        """Whether the body comes in pieces: a file's, a stream's chunks or its events."""
        large = isinstance(self.response.body, FileBody)
        return large or bool(self.interaction.delay.each_event) or self._in_chunks

    @property
    def _in_chunks(self) -> bool:
        chunks = self.response.chunks
        return bool(chunks) and _size(self.response.body) == sum(chunk.size for chunk in chunks)

    def decoded(self) -> _Act:
        """The same without the coding."""
        if not self.response.coding:
            return self
        headers = self.response.headers.without(("content-encoding",))
        return replace(self, response=replace(self.response, headers=headers))

    def encoded(self) -> _Act:
        """The same with the coding on a body that is in memory."""
        body, coding = self.response.body, self.response.coding
        body = codings.encode(coding, body) if isinstance(body, bytes) else body
        return replace(self, response=replace(self.response, body=body))

    async def until_first_byte(self) -> None:
        """Waits until the answer begins."""
        await self._until(self.interaction.first_byte, self.interaction.delay.first_byte)

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body, uncoded, each piece when it is due."""
        body, each_event = self.response.body, self.interaction.delay.each_event
        if isinstance(body, FileBody):
            with self.open_file(body) as file:
                while piece := file.read(_PIECE):
                    yield piece
        elif each_event:
            yield b""  # the head
            for event in parse(body):
                await asyncio.sleep(each_event)
                yield event.raw
        elif self._in_chunks:
            async for piece in self._chunks(body):
                yield piece
        else:
            if self.speed:
                yield b""
                await self._until(self.interaction.took, self.interaction.delay.first_byte)
            yield body

    async def coded(self, coding: str) -> AsyncGenerator[bytes, None]:
        """The body in a coding; what a piece holds can be read when it is there."""
        encoder, large = codings.encoder(coding), isinstance(self.response.body, FileBody)
        async with contextlib.aclosing(self.pieces()) as pieces:
            async for piece in pieces:
                if large:  # in a thread, since others want their turn
                    yield await asyncio.to_thread(encoder.feed, piece)
                else:
                    yield encoder.feed(piece) + encoder.flush() if piece else b""
        yield encoder.finish()

    async def _chunks(self, body: bytes) -> AsyncGenerator[bytes, None]:
        began, place = asyncio.get_running_loop().time(), 0
        if self.speed:
            yield b""
        for chunk in self.response.chunks:
            if self.speed:
                await _sleep_until(began + chunk.at / self.speed)
            yield body[place : place + chunk.size]
            place += chunk.size

    async def _until(self, recorded: float, delay: float) -> None:
        await _sleep_until(self.began + (recorded / self.speed if self.speed else 0.0) + delay)


def _stated(response: Response, fault: Fault) -> int | None:
    """The length that a broken answer states: more than comes; None when it cannot state one."""
    stated = response.headers.get("content-length", "")
    if not stated or not stated.isdecimal() or fault.after_events is not None:
        return None
    length = max(int(stated), _size(response.body))
    comes = _size(response.body) if fault.after is None else min(fault.after, _size(response.body))
    return length if length > comes else None


def _size(body: bytes | FileBody) -> int:
    return body.size if isinstance(body, FileBody) else len(body)


async def _sleep_until(moment: float) -> None:
    delay = moment - asyncio.get_running_loop().time()
    if delay > 0:
        await asyncio.sleep(delay)
