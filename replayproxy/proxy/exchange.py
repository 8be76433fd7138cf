"""One request on its way through the proxy: what is known of it so far, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from aiohttp import web

from replayproxy.core.catalog import Operation, Resolved
from replayproxy.core.journal import Allowance, Missed
from replayproxy.core.messages import Headers, Request
from replayproxy.core.problem import Problem
from replayproxy.proxy.heads import Heading
from replayproxy.proxy.intake import Intake
from replayproxy.proxy.wire import Known

if TYPE_CHECKING:
    from replayproxy.proxy.glimpse import Glimpse
    from replayproxy.proxy.noting import Answer
    from replayproxy.proxy.tracing import Span

__all__ = ["Clock", "Exchange", "Outcome"]

#: played, repeated: a recording answered · missed: none did, and nobody else was asked · saved, forwarded: the
#: upstream answered · rejected: the validator did · failed: nobody could · gone: the client left first.
Outcome = Literal["played", "repeated", "missed", "saved", "forwarded", "rejected", "failed", "gone"]


@dataclass(frozen=True, slots=True)
class Clock:
    """The two times a proxy needs: seconds that only grow, and the time of day as ISO 8601 in UTC."""

    seconds: Callable[[], float]
    wall: Callable[[], str]


@dataclass(slots=True, eq=False)
class Exchange:
    """A live request.

    `ordinal` counts the exchanges of the proxy, `slot` is its place in the session's line; `started` and `recorded`
    tell when it arrived, by both clocks. `twin` is the redacted copy (without the body until that has been read),
    `secrets` what was found in its credential headers. `number` is the interaction that answered, 0 when none did;
    `note` says why it went wrong, `miss` what came nearest; `known` answers when it comes again. `answer` is where the
    answer is found, `asked` the beginning of a body that nobody reads. `failure` says in a word what the upstream did
    in the place of an answer, `span` is its part of a trace. `glimpses` are of bodies that nobody records; what they
    keep comes out of the `allowance`.
    """

    raw: web.BaseRequest
    heading: Heading
    intake: Intake
    slot: int
    started: float
    recorded: str
    twin: Request
    problems: tuple[Problem, ...] = ()
    outcome: Outcome = "failed"
    number: int = 0
    status: int = 0
    first_byte: float = 0.0
    note: str = ""
    known: Known | None = None
    ordinal: int = 0
    cassette: str = ""
    miss: Missed | None = None
    answer: Answer | None = None
    asked: Glimpse | None = None
    allowance: Allowance | None = None
    glimpses: list[Glimpse] = field(default_factory=list)
    failure: str = ""
    span: Span | None = None

    @property
    def head(self) -> Request:
        """The head as it came, without the prefix that named the session."""
        return self.heading.head

    @property
    def resolved(self) -> Resolved | None:
        """What the catalog knows of what is asked for."""
        return self.heading.resolved

    @property
    def secrets(self) -> frozenset[str]:
        """What was found in the credential headers."""
        return self.heading.secrets

    @property
    def called(self) -> Operation | None:
        """What was asked, None when the catalog does not know it."""
        return self.resolved.operation if self.resolved else None

    @property
    def operation(self) -> str:
        """The catalog's id of what was asked, "" when unknown."""
        return self.called.id if self.called else ""

    @property
    def family(self) -> str:
        """The catalog's family of what was asked, "" when unknown."""
        return self.called.family if self.called else ""

    def glimpse(self, headers: Headers) -> Glimpse:
        """What keeps the beginning of a body that nobody records, out of the `allowance`."""
        from replayproxy.proxy.glimpse import Glimpse  # here, since playback has no use for it

        self.glimpses.append(Glimpse(headers, self.allowance))
        return self.glimpses[-1]
