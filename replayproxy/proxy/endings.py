"""Where a request ends: whether what follows it on its connection is read as it came.

The C parser of aiohttp keeps the last trailer of a request, and takes it for a field of the next; and behind a wish to
change the protocol the C parser drops what the Python parser reads. Such requests are the last on their connection.
"""

from __future__ import annotations

import re

from aiohttp import hdrs, web

from replayproxy.proxy.hop_by_hop import nominated

__all__ = ["behind_chunks", "ends_clearly", "without_trailers"]

_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r\n")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:;[^\r\n]*)?\r\n")


def ends_clearly(raw: web.BaseRequest) -> bool:
    """Whether another request may follow this one; not where nobody can tell any more whether it had trailers."""
    headers = raw.headers
    if hdrs.UPGRADE in headers and "upgrade" in nominated(headers.getall(hdrs.CONNECTION, ())):
        return False
    if hdrs.TRANSFER_ENCODING not in headers:
        return True
    # What the connection knows of the bytes that came since it was idle (proxy/front.py): all `_size` when few.
    seen: bytes | None = getattr(raw.protocol, "_seen", None)
    known = seen is not None and len(seen) == getattr(raw.protocol, "_size", -1)
    return known and raw.content.is_eof() and without_trailers(seen or b"")


def without_trailers(data: bytes) -> bool:
    """Whether none of the requests in these bytes has trailers; false where that cannot be told."""
    at = 0
    while (end := data.find(_HEAD_END, at)) >= 0:
        head, at = data[at:end].lower() + b"\r\n", end + len(_HEAD_END)
        if b"\r\ntransfer-encoding:" in head:
            at = behind_chunks(data, at)
            if at < 0:
                return False
        elif b"\r\ncontent-length:" in head:
            length = _LENGTH.match(head, head.index(b"\r\ncontent-length:"))
            if length is None:
                return False
            at += int(length[1])
    return True


def behind_chunks(data: bytes, at: int) -> int:
    """Where the chunks end that begin `at`; -1 when there are trailers behind them, or it cannot be told."""
    while (size := _SIZE.match(data, at)) is not None:
        at = size.end()
        if count := int(size[1], 16):
            at += count + 2
        else:
            return at + 2 if data[at : at + 2] == b"\r\n" else -1
    return -1
