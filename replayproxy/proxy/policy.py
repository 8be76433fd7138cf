"""How the requests of a session are treated."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Policy"]


@dataclass(frozen=True, slots=True)
class Policy:
    """How requests are treated: `speed` 0 plays at once; sizes are in bytes, and `idle` is how many
    seconds nothing may come of a request's body (0: any).

    `poll_after_ms` is how long a client that polls is told to wait, in milliseconds; 0: what was recorded.
    """

    speed: float
    body_limit: int
    idle: float
    poll_after_ms: int = 1
