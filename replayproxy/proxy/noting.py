"""What the journal keeps of an exchange that took the long way: what is known of it, and where its answer is found.

Rule: whoever reads the journal gets redacted copies. What was recorded is redacted already; what only passed is
redacted when somebody reads it, since most of it nobody ever does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from replayproxy.core.journal import UNDER_WAY, Entry, Glance
from replayproxy.core.messages import FileBody, Headers, Response
from replayproxy.core.redaction import Redactor
from replayproxy.core.session import Session
from replayproxy.errors import CassetteError
from replayproxy.proxy.capture import Capture
from replayproxy.proxy.exchange import Exchange
from replayproxy.proxy.glimpse import Glimpse, shortened

__all__ = ["Answer", "Noted", "Passed", "Recorded", "Told", "noted"]


#: What a header field takes, about.
_FIELD = 200


class Answer(Protocol):
    """Where an answer is found."""

    @property
    def size(self) -> int:
        """About how many bytes it holds that nobody else does."""

    def read(self) -> tuple[Response | None, bool]:
        """The redacted answer, None when it is not known (any more), and whether its body was cut."""

    @property
    def source(self) -> tuple[object, int] | None:
        """Equal for answers that are equal; None when nobody knows."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The answer of an interaction that a session plays."""

    session: Session
    number: int
    size: int = 0

    def read(self) -> tuple[Response | None, bool]:
        """What stands in the cassette, as long as it can be read."""
        try:
            return self.session.interaction(self.number - 1).response, False
        except (CassetteError, IndexError):
            return None, False

    @property
    def source(self) -> tuple[object, int]:
        """The session and the number."""
        return self.session, self.number


class Told:
    """An answer that is redacted already: one that was recorded just now, or one of our own."""

    __slots__ = ("_cut", "_response")

    source = None

    def __init__(self, response: Response) -> None:
        body, self._cut = response.body, False
        if not isinstance(body, FileBody):
            body, self._cut = shortened(body)
        self._response = replace(response, body=body) if self._cut else response

    @property
    def size(self) -> int:
        """Head and body."""
        return _size(self._response)

    def read(self) -> tuple[Response | None, bool]:
        """The answer."""
        return self._response, self._cut


class Passed:
    """An answer that is passed on; `secrets` are the client's, which it may repeat.

    What is captured for a recording is read from the `capture`, anything else from a glimpse of its own. It is redacted
    when it is first read after its end, and each time before.
    """

    __slots__ = ("_told", "glimpse", "head", "over", "redactor", "secrets")

    source = None

    def __init__(self, head: Response, glimpse: Glimpse | Capture, redactor: Redactor, secrets: frozenset[str]) -> None:
        self.head, self.glimpse, self.redactor, self.secrets = head, glimpse, redactor, secrets
        self.over, self._told = False, None

    def settle(self) -> None:
        """It is over, and a capture is about to be thrown away."""
        self.over = True
        if isinstance(self.glimpse, Capture):
            self._told = self._redacted()
            size, self.glimpse = self.glimpse.size, Glimpse(Headers())
            self.glimpse.size = size

    _told: tuple[Response, bool] | None

    @property
    def size(self) -> int:
        """Head and as much of the body as is kept."""
        told = _size(self._told[0]) if self._told is not None else _size(self.head)
        return told + self.glimpse.held

    def read(self) -> tuple[Response | None, bool]:
        """The answer as far as it came."""
        if self._told is not None:
            return self._told
        told = self._redacted()
        if self.over and isinstance(self.glimpse, Glimpse):
            self._told = told
            self.glimpse.release()
        return told

    def _redacted(self) -> tuple[Response, bool]:
        body, coding, chunks, cut = self.glimpse.read()
        response = replace(self.head, body=body, coding=coding, chunks=chunks)
        return self.redactor.response(response, self.secrets), cut


def _size(response: Response) -> int:
    body = 0 if isinstance(response.body, FileBody) else len(response.body)
    return body + _FIELD * len(response.headers)


@dataclass(frozen=True, slots=True)
class Noted:
    """An exchange in the journal: its entry without the answer, and where that is found.

    `asked` is the beginning of a request's body that was passed on without being read; it is redacted when it is read.
    """

    told: Entry
    answer: Answer | None = None
    asked: Glimpse | None = None
    redactor: Redactor | None = None
    secrets: frozenset[str] = frozenset()

    @property
    def number(self) -> int:
        """The number of the exchange."""
        return self.told.number

    @property
    def session(self) -> str:
        """The session's name."""
        return self.told.session

    @property
    def outcome(self) -> str:
        """What became of the exchange."""
        return self.told.outcome

    @property
    def size(self) -> int:
        """About how many bytes it holds."""
        return self.told.size + (self.answer.size if self.answer else 0) + (self.asked.held if self.asked else 0)

    def entry(self) -> Entry:
        """The entry, with its answer."""
        response, cut = self.answer.read() if self.answer is not None else (None, False)
        told = replace(self.told, response=response, cut=cut)
        if self.asked is None or self.redactor is None:
            return told
        body, _, _, _ = self.asked.read()
        return replace(
            told, request=replace(told.request, body=self.redactor.body(told.request.headers, body, self.secrets))
        )

    def glance(self) -> Glance:
        """What is known without any work."""
        glance, answer = self.told.glance(), self.answer
        sent = self.asked.size if self.asked is not None else glance.sent
        if self.outcome == UNDER_WAY:  # somebody may look ten times a second, and the body grows
            return glance._replace(sent=sent, response=lambda: answer.head if isinstance(answer, Passed) else None)
        if answer is None:
            return glance._replace(sent=sent)
        return glance._replace(sent=sent, response=lambda: answer.read()[0], source=answer.source)


def noted(exchange: Exchange, session: str, took: float, redactor: Redactor, *, ended: bool = True) -> Noted:
    """What the journal keeps of an exchange in `session` that took so many seconds (so far, unless it has `ended`)."""
    entry = Entry(
        number=exchange.ordinal,
        session=session,
        arrived=exchange.recorded,
        request=exchange.twin,
        status=exchange.status,
        outcome=exchange.outcome if ended else UNDER_WAY,
        operation=exchange.operation,
        family=exchange.family,
        interaction=exchange.number,
        seconds=round(took, 6),
        problems=exchange.problems,
        note=exchange.note,
        first_byte=round(exchange.first_byte, 6),
        miss=exchange.miss,
        cassette=exchange.cassette,
    )
    if ended:
        for glimpse in exchange.glimpses:
            glimpse.end()
    asked = exchange.asked if exchange.asked is not None and not exchange.twin.body else None
    return Noted(entry, exchange.answer, asked, redactor if asked is not None else None, exchange.secrets)
