"""replayproxy in a process that tells what it holds: `python watched.py FD COMMAND…`.

FD is one end of a pair of sockets: for each byte that comes in, a line of JSON goes out. Tasks and objects cannot be
seen from outside, and the proxy itself has no business telling them. Rules:

1. Nothing of the tests is imported: this runs in the folder of a test.
2. It looks in the event loop's own thread, after a full collection: what is counted is referred to by somebody. What
   the allocator holds on to for the next burst, and nobody refers to, is given back before.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import json
import socket
import sys
import threading
from collections import Counter

import uvloop

from replayproxy.cli import main

__all__: list[str] = []

#: Whose objects are counted by kind.
_COUNTED = ("replayproxy.", "aiohttp.", "httptools.", "_asyncio", "asyncio.", "uvloop.")


_loops: list[asyncio.AbstractEventLoop] = []
_new_loop = uvloop.new_event_loop


def _remembered_loop() -> asyncio.AbstractEventLoop:
    _loops.append(_new_loop())
    return _loops[-1]


def _tell(line: socket.socket) -> None:
    """Answers each byte, until the other end hangs up."""
    while line.recv(1):
        done = threading.Event()
        _loops[-1].call_soon_threadsafe(_look, line, done)
        done.wait()


def _look(line: socket.socket, done: threading.Event) -> None:
    garbage = gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # glibc's alone has it
        ctypes.CDLL(None).malloc_trim(0)
    objects = gc.get_objects()
    names = (f"{type(each).__module__}.{type(each).__qualname__}" for each in objects)
    facts = {
        "tasks": len(asyncio.all_tasks()),
        "objects": len(objects),
        "garbage": garbage,
        "kinds": dict(Counter(name for name in names if name.startswith(_COUNTED))),
    }
    line.sendall(json.dumps(facts).encode() + b"\n")
    done.set()


if __name__ == "__main__":
    uvloop.new_event_loop = _remembered_loop
    threading.Thread(target=_tell, args=(socket.socket(fileno=int(sys.argv.pop(1))),), daemon=True).start()
    main()
