"""What a session can decide about a request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from replayproxy.core.cassette import Interaction
from replayproxy.core.fault_kinds import Fault
from replayproxy.core.matching import Near
from replayproxy.core.messages import Request
from replayproxy.core.turns import Turns

__all__ = ["Decision", "Forward", "Miss", "Reason", "Replay"]

Reason = Literal["no_cassette", "no_match", "already_played"]


@dataclass(frozen=True, slots=True)
class Replay:
    """Answer with this interaction; `repeated` when it was given before, `fault` when the answer is to fail.

    `poll`: the client may be told to ask again at once. `turns` is the line of answers that this one stands in.
    """

    number: int
    interaction: Interaction
    repeated: bool = False
    fault: Fault | None = None
    poll: bool = False
    turns: Turns | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Forward:
    """Ask the upstream; `fault` when its answer is to fail on the way, or an `early` one to take its place."""

    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Miss:
    """Refuse: nothing recorded answers. `near` holds the nearest recordings, best first."""

    reason: Reason
    request: Request
    near: tuple[Near, ...] = ()


Decision = Replay | Forward | Miss
