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
from replayproxy.core.journal import Entry, Glance, Journal
from replayproxy.core.messages import Request, body_length
from replayproxy.core.redaction import Redactor
from replayproxy.core.session import Replay, Session
from replayproxy.core.trace_ids import REQUEST_ID, Ids, shown_id
from replayproxy.core.turns import Turns
from replayproxy.proxy.exchange import Clock, Exchange
from replayproxy.proxy.intake import stored
from replayproxy.proxy.log import Line, Lines
from replayproxy.proxy.names import session_of
from replayproxy.proxy.noting import Recorded
from replayproxy.proxy.shelf import Shelf
from replayproxy.proxy.wire import read_request

__all__ = ["Again", "NotedAgain", "Repertoire"]


@dataclass(frozen=True, slots=True)
class Repertoire:
    """The answers that a session can give again; `name` is the session's, `cassette` what it plays."""

    name: str
    session: Session
    redactor: Redactor
    clock: Clock
    journal: Journal
    lines: Lines
    cassette: str = ""
    shelf: Shelf = field(default_factory=Shelf)
    #: What lines tell of answers, by the number of the interaction: how long the body is, and what the API called it.
    told: dict[int, tuple[int, str]] = field(default_factory=dict)

    def keep(self, exchange: Exchange, replay: Replay, sent: bytes) -> Again | None:
        """Keeps the bytes of an answer for when the same request comes again; not those that name whose page may read
        them, since others get the same answer without."""
        if hdrs.ORIGIN in exchange.raw.headers:
            return None
        coding, accepted = replay.interaction.response.coding, exchange.raw.headers.get("Accept-Encoding")
        place = 2 * replay.poll + bool(coding and codings.accepts(accepted, coding))
        self.shelf.put(4 * replay.number + place, sent, exchange.outcome)
        response = replay.interaction.response
        self.told[replay.number] = body_length(response.body), shown_id(response.headers.get(REQUEST_ID) or "")
        # Many requests ask for the same, and what is known of one should be small.
        asked, method = intern(f"{exchange.twin.method} {exchange.twin.target}"), exchange.twin.method
        if replay.turns is None:
            return None
        return Again(self, replay.turns, exchange.called, method, asked, place, exchange.heading.ids)

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
    `asked` is `METHOD target`, redacted; `ids` are what others call it.
    """

    repertoire: Repertoire
    turns: Turns
    operation: Operation | None
    method: str
    asked: str
    place: int
    ids: Ids

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
        noted = NotedAgain(self, number, arrived, took, data, turn.number, outcome, status)
        repertoire.journal.add(noted)
        repertoire.lines.add(noted)
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

    def line(self) -> Line:
        """What a line of the log tells of it."""
        again, sent = self.again, len(self.data) - self.data.find(b"\r\n\r\n") - 4
        told = (self.arrived + self.took, again.asked, again.operation, self.status, self.outcome, self.interaction)
        received, request_id = again.repertoire.told.get(self.interaction, (0, ""))
        return Line(*told, self.took, self.number, 0.0, sent, received, again.ids, request_id)

    def glance(self) -> Glance:
        """What is known without redacting the request."""
        repertoire, operation = self.again.repertoire, self.again.operation
        method, _, target = self.again.asked.partition(" ")
        answer = Recorded(repertoire.session, self.interaction)
        return Glance(
            number=self.number,
            session=repertoire.name,
            arrived=_iso(self.arrived),
            method=method,
            target=target,
            status=self.status,
            outcome=self.outcome,
            operation=operation.id if operation else "",
            family=operation.family if operation else "",
            interaction=self.interaction,
            seconds=round(self.took, 6),
            first_byte=0.0,
            sent=len(self.data) - self.data.find(b"\r\n\r\n") - 4,
            problems=0,
            warnings=0,
            note="",
            request=None,
            response=lambda: answer.read()[0],
            source=answer.source,
            cassette=repertoire.cassette,
        )

    def entry(self) -> Entry:
        """The entry."""
        repertoire, operation = self.again.repertoire, self.again.operation
        response, cut = Recorded(repertoire.session, self.interaction).read()
        return Entry(
            number=self.number,
            session=repertoire.name,
            arrived=_iso(self.arrived),
            request=repertoire.twin(self.data),
            response=response,
            cut=cut,
            cassette=repertoire.cassette,
            status=self.status,
            outcome=self.outcome,
            operation=operation.id if operation else "",
            family=operation.family if operation else "",
            interaction=self.interaction,
            seconds=round(self.took, 6),
        )


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
