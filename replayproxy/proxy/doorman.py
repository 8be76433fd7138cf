"""The doorman: browsers run what strangers wrote, and must not be able to use a port on its user's machine.

Rules:
1. A name that anybody can bind to our address (DNS rebinding) is none of ours unless it is configured.
2. A page of another origin may use nothing unless its origin is configured.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from replayproxy.config.settings import AllowSettings
from replayproxy.core.problem import Problem

__all__ = ["Doorman"]


@dataclass(frozen=True, slots=True)
class Doorman:
    """Who may come in at the address `host` that a port listens on."""

    allow: AllowSettings
    host: str

    def stranger(self, raw: web.BaseRequest) -> Problem | None:
        """Why whoever sent a request may not come in; None when they may."""
        return None
