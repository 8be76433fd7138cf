"""Connections that wait for their next exchange."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from replayproxy.core.messages import Request
from replayproxy.proxy.connection import Connection
from replayproxy.proxy.pool import IDLE_CONNECTIONS, Pool
from replayproxy.proxy.upstream import Origin, Upstream
from tests.servers import RawUpstream, Visit, answering, raw_upstream

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def answered(server: RawUpstream, answer_read: bool = True) -> Connection:
    """A connection that had an exchange."""
    host, port = server.url.removeprefix("http://").split(":")
    _, connection = await asyncio.get_running_loop().create_connection(Connection, host, int(port))
    connection.begin("GET")
    connection.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    connection.sent = True
    await connection.head()
    while answer_read and await connection.chunk():
        pass
    return connection


class Server:
    """A server with one answer for everything; it counts the connections that were closed."""

    def __init__(self, answer: bytes = OK) -> None:
        self._answer, self.gone = answer, list[Visit]()
        self._changed = asyncio.Event()

    async def __call__(self, visit: Visit) -> None:
        try:
            await answering(self._answer)(visit)
        finally:
            self.gone.append(visit)
            self._changed.set()

    async def until_gone(self, count: int = 1) -> None:
        """Waits until so many connections are closed."""
        async with asyncio.timeout(5):
            while len(self.gone) < count:
                self._changed.clear()
                await self._changed.wait()


async def test_what_was_used_last_is_used_first() -> None:
    """The others may go when there is less to do."""
    async with raw_upstream(answering(OK)) as server:
        pool = Pool()
        first, second = await answered(server), await answered(server)
        pool.keep(first)
        pool.keep(second)
        assert [pool.take(), pool.take(), pool.take()] == [second, first, None]
        first.close()
        second.close()


@pytest.mark.parametrize("number", [0, 1, 2])
async def test_what_is_not_idle_is_not_kept(number: int) -> None:
    """A request that is not out, an answer that is not in, and one that ends the connection."""
    answer = (OK, OK[:-1], b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + OK[17:])[number]
    script = Server(answer)
    async with raw_upstream(script) as server:
        pool, connection = Pool(), await answered(server, answer_read=number != 1)
        connection.sent = number != 0
        pool.keep(connection)
        assert not len(pool)
        await script.until_gone()


async def test_what_waited_too_long_is_dropped() -> None:
    """Nobody has to ask for it."""
    script = Server()
    async with raw_upstream(script) as server:
        pool = Pool(0.05)
        pool.keep(await answered(server))
        await script.until_gone()
        assert not len(pool)
        assert pool.take() is None


async def test_only_what_waited_too_long_is_dropped() -> None:
    """One that came later stays for its own time, however late it is looked at."""
    script = Server()
    async with raw_upstream(script) as server:
        pool = Pool(0.3)
        pool.keep(first := await answered(server))
        await asyncio.sleep(0.15)
        pool.keep(await answered(server))
        await script.until_gone(1)
        assert not first.reusable
        await script.until_gone(2)
        assert pool.take() is None


@pytest.mark.parametrize(("told", "kept"), [(b"timeout=1", 0), (b"timeout=5", 1), (b"max=100", 1)])
async def test_an_upstream_may_say_how_long_it_waits(told: bytes, kept: int) -> None:
    """A second before that the connection is used no more."""
    script = Server(b"HTTP/1.1 200 OK\r\nKeep-Alive: %b\r\nContent-Length: 2\r\n\r\nok" % told)
    async with raw_upstream(script) as server:
        pool = Pool()
        pool.keep(await answered(server))
        assert len(pool) == kept
        pool.close()
        await script.until_gone()


@pytest.mark.parametrize("data", [b"", b"x"])
async def test_what_came_unseen_is_noticed(data: bytes) -> None:
    """Even when the loop had no turn to see it: the end of the connection, or bytes."""
    async with raw_upstream(answering(OK)) as server:
        pool, connection = Pool(), await answered(server)
        pool.keep(connection)
        assert not connection.spoiled
        # Straight to the system, so that the loop has no turn in between.
        descriptor = server.visits[0].writer.get_extra_info("socket").fileno()
        with socket.socket(fileno=os.dup(descriptor)) as theirs:
            theirs.send(data) if data else theirs.shutdown(socket.SHUT_WR)
        assert connection.reusable
        assert connection.spoiled
        assert pool.take() is None


async def test_a_pool_has_an_end() -> None:
    """Beyond its size, and when it is closed, it keeps nothing."""
    script = Server()
    async with raw_upstream(script) as server:
        upstream = Upstream(Origin.of(server.url))
        answers = [await upstream.send(Request("GET", "/"), b"") for _ in range(IDLE_CONNECTIONS + 3)]
        for answer in answers:
            await answer.chunk()
            await answer.close()
        assert len(upstream._pool) == IDLE_CONNECTIONS
        await upstream.close()
        upstream.give_back(await answered(server))
        assert not len(upstream._pool)
        await script.until_gone(IDLE_CONNECTIONS + 4)
