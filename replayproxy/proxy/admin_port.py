"""The admin port: whom it answers, health and readiness, and the one form of its answers and refusals.

Rules:
1. Every answer but the page is JSON; every refusal has one form.
2. A web page must not be able to use it (proxy/doorman.py), and who changes something shows the token. Where others
   than this machine reach it, who reads something does as well.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import orjson
from aiohttp import hdrs, web

import replayproxy
from replayproxy.config.settings import AllowSettings
from replayproxy.core.messages import plain
from replayproxy.errors import CassetteError, TooManySessionsError
from replayproxy.proxy.admin_token import TOKEN_NEEDED, shows
from replayproxy.proxy.doorman import Doorman, is_loopback

__all__ = [
    "CLOSING",
    "AdminError",
    "Guard",
    "Route",
    "admin_runner",
    "answered",
    "health",
    "liveness",
    "port_runner",
    "ready_in",
]

_log = logging.getLogger(__name__)

Route = tuple[str, str, Callable[[web.Request], Awaitable[web.StreamResponse]]]

#: Set when the port is being closed: whoever would go on for ever ends.
CLOSING = web.AppKey("CLOSING", asyncio.Event)
#: A declaration is a few lines; what is longer is none.
BODY_LIMIT = 1024 * 1024
_READING = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})
#: Whether it lives, and the page that asks for the token. Neither tells anything.
_ALWAYS = frozenset({"/", "/health", "/ready"})
_FILES = "/ui/"
#: What keeps a browser from running, framing, guessing or keeping what a stranger may have sent. A page has a policy of
#: its own.
_HARMLESS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


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
        problems = [{"field": _shown(field), "message": _shown(message)} for field, message in self.problems]
        return {"error": {"message": _shown(str(self)), "code": self.code, "problems": problems}}


def _shown(text: str) -> str:
    """What is told of a request: it quotes names and paths, and people paste keys into anything."""
    from replayproxy.core.redaction import Redactor  # here, since most runs refuse nothing

    return plain(Redactor().text(text))


@dataclass(frozen=True, slots=True)
class Guard:
    """Who may ask what on the admin port that listens on `host`; `hosts` are further names of it."""

    token: str = field(repr=False)
    host: str = "127.0.0.1"
    hosts: tuple[str, ...] = ()

    def check(self, request: web.Request) -> None:
        """Raises AdminError when a request may not come in."""
        doorman = Doorman(AllowSettings(hosts=self.hosts), self.host)
        if problem := doorman.stranger(request):
            raise AdminError(problem.status, problem.code or "refused", problem.message)
        if not (self._is_open(request) or shows(request, self.token)):
            raise AdminError(401, "token_required", TOKEN_NEEDED)

    def _is_open(self, request: web.Request) -> bool:
        """Who watches over the process asks for its health without knowing anything."""
        told = request.path in _ALWAYS or request.path.startswith(_FILES)
        return request.method in _READING and (told or is_loopback(self.host))


def admin_runner(mode: str, guard: Guard, routes: Sequence[Route] = ()) -> web.AppRunner:
    """What listens on the admin port of a process that has no sessions and runs in `mode`.

    `routes` are what there is beside health and readiness.
    """
    always: tuple[Route, ...] = ("GET", "/health", health), ("GET", "/ready", ready_in(mode))
    return port_runner((*always, *routes), guard)


def port_runner(routes: Sequence[Route], guard: Guard) -> web.AppRunner:
    """What listens on an admin port with these routes."""

    @web.middleware
    async def answering(request: web.Request, handler: Callable[..., Awaitable[web.StreamResponse]]) -> Any:
        return await _answer(request, handler, guard)

    app = web.Application(middlewares=[answering], client_max_size=BODY_LIMIT)
    app[CLOSING] = asyncio.Event()
    app.on_shutdown.append(_close)
    for method, path, handler in routes:
        (app.router.add_get if method == "GET" else getattr(app.router, f"add_{method.lower()}"))(path, handler)
    return _Runner(app, access_log=None, shutdown_timeout=1.0)


async def _close(app: web.Application) -> None:
    app[CLOSING].set()


class _Runner(web.AppRunner):
    """aiohttp's, with connections of ours."""

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(made.request_handler, request_factory=made.request_factory, **self._kwargs)


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Connection(web.RequestHandler):
    """Says that it cannot read a request without quoting it, as aiohttp does, and as JSON."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        told = AdminError(400, "malformed_request", "this is no request that can be read")
        response = _harmless(answered(told.body(), 400))
        response.force_close()
        return response


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
    guard: Guard,
) -> web.StreamResponse:
    """What the handler answers, or why not; it is a matter of JSON in any case."""
    try:
        guard.check(request)
        response = await handler(request)
    except AdminError as error:
        response = answered(error.body(), error.status)
        if error.status == 401:
            response.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    except TooManySessionsError as error:
        response = answered(AdminError(429, "too_many_sessions", str(error)).body(), 429)
    except CassetteError as error:
        told = str(error.at(PurePath(error.path).name))  # where it lies is nobody's business
        response = answered(AdminError(400, "cassette_unusable", told, [("cassette", told)]).body(), 400)
    except web.HTTPException as error:
        response = _of_http(request, error)
    except Exception:
        _log.exception("%s %s", request.method, request.path)
        told = "replayproxy met an error of its own; its log tells more"
        response = answered(AdminError(500, "internal", told).body(), 500)
    return _harmless(response)


def _harmless(response: web.StreamResponse) -> web.StreamResponse:
    for name, value in _HARMLESS.items():
        response.headers.setdefault(name, value)
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
