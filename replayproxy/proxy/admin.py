"""The admin port: whether the process lives, and whether it can answer."""

from __future__ import annotations

from aiohttp import web

import replayproxy

__all__ = ["admin_runner"]

_MODE = web.AppKey("mode", str)


def admin_runner(mode: str) -> web.AppRunner:
    """What listens on the admin port of a process that runs in `mode`."""
    app = web.Application()
    app[_MODE] = mode
    app.add_routes([web.get("/health", _health), web.get("/ready", _ready)])
    return web.AppRunner(app, access_log=None, shutdown_timeout=1.0)


async def _health(request: web.Request) -> web.Response:
    """It lives."""
    return web.json_response({"status": "ok", "version": replayproxy.__version__})


async def _ready(request: web.Request) -> web.Response:
    """It answers: this port is opened after the other one."""
    return web.json_response({"status": "ready", "mode": request.app[_MODE]})
