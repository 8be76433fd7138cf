"""What an exchange comes to in numbers, and what a process has to tell of itself when it is asked for its metrics.

Rule: what is told of an answer is known by then. Nothing is read, parsed or redacted only to be counted.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import replayproxy
from replayproxy.core.journal import Journal
from replayproxy.core.media_types import media_type
from replayproxy.core.messages import Headers, body_length
from replayproxy.core.meter import Meter, Reading, summed
from replayproxy.core.redaction import Redactor
from replayproxy.core.trace_ids import REQUEST_ID, shown_id
from replayproxy.errors import UpstreamError, UpstreamTimeoutError
from replayproxy.proxy.exchange import Exchange
from replayproxy.proxy.log import Line
from replayproxy.proxy.noting import Answer, Passed

if TYPE_CHECKING:
    from replayproxy.proxy.handler import Handler
    from replayproxy.proxy.sessions import Sessions

__all__ = ["count", "failure_kind", "line_of", "reading_of_process", "reading_of_sessions"]


def failure_kind(error: UpstreamError) -> str:
    """What the upstream did in the place of an answer, in a word: `timeout`, `tls`, `resolve` (its name), `connect`, or
    `reset`: it ended the connection too early, or sent what is not HTTP. Only what kept us from connecting has a cause
    of its own."""
    if isinstance(error, UpstreamTimeoutError):
        return "timeout"
    cause = error.__cause__
    if isinstance(cause, ssl.SSLError):
        return "tls"
    if isinstance(cause, (socket.gaierror, UnicodeError)):
        return "resolve"
    return "reset" if cause is None else "connect"


# --- one exchange


def line_of(exchange: Exchange, took: float, redactor: Redactor) -> Line:
    """What a line of the log tells of an exchange that has just ended, after so many seconds."""
    headers, received = _answered(exchange.answer)
    called = headers.get(REQUEST_ID) if headers is not None else None
    return Line(
        time.time(),
        f"{exchange.twin.method} {exchange.twin.target}",
        exchange.called,
        exchange.status,
        exchange.outcome,
        exchange.number,
        took,
        exchange.ordinal,
        exchange.first_byte,
        _asked(exchange),
        received,
        exchange.heading.ids,
        redactor.text(shown_id(called), exchange.secrets) if called else "",
    )


def count(exchange: Exchange, meter: Meter) -> None:
    """Counts what a line does not tell of: what was found wrong, why nothing was played, how the upstream failed."""
    for problem in exchange.problems:
        meter.problem(problem.side, warning=problem.warning)
    if exchange.miss is not None:
        meter.missed(exchange.miss.reason)
    if exchange.failure:
        meter.upstream_failed(exchange.failure)


def _asked(exchange: Exchange) -> int:
    """How large the request's body is, as far as it came."""
    if (stated := exchange.raw.content_length) is not None:
        return stated
    return exchange.asked.size if exchange.asked is not None else body_length(exchange.twin.body)


def _answered(answer: Answer | None) -> tuple[Headers | None, int]:
    """The headers of an answer, None when there is none, and how large its body is."""
    if isinstance(answer, Passed):
        return answer.head.headers, answer.glimpse.size
    response = answer.read()[0] if answer is not None else None
    return (response.headers, body_length(response.body)) if response is not None else (None, 0)


# --- one process


async def reading_of_process(sessions: Sessions, journal: Journal) -> Reading:
    """What this process counted as it served the data port, and what is under way in it."""
    handlers = [await sessions.get(name) for name in sessions.names()]
    for handler in handlers:
        handler.repertoire.lines.tell()  # what waits there was not counted yet
    under_way = [exchange for handler in handlers for exchange in handler.under_way]
    gauges = {
        "replayproxy_exchanges_under_way": len(under_way),
        "replayproxy_streams_under_way": sum(map(_is_stream, under_way)),
        "replayproxy_journal_entries": len(journal),
        "replayproxy_journal_bytes": journal.size,
        "replayproxy_spool_bytes": sum({id(each.room): each.room.taken for each in handlers}.values()),
        "replayproxy_workers": 1,
    }
    return summed((journal.meter.reading(), {name: {(): float(value)} for name, value in gauges.items()}))


async def reading_of_sessions(sessions: Sessions, mode: str) -> Reading:
    """What is open, for the process that keeps the sessions of a proxy in that mode."""
    handlers = [await sessions.get(name) for name in sessions.names()]
    sizes = await asyncio.to_thread(_sizes, {handler.cassette for handler in handlers})
    return {
        "replayproxy_sessions": {(): float(len(handlers))},
        "replayproxy_cassettes": {(): float(len(sizes))},
        "replayproxy_cassette_interactions": {(): float(sum(map(_interactions, handlers)))},
        "replayproxy_cassette_bytes": {(): float(sum(sizes))},
        "replayproxy": {(replayproxy.__version__, mode): 1.0},
    }


def _is_stream(exchange: Exchange) -> bool:
    headers, _ = _answered(exchange.answer)
    return headers is not None and media_type(headers).essence == "text/event-stream"


def _interactions(handler: Handler) -> int:
    return len(handler.session)


def _sizes(paths: Iterable[str]) -> list[int]:
    """The sizes of those files that are there."""
    found = list[int]()
    for path in map(Path, paths):
        try:
            found.append(path.stat().st_size)
        except OSError:  # nothing was recorded into it yet, or somebody removed it
            continue
    return found
