"""Puts a proxy together from settings, runs it, and takes it down so that nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import http_parser, web

from replayproxy.config import Settings
from replayproxy.core.journal import Journal
from replayproxy.core.secrets.custom import redactor_for, unusable_variables
from replayproxy.core.session import Session
from replayproxy.errors import StartError
from replayproxy.proxy.admin import Admin, sessions_runner
from replayproxy.proxy.admin_token import admin_token
from replayproxy.proxy.descriptors import within_means
from replayproxy.proxy.doorman import Doorman, answering_preflights
from replayproxy.proxy.exchange import Clock
from replayproxy.proxy.front import Desk
from replayproxy.proxy.gate import Gate
from replayproxy.proxy.limits import Limits, Room, parser_limits
from replayproxy.proxy.listening import listening
from replayproxy.proxy.names import DEFAULT
from replayproxy.proxy.opening import Declaration, Opener
from replayproxy.proxy.sessions import Sessions
from replayproxy.proxy.tracing import tracing_for

__all__ = ["DRAIN", "Proxy", "data_runner", "gate_of", "opener_of", "running"]

_log = logging.getLogger(__name__)

#: How long exchanges under way may take to finish when the proxy is told to stop, in seconds. With the time that their
#: recordings get afterwards it stays below the 10 s after which containers are killed.
DRAIN = 7.0


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running proxy: where it listens, and the sessions it serves, `session` for requests that name none.

    Who changes something over the admin port shows `admin_token`.
    """

    url: str
    admin_url: str
    upstream: str
    cassette: Path
    session: Session
    sessions: Sessions
    journal: Journal
    admin_token: str = field(repr=False)
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

    The variable REPLAYPROXY_ADMIN_TOKEN says what the admin token is; one is made otherwise. On the way out it stops
    listening, lets exchanges under way finish, and closes the cassettes. StartError or CassetteError when it cannot
    start.
    """
    if http_parser.HttpRequestParser is http_parser.HttpRequestParserPy:
        _log.warning("aiohttp's C parser is missing: requests are parsed slowly, and less strictly")
    settings = replace(settings, limits=within_means(settings.limits))
    if settings.workers > 1:
        # Not before it is asked for: one process has no use for it.
        from replayproxy.proxy.workers.supervisor import supervised

        async with supervised(settings, key) as proxy:
            yield proxy
        return
    async with contextlib.AsyncExitStack() as stack:
        journal = Journal(size=settings.limits.journal)
        for problem in unusable_variables(settings.redact, os.environ):
            _log.warning("%s", problem)
        upstreams = await stack.enter_async_context(contextlib.AsyncExitStack())  # the last to go
        token = admin_token(os.environ)
        opener = opener_of(settings, key, token, journal, upstreams)
        desk = Desk()
        sessions = Sessions(opener, desk.forget)
        default = await sessions.declare(Declaration(DEFAULT))
        stack.push_async_callback(sessions.close_all)
        url = await stack.enter_async_context(
            listening(data_runner(sessions, desk, gate_of(settings)), settings.host, settings.port, "--port")
        )
        admin = sessions_runner(
            Admin(settings, sessions, journal, url, opener.redactor, default.checker.catalog), token
        )
        admin_url = await stack.enter_async_context(
            listening(admin, settings.admin_host, settings.admin_port, "--admin-port")
        )
        cassette = settings.default_cassette
        yield Proxy(url, admin_url, opener.upstream, cassette, default.session, sessions, journal, token)


def opener_of(
    settings: Settings, key: str | None, token: str, journal: Journal, upstreams: contextlib.AsyncExitStack
) -> Opener:
    """What opens the sessions of a proxy; `key` and the admin `token` are secrets wherever they turn up."""
    redactor = redactor_for(settings.redact, os.environ, (key, token) if key else (token,))
    clock = Clock(asyncio.get_running_loop().time, _wall)
    tracing = tracing_for(os.environ)
    if tracing is not None:
        upstreams.push_async_callback(tracing.close)
    return Opener(settings, key, redactor, clock, journal, upstreams, room=Room(settings.limits.spool), tracing=tracing)


def gate_of(settings: Settings) -> Gate:
    """What every request to the data port has to pass."""
    return Gate(Limits(settings.limits), Doorman(settings.allow, settings.host))


def data_runner(sessions: Sessions, desk: Desk, gate: Gate) -> web.ServerRunner:
    """What serves the data port."""
    limits = gate.limits.settings
    # Whom nobody lets in does not ask for leave: the gate refuses preflights of all other origins.
    handler = answering_preflights(sessions) if gate.doorman.allow.origins else sessions
    server = desk.server(
        handler,
        gate,
        handler_cancellation=True,
        access_log=None,
        auto_decompress=False,
        **parser_limits(limits),
    )
    # aiohttp waits for so long twice: before it cancels what is left, and after.
    return web.ServerRunner(server, shutdown_timeout=DRAIN / 2)


def _wall() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
