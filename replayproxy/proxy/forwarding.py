"""The way up and down: a request sent to the upstream, its answer passed on as it comes, and a copy kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from replayproxy.core.fault_kinds import Fault
from replayproxy.core.messages import Headers, Request, Response
from replayproxy.errors import UpstreamError, UpstreamTimeoutError
from replayproxy.proxy.breaking import Outlet, Severed, Severing, break_off, sever
from replayproxy.proxy.capture import Capture
from replayproxy.proxy.checking import Checker, Watch
from replayproxy.proxy.exchange import Exchange
from replayproxy.proxy.glimpse import Glimpse
from replayproxy.proxy.heads import Recall
from replayproxy.proxy.metering import failure_kind
from replayproxy.proxy.noting import Passed
from replayproxy.proxy.recording import Tape
from replayproxy.proxy.upstream import Answer, Upstream
from replayproxy.proxy.wire import ClientGoneError, Reply

__all__ = ["Credential", "Delivery", "Link", "Passage", "fault_of"]

#: What an answer is that breaks off in the middle: it is played as far as it came.
_TRUNCATED = Fault("truncate")


def fault_of(error: UpstreamError) -> Fault:
    """What the upstream did in the place of an answer. Only what kept us from connecting has a cause of its own."""
    if isinstance(error, UpstreamTimeoutError):
        return Fault("timeout", of_upstream=True)
    return Fault("reset" if error.__cause__ is None else "refused", of_upstream=True)


@dataclass(frozen=True, slots=True)
class Credential:
    """A key that takes the place of the client's on the way up; `signed` gives requests with it."""

    key: str
    signed: Recall[Request, Request] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "signed", Recall(self._sign))

    def _sign(self, request: Request) -> Request:
        return Request(request.method, request.target, self.put_on(request.headers))

    def put_on(self, headers: Headers) -> Headers:
        """The headers with the key where the client put its own: `api-key` (Azure's way) or `Authorization`."""
        if "api-key" in headers:
            return headers.replacing("api-key", self.key)
        return headers.replacing("Authorization", f"Bearer {self.key}")

    def __repr__(self) -> str:
        return "Credential(…)"


@dataclass(frozen=True, slots=True)
class Link:
    """The upstream and the key to use there (None: the client's own)."""

    upstream: Upstream
    credential: Credential | None = None

    async def ask(self, request: Request, body: bytes | AsyncIterator[bytes]) -> Answer:
        """Sends a request that is ready to go; the answer is open as soon as its head is there."""
        if self.credential is not None:
            request = self.credential.signed.of(request)
        return await self.upstream.send(request, body)


@dataclass(slots=True)
class Passage:
    """An answer on its way from the upstream to the client, past those who keep and who check it.

    A client that leaves ends it, unless it is kept: then it goes on, since it may be complete in a moment.

    `gone`: the client hung up before the end. `last`: the piece that is held back until the recording is saved.
    """

    answer: Answer
    reply: Outlet
    capture: Capture | None
    glimpse: Glimpse | None
    watch: Watch | None
    now: Callable[[], float]
    gone: bool = False
    last: bytes = b""

    async def run(self) -> None:
        """Passes on all but the last piece. UpstreamError when the answer breaks off."""
        began = self.now()
        if not self.answer.waiting:
            await self._send(b"")
        while True:
            piece = await self.answer.chunk()
            at, ended = self.now() - began, not piece or self.answer.ended
            if self.glimpse is not None:
                self.glimpse.feed(piece, at)
            if not ended:
                await self._send(piece)
            if self.capture is not None:
                for _ in self.capture.steps(piece, at):
                    await asyncio.sleep(0)
            if self.watch is not None and self.watch.take(piece, at, ended=ended):
                for _ in self.watch.steps():
                    await asyncio.sleep(0)
            if ended:
                self.last = piece
                return

    async def finish(self) -> None:
        """Passes on the last piece and the end."""
        try:
            if not self.gone:
                await self.reply.end(self.last)
        except ClientGoneError:
            self.gone = True

    async def _send(self, piece: bytes) -> None:
        if self.gone:
            return
        try:
            await self.reply.send(piece)
        except ClientGoneError:
            if self.capture is None:
                raise  # nobody wants the rest
            self.gone = True


@dataclass(slots=True)
class Delivery:
    """An answer taken to the client and, with a `tape`, into the cassette, be it whole or broken.

    `complete` makes the twin of the request, and says whether the request came to its end. `fault` is what the client
    is to meet on the way; such an answer is never saved.
    """

    exchange: Exchange
    answer: Answer
    tape: Tape | None
    complete: Callable[[], bool]
    now: Callable[[], float]
    checker: Checker
    fault: Fault | None = None

    async def run(self) -> Reply:
        """Passes the answer on, saves it before its end is passed on, and breaks it where it broke."""
        exchange, head = self.exchange, self.answer.head
        length = _length(head.headers.get("content-length"))
        reply = Reply(exchange.raw, head.status, head.reason, head.headers, length=length)
        framed = length is not None or exchange.raw.version >= (1, 1)
        capture = self.tape.capture(head.headers, exchange.secrets, decode=True) if self.tape else None
        outlet = Severing(reply, self.fault) if self.fault and not reply.bodiless else reply
        watch = self.checker.answer(exchange, head.status, head.headers)
        glimpse = exchange.glimpse(head.headers) if capture is None else None
        passing = self._passing(Response(head.status, head.reason, reply.headers), glimpse, capture)
        passage = Passage(self.answer, outlet, capture, glimpse, watch, self.now)
        try:
            await passage.run()
            if self.tape is None:
                await passage.finish()
            self._check(watch)
            if self.tape is not None:
                await self._save(reply, capture)
                await passage.finish()
        except UpstreamError as error:
            exchange.outcome, exchange.note, exchange.failure = "failed", str(error), failure_kind(error)
            self._check(watch, complete=False)
            await self._save(reply, capture, _TRUNCATED)
            await break_off(exchange.raw, reply, framed=framed)
        except Severed:
            exchange.note = f"fault: {self.fault}"
            await sever(exchange.raw, reply, self.fault or _TRUNCATED, framed=framed)
        finally:
            if exchange.answer is passing:
                passing.settle()
            if capture is not None and exchange.outcome != "saved":
                capture.discard()
        return reply

    def _passing(self, head: Response, glimpse: Glimpse | None, capture: Capture | None) -> Passed:
        """The answer for whoever looks at it while it passes, and after that when it is not saved."""
        body = capture or glimpse
        assert body is not None, "an answer is captured or glimpsed at"  # noqa: S101 -- for the type checker
        passing = Passed(head, body, self.checker.redactor, self.exchange.secrets)
        self.exchange.answer = passing
        return passing

    def _check(self, watch: Watch | None, *, complete: bool = True) -> None:
        if watch is not None:
            self.checker.answered(self.exchange, watch, complete=complete)

    async def _save(self, reply: Reply, capture: Capture | None, fault: Fault | None = None) -> None:
        if self.tape is None or capture is None or (fault is not None and not self.tape.failures):
            return
        if not self.complete():
            return
        head = self.answer.head
        response = Response(head.status, head.reason, reply.headers)
        if await self.tape.save_answer(self.exchange, self.exchange.twin, response, capture, fault):
            self.exchange.outcome = "saved"


def _length(content_length: str | None) -> int | None:
    return int(content_length) if content_length is not None and content_length.isdecimal() else None
