"""From a finished exchange to an interaction in the cassette."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial

from replayproxy.core.cassette import Interaction
from replayproxy.core.fault_kinds import Fault
from replayproxy.core.messages import Headers, Request, Response
from replayproxy.core.redaction import Redactor
from replayproxy.core.session import Session
from replayproxy.errors import CassetteError
from replayproxy.proxy.capture import Capture
from replayproxy.proxy.exchange import Clock, Exchange
from replayproxy.proxy.noting import Told
from replayproxy.stores.writer import Writer

__all__ = ["Tape", "is_failure"]

_log = logging.getLogger(__name__)

#: Answers that tell of the moment and not of the request: not kept unless asked for.
_FAILURES = frozenset({401, 403, 408, 429})


def is_failure(status: int) -> bool:
    """Whether an answer with this status should not be baked into a test by accident."""
    return status in _FAILURES or status >= 500


@dataclass(frozen=True, slots=True)
class Tape:
    """Where a session's interactions are saved, and how they are made fit for it."""

    recorder: Writer
    redactor: Redactor
    session: Session
    failures: bool
    clock: Clock

    def wants(self, status: int) -> bool:
        """Whether an answer with this status is kept."""
        return self.failures or not is_failure(status)

    def capture(self, headers: Headers, secrets: frozenset[str], *, decode: bool = False) -> Capture:
        """A capture for a message with these headers."""
        return Capture(headers, lambda: self.redactor.stream(secrets), self.recorder.spool, decode=decode)

    async def save(self, exchange: Exchange, twin: Request, response: Response, fault: Fault | None = None) -> bool:
        """Saves an exchange whose request is redacted and whose answer is not; says loudly when it cannot.

        Gives whether it could when it has. Who is cancelled meanwhile has it saved all the same.

        `fault` tells how the answer failed, when it did.
        """
        try:
            interaction = Interaction(
                request=twin,
                response=self.redactor.response(response, exchange.secrets),
                operation=exchange.operation,
                family=exchange.family,
                recorded=exchange.recorded,
                first_byte=round(exchange.first_byte, 6),
                took=round(self.clock.seconds() - exchange.started, 6),
                validator=exchange.outcome == "rejected",
                problems=exchange.problems,
                fault=fault,
            )
        except (CassetteError, OSError) as error:
            self.lose(error)
            return False
        exchange.answer = Told(interaction.response)
        return await self.recorder.append(interaction, exchange.slot, partial(self._settled, interaction))

    async def save_answer(
        self, exchange: Exchange, twin: Request, head: Response, capture: Capture, fault: Fault | None = None
    ) -> bool:
        """Saves an exchange whose answer was captured, as far as it came; `head` is the answer without its body."""
        try:
            body, coding, chunks = capture.finish()
        except (CassetteError, OSError) as error:
            self.lose(error)
            return False
        response = Response(head.status, head.reason, head.headers, body, coding, chunks)
        return await self.save(exchange, twin, response, fault)

    async def close(self) -> None:
        """Ends the recording; says loudly when its cassette could not be put in order."""
        try:
            await self.recorder.close()
        except (CassetteError, OSError) as error:
            self.lose(error)

    def lose(self, error: Exception) -> None:
        """Reports an answer that could not be saved."""
        self.session.lost()
        unexpected = not isinstance(error, (CassetteError, OSError))
        _log.error("not saved: %s", error, exc_info=error if unexpected else None)

    def _settled(self, interaction: Interaction, error: Exception | None) -> None:
        if error is None:
            self.session.saved(interaction)
        else:
            self.lose(error)
