"""A request that was answered before: whose turn it is now, and what is noted of it.

Rule: the answer is the one that was sent for the same interaction. Everything that makes an answer (codings, framing,
marks) stands on the long way; here only the outcome is put in.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from sys import intern
from typing import NamedTuple

from aiohttp import hdrs

from replayproxy.core import codings
from replayproxy.core.catalog import Operation
from replayproxy.core.journal import Entry, Journal
from replayproxy.core.messages import Request
from replayproxy.core.redaction import Redactor
from replayproxy.core.session import Replay, Session
from replayproxy.core.turns import Turns
from replayproxy.proxy.exchange import Clock, Exchange
from replayproxy.proxy.intake import stored
from replayproxy.proxy.log import Line, Lines
from replayproxy.proxy.names import session_of
from replayproxy.proxy.shelf import Shelf
from replayproxy.proxy.wire import read_request

__all__ = ["Again", "NotedAgain", "Repertoire"]


@dataclass(frozen=True, slots=True)
class Repertoire:
    """The answers that a session can give again; `name` is the session's."""

    name: str
    session: Session
    redactor: Redactor
    clock: Clock
    journal: Journal
    lines: Lines
    shelf: Shelf = field(default_factory=Shelf)

    def keep(self, exchange: Exchange, replay: Replay, sent: bytes) -> Again | None:
        """Keeps the bytes of an answer for when the same request comes again; not those that name whose page may read
        them, since others get the same answer without."""
        if hdrs.ORIGIN in exchange.raw.headers:
            return None
        coding, accepted = replay.interaction.response.coding, exchange.raw.headers.get("Accept-Encoding")
        place = 2 * replay.poll + bool(coding and codings.accepts(accepted, coding))
        self.shelf.put(4 * replay.number + place, sent, exchange.outcome)
        # Many requests ask for the same, and what is known of one should be small.
        asked, method = intern(f"{exchange.twin.method} {exchange.twin.target}"), exchange.twin.method
        return Again(self, replay.turns, exchange.called, method, asked, place) if replay.turns is not None else None

    def twin(self, data: bytes) -> Request:
        """The redacted request in the bytes of one that came."""
        head, body = read_request(data)
        _, head = session_of(head)
        redacted = self.redactor.body(head.headers, body, self.redactor.secrets(head))
        return replace(self.redactor.request(stored(head)), body=redacted)

    def close(self) -> None:
        """Forgets the answers, and tells of those that were not told of yet."""
        self.shelf.close()
        self.lines.tell()


@dataclass(frozen=True, slots=True)
class Again:
    """A request by what does not change when it comes again.

    `place` is where the answer of an interaction stands on the shelf, added to four times the interaction's number;
    `asked` is `METHOD target`, redacted.
    """

    repertoire: Repertoire
    turns: Turns
    operation: Operation | None
    method: str
    asked: str
    place: int

    def answer(self, data: bytes) -> bytes | None:
        """The answer for the request with these bytes, which has just arrived; None when it has to be made anew."""
        repertoire = self.repertoire
        session, arrived, began = repertoire.session, time.time(), repertoire.clock.seconds()
        turn = session.next_again(self.turns, self.method)
        kept = repertoire.shelf.get(4 * turn.number + self.place) if turn is not None else None
        if turn is None or kept is None or not session.gave_again(self.turns, turn, self.operation):
            return None
        before, after = kept
        outcome, status = "repeated" if turn.repeated else "played", int(before[9:12])
        took, number = repertoire.clock.seconds() - began, repertoire.journal.next_number()
        repertoire.journal.add(NotedAgain(self, number, arrived, took, data, turn.number, outcome, status))
        repertoire.lines.add(Line(arrived + took, self.asked, self.operation, status, outcome, turn.number, took))
        return before + outcome.encode() + after


class NotedAgain(NamedTuple):
    """What the journal keeps of such a request: its bytes, redacted when somebody reads the entry."""

    again: Again
    number: int
    arrived: float
    took: float
    data: bytes
    interaction: int
    outcome: str
    status: int

    @property
    def session(self) -> str:
        """The session's name."""
        return self.again.repertoire.name

    @property
    def size(self) -> int:
        """About how many bytes it holds."""
        return 500 + len(self.data)

    def entry(self) -> Entry:
        """The entry."""
        repertoire, operation = self.again.repertoire, self.again.operation
        return Entry(
            number=self.number,
            session=repertoire.name,
            arrived=datetime.fromtimestamp(self.arrived, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            request=repertoire.twin(self.data),
            status=self.status,
            outcome=self.outcome,
            operation=operation.id if operation else "",
            family=operation.family if operation else "",
            interaction=self.interaction,
            seconds=round(self.took, 6),
        )
