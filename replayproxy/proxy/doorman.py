"""The doorman: browsers run what strangers wrote, and must not be able to use a port on its user's machine.

Rules:
1. A name that anybody can bind to our address (DNS rebinding) is none of ours unless it is configured.
2. A page of another origin may use nothing unless its origin is configured. Only such a page is told (by CORS headers)
   that it may read what it gets.
3. What browsers do not send is nobody's business: programs need no permission.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache

from aiohttp import hdrs, web

from replayproxy.config.settings import AllowSettings
from replayproxy.core.messages import Headers, plain
from replayproxy.core.problem import Problem
from replayproxy.proxy.wire import Answered, Reply, grant

__all__ = ["Doorman", "answering_preflights", "hostname", "is_loopback"]

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

#: Browsers say here how a request came about, whether or not they name the origin.
FETCH_SITE = "Sec-Fetch-Site"
#: What the user typed, and what a page of our own asked for.
_OURS = frozenset({"none", "same-origin"})
#: No name is longer (RFC 1035), so no more of a Host field is ever looked at.
_LONGEST = 300
_HOST = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]+(?:%[\w.~-]+)?)\]|(?P<name>[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)\.?)(?::[0-9]*)?",
    re.ASCII,
)
#: How long a browser may remember that a page may ask, in seconds.
_MAX_AGE = "600"


@dataclass(frozen=True, slots=True)
class Doorman:
    """Who may come in at the address `host` that a port listens on. The verdict depends on the request alone."""

    allow: AllowSettings
    host: str

    def stranger(self, raw: web.BaseRequest) -> Problem | None:
        """Why whoever sent a request may not come in; None when they may.

        A page whose origin is configured is granted to read the answers (`wire.grant`).
        """
        return self._misnamed(raw) or self._foreign(raw)

    def _misnamed(self, raw: web.BaseRequest) -> Problem | None:
        """Also the target may name a host. A CONNECT names another one by its nature; no page can send it, and whoever
        takes us for a forward proxy is told so later."""
        if raw.method == hdrs.METH_CONNECT:
            return None
        named = raw.headers.getall(hdrs.HOST, ())
        if not raw.raw_path.startswith("/") and "://" in raw.raw_path:
            named = [*named, re.split(r"[/?#\\]", raw.raw_path.partition("://")[2], maxsplit=1)[0] or ":"]
        for host in named:
            if host and not (len(host) <= _LONGEST and _is_ours(host, self.host, self.allow.hosts)):
                return _wrong_host(host, self.host)
        return None

    def _foreign(self, raw: web.BaseRequest) -> Problem | None:
        headers = raw.headers
        if hdrs.ORIGIN not in headers:
            sites = headers.getall(FETCH_SITE, ())
            foreign = next((site for site in sites if site.lower() not in _OURS), None)
            return None if foreign is None else _wrong_site(foreign)
        own = {f"http://{host.lower()}" for host in headers.getall(hdrs.HOST, ())}
        for origin in headers.getall(hdrs.ORIGIN):
            if origin.lower() in own:
                continue
            if not self._is_welcome(origin.lower()):
                return _wrong_origin(origin)
            grant(raw, origin)
        return None

    def _is_welcome(self, origin: str) -> bool:
        return origin in self.allow.origins or f"{origin.partition('://')[0]}://*" in self.allow.origins


def answering_preflights(handler: Handler) -> Handler:
    """A handler that answers itself what a browser asks before a page of a configured origin may ask something."""

    async def answered(raw: web.BaseRequest) -> web.StreamResponse:
        asked = raw.headers.get("Access-Control-Request-Method")
        if raw.method != hdrs.METH_OPTIONS or hdrs.ORIGIN not in raw.headers or asked is None:
            return await handler(raw)
        reply = Reply(raw, 204, "No Content", _leave(raw, asked), keep_alive=not raw.can_read_body)
        await reply.end()
        return Answered(reply)

    return answered


def _leave(raw: web.BaseRequest, method: str) -> Headers:
    """That the page may ask what it wants to ask: the key that it has to know is the upstream's affair."""
    fields = raw.headers.getall("Access-Control-Request-Headers", ())
    given = [("Access-Control-Allow-Methods", method), ("Access-Control-Max-Age", _MAX_AGE)]
    if fields:
        given.append(("Access-Control-Allow-Headers", ", ".join(fields)))
    if raw.headers.get("Access-Control-Request-Private-Network", "").lower() == "true":
        given.append(("Access-Control-Allow-Private-Network", "true"))
    return Headers.of(*given)


# --- names


def hostname(host: str) -> str:
    """The name or address in a Host field, in lower case, without brackets or a dot at its end; "" when it has none."""
    found = _HOST.fullmatch(host)
    return (found["v6"] or found["name"]).lower() if found else ""


def is_loopback(listening_on: str) -> bool:
    """Whether a port that listens there can be reached from this machine only."""
    name = listening_on.lower()
    return _is_localhost(name) or (_is_address(name) and ipaddress.ip_address(name).is_loopback)


@lru_cache(maxsize=128)
def _is_ours(host: str, listening_on: str, allowed: tuple[str, ...]) -> bool:
    """Whether a Host field names us and nobody else: an address leads nowhere else, a name may be anybody's.

    Names without a dot are those of services and containers. They are nobody's to register, but the network we are in
    says what they mean: they count where we serve that network, and not where we serve this machine alone.
    """
    name = hostname(host)
    if not name:
        return False
    if name == listening_on.lower() or _is_localhost(name) or _is_address(name) or name in allowed:
        return True
    if any(each.startswith(".") and name.endswith(each) for each in allowed):
        return True
    return "." not in name and not is_loopback(listening_on)


def _is_localhost(name: str) -> bool:
    return name == "localhost" or name.endswith(".localhost")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


# --- what strangers are told


def _wrong_host(host: str, listening_on: str) -> Problem:
    name = hostname(host) or host
    cure = f"If that is a name of yours for it, add it to its settings (allow.hosts: {plain(name[:200])})."
    return _refusal(
        "wrong_host",
        f"replayproxy, listening on {listening_on}, is not called {plain(host[:200])!r}: use its address, or localhost,"
        f" in the base URL. {cure}",
    )


def _wrong_origin(origin: str) -> Problem:
    shown = plain("/".join(origin[:200].split("/")[:3]))  # an origin has no path; what has one says more than it should
    told = f"Pages of {shown!r} may not use this. Settings can let them use replayproxy's data port: allow.origins."
    if origin.lower() == "null":
        told = "Pages without an origin (Origin: null) may not use replayproxy: nobody can tell whose they are."
    return _refusal("wrong_origin", told)


def _wrong_site(site: str) -> Problem:
    return _refusal(
        "wrong_origin",
        f"A browser sent this for a page of another site (Sec-Fetch-Site: {plain(site[:80])}), which may not use"
        " replayproxy. To see an answer in a browser, type the address.",
    )


def _refusal(code: str, told: str) -> Problem:
    return Problem(told, code=code, status=403)
