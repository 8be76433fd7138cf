"""Asynchronous servers for synchronous tests: each in an event loop of its own, in another thread."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

__all__ = ["in_background"]

T = TypeVar("T")


@contextlib.contextmanager
def in_background(manager: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Enters an asynchronous context in another thread, gives its value, and leaves it there again."""
    entered: Future[tuple[T, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def hold() -> None:
        try:
            async with manager as value:
                stop = asyncio.Event()
                entered.set_result((value, asyncio.get_running_loop(), stop))
                await stop.wait()
        except BaseException as error:
            if entered.done():
                raise
            entered.set_exception(error)

    thread = threading.Thread(target=asyncio.run, args=(hold(),), daemon=True)
    thread.start()
    value, loop, stop = entered.result()
    try:
        yield value
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
