"""Traffic to take away: a request as something to paste and run, exchanges and interactions as HAR.

What is copied asks this proxy, in the exchange's own session, so that running it shows up here; with `direct=1` it asks
the API itself.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

import replayproxy
from replayproxy.core.cassette import Interaction
from replayproxy.core.catalog import Operation
from replayproxy.core.exports.copying import FORMS, copied
from replayproxy.core.exports.har import har_of, origin_of
from replayproxy.core.journal import Entry
from replayproxy.core.messages import Request
from replayproxy.proxy.admin_port import AdminError
from replayproxy.proxy.inspector.describing import operation
from replayproxy.proxy.inspector.exchanges import number_of
from replayproxy.proxy.inspector.feed import Matching, read_filter
from replayproxy.proxy.inspector.inspector import Inspector
from replayproxy.proxy.inspector.opened import OpenedCassette, asked_file
from replayproxy.proxy.names import DEFAULT, NAME

__all__ = ["DESCRIBED", "give_exchange", "give_har", "give_interaction"]

_HAR = "har"
_NAMES = (*FORMS, _HAR)
_FORM = f"`form` is one of {', '.join(_NAMES)}"
_DIRECT = {"direct": "1: what is copied asks the API itself and not this proxy."}
#: So many exchanges are looked at before others have their turn.
_AT_ONCE = 50

DESCRIBED: dict[str, Any] = {
    "/exchanges/{number}/as/{form}": {
        "get": operation(
            "copyExchange",
            f"The request of an exchange, ready to be pasted and run; {_FORM}.",
            "/exchanges/{number}/as/{form}",
            query=_DIRECT,
            gives="text/plain",
            refusals={404: "The journal does not hold it, or there is no such form."},
        )
    },
    "/cassettes/{path}/interactions/{number}/as/{form}": {
        "get": operation(
            "copyInteraction",
            f"The request of an interaction, ready to be pasted and run; {_FORM}.",
            "/cassettes/{path}/interactions/{number}/as/{form}",
            query=_DIRECT,
            gives="text/plain",
            refusals={
                400: "The path leads elsewhere, or the cassette cannot be read.",
                404: "There is no such cassette, interaction or form.",
            },
        )
    },
    "/exchanges.har": {
        "get": operation(
            "exportExchanges",
            "The exchanges that the journal holds as HAR 1.2, the oldest first.",
            query={"session": "Those of this session only.", "filter": "Those that fit this filter only."},
            refusals={400: "The filter cannot be understood."},
        )
    },
}


async def give_exchange(inspector: Inspector, request: web.Request) -> web.Response:
    """The request of an exchange in another form; the whole exchange as HAR."""
    form, entry = _form(request), await inspector.entry(number_of(request))
    if form == _HAR:
        return await _har(inspector, [entry], f"exchange-{entry.number}")
    base = _base(inspector, request, entry.session)
    return _text(form, entry.request, base, _operation(inspector, entry.operation))


async def give_interaction(inspector: Inspector, request: web.Request) -> web.Response:
    """The request of an interaction in another form; the whole interaction as HAR."""
    form, path, number = _form(request), request.match_info["path"], number_of(request)
    found = await asyncio.to_thread(lambda: OpenedCassette.at(inspector, path).interaction(number))
    if form == _HAR:
        return await _har(inspector, [found], f"interaction-{number}")
    base = _base(inspector, request, await asyncio.to_thread(_session_of, inspector, path))
    return _text(form, found.request, base, _operation(inspector, found.operation))


async def give_har(inspector: Inspector, request: web.Request) -> web.Response:
    """What the journal holds as HAR."""
    matching = Matching(read_filter(request.query.get("filter", "")))
    kept = list[Entry]()
    for place, entry in enumerate(await inspector.entries(request.query.get("session", ""))):
        if not place % _AT_ONCE:
            await asyncio.sleep(0)
        if matching.of(entry) is not None:
            kept.append(entry)
    return await _har(inspector, kept, "exchanges")


def _form(request: web.Request) -> str:
    form = request.match_info["form"]
    if form not in _NAMES:
        raise AdminError(404, "no_form", f"there is no form {form[:80]!r}: {_FORM}")
    return form


def _text(form: str, request: Request, base: str, meant: Operation | None) -> web.Response:
    return web.Response(text=copied(form, request, base, meant), content_type="text/plain")


async def _har(inspector: Inspector, exchanges: Sequence[Entry | Interaction], name: str) -> web.Response:
    body = await asyncio.to_thread(_har_text, exchanges, _origin(inspector))
    response = web.Response(body=body, content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.har"'
    return response


def _har_text(exchanges: Iterable[Entry | Interaction], origin: str) -> bytes:
    return orjson.dumps(har_of(exchanges, replayproxy.__version__, origin=origin))


def _origin(inspector: Inspector) -> str:
    """Where the API itself is; the emulator stands for the real one."""
    return origin_of(str(inspector.settings.upstream.url))


def _base(inspector: Inspector, request: web.Request, session: str) -> str:
    if request.query.get("direct") == "1":
        return _origin(inspector)
    return inspector.url if session == DEFAULT else f"{inspector.url}/@{session}"


def _operation(inspector: Inspector, name: str) -> Operation | None:
    try:
        return inspector.catalog.operation(name)
    except KeyError:
        return None


def _session_of(inspector: Inspector, path: str) -> str:
    """The session that plays a cassette, or would: the one that is open on it, or the one that has its name."""
    file = os.path.realpath(asked_file(inspector.settings, path))
    for name, cassette in inspector.sessions.cassettes().items():
        if os.path.realpath(cassette) == file:
            return name
    default = inspector.settings.default_cassette
    if file == os.path.realpath(default) or Path(file).parent != Path(os.path.realpath(default)).parent:
        return DEFAULT
    stem = Path(file).stem
    return stem if NAME.match(stem) else DEFAULT
