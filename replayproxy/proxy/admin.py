"""The API on a proxy's admin port that declares, tells, resets and closes sessions.

Rule: what an answer is made with is imported when it is asked for. The port is opened at every start, and most runs ask
it nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from aiohttp import web

from replayproxy.config import Settings
from replayproxy.config.nodes import similar
from replayproxy.core.catalog import Catalog
from replayproxy.core.journal import Entry, Journal
from replayproxy.core.messages import plain
from replayproxy.core.meter import Reading
from replayproxy.core.receipt import Receipt
from replayproxy.core.redaction import Redactor
from replayproxy.proxy.admin_port import AdminError, Guard, Route, answered, liveness, port_runner, ready_in
from replayproxy.proxy.doorman import hostname
from replayproxy.proxy.inspector.inspector import Inspector
from replayproxy.proxy.inspector.routes import routes
from replayproxy.proxy.names import DEFAULT
from replayproxy.proxy.sessions import Sessions

if TYPE_CHECKING:
    from replayproxy.proxy.admin_forms import Wanted

__all__ = ["Admin", "Others", "sessions_runner"]


def sessions_runner(admin: Admin, token: str) -> web.AppRunner:
    """What listens on the admin port of a proxy; whoever changes something shows the `token`."""
    settings = admin.settings
    return port_runner(admin.routes(), Guard(token, settings.admin_host, settings.allow.hosts))


class Others(Protocol):
    """The processes that serve the data port in the place of this one."""

    async def catch_up(self) -> None:
        """Takes in what they know of the sessions and did not tell yet."""

    async def journal(self, wanted: Wanted) -> Journal:
        """What went through them lately, as far as it is wanted."""

    async def entry(self, number: int) -> Entry | None:
        """The exchange with that number, None when none of them holds it."""

    async def summaries(self, text: str, limit: int) -> list[dict[str, Any]]:
        """The summaries of the latest exchanges that fit a filter, those under way included, the newest first."""

    async def entries(self, session: str, limit: int) -> list[Entry]:
        """The latest exchanges that went through them, of one session unless that is "", the oldest first."""

    async def metrics(self) -> list[Reading]:
        """What each of them counted."""

    def facts(self) -> dict[str, Any]:
        """Who they are, for `GET /health`."""


@dataclass(frozen=True, slots=True)
class Admin:
    """The admin API of a proxy; `url` is where its data port listens, `others` are those who serve it, if others do.

    `redactor` and `catalog` are what its sessions work with.
    """

    settings: Settings
    sessions: Sessions
    journal: Journal
    url: str
    redactor: Redactor
    catalog: Catalog
    others: Others | None = None

    def routes(self) -> tuple[Route, ...]:
        """Method, path and handler of all there is; admin_openapi.py describes the same."""
        return (
            ("GET", "/docs", self.tell_page),
            ("GET", "/openapi.json", self.tell_openapi),
            ("GET", "/health", self.tell_health),
            ("GET", "/ready", ready_in(self.settings.mode)),
            ("GET", "/sessions", self.list_sessions),
            ("POST", "/sessions", self.declare_session),
            ("GET", "/sessions/{name}", self.show_session),
            ("DELETE", "/sessions/{name}", self.close_session),
            ("POST", "/sessions/{name}/reset", self.reset_session),
            ("GET", "/sessions/{name}/faults", self.show_faults),
            ("PUT", "/sessions/{name}/faults", self.set_faults),
            ("GET", "/exchanges", self.list_exchanges),
            *routes(self.inspector),
        )

    def inspector(self) -> Inspector:
        """What the inspector's routes are answered from."""
        return Inspector(self.settings, self.sessions, self.journal, self.url, self.redactor, self.catalog, self.others)

    # --- sessions

    async def declare_session(self, request: web.Request) -> web.Response:
        """Opens a session as declared."""
        from replayproxy.proxy.admin_forms import read_declaration

        declaration = read_declaration(await request.read(), self.settings)
        name = declaration.name
        if name in self.sessions:
            told = f"there is a session {name} already; DELETE /sessions/{name} first, or choose another name"
            raise AdminError(409, "name_taken", told, [("name", "is taken")])
        handler = await self.sessions.declare(declaration)
        answer = answered(self._where(request, name, handler.cassette, handler.session.mode.name), 201)
        answer.headers["Location"] = f"/sessions/{name}"
        return answer

    async def list_sessions(self, request: web.Request) -> web.Response:
        """The open sessions, without what is long."""
        await self._catch_up()
        receipts = [_told(self.sessions.receipt(name)) for name in self.sessions.names()]
        found = [self._located(request, told) | {key: told[key] for key in ("passed", "counts")} for told in receipts]
        return answered({"sessions": found})

    async def show_session(self, request: web.Request) -> web.Response:
        """An open session with its receipt so far."""
        await self._catch_up()
        receipt = _told(self._receipt(request))
        return answered(self._located(request, receipt) | receipt)

    async def reset_session(self, request: web.Request) -> web.Response:
        """Plays and counts from the beginning."""
        await self.sessions.reset(self._receipt(request).name)
        return await self.show_session(request)

    async def close_session(self, request: web.Request) -> web.Response:
        """Closes a session when its exchanges are done."""
        return answered(_told(await self.sessions.close(self._receipt(request).name)))

    async def set_faults(self, request: web.Request) -> web.Response:
        """Lets the session's requests meet faults from now on, in the place of those set before."""
        from replayproxy.proxy.admin_forms import read_faults

        name, plan = self._receipt(request).name, read_faults(await request.read())
        await self.sessions.set_faults(name, plan)
        return await self.show_faults(request)

    async def show_faults(self, request: web.Request) -> web.Response:
        """The faults of the session, and how often each was met."""
        from replayproxy.proxy.inspector.switches import faults_json

        faults = (await self.sessions.get(self._receipt(request).name)).session.faults
        return answered({"met": faults.met, "faults": faults_json(faults.plan)})

    async def _catch_up(self) -> None:
        if self.others is not None:
            await self.others.catch_up()

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
        from replayproxy.proxy.admin_forms import exchanges_json, read_wanted

        wanted = read_wanted(request.query)
        journal = await self.others.journal(wanted) if self.others is not None else self.journal
        return answered(exchanges_json(journal, wanted))

    async def tell_health(self, request: web.Request) -> web.Response:
        """It lives, and so do those who serve the data port."""
        return answered(liveness() | (self.others.facts() if self.others is not None else {}))

    async def tell_openapi(self, request: web.Request) -> web.Response:
        """The description of this API for programs."""
        from replayproxy.proxy.admin_openapi import openapi

        return answered(openapi())

    async def tell_page(self, request: web.Request) -> web.Response:
        """The description of this API for people."""
        from replayproxy.proxy.admin_openapi import openapi
        from replayproxy.proxy.admin_page import CONTENT_SECURITY_POLICY, page

        headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}
        return web.Response(text=page(openapi()), content_type="text/html", charset="utf-8", headers=headers)


def _told(receipt: Receipt) -> dict[str, Any]:
    from replayproxy.core.receipts import receipt_json

    return receipt_json(receipt)


def _reachable(url: str, host: str) -> str:
    """The URL as the client can use it: one that listens everywhere is where the client found us."""
    parts, name = urlsplit(url), hostname(host)
    if parts.hostname not in ("0.0.0.0", "::") or not name:  # noqa: S104 -- nothing is bound here
        return url
    return f"http://{f'[{name}]' if ':' in name else name}:{parts.port}"
