"""A recorder for an event loop: a thread of its own encodes and writes, all that waits with one write.

Rules:
1. What was handed over is saved, in the order in which it was, also when nobody waits for it any more.
2. Each is told of when it is in the file (and on the disk where that is asked for), and all of a write at once.
3. A slow disk makes those wait who want to save; it holds up nobody else, and does not fill the memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Literal

from replayproxy.core.cassette import Interaction
from replayproxy.core.messages import Body, FileBody
from replayproxy.errors import CassetteError
from replayproxy.stores.contract import Recorder, Spool, Unsaved

__all__ = ["Fsync", "Settled", "Writer"]

Fsync = Literal["never", "interval", "always"]
#: Is told what kept an interaction from being saved; None when it is.
Settled = Callable[[Exception | None], None]

#: With `interval`: seconds between a write and the time when it is on the disk.
SYNC_AFTER = 1.0
#: Bodies of so many bytes may wait to be written; what comes on top has to wait before it is handed over.
ROOM = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class _Handed:
    """An interaction that was handed over; `size` is how much room it takes."""

    unsaved: Unsaved
    size: int
    settled: Settled
    saved: asyncio.Future[bool]


class Writer:
    """Saves through `recorder`, which is nobody else's from now on.

    `fsync`: what was saved outlasts a loss of power when it counts as saved (`always`), `sync_after` seconds later and
    when the recording ends (`interval`), or when the system likes (`never`). `room` is in bytes.
    """

    def __init__(
        self, recorder: Recorder, fsync: Fsync = "interval", *, room: int = ROOM, sync_after: float = SYNC_AFTER
    ) -> None:
        self._recorder, self._fsync, self._room, self._sync_after = recorder, fsync, room, sync_after
        self._queue = SimpleQueue[list[_Handed] | None]()
        self._handed: list[_Handed] = []
        self._thread: Thread | None = None
        self._written_at: float | None = None
        self._unsynced: CassetteError | None = None
        self._held, self._ended = 0, False
        self._entry, self._less = asyncio.Lock(), asyncio.Event()

    def spool(self) -> Spool:
        """A new file for a large body."""
        return self._recorder.spool()

    async def append(self, interaction: Interaction, arrival: int, settled: Settled) -> bool:
        """Saves an interaction; gives whether it could when that is known.

        `settled` is told so before: once, and also when whoever called this was cancelled.
        """
        size = _size(interaction.request.body) + _size(interaction.response.body)
        saved: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        handed = _Handed(Unsaved(interaction, arrival), size, settled, saved)
        try:
            if self._held + size > self._room:
                await self._wait_for_room(size)
        finally:
            self._hand_over(handed)
        return await saved

    async def close(self) -> None:
        """Saves what was handed over and ends the recording; CassetteError when it could not be put in order."""
        self._ended = True
        self._pass_on()
        await asyncio.to_thread(self._end)

    async def _wait_for_room(self, size: int) -> None:
        async with self._entry:  # one after the other, or large ones would never get in
            while self._held and self._held + size > self._room:
                self._less.clear()
                await self._less.wait()

    def _hand_over(self, handed: _Handed) -> None:
        if self._ended:
            handed.settled(CassetteError("the recording has ended"))
            handed.saved.set_result(False)
            return
        loop = handed.saved.get_loop()
        if self._thread is None:
            self._thread = self._started(loop)
        self._held += handed.size
        if not self._handed:
            loop.call_soon(self._pass_on)  # to wake the thread for each one costs more than to write it
        self._handed.append(handed)

    def _pass_on(self) -> None:
        """Gives the thread what was handed over in this turn of the loop."""
        if self._handed:
            self._queue.put(self._handed)
            self._handed = []

    def _started(self, loop: asyncio.AbstractEventLoop) -> Thread:
        # A daemon: a process that was told twice to stop, and closes nothing, is not held up by it.
        thread = Thread(target=self._run, args=(loop,), name="cassette writer", daemon=True)
        thread.start()
        return thread

    def _acknowledge(self, results: Sequence[tuple[_Handed, Exception | None]]) -> None:
        for handed, error in results:
            self._held -= handed.size
            if not handed.saved.done():
                handed.saved.set_result(error is None)
        self._less.set()
        for handed, error in results:
            handed.settled(error)  # those who wait go on after this

    # --- in threads: that of `close`, and the writer's own

    def _end(self) -> None:
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
        try:
            if self._fsync != "never":
                self._recorder.sync()
        finally:
            self._recorder.close()
        if self._unsynced is not None:
            raise self._unsynced

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        going = True
        while going:
            batch, going = self._take()
            if batch:
                results = list(zip(batch, self._save(batch), strict=True))
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
                    loop.call_soon_threadsafe(self._acknowledge, results)
                del results
            del batch  # what was saved must not wait in memory for what is saved next
            self._sync_when_due()

    def _take(self) -> tuple[list[_Handed], bool]:
        """All that waits, and whether more may come; nothing when it is time to sync."""
        due = None if self._written_at is None else max(0.0, self._written_at + self._sync_after - time.monotonic())
        try:
            taken = [self._queue.get(timeout=due)]
        except Empty:
            return [], True
        while not self._queue.empty():
            taken.append(self._queue.get())
        return [handed for each in taken if each is not None for handed in each], taken[-1] is not None

    def _save(self, batch: Sequence[_Handed]) -> list[Exception | None]:
        errors: list[Exception | None] = [None] * len(batch)
        try:
            errors[:] = self._recorder.append_all([handed.unsaved for handed in batch])
            if self._fsync == "always":
                self._recorder.sync()
        except Exception as error:  # whatever it is, those who wait are to be told
            return [each or error for each in errors]
        if self._fsync == "interval" and self._written_at is None:
            self._written_at = time.monotonic()
        return errors

    def _sync_when_due(self) -> None:
        if self._written_at is None or time.monotonic() < self._written_at + self._sync_after:
            return
        self._written_at = None
        try:
            self._recorder.sync()
        except CassetteError as error:
            self._unsynced = self._unsynced or error


def _size(body: Body) -> int:
    return 0 if isinstance(body, FileBody) else len(body)
