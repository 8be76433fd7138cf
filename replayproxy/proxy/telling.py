"""What the log and the journal are told of an exchange when it is over."""

from __future__ import annotations

import time

from replayproxy.core.journal import Entry, Journal
from replayproxy.core.unread import unread
from replayproxy.proxy.exchange import Exchange
from replayproxy.proxy.log import Line, Lines

__all__ = ["tell"]


def tell(exchange: Exchange, session: str, took: float, lines: Lines, journal: Journal) -> None:
    """Tells of an exchange in `session` that took so many seconds."""
    asked = f"{exchange.twin.method} {exchange.twin.target}"
    if why := unread(exchange.twin.headers, exchange.twin.body):
        exchange.note = "\n".join(filter(None, (exchange.note, f"the request's body was not looked into: {why}")))
    if exchange.problems or exchange.note:
        lines.tell_at_length(asked, exchange, took)
    else:
        told = (exchange.called, exchange.status, exchange.outcome, exchange.number, took)
        lines.add(Line(time.time(), asked, *told))
    journal.add(_entry(exchange, session, journal.next_number(), took))


def _entry(exchange: Exchange, session: str, number: int, took: float) -> Entry:
    return Entry(
        number=number,
        session=session,
        arrived=exchange.recorded,
        request=exchange.twin,
        status=exchange.status,
        outcome=exchange.outcome,
        operation=exchange.operation,
        family=exchange.family,
        interaction=exchange.number,
        seconds=round(took, 6),
        problems=exchange.problems,
        note=exchange.note,
    )
