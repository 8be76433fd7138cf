"""Does once, before there is a miss, what a miss takes: to load, compile and look up all of it takes five times as long
as to do it again.

Rules:
1. Nothing of it is counted, told or kept, and what goes wrong is left for whoever meets it.
2. It begins when the first client may have had its answer, runs in a thread, and ends within a step when it has to.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator

from replayproxy.core.decisions import Miss
from replayproxy.core.messages import Request
from replayproxy.core.report import miss_message
from replayproxy.errors import ReplayProxyError
from replayproxy.proxy.handler import Handler

__all__ = ["rehearsing", "steps"]

#: How long after the start it begins, in seconds.
PAUSE = 0.1
#: The operations of so many recordings are made ready.
_SAMPLES = 20


@contextlib.asynccontextmanager
async def rehearsing(handler: Handler, pause: float = PAUSE) -> AsyncIterator[None]:
    """Rehearses a miss of this session, in the background and once, where one would be told; after `pause` seconds."""
    if handler.link is not None or not len(handler.session):
        yield
        return
    stopping = threading.Event()
    task = asyncio.create_task(_rehearse(handler, pause, stopping))
    try:
        yield
    finally:
        stopping.set()
        task.cancel()
        await asyncio.wait([task])


async def _rehearse(handler: Handler, pause: float, stopping: threading.Event) -> None:
    await asyncio.sleep(pause)
    await asyncio.to_thread(_run, handler, stopping)


def _run(handler: Handler, stopping: threading.Event) -> None:
    with contextlib.suppress(ReplayProxyError):
        for _ in steps(handler):
            if stopping.is_set():
                return


def steps(handler: Handler) -> Iterator[None]:
    """The steps of a rehearsal: the operations that were recorded are checked, and the nearest to a recording is told.

    A ReplayProxyError when a recording cannot be read, or a schema not compiled.
    """
    yield from _checked(handler, list(_samples(handler)))
    session = handler.session
    request = session.interaction(0).request
    miss = Miss("no_match", request, session.nearest(request))
    yield
    miss_message(miss, handler.cassette, session.interaction)
    yield


def _samples(handler: Handler) -> Iterator[Request]:
    count = len(handler.session)
    for index in range(0, count, max(1, count // _SAMPLES)):
        yield handler.session.interaction(index).request


def _checked(handler: Handler, requests: list[Request]) -> Iterator[None]:
    from replayproxy.core.validation import problems

    done = set[str]()
    for request in requests:
        resolved = handler.checker.catalog.resolve(request.method, request.target)
        if resolved is None or resolved.operation.id in done:
            continue
        done.add(resolved.operation.id)
        if handler.checker.levels.of(resolved.operation) != "off":
            problems(request, resolved)
            yield
