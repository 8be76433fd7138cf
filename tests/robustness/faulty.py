"""What upstreams do wrong: one table of faults, and the script that does them.

A fault is asked for by its path: `/v1/faults/NAME/…`. Everything else is answered as usual.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from tests.robustness.harness import OK, ScriptedUpstream
from tests.servers import Script, Visit

__all__ = ["BROKEN", "ENDLESS", "FAULTS", "REFUSED", "STALLED", "Fault", "doing", "target_of"]

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_SIZED = _HEAD + b"Content-Length: 3\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_EVENT = b'10\r\ndata: {"n": 12}\n\r\n'
_GZIP = bytes.fromhex("1f8b08000000000002ffab56ca48cdc9c95700")

End = Literal["close", "reset", "stay"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is sent in the place of an answer, and what is done then. `endless` goes on and on behind `data`."""

    data: bytes
    end: End = "close"
    endless: Callable[[], AsyncIterator[bytes]] | None = None


def _again(data: bytes) -> Callable[[], AsyncIterator[bytes]]:
    async def pieces() -> AsyncIterator[bytes]:
        while True:
            yield data

    return pieces


#: What came before the connection broke when nothing of it can be used, by name.
_UNUSABLE = {
    "nothing": b"",
    "part of the status line": b"HTTP/1.1 20",
    "the status line": b"HTTP/1.1 200 OK\r\n",
    "part of the head": _HEAD + b"Content-Le",
    "all but the head's end": _SIZED,
    "an interim answer": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
}
#: What came when a part can be used.
_USABLE = {
    "the head": _SIZED + b"\r\n",
    "part of the body": _SIZED + b"\r\n{",
    "chunks": _CHUNKED + b"3\r\n{}\n\r\n",
    "part of a chunk": _CHUNKED + b"5\r\n{}",
    "part of a chunk's head": _CHUNKED + b"3\r\n{}\n\r\n5",
    "all but the last line": _CHUNKED + b"3\r\n{}\n\r\n0\r\n",
    "events": _STREAM + _EVENT * 3,
    "part of an event": _STREAM + _EVENT + b'10\r\ndata: {"n"',
    "half a gzip": _HEAD + b"Content-Encoding: gzip\r\nContent-Length: 64\r\n\r\n" + _GZIP,
    "half a gzip in chunks": _HEAD + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n12\r\n" + _GZIP,
}

#: What is no answer at all: nothing of it may be passed on.
_GARBAGE = {
    "HTTP/0.9": b"<html>hello</html>",
    "ICY": b"ICY 200 OK\r\n\r\nabc",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x46",
    "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
    "a request": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "JSON": b'{"status": 200}',
    "zeros": bytes(4096),
    "noise": bytes(range(255, -1, -1)) * 8,
    "status abc": b"HTTP/1.1 abc OK\r\n\r\n",
    "status 99": b"HTTP/1.1 99 OK\r\n\r\n",
    "status 099": b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n",
    "status 000": b"HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n",
    "status 1000": b"HTTP/1.1 1000 OK\r\n\r\n",
    "status 20": b"HTTP/1.1 20 OK\r\n\r\n",
    "status -200": b"HTTP/1.1 -200 OK\r\n\r\n",
    "status 10^30": b"HTTP/1.1 1" + b"0" * 30 + b" OK\r\n\r\n",
    "version 2.0": b"HTTP/2.0 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "version 0.9": b"HTTP/0.9 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "version 1.2": b"HTTP/1.2 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "version in small letters": b"http/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "reason with NUL": b"HTTP/1.1 200 O\0K\r\nContent-Length: 3\r\n\r\nabc",
    "reason with ESC": b"HTTP/1.1 200 O\x1b[2JK\r\nContent-Length: 3\r\n\r\nabc",
    "reason with CR": b"HTTP/1.1 200 O\rK\r\nContent-Length: 3\r\n\r\nabc",
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc",
    "bare LF in the head": _HEAD + b"X: a\nContent-Length: 3\r\n\r\nabc",
    "bare LF behind the head": _SIZED + b"\nabc",
    "bare CR": _HEAD + b"X: a\rY: b\r\nContent-Length: 3\r\n\r\nabc",
    "NUL in a value": _HEAD + b"X: a\0b\r\nContent-Length: 3\r\n\r\nabc",
    "NUL in a name": _HEAD + b"X\0: a\r\nContent-Length: 3\r\n\r\nabc",
    "blank in a name": _HEAD + b"X Y: a\r\nContent-Length: 3\r\n\r\nabc",
    "blank before the colon": _HEAD + b"Content-Length : 3\r\n\r\nabc",
    "no colon": _HEAD + b"Content-Length 3\r\n\r\nabc",
    "no name": _HEAD + b": a\r\nContent-Length: 3\r\n\r\nabc",
    "folded line": _HEAD + b"X: a\r\n b\r\nContent-Length: 3\r\n\r\nabc",
    "folded length": _HEAD + b"Content-Length:\r\n 3\r\n\r\nabc",
    "length -1": _HEAD + b"Content-Length: -1\r\n\r\nabc",
    "length +3": _HEAD + b"Content-Length: +3\r\n\r\nabc",
    "length 0x3": _HEAD + b"Content-Length: 0x3\r\n\r\nabc",
    "length 3_0": _HEAD + b"Content-Length: 3_0\r\n\r\nabc",
    "length 3 3": _HEAD + b"Content-Length: 3 3\r\n\r\nabc",
    "length 3, 3": _HEAD + b"Content-Length: 3, 3\r\n\r\nabc",
    "length 3, 5": _HEAD + b"Content-Length: 3, 5\r\n\r\nabc",
    "no length": _HEAD + b"Content-Length: \r\n\r\nabc",
    "length in Arabic": _HEAD + "Content-Length: ٣\r\n\r\nabc".encode(),
    "length of 20 digits": _HEAD + b"Content-Length: 99999999999999999999\r\n\r\nabc",
    "two lengths": _HEAD + b"Content-Length: 3\r\nContent-Length: 5\r\n\r\nabc",
    "a length and chunks": _SIZED + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "chunks and a length": _HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "gzip, chunked": _HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "chunked, gzip": _HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "chunked twice": _HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "chunked, chunked": _HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "xchunked": _HEAD + b"Transfer-Encoding: xchunked\r\n\r\nabc",
    "identity": _HEAD + b"Transfer-Encoding: identity\r\n\r\nabc",
    "chunks of HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "blank before the coding's colon": _HEAD + b"Transfer-Encoding : chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "101": b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x05hello",
    "101 without a protocol": b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + OK,
    "a head of 1 MiB": _HEAD + b"X: " + b"x" * (1 << 20) + b"\r\n\r\n",
    "10,000 fields": _HEAD + b"".join(b"X-%d: y\r\n" % n for n in range(10_000)) + b"Content-Length: 0\r\n\r\n",
    "1,001 interim answers": b"HTTP/1.1 102 Processing\r\n\r\n" * 1001 + OK,
}
#: What goes wrong behind a head.
_GARBLED = {
    "chunk head ZZ": _CHUNKED + b"ZZ\r\nabc\r\n0\r\n\r\n",
    "chunk head 0x3": _CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n",
    "chunk head -3": _CHUNKED + b"-3\r\nabc\r\n0\r\n\r\n",
    "chunk head of 17 digits": _CHUNKED + b"10000000000000003\r\nabc\r\n0\r\n\r\n",
    "chunk head with a bare LF": _CHUNKED + b"3\nabc\r\n0\r\n\r\n",
    "chunk head with CR in its extension": _CHUNKED + b"3;a\rb\r\nabc\r\n0\r\n\r\n",
    "chunk longer than told": _CHUNKED + b"3\r\nabcd\r\n0\r\n\r\n",
    "chunk without its end": _CHUNKED + b"3\r\nabc0\r\n\r\n",
    "trailer without a colon": _CHUNKED + b"3\r\nabc\r\n0\r\nX y\r\n\r\n",
    "trailer with a length": _CHUNKED + b"3\r\nabc\r\n0\r\nContent-Length: 5\r\n\r\n",
}

