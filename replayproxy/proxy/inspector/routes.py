"""All routes of the inspector in one table: method, path, and where the function is that answers.

Rule: a function is imported when its route is first asked for; the admin port is opened at every start, and most runs
ask it nothing. The package's module stands before the colon. Each function takes the inspector and the request.
"""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from replayproxy.proxy.admin_port import Route
from replayproxy.proxy.inspector.inspector import Inspector

__all__ = ["TABLE", "described", "routes"]

_PACKAGE = "replayproxy.proxy.inspector"

TABLE: tuple[tuple[str, str, str], ...] = (
    # the page
    ("GET", "/", "pages:show_page"),
    ("GET", "/ui/{name}", "pages:give_file"),
    # exchanges
    ("GET", "/feed", "feed:give_feed"),
    ("GET", "/filters", "feed:give_keys"),
    ("GET", "/exchanges/{number}", "exchanges:show_exchange"),
    ("GET", "/exchanges/{number}/feed", "exchanges:follow_exchange"),
    ("GET", "/exchanges/{number}/{side}/body", "exchanges:give_body"),
    ("GET", "/exchanges/{number}/as/{form}", "exports:give_exchange"),
    ("GET", "/exchanges.har", "exports:give_har"),
    ("POST", "/exchanges/{number}/save", "saving:save_exchange"),
    ("GET", "/diff", "diffs:show_diff"),
    # sending
    ("POST", "/send", "sending:send_request"),
    ("POST", "/validate", "sending:validate_request"),
    # what only we know
    ("GET", "/conversations", "conversations:list_conversations"),
    ("GET", "/conversations/{id}", "conversations:show_conversation"),
    ("GET", "/usage", "conversations:show_usage"),
    # cassettes and sessions
    ("GET", "/cassettes", "cassettes:list_cassettes"),
    ("GET", "/cassettes/{path:.+}/interactions", "cassettes:list_interactions"),
    ("GET", "/cassettes/{path:.+}/interactions/{number}", "cassettes:show_interaction"),
    ("GET", "/cassettes/{path:.+}/interactions/{number}/{side}/body", "cassettes:give_body"),
    ("GET", "/cassettes/{path:.+}/interactions/{number}/as/{form}", "exports:give_interaction"),
    ("PUT", "/cassettes/{path:.+}/interactions/{number}", "saving:edit_interaction"),
    ("DELETE", "/cassettes/{path:.+}/interactions/{number}", "saving:delete_interaction"),
    ("PUT", "/sessions/{name}/mode", "switches:set_mode"),
    # for machines
    ("GET", "/metrics", "metrics:give_metrics"),
)

Answer = Callable[[Inspector, web.Request], Awaitable[web.StreamResponse]]


def routes(inspector: Callable[[], Inspector]) -> tuple[Route, ...]:
    """The routes as the admin port takes them; `inspector` gives what they are answered from."""
    return tuple((method, path, _deferred(inspector, target)) for method, path, target in TABLE)


def described() -> dict[str, Any]:
    """What the modules say of their routes (`DESCRIBED`): OpenAPI's path items by path."""
    modules = dict.fromkeys(target.partition(":")[0] for _, _, target in TABLE)
    found: dict[str, Any] = {}
    for module in modules:
        for path, item in importlib.import_module(f"{_PACKAGE}.{module}").DESCRIBED.items():
            found[path] = found.get(path, {}) | item
    return found


def _deferred(
    inspector: Callable[[], Inspector], target: str
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        module, _, name = target.partition(":")
        function: Answer = getattr(importlib.import_module(f"{_PACKAGE}.{module}"), name)
        return await function(inspector(), request)

    return answer
