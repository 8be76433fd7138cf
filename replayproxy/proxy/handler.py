"""One request, in order: read, resolve, redact, decide, then replay, forward or refuse; or fail as a fault says.

Rules:
1. The raw request goes to the upstream only, the raw answer to the client only; all else sees redacted twins.
2. What is recorded is saved before the end of the answer is passed on, whole or not at all.
3. An answer that cannot be completed breaks the connection; it never ends as if it were whole.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from replayproxy.core.fault_kinds import Fault
from replayproxy.core.journal import Journal
from replayproxy.core.messages import Request
from replayproxy.core.missed import missed
from replayproxy.core.problem import Problem
from replayproxy.core.redaction import Redactor
from replayproxy.core.report import miss_message
from replayproxy.core.session import Miss, Replay, Session
from replayproxy.errors import CassetteError, UpstreamError
from replayproxy.proxy import answers
from replayproxy.proxy.again import Repertoire
from replayproxy.proxy.breaking import FAULT_HEADER, strike
from replayproxy.proxy.capture import Capture
from replayproxy.proxy.checking import Checker
from replayproxy.proxy.exchange import Clock, Exchange, Outcome
from replayproxy.proxy.heads import Heading, Recall, heading
from replayproxy.proxy.intake import Intake, TooLargeError, framed
from replayproxy.proxy.limits import Room, SpoolFullError
from replayproxy.proxy.log import Lines
from replayproxy.proxy.metering import failure_kind
from replayproxy.proxy.noting import Noted, Recorded, noted
from replayproxy.proxy.playback import Copied, OpenFile, Pace, play
from replayproxy.proxy.policy import Policy
from replayproxy.proxy.telling import tell
from replayproxy.proxy.wire import Answered, ClientGoneError, Reply, name_exchange

if TYPE_CHECKING:
    from replayproxy.proxy.forwarding import Link
    from replayproxy.proxy.recording import Tape
    from replayproxy.proxy.tracing import Tracing

__all__ = ["Handler"]

_log = logging.getLogger(__name__)

#: How long the upstream may take to finish when the client has hung up, in seconds: clients close a stream as soon as
#: they have seen its last event, a moment before it ends.
GRACE = 2.0


@dataclass(slots=True)
class Handler:
    """Answers the requests of one session.

    In playback there is no `link`: nothing here could reach an upstream. Without a `tape` nothing is recorded.
    """

    name: str
    session: Session
    cassette: str
    checker: Checker
    redactor: Redactor
    policy: Policy
    clock: Clock
    journal: Journal
    open_file: OpenFile
    link: Link | None = None
    tape: Tape | None = None
    room: Room = field(default_factory=Room)
    tracing: Tracing | None = None
    under_way: set[Exchange] = field(default_factory=set)
    repertoire: Repertoire = field(init=False)
    _headings: Recall[Request, Heading] = field(init=False)
    _idle: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        lines = Lines(_log, self.name, self.journal.meter)
        known = (self.name, self.session, self.redactor, self.clock, self.journal, lines, self.cassette)
        self.repertoire = Repertoire(*known)
        self._headings = Recall(partial(heading, catalog=self.checker.catalog, redactor=self.redactor))

    async def handle(self, raw: web.BaseRequest, head: Request) -> web.StreamResponse:
        """Answers a request, whose head may differ from the one in `raw` (a prefix that named the session is gone).

        Whatever goes wrong, the client gets an error or a broken connection, and the log tells why.
        """
        exchange = self._arrive(raw, head)
        if self.link is None:
            return Answered(await self._serve(exchange), exchange.known)
        # In a task of its own, which may finish (and save) when the client has gone already.
        task = asyncio.create_task(self._serve(exchange))
        try:
            return Answered(await asyncio.shield(task), exchange.known)
        except asyncio.CancelledError:
            asyncio.get_running_loop().call_later(GRACE, task.cancel)
            raise

    async def close(self) -> None:
        """Waits for the exchanges under way, then ends the recording."""
        while self.under_way:
            self._idle.clear()
            await self._idle.wait()
        self.repertoire.close()
        if self.tape is not None:
            await self.tape.close()

    async def _serve(self, exchange: Exchange) -> Reply:
        try:
            return await self._answer(exchange)
        except asyncio.CancelledError:
            exchange.outcome = "gone"
            raise
        except ClientGoneError as error:
            exchange.outcome, exchange.note = "gone", str(error)
            return self._hang_up(exchange)
        except (TooLargeError, TimeoutError, SpoolFullError) as error:
            return await self._own(exchange, answers.not_taken(error, self.policy), ends=True)
        except CassetteError as error:
            exchange.note = str(error)
            if exchange.outcome in ("played", "repeated"):
                self.session.unreadable(exchange.twin, error)
            return await self._own(exchange, answers.unreadable(error))
        except Exception:
            _log.exception("%s %s", exchange.twin.method, exchange.twin.target)
            return await self._own(exchange, answers.internal_error())
        finally:
            exchange.intake.close()
            self._tell(exchange)

    def _arrive(self, raw: web.BaseRequest, head: Request) -> Exchange:
        told = self._headings.of(head)
        exchange = Exchange(
            raw=raw,
            heading=told,
            intake=Intake(raw, self.policy.body_limit, self.policy.idle, self.room),
            slot=self.session.arrive(told.resolved.operation if told.resolved else None),
            started=self.clock.seconds(),
            recorded=self.clock.wall(),
            twin=told.twin,
            ordinal=self.journal.next_number(),
            cassette=self.cassette,
            allowance=self.journal.allowance,
        )
        if self.tracing is not None:
            exchange.span = self.tracing.begin(exchange, self.name)
        name_exchange(raw, exchange.ordinal)
        self.under_way.add(exchange)
        self.journal.begin(exchange.ordinal, partial(self._so_far, exchange))
        return exchange

    async def _answer(self, exchange: Exchange) -> Reply:
        if exchange.head.method == "CONNECT":
            return await self._own(exchange, answers.no_tunnel())
        capture = self._capture_request(exchange)
        try:
            return await self._decide(exchange, capture)
        finally:
            capture.discard()  # what is worth keeping has been finished by now

    async def _decide(self, exchange: Exchange, capture: Capture) -> Reply:
        body: bytes | None = None
        if first := self._reads_first(exchange):
            body = await exchange.intake.whole(capture)
            self._read_twin(exchange, capture)
        decision = self.session.decide(exchange.twin, exchange.called)
        if isinstance(decision, Replay):
            return await self._replay(exchange, decision)
        if isinstance(decision, Miss):
            return await self._refuse(exchange, decision)
        if decision.fault is not None and decision.fault.early:
            return await self._strike(exchange, decision.fault)
        if first:
            self.checker.request(exchange)
            if problem := self.checker.refused(exchange):
                return await self._reject(exchange, problem)
        return await self._forward(exchange, capture, body, first, decision.fault)

    def _reads_first(self, exchange: Exchange) -> bool:
        """Whether the body has to be known before anything can be decided (or is small enough not to matter)."""
        return self.session.mode.plays or exchange.intake.small or self.checker.reads_first(exchange)

    def _capture_request(self, exchange: Exchange) -> Capture:
        headers, spool = exchange.head.headers, self.tape.recorder.spool if self.tape else None
        return Capture(headers, lambda: self.redactor.stream(exchange.secrets), spool)

    def _read_twin(self, exchange: Exchange, capture: Capture) -> None:
        body, _, _ = capture.finish()
        body = self.redactor.body(exchange.head.headers, body, exchange.secrets)
        exchange.twin = replace(exchange.twin, body=body)

    # --- replay, refuse, reject

    async def _replay(self, exchange: Exchange, replay: Replay) -> Reply:
        exchange.outcome = "repeated" if replay.repeated else "played"
        exchange.number, exchange.status = replay.number, replay.interaction.response.status
        exchange.answer = Recorded(self.session, replay.number)
        if replay.fault is not None:
            exchange.note = f"fault: {replay.fault}"
            exchange.status = replay.fault.status if replay.fault.early else exchange.status
        pace = Pace(self.policy.speed, self.policy.poll_after_ms, partial(self._began, exchange))
        reply = await play(exchange.raw, replay, answers.marks(exchange), self.open_file, pace)
        if isinstance(reply, Copied) and reply.sent and self.tracing is None:
            exchange.known = self.repertoire.keep(exchange, replay, reply.sent)
        return reply

    async def _refuse(self, exchange: Exchange, miss: Miss) -> Reply:
        exchange.outcome, exchange.miss = "missed", missed(miss, self.session.interaction)
        self.checker.request(exchange)
        message = miss_message(miss, self.cassette, self.session.interaction, exchange.problems)
        self.session.tell(miss, message)
        exchange.note = message
        return await answers.missed(exchange, miss, message)

    async def _reject(self, exchange: Exchange, problem: Problem) -> Reply:
        exchange.outcome = "rejected"
        if self.tape is not None:
            await self.tape.save(exchange, exchange.twin, answers.own_response(problem))
        return await answers.send_own(exchange, problem)

    # --- forward

    async def _strike(self, exchange: Exchange, fault: Fault) -> Reply:
        exchange.note, exchange.status = f"fault: {fault}", fault.status
        return await strike(exchange.raw, fault, answers.marks(exchange).plus((FAULT_HEADER, str(fault))))

    async def _forward(
        self, exchange: Exchange, capture: Capture, body: bytes | None, read: bool, fault: Fault | None
    ) -> Reply:
        assert self.link is not None, "only modes with an upstream forward"  # noqa: S101 -- for the type checker
        from replayproxy.proxy.forwarding import Delivery  # here, since playback has no use for it

        self.checker.forwarded(exchange)
        request = framed(exchange.heading.onward, body, exchange.intake.chunked)
        if exchange.span is not None:
            request = exchange.span.going_up(request, self.link.upstream.origin)
        try:
            answer = await self.link.ask(request, self._pieces(exchange, capture, body, read))
        except UpstreamError as error:
            return await self._unanswered(exchange, capture, read, error, str(self.link.upstream))
        exchange.outcome, exchange.status = "forwarded", answer.head.status
        self._began(exchange)
        tape = self.tape if self.tape is not None and fault is None and self.tape.wants(answer.head.status) else None
        complete = partial(self._complete, exchange, capture, read)
        try:
            return await Delivery(exchange, answer, tape, complete, self.clock.seconds, self.checker, fault).run()
        finally:
            await answer.close()

    def _pieces(
        self, exchange: Exchange, capture: Capture, body: bytes | None, read: bool
    ) -> bytes | AsyncIterator[bytes]:
        if body is not None:
            return body
        if read:
            return exchange.intake.from_file()
        if self.tape is None:
            exchange.asked = exchange.glimpse(exchange.head.headers)
        return exchange.intake.teed(exchange.asked or capture)

    async def _unanswered(
        self, exchange: Exchange, capture: Capture, read: bool, error: UpstreamError, upstream: str
    ) -> Reply:
        from replayproxy.proxy.forwarding import fault_of

        exchange.note, problem = str(error), answers.upstream_failed(upstream, error)
        exchange.failure = failure_kind(error)
        self._began(exchange)
        saved = False
        if self.tape is not None and self.tape.failures and self._complete(exchange, capture, read):
            saved = await self.tape.save(exchange, exchange.twin, answers.own_response(problem), fault_of(error))
        return await self._own(exchange, problem, "saved" if saved else "failed")

    def _complete(self, exchange: Exchange, capture: Capture, read: bool) -> bool:
        """Makes the twin of a request that was passed on as it came; False when it did not come to its end."""
        if read:
            return True
        if not exchange.intake.done:
            exchange.note = "not saved: the upstream answered before the request was complete"
            return False
        try:
            self._read_twin(exchange, capture)
        except CassetteError as error:
            if self.tape is not None:
                self.tape.lose(error)
            return False
        self.checker.request(exchange)
        return True

    # --- whatever else

    async def _own(
        self, exchange: Exchange, problem: Problem, outcome: Outcome = "failed", *, ends: bool = False
    ) -> Reply:
        exchange.outcome = outcome
        try:
            return await answers.send_own(exchange, problem, ends=ends)
        except ClientGoneError:
            return self._hang_up(exchange)

    def _hang_up(self, exchange: Exchange) -> Reply:
        reply = Reply(exchange.raw, 500, "", exchange.head.headers)
        reply.abort()
        return reply

    def _tell(self, exchange: Exchange) -> None:
        self.under_way.discard(exchange)
        self._idle.set()
        tell(exchange, self.name, self._took(exchange), self.repertoire.lines, self.journal, self.redactor)

    def _so_far(self, exchange: Exchange) -> Noted:
        return noted(exchange, self.name, self._took(exchange), self.redactor, ended=False)

    def _took(self, exchange: Exchange) -> float:
        return self.clock.seconds() - exchange.started

    def _began(self, exchange: Exchange) -> None:
        exchange.first_byte = self._took(exchange)
