"""A receipt: what happened in a session, and whether a run with it may count as passed."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Asked", "Leftover", "Receipt", "ToldMiss"]


@dataclass(frozen=True, slots=True)
class ToldMiss:
    """A miss as the client was told of it; `method` and `target` are those of the redacted request."""

    reason: str
    method: str
    target: str
    message: str


@dataclass(frozen=True, slots=True)
class Leftover:
    """An interaction that was never given: its number, what it answers, and its line in the cassette (0: none)."""

    number: int
    method: str
    target: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """How often an operation was asked for, and how many of these exchanges had problems, and warnings.

    `operation` and `family` are the catalog's names, "" for what the catalog does not know.
    """

    operation: str = ""
    family: str = ""
    requests: int = 0
    problems: int = 0
    warnings: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """What happened in a session, as counts of requests; `unplayed` are the numbers of interactions never given.

    `lost` counts answers that should have been recorded and could not be. `problems` are requests that the API would
    refuse, `warnings` those that it may take all the same and answers that are not what it promises, both told by
    operation in `asked`. `name` and `cassette` say which session it
    was; `misses` and `leftovers` tell of the first that missed and that were never given, `unused_rules` which rules
    of matching never applied. `broken` says why the session could not be opened, "" when it could.
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
    warnings: int = 0
    faulted: int = 0
    asked: tuple[Asked, ...] = ()
    unplayed: tuple[int, ...] = ()
    name: str = ""
    cassette: str = ""
    misses: tuple[ToldMiss, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    unused_rules: tuple[str, ...] = ()
    broken: str = ""

    @property
    def requests(self) -> int:
        """How many requests came."""
        return self.played + self.repeated + self.missed + self.forwarded + self.faulted

    @property
    def failures(self) -> tuple[str, ...]:
        """Why a run with this receipt must not count as passed; empty when it may."""
        if self.broken:
            return ("the session could not be opened",)
        found = []
        if self.missed:
            found.append(f"{self.missed} request(s) missed")
        if self.lost:
            found.append(f"{self.lost} answer(s) could not be saved")
        if self.mode == "playback" and not (self.played or self.faulted):
            found.append("nothing was played")
        if self.strict and self.unplayed:
            found.append(f"{len(self.unplayed)} interaction(s) were never played")
        return tuple(found)
