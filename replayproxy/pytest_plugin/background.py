"""An asynchronous context, held open by a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, TypeVar

__all__ = ["Background"]

_T = TypeVar("_T")
_R = TypeVar("_R")


class Background(Generic[_T]):
    """Enters the context in its thread; `value` is what it gave. Raises what entering raised."""

    def __init__(self, context: AbstractAsyncContextManager[_T]) -> None:
        self._context = context
        self._entered: Future[_T] = Future()
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event
        # A daemon: a run that was killed must not wait for it.
        self._thread = threading.Thread(target=self._run, name="replayproxy", daemon=True)
        self._thread.start()
        self.value = self._entered.result()

    def call(self, coroutine: Coroutine[Any, Any, _R], patience: float) -> _R:
        """Runs a coroutine in the thread's loop and gives its result; TimeoutError after `patience` seconds."""
        running = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return running.result(patience)
        except TimeoutError:
            running.cancel()
            raise

    def stop(self) -> None:
        """Leaves the context and waits until that is done."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._hold())

    async def _hold(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            value = await self._context.__aenter__()
        except BaseException as error:
            self._entered.set_exception(error)
            return
        try:
            self._entered.set_result(value)
            await self._stop.wait()
        finally:
            await self._context.__aexit__(None, None, None)
