"""The admin port of an emulator that runs alone: what it remembers, and a way to make it forget."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import orjson
from aiohttp import web

from replayproxy.emulator.brain import KeptBrain
from replayproxy.emulator.fixtures import Fixtures, add_fixtures
from replayproxy.emulator.state import State

__all__ = ["admin_routes"]

Route = tuple[str, str, Callable[[web.Request], Awaitable[web.StreamResponse]]]


def admin_routes(state: State, fixtures: Fixtures) -> tuple[Route, ...]:
    """`GET /state` counts what there is, with `?full` tells all of it; `POST /reset` begins anew, with the fixtures."""

    async def tell(request: web.Request) -> web.Response:
        told: dict[str, object] = {"counts": state.counts(), "settings": _settings(state)}
        if "full" in request.query:
            told["records"] = [
                {"kind": each.kind, "id": each.id, "parent": each.parent or None, "object": each.json}
                for each in state.records()
            ]
        return _json(told)

    async def reset(_: web.Request) -> web.Response:
        state.reset()
        if isinstance(state.brain, KeptBrain):
            state.brain.reset()
        add_fixtures(state, fixtures)
        return _json({"counts": state.counts()})

    return ("GET", "/state", tell), ("POST", "/reset", reset)


def _settings(state: State) -> dict[str, object]:
    settings = state.settings
    return {"seed": settings.seed, "clock_start": settings.clock_start, "unknown_ids": settings.unknown_ids}


def _json(value: dict[str, object]) -> web.Response:
    body = orjson.dumps(value, option=orjson.OPT_INDENT_2)
    return web.Response(body=body, content_type="application/json")
