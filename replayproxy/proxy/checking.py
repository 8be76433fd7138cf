"""What the catalog says of a request and of its answer, in one session.

Rules:
1. A request is judged by its redacted twin; what is found in an answer is redacted before anybody sees it.
2. Nothing waits for a check: a piece of an answer is looked at when it is on its way to the client.
3. What checks is imported when there is something to check: a playback without a miss starts without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from replayproxy.core import codings
from replayproxy.core.catalog import Catalog
from replayproxy.core.levels import Levels
from replayproxy.core.messages import Headers
from replayproxy.core.problem import Problem
from replayproxy.core.redaction import Redactor
from replayproxy.core.session import Session
from replayproxy.proxy.exchange import Exchange
from replayproxy.proxy.notices import Notices

if TYPE_CHECKING:
    from replayproxy.core.answer_checks import AnswerCheck

__all__ = ["Checker", "Watch"]


@dataclass(frozen=True, slots=True)
class Checker:
    """Judges the messages of one session. `upstream` is the origin that is asked, "" for none and for the emulator."""

    catalog: Catalog
    levels: Levels
    redactor: Redactor
    session: Session
    notices: Notices
    upstream: str = ""

    def request(self, exchange: Exchange) -> None:
        """Takes note of what is wrong with a request whose twin is complete."""
        if self.levels.of(exchange.called) == "off":
            return
        from replayproxy.core.validation import problems

        if exchange.resolved is not None:
            found = problems(exchange.twin, exchange.resolved)
        else:
            found = (self.notices.unknown(self.catalog, exchange.twin),)
        exchange.problems = found + exchange.problems  # the answer may have been looked at before
        self.session.found(exchange.called, found)

    def reads_first(self, exchange: Exchange) -> bool:
        """Whether the body must be read before the request may go on. An upload goes on while it is read."""
        operation = exchange.called
        return operation is not None and "application/json" in operation.bodies and self._enforced(exchange)

    def _enforced(self, exchange: Exchange) -> bool:
        return exchange.called is not None and self.levels.of(exchange.called) == "enforce"

    def refused(self, exchange: Exchange) -> Problem | None:
        """The problem for which a request is refused, None when it may go on."""
        if not self._enforced(exchange):
            return None
        return next((problem for problem in exchange.problems if not problem.warning), None)

    def forwarded(self, exchange: Exchange) -> None:
        """Takes note that the upstream is asked, which may not have the operation any more."""
        if exchange.called is not None:
            self.notices.forwarded(exchange.called, self.upstream, exchange.recorded[:10])

    def answer(self, exchange: Exchange, status: int, headers: Headers) -> Watch | None:
        """What looks at the answer with that head as it passes; None when there is nothing to look for."""
        operation = exchange.called
        if operation is None:
            return None
        self.notices.answered(operation, self.upstream, status)
        if self.levels.of(operation) == "off":
            return None
        from replayproxy.core.answer_checks import answer_check

        check = answer_check(operation, status, headers)
        return Watch(check, headers.get("content-encoding", "") or "") if check else None

    def answered(self, exchange: Exchange, watch: Watch, *, complete: bool) -> None:
        """Takes note of what `watch` has found, at the end of an answer (that broke off when not `complete`)."""
        found = tuple(self._redacted(problem, exchange) for problem in watch.finish(complete=complete))
        if found:
            exchange.problems += found
            self.session.found(exchange.called, found)

    def _redacted(self, problem: Problem, exchange: Exchange) -> Problem:
        param = self.redactor.text(problem.param, exchange.secrets) if problem.param else problem.param
        return replace(problem, message=self.redactor.text(problem.message, exchange.secrets), param=param)


#: What came is looked at when it is so many bytes, or when so many seconds have gone since the last look.
_LOOK, _EVERY = 64 * 1024, 0.02


class Watch:
    """A check of an answer that gets the bytes as they came from the upstream, in their content coding.

    Pieces that come shortly after each other are collected, and looked at together.
    """

    def __init__(self, check: AnswerCheck, coding: str) -> None:
        self._check = check
        self._decoder = codings.decoder(coding) if coding else None
        self._blind = bool(coding) and self._decoder is None
        self._pieces: list[bytes] = []
        self._size = 0
        self._looked = 0.0

    def take(self, data: bytes, at: float, *, ended: bool) -> bool:
        """Takes a piece that came `at` seconds after the head; true when what there is should be looked at now.

        At the end that is left to `finish`, unless there is something to unpack.
        """
        if not self._blind:
            self._pieces.append(data)
            self._size += len(data)
        if ended:
            return self._decoder is not None
        due = self._size >= _LOOK or at - self._looked >= _EVERY
        self._looked = at if due else self._looked
        return due

    def steps(self) -> Iterator[None]:
        """Looks at what was taken, in short steps: a little may unpack to a thousand times its size."""
        data = b"".join(self._pieces)
        self._pieces, self._size = [], 0
        if self._blind or not data:
            return
        if self._decoder is None:
            self._check.feed(data)
            return
        try:
            for piece in self._decoder.feed(data):
                self._check.feed(piece)
                yield
        except ValueError:
            self._blind = True

    def finish(self, *, complete: bool) -> tuple[Problem, ...]:
        """What was found; nothing where the bytes could not be read."""
        for _ in self.steps():
            pass
        return () if self._blind else self._check.finish(complete=complete)