#: The client gets an error of ours.
REFUSED = {
    **{f"{end} after {name}": Fault(data, end) for name, data in _UNUSABLE.items() for end in ("close", "reset")},
    **{name: Fault(data) for name, data in _GARBAGE.items()},
}
#: The client gets a beginning, and sees that it is no more.
BROKEN = {
    **{f"{end} after {name}": Fault(data, end) for name, data in _USABLE.items() for end in ("close", "reset")},
    "reset after a body without framing": Fault(_HEAD + b"\r\n{}", "reset"),
    **{name: Fault(data, "stay") for name, data in _GARBLED.items()},
}
#: Nothing more comes.
STALLED = {f"stall after {name}": Fault(data, "stay") for name, data in {**_UNUSABLE, **_USABLE}.items()}
#: It never ends, and would take all memory there is.
ENDLESS = {
    "endless interim answers": Fault(b"", "stay", _again(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")),
    "endless fields": Fault(_HEAD, "stay", _again(b"X-Field: value\r\n" * 100)),
    "endless head": Fault(b"HTTP/1.1 200 OK\r\nX: ", "stay", _again(bytes(b"x" * 4096))),
    "endless status line": Fault(b"HTTP/1.1 200 ", "stay", _again(bytes(b"x" * 4096))),
    "endless line ends": Fault(b"", "stay", _again(b"\r\n" * 1000)),
    "endless zeros of a chunk's head": Fault(_CHUNKED, "stay", _again(b"0" * 4096)),
    "endless chunk extension": Fault(_CHUNKED + b"3;x=", "stay", _again(b"x" * 4096)),
    "endless trailers": Fault(_CHUNKED + b"3\r\n{}\n\r\n0\r\n", "stay", _again(b"X-Field: value\r\n" * 100)),
    "endless trailer": Fault(_CHUNKED + b"3\r\n{}\n\r\n0\r\nX: ", "stay", _again(b"x" * 4096)),
}
FAULTS = {**REFUSED, **BROKEN, **STALLED, **ENDLESS}


def target_of(name: str) -> bytes:
    """The path that asks for a fault."""
    return b"/v1/faults/" + "".join(c if c.isalnum() else f"%{ord(c):02x}" for c in name).encode()


def doing(upstream: ScriptedUpstream) -> Script:
    """The script of an upstream that does the faults it is asked for."""

    async def script(visit: Visit) -> None:
        while True:
            arrived = await upstream.take(visit)
            name = unquote(arrived.target.decode()).removeprefix("/v1/faults/")
            if name in FAULTS:
                await _do(FAULTS[name], visit)
                return
            await visit.send(OK)

    return script


async def _do(fault: Fault, visit: Visit) -> None:
    await visit.send(fault.data)
    if fault.endless is not None:
        async for piece in fault.endless():
            await visit.send(piece)
            await asyncio.sleep(0)
    if fault.end == "stay":
        await visit.reader.read()
    elif fault.end == "reset":
        visit.reset()
