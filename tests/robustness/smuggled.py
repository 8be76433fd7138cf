"""What rows about framing have in common: requests that hide others, and what arrived of them."""

from __future__ import annotations

import json
from typing import Any

from tests.robustness.harness import Answer, Stage

__all__ = ["CHUNKED", "HIDDEN", "arrived", "bodies", "head", "refused", "split"]

#: A request that nobody sent, if it is hidden in another.
HIDDEN = b"GET /v1/hidden HTTP/1.1\r\nHost: localhost\r\nX-Hidden: yes\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def head(fields: bytes = b"", method: bytes = b"POST", target: bytes = b"/v1/x") -> bytes:
    """A request's head; `fields` are whole lines."""
    return method + b" " + target + b" HTTP/1.1\r\nHost: {host}\r\n" + fields + b"\r\n"


def refused(stage: Stage, *pieces: bytes, status: tuple[int, ...] = (400,)) -> Answer:
    """The answer to bytes that must be refused, be the last on their connection, and reach nobody."""
    got = stage.send(*pieces)
    assert got.status in status, got
    assert got.closed
    assert not got.rest
    error = json.loads(got.body)["error"]
    assert error["message"]
    assert not stage.upstream.requests
    return got


def bodies(stage: Stage) -> list[tuple[bytes, bytes]]:
    """Targets and bodies of what arrived, chunks taken apart."""
    return [
        (each.target, unchunked(each.body) if each.all(b"transfer-encoding") else each.body) for each in arrived(stage)
    ]


def arrived(stage: Stage) -> list[Any]:
    """What arrived at the upstream."""
    return stage.upstream.requests


def unchunked(data: bytes) -> bytes:
    """A body without its chunks' framing."""
    body = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        body, data = body + data[: int(size, 16)], data[int(size, 16) + 2 :]
    return body


def split(data: bytes, size: int) -> list[bytes]:
    """The bytes in pieces."""
    return [data[at : at + size] for at in range(0, len(data), size)]
