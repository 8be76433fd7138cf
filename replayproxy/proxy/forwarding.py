"""The way up and down: a request sent to the upstream, its answer passed on as it comes, and a copy kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from replayproxy.core.messages import Headers, Request
from replayproxy.proxy.capture import Capture
from replayproxy.proxy.upstream import Answer, Upstream
from replayproxy.proxy.wire import ClientGoneError, Reply

__all__ = ["Credential", "Link", "Passage"]


@dataclass(frozen=True, slots=True)
class Credential:
    """A key that takes the place of the client's on the way up."""

    key: str

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
            headers = self.credential.put_on(request.headers)
            request = Request(request.method, request.target, headers)
        return await self.upstream.send(request, body)


@dataclass(slots=True)
class Passage:
    """An answer on its way from the upstream to the client.

    `gone`: the client hung up before the end. `last`: the piece that is held back until the recording is saved.
    """

    answer: Answer
    reply: Reply
    capture: Capture | None
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
            if self.capture is not None:
                for _ in self.capture.steps(piece, self.now() - began):
                    await asyncio.sleep(0)
            if not piece or self.answer.ended:
                self.last = piece
                return
            await self._send(piece)

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
            self.gone = True
