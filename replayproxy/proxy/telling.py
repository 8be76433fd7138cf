"""What the log and the journal are told of an exchange when it is over."""

from __future__ import annotations

from replayproxy.core.journal import Journal
from replayproxy.core.redaction import Redactor
from replayproxy.core.unread import unread
from replayproxy.proxy.exchange import Exchange
from replayproxy.proxy.log import Lines
from replayproxy.proxy.metering import count, line_of
from replayproxy.proxy.noting import noted

__all__ = ["tell"]


def tell(exchange: Exchange, session: str, took: float, lines: Lines, journal: Journal, redactor: Redactor) -> None:
    """Tells of an exchange in `session` that took so many seconds."""
    if why := unread(exchange.twin.headers, exchange.twin.body):
        exchange.note = "\n".join(filter(None, (exchange.note, f"the request's body was not looked into: {why}")))
    line = line_of(exchange, took, redactor)
    if exchange.problems or exchange.note:
        lines.tell_at_length(line, exchange)
    else:
        lines.add(line)
    count(exchange, journal.meter)
    if exchange.span is not None:
        exchange.span.end(exchange)
    journal.add(noted(exchange, session, took, redactor))
