"""The connections to the upstream that wait for their next exchange.

Rules:
1. What waits here is idle: the request was written to its end, and the answer ended where it said it would.
2. A connection on which anything came while it waited, its end or bytes, is never used again.
3. None waits for long: servers close idle connections, and a request that meets the closing may be lost.
"""

from __future__ import annotations

import asyncio

from replayproxy.proxy.connection import Connection

__all__ = ["IDLE_CONNECTIONS", "IDLE_SECONDS", "Pool"]

#: So many idle connections are kept; in use there may be any number.
IDLE_CONNECTIONS = 100
#: A connection is kept for so long when the upstream does not say how long it keeps it: below the 60 s and more of
#: most servers and load balancers.
IDLE_SECONDS = 55.0
#: An upstream that closes idle connections sooner may say so; this is how long before that we stop using one.
_MARGIN = 1.0


class Pool:
    """Idle connections to one origin, the one used last the first to be used again."""

    def __init__(self, seconds: float = IDLE_SECONDS) -> None:
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._idle: list[tuple[Connection, float]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._idle)

    def keep(self, connection: Connection) -> None:
        """Keeps a connection if it can have another exchange, and drops it when not."""
        seconds = min(self._seconds, connection.keeps - _MARGIN)
        if self._closed or seconds <= 0 or len(self._idle) >= IDLE_CONNECTIONS or not connection.reusable:
            connection.close()
            return
        self._idle.append((connection, self._loop.time() + seconds))
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._look)

    def take(self) -> Connection | None:
        """A connection that can have an exchange now; None when there is none."""
        while self._idle:
            connection, until = self._idle.pop()
            if connection.reusable and not connection.spoiled and self._loop.time() < until:
                return connection
            connection.close()
        return None

    def close(self) -> None:
        """Drops all, and keeps none any more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        while self._idle:
            self._idle.pop()[0].close()

    def _look(self) -> None:
        """Drops those that waited too long."""
        self._timer, now, idle = None, self._loop.time(), self._idle
        self._idle = []
        for connection, until in idle:
            if until > now and connection.reusable:
                self._idle.append((connection, until))
            else:
                connection.close()
        if self._idle:
            self._timer = self._loop.call_at(min(until for _, until in self._idle), self._look)
