"""The admin port: whom it answers, health and readiness, and the one form of its answers and refusals.

Rules:
1. Every answer but the page is JSON; every refusal has one form.
2. A web page must not be able to use it: neither one of another origin, nor one whose name was bound to this address.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson
from aiohttp import web

import replayproxy
from replayproxy.core.messages import plain
from replayproxy.errors import CassetteError

__all__ = [
    "AdminError",
    "Route",
    "admin_runner",
    "answered",
    "health",
    "hostname",
    "liveness",
    "port_runner",
    "ready_in",
]

_log = logging.getLogger(__name__)

Route = tuple[str, str, Callable[[web.Request], Awaitable[web.StreamResponse]]]

#: A declaration is a few lines; what is longer is none.
BODY_LIMIT = 1024 * 1024


class AdminError(Exception):
    """A request to the admin API is refused; `problems` are pairs of a field and what is wrong with it."""

    def __init__(self, status: int, code: str, message: str, problems: Iterable[tuple[str, str]] = ()) -> None:
        self.status, self.code, self.problems = status, code, tuple(problems)
        super().__init__(message)

    @classmethod
    def invalid(cls, *problems: tuple[str, str]) -> AdminError:
        """The refusal of fields or parameters, each with what is wrong with it."""
        told = "; ".join(f"{field}: {message}" if field else message for field, message in problems)
        return cls(400, "invalid", told, problems)

    def body(self) -> dict[str, Any]:
        """The error as JSON has it: one form for all refusals."""
        problems = [{"field": plain(field), "message": plain(message)} for field, message in self.problems]
        return {"error": {"message": plain(str(self)), "code": self.code, "problems": problems}}


def admin_runner(mode: str, routes: Sequence[Route] = (), host: str = "127.0.0.1") -> web.AppRunner:
    """What listens on the admin port `host` of a process that has no sessions and runs in `mode`.

    `routes` are what there is beside health and readiness; no web page may use them.
    """
    always: tuple[Route, ...] = ("GET", "/health", health), ("GET", "/ready", ready_in(mode))
    return _runner((*always, *routes), lambda request: _refuse_web_pages(request, host) if routes else None)


def port_runner(routes: Sequence[Route], host: str) -> web.AppRunner:
    """What listens on the admin port `host` with routes that no web page may use."""
    return _runner(routes, lambda request: _refuse_web_pages(request, host))


def _runner(routes: Sequence[Route], guard: Callable[[web.Request], None] | None = None) -> web.AppRunner:
    @web.middleware
    async def answering(request: web.Request, handler: Callable[..., Awaitable[web.StreamResponse]]) -> Any:
        return await _answer(request, handler, guard)

    app = web.Application(middlewares=[answering], client_max_size=BODY_LIMIT)
    for method, path, handler in routes:
        (app.router.add_get if method == "GET" else getattr(app.router, f"add_{method.lower()}"))(path, handler)
    return web.AppRunner(app, access_log=None, shutdown_timeout=1.0)


async def health(request: web.Request) -> web.Response:
    """It lives."""
    return answered(liveness())


def liveness() -> dict[str, Any]:
    """What a process that lives says of itself."""
    return {"status": "ok", "version": replayproxy.__version__}


def ready_in(mode: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Says that a process that runs in `mode` answers."""

    async def ready(request: web.Request) -> web.Response:
        """It answers: this port is opened after the other one."""
        return answered({"status": "ready", "mode": mode})

    return ready


# --- answers and refusals


async def _answer(
    request: web.Request,
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    guard: Callable[[web.Request], None] | None,
) -> web.StreamResponse:
    """What the handler answers, or why not; it is a matter of JSON in any case."""
    try:
        if guard is not None:
            guard(request)
        response = await handler(request)
    except AdminError as error:
        response = answered(error.body(), error.status)
    except CassetteError as error:
        told = str(error)
        response = answered(AdminError(400, "cassette_unusable", told, [("cassette", told)]).body(), 400)
    except web.HTTPException as error:
        response = _of_http(request, error)
    except Exception:
        _log.exception("%s %s", request.method, request.path)
        told = "replayproxy met an error of its own; its log tells more"
        response = answered(AdminError(500, "internal", told).body(), 500)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


def _of_http(request: web.Request, error: web.HTTPException) -> web.Response:
    asked = f"{request.method} {request.path[:200]}"
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        told = f"there is no {asked}; what is there takes {allowed}"
        response = answered(AdminError(405, "wrong_method", told).body(), 405)
        response.headers["Allow"] = allowed
        return response
    if error.status == 404:
        return answered(AdminError(404, "no_route", f"there is no {asked}; GET / tells what there is").body(), 404)
    return answered(AdminError(error.status, "refused", error.reason).body(), error.status)


def answered(value: object, status: int = 200) -> web.Response:
    """JSON as the admin port answers it."""
    return web.Response(body=orjson.dumps(value), status=status, content_type="application/json")


# --- who may ask


def _refuse_web_pages(request: web.Request, listening_on: str) -> None:
    """Refuses what a browser sends for a page of somebody else's."""
    host, origin = request.headers.get("Host", ""), request.headers.get("Origin")
    if _is_local(listening_on) and host and not _may_be_called(hostname(host), listening_on):
        told = f"replayproxy listens on {listening_on} and is not called {host[:200]!r}: use its address, or localhost"
        raise AdminError(403, "wrong_host", told)
    if origin is not None and origin.lower().partition("://")[2] != host.lower():
        raise AdminError(403, "wrong_origin", f"pages of {origin[:200]!r} may not use this API")


def _may_be_called(name: str, listening_on: str) -> bool:
    """An address leads to us and nowhere else; a name may be anybody's, bound to our address."""
    return name == listening_on.lower() or name == "localhost" or name.endswith(".localhost") or _is_address(name)


def hostname(host: str) -> str:
    """The name or address in a Host header, "" when there is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_local(listening_on: str) -> bool:
    return listening_on == "localhost" or (_is_address(listening_on) and ipaddress.ip_address(listening_on).is_loopback)
