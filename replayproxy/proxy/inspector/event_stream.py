"""An event stream to whoever watches the proxy."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from aiohttp import web

from replayproxy.proxy.admin_port import CLOSING

__all__ = ["EventStream"]


class EventStream:
    """A response that goes on; `gone` tells that nobody reads it any more."""

    def __init__(self, response: web.StreamResponse, request: web.Request) -> None:
        self.response, self._request = response, request

    @classmethod
    async def begun(cls, request: web.Request) -> EventStream:
        """A stream whose head is sent."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        return cls(response, request)

    @property
    def gone(self) -> bool:
        """Whether the client has hung up, or the port is being closed."""
        transport = self._request.transport
        return transport is None or transport.is_closing() or self._request.app[CLOSING].is_set()

    async def send(self, event: str, value: Any) -> None:
        """Sends an event with a value as JSON; waits while the client is slow to read."""
        try:
            await self.response.write(b"event: " + event.encode() + b"\ndata: " + orjson.dumps(value) + b"\n\n")
        except (ConnectionError, asyncio.CancelledError):
            if not self.gone:
                raise

    async def breathe(self) -> None:
        """Sends what nobody sees, so that both sides find out when the other is gone."""
        try:
            await self.response.write(b": \n\n")
        except ConnectionError:
            if not self.gone:
                raise
