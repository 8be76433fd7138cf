"""The sessions of a proxy, and which of them a request belongs to.

Rules:
1. A session is opened once, however many requests wait for it, and no lock is held while a request is answered.
2. The prefix `/@NAME` and the header never go further than this: what a session sees is the request without them.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace

from aiohttp import web

from replayproxy.core.messages import Request
from replayproxy.core.session import Receipt
from replayproxy.errors import ConfigError, ReplayProxyError
from replayproxy.proxy import answers
from replayproxy.proxy.handler import Handler
from replayproxy.proxy.intake import SESSION_HEADER
from replayproxy.proxy.opening import DEFAULT, NAME, Declaration, Opener
from replayproxy.proxy.wire import Answered, read_head

__all__ = ["Sessions", "session_of"]

_PREFIX = re.compile(r"/(?:@|%40)([^/?]*)(.*)", re.DOTALL | re.IGNORECASE)


def session_of(head: Request) -> tuple[str, Request]:
    """The name of the session a request is for, and the request without the prefix that says so.

    ConfigError when the name cannot be one.
    """
    prefix = _PREFIX.match(head.target)
    if prefix is None:
        name = head.headers.get(SESSION_HEADER, DEFAULT) or DEFAULT
    else:
        name, rest = prefix.groups()
        head = replace(head, target=rest if rest.startswith("/") else f"/{rest}")
    if not NAME.match(name):
        told = "a session's name is made of letters, digits, '.', '_' and '-', and does not begin with a dot"
        raise ConfigError(f"{told}: not {name[:80]!r}")
    return name, head


class Sessions:
    """Opens sessions when they are first asked for or declared; keeps the receipts of those that were closed."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._opening: dict[str, asyncio.Task[Handler]] = {}
        self._declared: dict[str, Declaration] = {}
        self._closed: list[tuple[str, Receipt]] = []

    async def __call__(self, raw: web.BaseRequest) -> web.StreamResponse:
        """Answers a request, in the session that it is for."""
        try:
            name, head = session_of(read_head(raw))
            handler = await self.get(name)
        except ReplayProxyError as error:
            return Answered(await answers.no_session(raw, error))
        return await handler.handle(raw, head)

    async def get(self, name: str) -> Handler:
        """The session's handler; opened with the proxy's settings when nobody declared it."""
        opening = self._opening.get(name)
        if opening is None:
            return await self._open(Declaration(name))
        return opening.result() if opening.done() else await asyncio.shield(opening)

    async def declare(self, declaration: Declaration) -> Handler:
        """Opens a session as declared. ConfigError when its name is taken."""
        if declaration.name in self._opening:
            raise ConfigError(f"there is a session {declaration.name} already; delete it first, or choose another name")
        return await self._open(declaration)

    def names(self) -> tuple[str, ...]:
        """The open sessions, in the order in which they were opened."""
        return tuple(name for name, opening in self._opening.items() if opening.done())

    async def reset(self, name: str) -> Handler:
        """Closes a session and opens it again as it was declared: its play counts begin anew. KeyError for no such."""
        declaration = self._declared[name]
        await self.close(name, keep=False)
        return await self._open(declaration)

    async def close(self, name: str, *, keep: bool = True) -> Receipt:
        """Closes a session when its exchanges are done; its receipt is kept. KeyError when there is no such session."""
        opening = self._opening.pop(name)
        handler = await opening
        await handler.close()
        receipt = handler.session.receipt()
        if keep:
            self._closed.append((name, receipt))
        return receipt

    async def close_all(self) -> None:
        """Closes every session."""
        for name in list(self._opening):
            await self.close(name)

    def receipts(self) -> tuple[tuple[str, Receipt], ...]:
        """The receipts of all sessions there were, closed ones first; of the default session only when it was used, or
        when there was no other."""
        living = [(name, self._opening[name].result().session.receipt()) for name in self.names()]
        found = [*self._closed, *living]
        used = [(name, receipt) for name, receipt in found if name != DEFAULT or receipt.requests]
        return tuple(used or found)

    def cassettes(self) -> Mapping[str, str]:
        """Where each open session records or plays."""
        return {name: self._opening[name].result().cassette for name in self.names()}

    async def _open(self, declaration: Declaration) -> Handler:
        name = declaration.name
        opening = self._opening[name] = asyncio.create_task(self._opener.open(declaration))
        opening.add_done_callback(lambda done: self._forget_failure(name, done))
        self._declared[name] = declaration
        return await asyncio.shield(opening)

    def _forget_failure(self, name: str, opening: asyncio.Task[Handler]) -> None:
        """The next request for a session that could not be opened tries again: its cassette may have been mended."""
        if (opening.cancelled() or opening.exception() is not None) and self._opening.get(name) is opening:
            del self._opening[name]
