"""What the journal is told of an exchange when it is over."""

from __future__ import annotations

from replayproxy.core.journal import Entry
from replayproxy.proxy.exchange import Exchange

__all__ = ["entry_of"]


def entry_of(exchange: Exchange, session: str, number: int, took: float) -> Entry:
    """The entry with that number, of an exchange in `session` that took so many seconds."""
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
