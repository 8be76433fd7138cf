"""One exchange: whole, followed while it is under way, and its bodies as bytes."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from aiohttp import web

from replayproxy.core.journal import UNDER_WAY, Entry
from replayproxy.core.messages import FileBody, Request, Response, plain
from replayproxy.proxy.admin_port import AdminError, answered
from replayproxy.proxy.inspector.describing import operation
from replayproxy.proxy.inspector.event_stream import EventStream
from replayproxy.proxy.inspector.forms import Summaries, arrived_events, detail, stream_json
from replayproxy.proxy.inspector.inspector import Inspector

__all__ = ["DESCRIBED", "body_download", "follow_exchange", "give_body", "number_of", "show_exchange"]

#: How often somebody who follows an exchange is told, in seconds.
TICK = 0.1

_NO_EXCHANGE = {404: "The journal does not hold it any more, or never did."}
DESCRIBED: dict[str, Any] = {
    "/exchanges/{number}": {
        "get": operation(
            "exchange",
            "An exchange, whole and redacted: both messages, the events of a stream, and why it missed.",
            "/exchanges/{number}",
            refusals=_NO_EXCHANGE,
        )
    },
    "/exchanges/{number}/feed": {
        "get": operation(
            "follow_exchange",
            "An exchange while it is under way: `detail` first, then `events` as they come, and `detail` at its end.",
            "/exchanges/{number}/feed",
            gives="text/event-stream",
            refusals=_NO_EXCHANGE,
        )
    },
    "/exchanges/{number}/{side}/body": {
        "get": operation(
            "exchange_body",
            "The redacted bytes of a body; `side` is request or response.",
            "/exchanges/{number}/{side}/body",
            gives="application/octet-stream",
            refusals={404: "There is no such exchange or side, or no such body is kept."},
        )
    },
}


def number_of(request: web.Request) -> int:
    """The number in a path. AdminError when it is none."""
    given = request.match_info["number"]
    if not (given.isascii() and given.isdecimal() and 0 < len(given) <= 15):
        raise AdminError.invalid(("number", "expected a whole number from 1"))
    return int(given)


async def show_exchange(inspector: Inspector, request: web.Request) -> web.Response:
    """An exchange, whole."""
    return answered(_told(await inspector.entry(number_of(request))))


def _told(entry: Entry) -> dict[str, Any]:
    return detail(entry, Summaries().of(entry.glance()))


async def give_body(inspector: Inspector, request: web.Request) -> web.Response:
    """The bytes of a body."""
    entry = await inspector.entry(number_of(request))
    sides: dict[str, Request | Response | None] = {"request": entry.request, "response": entry.response}
    return body_download(sides, request.match_info["side"], f"exchange-{entry.number}")


def body_download(sides: dict[str, Request | Response | None], side: str, name: str) -> web.Response:
    """The body of one side as a file to keep. AdminError (404) when there is no such side, or its body is elsewhere."""
    if side not in sides:
        raise AdminError(404, "no_route", f"a message is the request or the response, not {plain(side[:40])!r}")
    message = sides[side]
    if message is None or isinstance(message.body, FileBody):
        told = "it was too large for memory and lies in a file beside the cassette" if message else "none is known"
        raise AdminError(404, "no_body", f"the body of this {side} cannot be given: {told}")
    response = web.Response(body=message.body, content_type="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-{side}.bin"'
    return response


async def follow_exchange(inspector: Inspector, request: web.Request) -> web.StreamResponse:
    """An exchange as it comes."""
    number = number_of(request)
    entry = await inspector.entry(number)
    stream, began = await EventStream.begun(request), time.perf_counter()
    await stream.send("detail", _told(entry))
    known = len(_events(entry))
    while entry.outcome == UNDER_WAY and not stream.gone:
        # A long stream takes long to look through, and nobody is to wait for that: a tenth of the time goes there.
        await asyncio.sleep(max(TICK, 10 * (time.perf_counter() - began)))
        began = time.perf_counter()
        entry = await inspector.entry(number)
        events = _events(entry)
        if entry.outcome == UNDER_WAY and len(events) > known:
            told = stream_json(events)
            size = len(entry.response.body) if entry.response and isinstance(entry.response.body, bytes) else 0
            await stream.send("events", {"events": told["events"][known:], "texts": told["texts"], "size": size})
            known = len(events)
    await stream.send("detail", _told(entry))
    return stream.response


def _events(entry: Entry) -> list[Any]:
    return (arrived_events(entry.response) if entry.response is not None else None) or []
