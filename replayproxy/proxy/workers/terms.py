"""What a supervisor and its workers tell each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from replayproxy.config import Settings
from replayproxy.core.faults import NO_FAULTS, FaultPlan
from replayproxy.proxy.opening import Declaration
from replayproxy.proxy.workers.port import Place

__all__ = ["Marks", "Opened", "Start"]

#: The rules of matching that applied where a worker served, by their places, for each generation of a session.
Marks = Mapping[int, frozenset[int]]


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that the supervisor has open.

    Each that is opened, also one that is reset, has a `generation` of its own. `recordings` is how many there were
    then, None when there was no cassette; `tally` is the file of its counters; `number` is that of the plan of faults.
    """

    declaration: Declaration
    generation: int
    tally: Path
    recordings: int | None
    emulator_url: str = ""
    faults: FaultPlan = NO_FAULTS
    number: int = 0


@dataclass(frozen=True, slots=True)
class Start:
    """What a worker needs to begin: what is secret wherever it turns up (the key and the admin token), where to listen,
    its seat at the tallies, and the sessions that are open. `folder` is that of the tallies, `level` what the log tells
    from."""

    settings: Settings
    key: str | None = field(repr=False)
    token: str = field(repr=False)
    places: tuple[Place, ...]
    seat: int
    folder: Path
    sessions: tuple[Opened, ...]
    level: int
