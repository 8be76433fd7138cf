"""The admin port: health, readiness, and the API that declares, tells, resets and closes sessions.

Rules:
1. Every answer but the page is JSON; every refusal has one form.
2. A web page must not be able to use it: neither one of another origin, nor one whose name was bound to this address.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
from aiohttp import web

import replayproxy
from replayproxy.config import Settings
from replayproxy.config.nodes import similar
from replayproxy.core.journal import Journal
from replayproxy.core.receipt import Receipt
from replayproxy.core.receipts import plain, receipt_json
from replayproxy.errors import CassetteError
from replayproxy.proxy.admin_forms import AdminError, exchanges_json, read_declaration, read_faults, read_wanted
from replayproxy.proxy.admin_openapi import openapi
from replayproxy.proxy.admin_page import CONTENT_SECURITY_POLICY, page
from replayproxy.proxy.opening import DEFAULT
from replayproxy.proxy.sessions import Sessions

__all__ = ["Admin", "Route", "admin_runner", "sessions_runner"]

_log = logging.getLogger(__name__)

Route = tuple[str, str, Callable[[web.Request], Awaitable[web.StreamResponse]]]

#: A declaration is a few lines; what is longer is none.
BODY_LIMIT = 1024 * 1024


def admin_runner(mode: str, routes: Sequence[Route] = (), host: str = "127.0.0.1") -> web.AppRunner:
    """What listens on the admin port `host` of a process that has no sessions and runs in `mode`.

    `routes` are what there is beside health and readiness; no web page may use them.
    """
    health = ("GET", "/health", _health), ("GET", "/ready", _ready_in(mode))
    return _runner((*health, *routes), lambda request: _refuse_web_pages(request, host) if routes else None)


def sessions_runner(admin: Admin) -> web.AppRunner:
    """What listens on the admin port of a proxy."""
    return _runner(admin.routes(), lambda request: _refuse_web_pages(request, admin.settings.admin_host))


def _runner(routes: tuple[Route, ...], guard: Callable[[web.Request], None] | None = None) -> web.AppRunner:
    @web.middleware
    async def answering(request: web.Request, handler: Callable[..., Awaitable[web.StreamResponse]]) -> Any:
        return await _answer(request, handler, guard)

    app = web.Application(middlewares=[answering], client_max_size=BODY_LIMIT)
    for method, path, handler in routes:
        (app.router.add_get if method == "GET" else getattr(app.router, f"add_{method.lower()}"))(path, handler)
    return web.AppRunner(app, access_log=None, shutdown_timeout=1.0)


@dataclass(frozen=True, slots=True)
class Admin:
    """The admin API of a proxy; `url` is where its data port listens."""

    settings: Settings
    sessions: Sessions
    journal: Journal
    url: str

    def routes(self) -> tuple[Route, ...]:
        """Method, path and handler of all there is; admin_openapi.py describes the same."""
        return (
            ("GET", "/", self.tell_page),
            ("GET", "/docs", self.tell_page),
            ("GET", "/openapi.json", self.tell_openapi),
            ("GET", "/health", _health),
            ("GET", "/ready", _ready_in(self.settings.mode)),
            ("GET", "/sessions", self.list_sessions),
            ("POST", "/sessions", self.declare_session),
            ("GET", "/sessions/{name}", self.show_session),
            ("DELETE", "/sessions/{name}", self.close_session),
            ("POST", "/sessions/{name}/reset", self.reset_session),
            ("GET", "/sessions/{name}/faults", self.show_faults),
            ("PUT", "/sessions/{name}/faults", self.set_faults),
            ("GET", "/exchanges", self.list_exchanges),
        )

    # --- sessions

    async def declare_session(self, request: web.Request) -> web.Response:
        """Opens a session as declared."""
        declaration = read_declaration(await request.read(), self.settings)
        name = declaration.name
        if name in self.sessions:
            told = f"there is a session {name} already; DELETE /sessions/{name} first, or choose another name"
            raise AdminError(409, "name_taken", told, [("name", "is taken")])
        handler = await self.sessions.declare(declaration)
        answer = _answered(self._where(request, name, handler.cassette, handler.session.mode.name), 201)
        answer.headers["Location"] = f"/sessions/{name}"
        return answer

    async def list_sessions(self, request: web.Request) -> web.Response:
        """The open sessions, without what is long."""
        receipts = [receipt_json(self.sessions.receipt(name)) for name in self.sessions.names()]
        found = [self._located(request, told) | {key: told[key] for key in ("passed", "counts")} for told in receipts]
        return _answered({"sessions": found})

    async def show_session(self, request: web.Request) -> web.Response:
        """An open session with its receipt so far."""
        receipt = receipt_json(self._receipt(request))
        return _answered(self._located(request, receipt) | receipt)

    async def reset_session(self, request: web.Request) -> web.Response:
        """Plays and counts from the beginning."""
        await self.sessions.reset(self._receipt(request).name)
        return await self.show_session(request)

    async def close_session(self, request: web.Request) -> web.Response:
        """Closes a session when its exchanges are done."""
        return _answered(receipt_json(await self.sessions.close(self._receipt(request).name)))

    async def set_faults(self, request: web.Request) -> web.Response:
        """Lets the session's requests meet faults from now on, in the place of those set before."""
        name, plan = self._receipt(request).name, read_faults(await request.read())
        (await self.sessions.get(name)).session.set_faults(plan)
        return await self.show_faults(request)

    async def show_faults(self, request: web.Request) -> web.Response:
        """How often each of the faults was met."""
        handler = await self.sessions.get(self._receipt(request).name)
        return _answered({"met": handler.session.faults.met})

    def _receipt(self, request: web.Request) -> Receipt:
        name = request.match_info["name"]
        try:
            return self.sessions.receipt(name)
        except KeyError:
            told = f"there is no session {name[:200]!r}{similar(name, self.sessions.names())}"
            raise AdminError(404, "no_session", told) from None

    def _located(self, request: web.Request, receipt: dict[str, Any]) -> dict[str, Any]:
        return self._where(request, receipt["name"], receipt["cassette"], receipt["mode"])

    def _where(self, request: web.Request, name: str, cassette: str, mode: str) -> dict[str, Any]:
        url = _reachable(self.url, request.headers.get("Host", ""))
        url = url if name == DEFAULT else f"{url}/@{name}"
        return {"name": name, "base_url": f"{url}/v1", "url": url, "cassette": plain(cassette), "mode": mode}

    # --- whatever else

    async def list_exchanges(self, request: web.Request) -> web.Response:
        """What went through lately."""
        return _answered(exchanges_json(self.journal, read_wanted(request.query)))

    async def tell_openapi(self, request: web.Request) -> web.Response:
        """The description of this API for programs."""
        return _answered(openapi())

    async def tell_page(self, request: web.Request) -> web.Response:
        """The description of this API for people."""
        headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Referrer-Policy": "no-referrer"}
        return web.Response(text=page(openapi()), content_type="text/html", charset="utf-8", headers=headers)


