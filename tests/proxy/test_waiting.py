"""What becomes of a connection when something breaks that is no request's fault."""

from __future__ import annotations

import logging

import pytest
from aiohttp import web

from replayproxy.config.settings import AllowSettings, LimitSettings
from replayproxy.core.problem import Problem
from replayproxy.proxy.doorman import Doorman
from replayproxy.proxy.front import Desk
from replayproxy.proxy.gate import Gate
from replayproxy.proxy.limits import Limits
from replayproxy.proxy.listening import listening
from tests.servers import exchange

HEAD = b"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Confused(Doorman):
    """A doorman that breaks down."""

    def stranger(self, raw: web.BaseRequest) -> Problem | None:
        raise RuntimeError("secret")


async def never(raw: web.BaseRequest) -> web.StreamResponse:
    """Nothing gets as far as this."""
    raise AssertionError


async def test_what_breaks_at_the_gate_ends_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is told to the client, the log has the error, others are served, and nothing stays counted."""
    gate = Gate(Limits(LimitSettings()), Confused(AllowSettings(), "127.0.0.1"))
    runner = web.ServerRunner(Desk().server(never, gate, handler_cancellation=True, access_log=None))
    async with listening(runner, "127.0.0.1", 0, "--port") as url:
        assert [await exchange(url, HEAD) for _ in range(2)] == [b"", b""]
        assert (await exchange(url, b"no request\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
    told = [record for record in caplog.records if record.getMessage() == "a connection broke"]
    assert [record.levelno for record in told] == [logging.ERROR] * 2
    assert all(record.exc_info is not None for record in told)
    assert gate.limits.exchanges == gate.limits.connections == 0
