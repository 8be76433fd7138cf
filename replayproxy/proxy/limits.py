"""What is too much: of one request's head, and of all that is under way."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from replayproxy.config.settings import LimitSettings
from replayproxy.core.problem import Problem

__all__ = ["Limits"]


@dataclass(slots=True)
class Limits:
    """The limits of one process."""

    settings: LimitSettings

    def exceeded(self, raw: web.BaseRequest) -> Problem | None:
        """What a request has too much of, or comes too many for; None when nothing."""
        return None
