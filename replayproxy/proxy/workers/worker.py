"""A worker: a process that serves the data port for a supervisor, and ends with it."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import socket
import sys
from itertools import islice
from typing import TYPE_CHECKING, Any

from aiohttp import web

from replayproxy.core.journal import Entry, Journal
from replayproxy.core.meter import Reading
from replayproxy.errors import ReplayProxyError
from replayproxy.proxy.app import data_runner, gate_of, opener_of
from replayproxy.proxy.front import Desk
from replayproxy.proxy.garbage import collect_seldom, freeze
from replayproxy.proxy.log import configure
from replayproxy.proxy.loop import run_loop
from replayproxy.proxy.metering import reading_of_process
from replayproxy.proxy.workers.channel import Asked, Channel, GoneError
from replayproxy.proxy.workers.numbers import Numbers
from replayproxy.proxy.workers.port import listener
from replayproxy.proxy.workers.remote import RemoteOpener, WorkerSessions
from replayproxy.proxy.workers.terms import Marks, Start

if TYPE_CHECKING:
    from replayproxy.proxy.admin_forms import Wanted
    from replayproxy.proxy.inspector.forms import Summaries

__all__ = ["main"]

_log = logging.getLogger(__name__)


def main() -> None:
    """Serves until the supervisor says stop, or is gone.

    The arguments are two file descriptors: that of the channel, and that which numbers exchanges.
    """
    # A service's stop signal may go to all of its processes. The supervisor tells the workers when it is time.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    collect_seldom()
    channel, exchanges = map(int, sys.argv[1:])
    run_loop(_work(socket.socket(fileno=channel), Numbers(exchanges)))


async def _work(end: socket.socket, exchanges: Numbers) -> None:
    channel = await Channel.over(end)
    async with contextlib.AsyncExitStack() as upstreams:
        worker = _Worker(channel, exchanges, upstreams)
        channel.asked = {"serve": worker.serve, "stop": worker.stop}
        await channel.run()
        if not worker.stopped:
            worker.abandon()


class _Worker:
    """What the supervisor may ask for."""

    def __init__(self, channel: Channel, exchanges: Numbers, upstreams: contextlib.AsyncExitStack) -> None:
        self._channel, self._upstreams = channel, upstreams
        self._start: Start
        self._sessions: WorkerSessions
        self._runner: web.ServerRunner
        self._exchanges, self._journal = exchanges, Journal()
        self._summaries: Summaries | None = None
        self.stopped = False

    async def serve(self, start: Start) -> None:
        """Begins to serve; a ReplayProxyError says why it cannot."""
        try:
            await self._begin(start)
        except BaseException:
            self.stopped = True
            raise

    async def _begin(self, start: Start) -> None:
        configure(start.settings.log_format)
        logging.getLogger("replayproxy").setLevel(start.level)
        self._start = start
        self._journal = Journal(size=start.settings.limits.journal, next_number=self._exchanges.next)
        desk = Desk()
        opener = opener_of(start.settings, start.key, start.token, self._journal, self._upstreams)
        remote = RemoteOpener(opener, self._channel, start.seat, start.sessions)
        self._sessions = WorkerSessions(remote, self._channel, desk.forget)
        own: dict[str, Asked] = {"journal": self.journal, "entry": self.entry, "summaries": self.summaries}
        own["metrics"] = self.metrics
        self._channel.asked = {**self._channel.asked, **self._sessions.asked(), **own}
        while known := remote.known():
            with contextlib.suppress(ReplayProxyError):  # whoever asks for it is told
                await self._sessions.get(known[0])
        self._runner = data_runner(self._sessions, desk, gate_of(start.settings))
        await self._runner.setup()
        for place in start.places:
            await web.SockSite(self._runner, listener(place)).start()
        freeze()

    async def stop(self) -> Marks:
        """Stops listening, lets exchanges under way finish, and closes all; which rules applied."""
        await self._runner.cleanup()
        marks = await self._sessions.marks()
        await self._sessions.close_all()
        self.stopped = True
        return marks

    async def journal(self, wanted: Wanted) -> list[Entry]:
        """The latest exchanges that are wanted, the newest first, and one more when there are more."""
        noted = list(self._journal.entries(wanted.session, wanted.outcome))
        return [each.entry() for each in islice(reversed(noted), wanted.limit + 1)]

    async def entry(self, number: int) -> Entry | None:
        """The exchange with that number, None when it did not go through here, or long ago."""
        return self._journal.find(number)

    async def summaries(self, text: str, limit: int) -> list[dict[str, Any]]:
        """The summaries of the latest exchanges that fit a filter, those under way included, the newest first."""
        # Here, since most runs are watched by nobody.
        from replayproxy.core.filters import parse_filter
        from replayproxy.proxy.inspector.feed import Matching
        from replayproxy.proxy.inspector.forms import Summaries

        self._summaries = self._summaries or Summaries()
        matching = Matching(parse_filter(text), self._summaries)
        noted = [*self._journal.since(self._journal.added - limit), *self._journal.under_way()][::-1]
        return [each async for page, _ in matching.among(noted, limit) for each in page]

    async def metrics(self) -> Reading:
        """What was counted here, and what is under way."""
        return await reading_of_process(self._sessions, self._journal)

    def abandon(self) -> None:
        """Ends at once: the supervisor is gone, and with it all that anybody could want to know."""
        _log.error("the supervisor is gone; this worker ends")
        if hasattr(self, "_start"):
            shutil.rmtree(self._start.folder, ignore_errors=True)
        logging.shutdown()
        os._exit(1)


if __name__ == "__main__":
    with contextlib.suppress(GoneError):
        main()
