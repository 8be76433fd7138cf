"""The workers of a supervisor: started, watched, replaced when they die, and stopped.

Rules:
1. One that died is told of on the log and replaced; when that happens too often in too short a time, it is the end.
2. What all are asked for, one that dies meanwhile need not answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from replayproxy.errors import ReplayProxyError, StartError
from replayproxy.proxy.workers.channel import Asked, Channel, GoneError, Told
from replayproxy.proxy.workers.numbers import Numbers
from replayproxy.proxy.workers.terms import Start

__all__ = ["Crew"]

_log = logging.getLogger(__name__)

#: So many deaths in so many seconds are the end.
DEATHS, DEATHS_WITHIN = 5, 10.0
#: How long a worker may take to end when its channel is closed, in seconds.
LAST_BREATH = 5.0
_MODULE: Final = "replayproxy.proxy.workers.worker"


@dataclass(slots=True, eq=False)
class _Worker:
    process: asyncio.subprocess.Process
    channel: Channel
    seat: int
    serving: bool = False


class Crew:
    """`size` workers. `start` says what the one with a seat (from 1) begins with; `asked` and `told` are what they may
    ask for and tell. `failure` is set when they cannot be kept alive."""

    def __init__(
        self, size: int, start: Callable[[int], Start], asked: Mapping[str, Asked], told: Mapping[str, Told]
    ) -> None:
        self._size, self._start, self._asked, self._told = size, start, asked, told
        self._workers: list[_Worker] = []
        self._watching = set[asyncio.Task[None]]()
        self._deaths = deque[float](maxlen=DEATHS)
        self._stopping = False
        self._exchanges = Numbers.new()
        self.replaced = 0
        self.failure: asyncio.Future[StartError] = asyncio.get_running_loop().create_future()

    async def start(self) -> None:
        """Starts all workers and waits until they serve; StartError when one cannot."""
        try:
            await asyncio.gather(*(self._begin(seat) for seat in range(1, self._size + 1)))
        except GoneError:
            raise StartError("a worker ended before it served; what it said stands above") from None

    def facts(self) -> dict[str, Any]:
        """The process ids of those who serve, and how many were replaced."""
        pids = [worker.process.pid for worker in self._workers if worker.serving]
        return {"workers": {"pids": pids, "replaced": self.replaced}}

    async def ask_all(self, what: str, *about: Any) -> list[Any]:
        """The answers of all workers that live to tell."""
        answers = await asyncio.gather(
            *(worker.channel.ask(what, *about) for worker in self._workers), return_exceptions=True
        )
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, GoneError):
                raise answer
        return [answer for answer in answers if not isinstance(answer, GoneError)]

    async def stop(self, patience: float) -> list[Any]:
        """Lets all workers finish within so many seconds, and what they leave behind."""
        self._stopping = True
        left = list[Any]()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                left = await self.ask_all("stop")
        for worker in self._workers:
            worker.channel.close()
        if self._watching:
            await asyncio.wait(self._watching)
        self._exchanges.close()
        return left

    async def _begin(self, seat: int) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *_command(theirs.fileno(), self._exchanges.descriptor),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), self._exchanges.descriptor),
                # What a terminal sends to whoever runs in it is the supervisor's affair.
                start_new_session=True,
            )
        channel = await Channel.over(ours)
        channel.asked, channel.told = self._asked, self._told
        worker = _Worker(process, channel, seat)
        self._workers.append(worker)
        task = asyncio.create_task(self._watch(worker))
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)
        try:
            await channel.ask("serve", self._start(seat))
        except BaseException:
            channel.close()
            raise
        worker.serving = True

    async def _watch(self, worker: _Worker) -> None:
        """Hears a worker until it dies, and replaces it then."""
        try:
            await worker.channel.run()
        finally:
            status = await _ended(worker.process)
            self._workers.remove(worker)
        if not self._stopping and worker.serving:
            _log.error("worker %d %s; another one takes its place", worker.process.pid, _fate(status))
            await self._replace(worker.seat)

    async def _replace(self, seat: int) -> None:
        while not self._stopping and not self.failure.done():
            self._deaths.append(asyncio.get_running_loop().time())
            if len(self._deaths) == DEATHS and self._deaths[-1] - self._deaths[0] < DEATHS_WITHIN:
                told = f"{DEATHS} workers died within {DEATHS_WITHIN:.0f} seconds; what they said stands above"
                self.failure.set_result(StartError(told))
                return
            try:
                await self._begin(seat)
            except (GoneError, ReplayProxyError, OSError) as error:
                _log.error("a worker could not take its place: %s", error)
            else:
                self.replaced += 1
                return


def _command(*descriptors: int) -> list[str]:
    """What runs a worker: this interpreter, with our own path and warnings, and nothing of the working folder's unless
    we have it too."""
    own = [] if {"", os.getcwd()} & set(sys.path) else ["-P"]
    warnings = [f"-W{each}" for each in sys.warnoptions]
    return [sys.executable, *own, *warnings, "-m", _MODULE, *map(str, descriptors)]


async def _ended(process: asyncio.subprocess.Process) -> int:
    """The status of a process whose channel is closed; it is killed when it does not end."""
    try:
        async with asyncio.timeout(LAST_BREATH):
            return await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        return await process.wait()


def _fate(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    return (
        f"was killed by {signal.Signals(-status).name}" if -status in set(signal.Signals) else f"was killed ({status})"
    )
