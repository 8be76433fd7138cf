"""A channel between two of our own processes: questions with answers, and things told, in both directions.

Rules:
1. What is sent first arrives first: who has the answer to a question has heard all that was told before it.
2. When one side is gone, whoever waits for its answer on the other side is told so.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal

from replayproxy.errors import ReplayProxyError
from replayproxy.proxy.workers.parcels import GoneError, packed, unpacked

__all__ = ["Asked", "Channel", "GoneError", "Told"]

_log = logging.getLogger(__name__)

_LENGTH: Final = struct.Struct(">Q")
#: So much is read ahead, in bytes.
_AHEAD = 1024 * 1024

Asked = Callable[..., Awaitable[Any]]
Told = Callable[..., None]


class Channel:
    """One side of a channel; `asked` and `told` say what the other side may ask for and tell, by name."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._numbers, self._waiting = itertools.count(1), dict[int, asyncio.Future[Any]]()
        self._answering = set[asyncio.Task[None]]()
        self.asked: Mapping[str, Asked] = {}
        self.told: Mapping[str, Told] = {}

    @classmethod
    async def over(cls, end: socket.socket) -> Channel:
        """A channel over one end of a pair of sockets."""
        end.setblocking(False)
        return cls(*await asyncio.open_unix_connection(sock=end, limit=_AHEAD))

    async def ask(self, what: str, *about: Any) -> Any:
        """The other side's answer, or the ReplayProxyError that it raised. GoneError when there is none."""
        number, answer = next(self._numbers), asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self._send("ask", number, what, about)
            return await answer
        finally:
            del self._waiting[number]

    def tell(self, what: str, *about: Any) -> None:
        """Tells the other side; nothing happens when it is gone."""
        with contextlib.suppress(GoneError):
            self._send("tell", 0, what, about)

    async def run(self) -> None:
        """Hears the other side until it is gone."""
        try:
            while True:
                size = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))[0]
                self._hear(*unpacked(await self._reader.readexactly(size)))
        except (asyncio.IncompleteReadError, OSError):
            pass  # it is gone, which is no error here
        finally:
            self.close()

    def close(self) -> None:
        """Ends the channel; those who wait get no answer any more."""
        self._writer.close()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(GoneError("the other process is gone"))

    def _hear(self, kind: Literal["ask", "tell", "answer", "error"], number: int, what: str, about: Any) -> None:
        if kind == "tell":
            self.told[what](*about)
        elif kind == "ask":
            task = asyncio.create_task(self._answer(number, what, about))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        elif (answer := self._waiting.get(number)) is not None and not answer.done():
            if kind == "answer":
                answer.set_result(about)
            else:
                answer.set_exception(about)

    async def _answer(self, number: int, what: str, about: tuple[Any, ...]) -> None:
        with contextlib.suppress(GoneError):
            try:
                self._send("answer", number, what, await self.asked[what](*about))
            except (ReplayProxyError, GoneError) as error:
                self._send("error", number, what, error)
            except Exception as error:
                _log.exception("%s", what)
                self._send("error", number, what, GoneError(f"{type(error).__name__}: {error}"))

    def _send(self, kind: str, number: int, what: str, about: Any) -> None:
        content = packed((kind, number, what, about))
        if self._writer.is_closing():
            raise GoneError("the other process is gone")
        self._writer.write(_LENGTH.pack(len(content)) + content)