async def _health(request: web.Request) -> web.Response:
    """It lives."""
    return _answered({"status": "ok", "version": replayproxy.__version__})


def _ready_in(mode: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def ready(request: web.Request) -> web.Response:
        """It answers: this port is opened after the other one."""
        return _answered({"status": "ready", "mode": mode})

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
        response = _answered(error.body(), error.status)
    except CassetteError as error:
        told = str(error)
        response = _answered(AdminError(400, "cassette_unusable", told, [("cassette", told)]).body(), 400)
    except web.HTTPException as error:
        response = _of_http(request, error)
    except Exception:
        _log.exception("%s %s", request.method, request.path)
        told = "replayproxy met an error of its own; its log tells more"
        response = _answered(AdminError(500, "internal", told).body(), 500)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


def _of_http(request: web.Request, error: web.HTTPException) -> web.Response:
    asked = f"{request.method} {request.path[:200]}"
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        told = f"there is no {asked}; what is there takes {allowed}"
        response = _answered(AdminError(405, "wrong_method", told).body(), 405)
        response.headers["Allow"] = allowed
        return response
    if error.status == 404:
        return _answered(AdminError(404, "no_route", f"there is no {asked}; GET / tells what there is").body(), 404)
    return _answered(AdminError(error.status, "refused", error.reason).body(), error.status)


def _answered(value: object, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(value), status=status, content_type="application/json")


# --- who may ask


def _refuse_web_pages(request: web.Request, listening_on: str) -> None:
    """Refuses what a browser sends for a page of somebody else's."""
    host, origin = request.headers.get("Host", ""), request.headers.get("Origin")
    if _is_local(listening_on) and host and not _may_be_called(_hostname(host), listening_on):
        told = f"replayproxy listens on {listening_on} and is not called {host[:200]!r}: use its address, or localhost"
        raise AdminError(403, "wrong_host", told)
    if origin is not None and origin.lower().partition("://")[2] != host.lower():
        raise AdminError(403, "wrong_origin", f"pages of {origin[:200]!r} may not use this API")


def _may_be_called(name: str, listening_on: str) -> bool:
    """An address leads to us and nowhere else; a name may be anybody's, bound to our address."""
    return name == listening_on.lower() or name == "localhost" or name.endswith(".localhost") or _is_address(name)


def _hostname(host: str) -> str:
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


def _reachable(url: str, host: str) -> str:
    """The URL as the client can use it: one that listens everywhere is where the client found us."""
    parts, name = urlsplit(url), _hostname(host)
    if parts.hostname not in ("0.0.0.0", "::") or not name:  # noqa: S104 -- nothing is bound here
        return url
    return f"http://{f'[{name}]' if ':' in name else name}:{parts.port}"
