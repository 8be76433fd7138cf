"""A session decides which recording answers a request: one cassette, one mode, and what was played so far.

Synchronous on purpose: a decision is made in one go, so that concurrent requests need no lock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from replayproxy.core.cassette import Cassette, Interaction
from replayproxy.core.matching import Near, identity, nearest
from replayproxy.core.messages import Request
from replayproxy.core.modes import Mode

__all__ = ["Decision", "Forward", "Miss", "Reason", "Receipt", "Repeat", "Replay", "Session"]

Reason = Literal["no_cassette", "no_match", "already_played"]
Repeat = Literal["last", "never", "cycle"]

#: Methods whose last recorded answer may be given again when the recordings are used up (`repeat: last`).
SAFE_METHODS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Replay:
    """Answer with this interaction; `repeated` when it was given before."""

    number: int
    interaction: Interaction
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Forward:
    """Ask the upstream."""


@dataclass(frozen=True, slots=True)
class Miss:
    """Refuse: nothing recorded answers. `near` holds the nearest recordings, best first."""

    reason: Reason
    request: Request
    near: tuple[Near, ...] = ()


Decision = Replay | Forward | Miss


@dataclass(frozen=True, slots=True)
class Receipt:
    """What happened in a session, as counts of requests; `unplayed` are the numbers of interactions never given.

    `lost` counts answers that should have been recorded and could not be.
    """

    mode: str
    strict: bool = False
    played: int = 0
    repeated: int = 0
    missed: int = 0
    forwarded: int = 0
    saved: int = 0
    lost: int = 0
    problems: int = 0
    unplayed: tuple[int, ...] = ()

    @property
    def requests(self) -> int:
        """How many requests came."""
        return self.played + self.repeated + self.missed + self.forwarded

    @property
    def failures(self) -> tuple[str, ...]:
        """Why a run with this receipt must not count as passed; empty when it may."""
        found = []
        if self.missed:
            found.append(f"{self.missed} request(s) missed")
        if self.lost:
            found.append(f"{self.lost} answer(s) could not be saved")
        if self.mode == "playback" and not self.played:
            found.append("nothing was played")
        if self.strict and self.unplayed:
            found.append(f"{len(self.unplayed)} interaction(s) were never played")
        return tuple(found)


@dataclass(slots=True)
class _Takes:
    """The interactions of one identity, by number, and how many were given."""

    numbers: list[int] = field(default_factory=list)
    played: int = 0
    #: one of them was recorded in this session: it is as fresh as can be and says nothing about the next answer
    live: bool = False


class Session:
    """One cassette in one mode, with its play counts.

    `exists` says whether there was a cassette at all; `repeat` what happens when the recordings of a request are
    used up: the last repeats for GET and HEAD (`last`), nothing repeats (`never`), all start over (`cycle`).
    """

    def __init__(
        self, mode: Mode, cassette: Cassette | None = None, *, repeat: Repeat = "last", strict: bool = False
    ) -> None:
        self.mode = mode
        self.exists = cassette is not None
        self._repeat: Repeat = repeat
        self._interactions = list(cassette.interactions) if cassette and mode.plays else []
        self._takes: dict[bytes, _Takes] = {}
        self._given: set[int] = set()
        self._arrivals = 0
        self._counts = {"played": 0, "missed": 0, "forwarded": 0, "saved": 0, "repeated": 0, "problems": 0, "lost": 0}
        self._strict = strict
        for number, interaction in enumerate(self._interactions, 1):
            self._takes.setdefault(identity(interaction.request), _Takes()).numbers.append(number)

    def arrive(self) -> int:
        """The place in line (from 1) of a request that has just arrived."""
        self._arrivals += 1
        return self._arrivals

    def decide(self, request: Request) -> Decision:
        """What to do with a (redacted) request. Changes the play counts."""
        if self.mode.plays:
            replay = self._play(self._takes.get(identity(request)), request.method)
            if replay is not None:
                self._counts["repeated" if replay.repeated else "played"] += 1
                return replay
        if self.mode.forwards:
            self._counts["forwarded"] += 1
            return Forward()
        self._counts["missed"] += 1
        return self._miss(request)

    def saved(self, interaction: Interaction) -> None:
        """Takes note of an interaction that was recorded, and given to the client, in this session."""
        self._counts["saved"] += 1
        if self.mode.plays:
            self._interactions.append(interaction)
            self._given.add(len(self._interactions))
            takes = self._takes.setdefault(identity(interaction.request), _Takes())
            takes.numbers.append(len(self._interactions))
            takes.played += 1
            takes.live = True

    def lost(self) -> None:
        """Takes note of an answer that should have been recorded and could not be."""
        self._counts["lost"] += 1

    def found_problems(self, count: int) -> None:
        """Takes note of problems in a request."""
        self._counts["problems"] += count

    def receipt(self) -> Receipt:
        """What happened in this session so far."""
        unplayed = tuple(n for n in range(1, len(self._interactions) + 1) if n not in self._given)
        return Receipt(mode=self.mode.name, strict=self._strict, unplayed=unplayed, **self._counts)

    def _play(self, takes: _Takes | None, method: str) -> Replay | None:
        if takes is None:
            return None
        place = takes.played
        if place >= len(takes.numbers):
            if takes.live or self._repeat == "never":
                return None
            if self._repeat == "last" and method not in SAFE_METHODS:
                return None
            place = place % len(takes.numbers) if self._repeat == "cycle" else len(takes.numbers) - 1
        number = takes.numbers[place]
        repeated = takes.played >= len(takes.numbers)
        takes.played += 1
        self._given.add(number)
        return Replay(number, self._interactions[number - 1], repeated)

    def _miss(self, request: Request) -> Miss:
        if not self.exists:
            return Miss("no_cassette", request)
        takes = self._takes.get(identity(request))
        reason: Reason = "already_played" if takes else "no_match"
        if takes:
            return Miss(reason, request, (Near(takes.numbers[-1] - 1, ()),))
        return Miss(reason, request, nearest(request, [known.request for known in self._interactions]))

    def interaction(self, index: int) -> Interaction:
        """The interaction with that index (from 0) in the cassette."""
        return self._interactions[index]

    def __len__(self) -> int:
        return len(self._interactions)
