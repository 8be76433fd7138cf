"""How long an exchange with the upstream may take."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from replayproxy.errors import UpstreamError, UpstreamTimeoutError

__all__ = ["Patience", "Timeouts"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds; 0 means none. `idle` is the longest wait for the next byte in either direction."""

    connect: float = 10.0
    idle: float = 600.0
    total: float = 0.0


class Patience:
    """How long one exchange may still take: until `deadline`, on the loop's clock (None: for ever).

    Whoever waits for the connection says so by `begin` and `end`; `give_up` gets the error when that takes too long.
    There is one timer for all waits, which looks when it goes off for how long nothing came: a timer for each of them
    costs 5 µs, and a stream has one for each event. `stop` ends it.
    """

    def __init__(self, timeouts: Timeouts, deadline: float | None, give_up: Callable[[UpstreamError], None]) -> None:
        self._timeouts, self._deadline, self._give_up = timeouts, deadline, give_up
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._since, self._what = math.inf, ""

    @staticmethod
    def deadline(timeouts: Timeouts) -> float | None:
        """When an exchange that begins now must be over."""
        return asyncio.get_running_loop().time() + timeouts.total if timeouts.total else None

    def begin(self, what: str) -> None:
        """Somebody waits from now on; `what` tells what the upstream did when that takes too long."""
        self._since, self._what = self._loop.time(), what
        if self._timer is None:
            self._set(self._until(self._since))

    def end(self) -> None:
        """What was waited for is there."""
        self._since = math.inf

    def stop(self) -> None:
        """Nobody will wait any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def wait(self, waiting: Awaitable[T], what: str) -> T:
        """Waits for something else than the connection. UpstreamTimeoutError when that takes too long."""
        until = self._until(self._loop.time())
        try:
            async with asyncio.timeout_at(None if until == math.inf else until):
                return await waiting
        except TimeoutError:
            raise self._error(until, what) from None

    def _until(self, since: float) -> float:
        """When a wait that began at `since` has taken too long."""
        silence = since + self._timeouts.idle if self._timeouts.idle else math.inf
        return silence if self._deadline is None else min(silence, self._deadline)

    def _set(self, until: float) -> None:
        self._timer = None if until == math.inf else self._loop.call_at(until, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._since == math.inf:
            return  # the next wait sets it again
        until = self._until(self._since)
        if until <= self._loop.time():
            self._give_up(self._error(until, self._what))
        else:
            self._set(until)

    def _error(self, until: float, what: str) -> UpstreamTimeoutError:
        if until == self._deadline:
            return UpstreamTimeoutError(f"the whole took longer than {self._timeouts.total:g} s")
        return UpstreamTimeoutError(f"the upstream {what} for {self._timeouts.idle:g} s")
