"""The gate: what every request has to pass before anything else is done about it, in this order.

A request that came before, byte for byte, has passed it then (proxy/front.py): nothing here may depend on anything but
the request's bytes, but for `Limits`, which count what is under way.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from replayproxy.core.problem import Problem
from replayproxy.proxy.doorman import Doorman
from replayproxy.proxy.limits import Limits
from replayproxy.proxy.reading import misread

__all__ = ["Gate"]


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether a request may come in."""

    limits: Limits
    doorman: Doorman

    def refusal(self, raw: web.BaseRequest) -> Problem | None:
        """Why a request is refused, None when it is not."""
        return misread(raw) or self.doorman.stranger(raw) or self.limits.exceeded(raw)
