"""Runs a proxy whose data port workers serve: what `proxy.app.running` does when there are several."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from replayproxy.config import Settings
from replayproxy.core.journal import Entry, Journal
from replayproxy.core.meter import Reading
from replayproxy.core.secrets.custom import unusable_variables
from replayproxy.proxy.admin import Admin, sessions_runner
from replayproxy.proxy.admin_forms import Wanted
from replayproxy.proxy.admin_token import admin_token
from replayproxy.proxy.app import DRAIN, Proxy, opener_of
from replayproxy.proxy.listening import listening, url_of
from replayproxy.proxy.names import DEFAULT
from replayproxy.proxy.opening import Declaration
from replayproxy.proxy.workers.crew import Crew
from replayproxy.proxy.workers.kept import KeptSessions
from replayproxy.proxy.workers.port import Place, reserved
from replayproxy.proxy.workers.terms import Start
from replayproxy.stores.shared_tally import SharedTally

__all__ = ["supervised"]

_log = logging.getLogger(__name__)

#: What workers get to close on top of the time that their exchanges have to finish, in seconds.
SETTLE = 2.0


@contextlib.asynccontextmanager
async def supervised(settings: Settings, key: str | None = None) -> AsyncIterator[Proxy]:
    """Runs a proxy with several workers; see `running`."""
    async with contextlib.AsyncExitStack() as stack:
        for problem in unusable_variables(settings.redact, os.environ):
            _log.warning("%s", problem)
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="replayproxy-", ignore_cleanup_errors=True))
        )
        places = stack.enter_context(reserved(settings.host, settings.port))
        upstreams = await stack.enter_async_context(contextlib.AsyncExitStack())  # the last to go
        tallies = _Tallies(folder, settings.workers + 1)
        journal = Journal(size=settings.limits.journal)
        token = admin_token(os.environ)
        opener = opener_of(settings, key, token, journal, upstreams)
        opener.tallies = tallies.make
        others = _Others(
            settings, (key, token), places, tallies, KeptSessions(opener, lambda *asked: others.crew.ask_all(*asked))
        )
        default = await others.sessions.declare(Declaration(DEFAULT))
        stack.push_async_callback(others.sessions.close_all)
        stack.push_async_callback(others.stop)
        await others.crew.start()
        url = url_of(settings.host, places[0].port)
        admin = sessions_runner(
            Admin(settings, others.sessions, journal, url, opener.redactor, default.checker.catalog, others), token
        )
        admin_url = await stack.enter_async_context(
            listening(admin, settings.admin_host, settings.admin_port, "--admin-port")
        )
        cassette, failure = settings.default_cassette, others.crew.failure
        session, sessions = default.session, others.sessions
        yield Proxy(url, admin_url, opener.upstream, cassette, session, sessions, journal, token, failure)


class _Tallies:
    """Makes counters in files of their own, in one folder, for so many processes."""

    def __init__(self, folder: Path, seats: int) -> None:
        self.folder, self._seats, self._numbers = folder, seats, itertools.count()

    def make(self, identities: int) -> SharedTally:
        """The counters of a session with so many identities."""
        return SharedTally.create(self.folder / f"{next(self._numbers)}.tally", identities, self._seats)


class _Others:
    """The workers, as the admin API sees them."""

    def __init__(
        self,
        settings: Settings,
        secrets: tuple[str | None, str],
        places: tuple[Place, ...],
        tallies: _Tallies,
        sessions: KeptSessions,
    ) -> None:
        self._settings, self._secrets, self._places = settings, secrets, places
        self._folder = tallies.folder
        self.sessions = sessions
        self.crew = Crew(settings.workers, self._start, sessions.asked(), sessions.told())

    async def catch_up(self) -> None:
        """Takes in what the workers know and did not tell yet."""
        await self.sessions.catch_up()

    async def journal(self, wanted: Wanted) -> Journal:
        """What went through the workers lately."""
        return await self.sessions.journal(wanted)

    async def entry(self, number: int) -> Entry | None:
        """The exchange with that number, None when no worker holds it."""
        return await self.sessions.entry(number)

    async def summaries(self, text: str, limit: int) -> list[dict[str, Any]]:
        """The summaries of the latest exchanges that fit a filter, the newest first."""
        return await self.sessions.summaries(text, limit)

    async def entries(self, session: str, limit: int) -> list[Entry]:
        """The latest exchanges that went through the workers, the oldest first."""
        return (await self.sessions.journal(Wanted(session, "", limit))).latest(session, limit)

    async def metrics(self) -> list[Reading]:
        """What each of the workers counted."""
        return await self.sessions.metrics()

    def facts(self) -> dict[str, Any]:
        """Who serves."""
        return self.crew.facts()

    async def stop(self) -> None:
        """Lets the workers finish and end."""
        self.sessions.take(await self.crew.stop(DRAIN + SETTLE))

    def _start(self, seat: int) -> Start:
        level = logging.getLogger("replayproxy").getEffectiveLevel()
        known = self.sessions.known()
        return Start(self._settings, *self._secrets, self._places, seat, self._folder, known, level)
