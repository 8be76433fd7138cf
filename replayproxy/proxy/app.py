"""Puts a proxy together from settings, runs it, and takes it down so that nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import http_parser, web

from replayproxy.config import Settings
from replayproxy.core.journal import Journal
from replayproxy.core.secrets.custom import redactor_for, unusable_variables
from replayproxy.core.session import Session
from replayproxy.errors import StartError
from replayproxy.proxy.admin import Admin, sessions_runner
from replayproxy.proxy.doorman import Doorman
from replayproxy.proxy.exchange import Clock
from replayproxy.proxy.front import Desk
from replayproxy.proxy.gate import Gate
from replayproxy.proxy.limits import Limits
from replayproxy.proxy.listening import listening
from replayproxy.proxy.names import DEFAULT
from replayproxy.proxy.opening import Declaration, Opener
from replayproxy.proxy.sessions import Sessions

__all__ = ["DRAIN", "Proxy", "data_runner", "gate_of", "opener_of", "running"]

_log = logging.getLogger(__name__)

#: How long exchanges under way may take to finish when the proxy is told to stop, in seconds. With the time that their
#: recordings get afterwards it stays below the 10 s after which containers are killed.
DRAIN = 7.0


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running proxy: where it listens, and the sessions it serves, `session` for requests that name none."""

    url: str
    admin_url: str
    upstream: str
    cassette: Path
    session: Session
    sessions: Sessions
    journal: Journal
    failure: asyncio.Future[StartError] | None = None

    async def failed(self) -> StartError:
        """Waits until it cannot go on, which only happens to several workers, and says why."""
        return await asyncio.shield(self.failure or asyncio.get_running_loop().create_future())

    def base_url(self, session: str) -> str:
        """The base URL that selects a session, without the API's own `/v1`."""
        return self.url if session == DEFAULT else f"{self.url}/@{session}"


@contextlib.asynccontextmanager
async def running(settings: Settings, key: str | None = None) -> AsyncIterator[Proxy]:
    """Runs a proxy; `key` takes the place of the client's API key on the way up.

    On the way out it stops listening, lets exchanges under way finish, and closes the cassettes. StartError
    or CassetteError when it cannot start.
    """
    if http_parser.HttpRequestParser is http_parser.HttpRequestParserPy:
        _log.warning("aiohttp's C parser is missing: requests are parsed slowly, and less strictly")
    if settings.workers > 1:
        # Not before it is asked for: one process has no use for it.
        from replayproxy.proxy.workers.supervisor import supervised

        async with supervised(settings, key) as proxy:
            yield proxy
        return
    async with contextlib.AsyncExitStack() as stack:
        journal = Journal()
        for problem in unusable_variables(settings.redact, os.environ):
            _log.warning("%s", problem)
        upstreams = await stack.enter_async_context(contextlib.AsyncExitStack())  # the last to go
        opener = opener_of(settings, key, journal, upstreams)
        desk = Desk()
        sessions = Sessions(opener, desk.forget)
        default = await sessions.declare(Declaration(DEFAULT))
        stack.push_async_callback(sessions.close_all)
        url = await stack.enter_async_context(
            listening(data_runner(sessions, desk, gate_of(settings)), settings.host, settings.port, "--port")
        )
        admin = sessions_runner(Admin(settings, sessions, journal, url))
        admin_url = await stack.enter_async_context(
            listening(admin, settings.admin_host, settings.admin_port, "--admin-port")
        )
        yield Proxy(url, admin_url, opener.upstream, settings.default_cassette, default.session, sessions, journal)


def opener_of(settings: Settings, key: str | None, journal: Journal, upstreams: contextlib.AsyncExitStack) -> Opener:
    """What opens the sessions of a proxy."""
    redactor = redactor_for(settings.redact, os.environ, (key,) if key else ())
    return Opener(settings, key, redactor, Clock(asyncio.get_running_loop().time, _wall), journal, upstreams)


def gate_of(settings: Settings) -> Gate:
    """What every request to the data port has to pass."""
    return Gate(Limits(settings.limits), Doorman(settings.allow, settings.host))


def data_runner(sessions: Sessions, desk: Desk, gate: Gate) -> web.ServerRunner:
    """What serves the data port."""
    limits = gate.limits.settings
    server = desk.server(
        sessions,
        gate,
        handler_cancellation=True,
        access_log=None,
        auto_decompress=False,
        max_line_size=limits.target,
        max_field_size=limits.header,
        max_headers=limits.headers,
    )
    # aiohttp waits for so long twice: before it cancels what is left, and after.
    return web.ServerRunner(server, shutdown_timeout=DRAIN / 2)


def _wall() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
