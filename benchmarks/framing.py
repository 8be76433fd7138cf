"""HTTP/1.1 framing for the floors and for the load: as little as these need, and as quick as Python allows."""

from __future__ import annotations

import asyncio
import re
from typing import cast

__all__ = ["Requests", "cut_answer"]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_LAST = b"\r\n0\r\n\r\n"


def cut_answer(data: bytes) -> tuple[bytes, bytes] | None:
    """The body of the answer that `data` begins with, and what comes after it; None while it is not complete.

    The body of a chunked answer is given with its framing.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    length = _LENGTH.search(data, 0, end)
    if length is not None:
        stop = end + 4 + int(length[1])
        return (data[end + 4 : stop], data[stop:]) if len(data) >= stop else None
    if not _CHUNKED.search(data, 0, end):
        return b"", data[end + 4 :]
    last = data.find(_LAST, end)
    return (data[end + 4 : last], data[last + len(_LAST) :]) if last > 0 else None


class Requests(asyncio.Protocol):
    """A server's side of a connection, for requests with a length or without a body; `answered` is to be overridden."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        while buffer:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                break
            length = _LENGTH.search(buffer, 0, end)
            stop = end + 4 + (int(length[1]) if length else 0)
            if len(buffer) < stop:
                break
            self.answered(buffer[end + 4 : stop])
            buffer = buffer[stop:]
        self._buffer = buffer

    def answered(self, body: bytes) -> None:
        """Answers a request with that body."""
        raise NotImplementedError
