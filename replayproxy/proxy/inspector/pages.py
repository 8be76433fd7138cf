"""The inspector's page: files of the package, given as they are."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import web

from replayproxy.proxy.admin_port import AdminError
from replayproxy.proxy.inspector.describing import operation
from replayproxy.proxy.inspector.inspector import Inspector

__all__ = ["CONTENT_SECURITY_POLICY", "DESCRIBED", "give_file", "show_page"]

#: Nothing from elsewhere, nothing inline. What a body holds is shown as an image of its own bytes (`blob:`).
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}

DESCRIBED: dict[str, Any] = {
    "/": {"get": operation("inspector", "The inspector, for people.", gives="text/html")},
    "/ui/{name}": {
        "get": operation(
            "inspector_file",
            "A script or the style sheet of the inspector's page.",
            "/ui/{name}",
            gives="text/javascript",
            refusals={404: "There is no such file."},
        )
    },
}


async def show_page(inspector: Inspector, request: web.Request) -> web.Response:
    """The page."""
    return _given("index.html")


async def give_file(inspector: Inspector, request: web.Request) -> web.Response:
    """A file that the page is made of."""
    name = request.match_info["name"]
    if name not in _names():
        raise AdminError(404, "no_route", f"there is no file {name[:80]!r}")
    return _given(name)


@cache
def _names() -> frozenset[str]:
    return frozenset(path.name for path in _FOLDER.iterdir() if path.suffix in _TYPES)


def _given(name: str) -> web.Response:
    path = _FOLDER / name
    response = web.Response(body=path.read_bytes(), content_type=_TYPES[path.suffix], charset="utf-8")
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response
