"""A session decides which recording answers a request: one cassette, one mode, and what was played so far.

Synchronous on purpose: a decision is made in one go, so that concurrent requests need no lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from replayproxy.core.cassette import Cassette, Interaction
from replayproxy.core.catalog import Operation
from replayproxy.core.census import Census
from replayproxy.core.fault_kinds import ALWAYS, Fault
from replayproxy.core.faults import NO_FAULTS, FaultPlan, PlanUnderWay
from replayproxy.core.matching import NO_RULES, Near, identify, nearest
from replayproxy.core.messages import Request
from replayproxy.core.modes import Mode
from replayproxy.core.polls import folded, is_poll
from replayproxy.core.problem import Problem
from replayproxy.core.receipt import Leftover, Receipt, ToldMiss
from replayproxy.core.rules import MatchRules, OperationOf, no_operation
from replayproxy.core.turns import Repeat, Turns

__all__ = [
    "Decision",
    "Forward",
    "Miss",
    "Reason",
    "Repeat",
    "Replay",
    "Session",
]

Reason = Literal["no_cassette", "no_match", "already_played"]

#: A receipt tells no more misses and unplayed interactions than this, the first ones; all are counted.
MISSES_TOLD, LEFTOVERS_TOLD = 20, 100


@dataclass(frozen=True, slots=True)
class Replay:
    """Answer with this interaction; `repeated` when it was given before, `fault` when the answer is to fail.

    `poll`: the client may be told to ask again at once.
    """

    number: int
    interaction: Interaction
    repeated: bool = False
    fault: Fault | None = None
    poll: bool = False


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


class Session:
    """One cassette in one mode, with its play counts.

    `exists` says whether there was a cassette at all; `repeat` what happens when the recordings of a request are
    used up: the last repeats for GET and HEAD (`last`), nothing repeats (`never`), all start over (`cycle`). With
    `collapse_polls` polls that follow each other are folded to the last (core/polls.py). `faulted` counts the
    requests that met a fault and used nothing up. `rules` say what counts when requests are compared; a rule's scope
    may name an operation, which `operation_of` finds.
    """

    def __init__(
        self,
        mode: Mode,
        cassette: Cassette | None = None,
        *,
        repeat: Repeat = "last",
        strict: bool = False,
        collapse_polls: bool = False,
        rules: MatchRules = NO_RULES,
        operation_of: OperationOf = no_operation,
    ) -> None:
        self.mode = mode
        self._rules, self._operation_of = rules, operation_of
        self._touched: frozenset[int] = frozenset()
        self.exists = cassette is not None
        self._repeat: Repeat = repeat
        self._interactions = list(cassette.interactions) if cassette and mode.plays else []
        self._takes: dict[bytes, Turns] = {}
        self._given: set[int] = set()
        self._arrivals = 0
        self._counts = dict.fromkeys(("played", "repeated", "missed", "forwarded", "saved", "lost"), 0)
        self._census = Census()
        self._strict = strict
        self._told: list[ToldMiss] = []
        self._plan = PlanUnderWay(NO_FAULTS)
        self._met: dict[int, int] = {}
        self.faulted = 0
        keys = [self._identity(interaction.request) for interaction in self._interactions]
        pairs = zip(keys, self._interactions, strict=True)
        self._earlier = folded(pairs) if collapse_polls else {}
        unheard = {number for numbers in self._earlier.values() for number in numbers}
        for number, key in enumerate(keys, 1):
            if number not in unheard:
                self._takes.setdefault(key, Turns()).numbers.append(number)

    def arrive(self, operation: Operation | None = None) -> int:
        """The place in line (from 1) of a request that has just arrived, and calls `operation`."""
        self._arrivals += 1
        self._census.arrived(operation)
        return self._arrivals

    def set_faults(self, plan: FaultPlan) -> None:
        """Lets the requests from now on meet the faults of a plan, in the place of those of an earlier plan."""
        self._plan = PlanUnderWay(plan)

    @property
    def faults(self) -> PlanUnderWay:
        """The plan of faults, and how often each was met."""
        return self._plan

    def decide(self, request: Request, operation: Operation | None = None) -> Decision:
        """What to do with a (redacted) request that calls `operation`. Changes the play counts.

        Identical requests get their answers in the order in which they are decided: that of their arrival, when they
        arrive whole. One whose body takes longer is decided later. Nobody can tell before its last byte that it is
        identical, and to wait for it would let one slow upload hold up requests that have nothing to do with it.
        """
        if self.mode.plays:
            replay = self._play(self._takes.get(self._identity(request)), request, operation)
            if replay is not None:
                return replay
        if self.mode.forwards:
            fault = self._plan.strike(request, operation)
            self.faulted += fault is not None
            self._counts["forwarded"] += not (fault and fault.early)
            return Forward(fault)
        self._counts["missed"] += 1
        return self._miss(request)

    def saved(self, interaction: Interaction) -> None:
        """Takes note of an interaction that was recorded, and given to the client, in this session."""
        self._counts["saved"] += 1
        if self.mode.plays:
            self._interactions.append(interaction)
            self._given.add(len(self._interactions))
            takes = self._takes.setdefault(self._identity(interaction.request), Turns())
            takes.numbers.append(len(self._interactions))
            takes.played += 1
            takes.live = True

    def lost(self) -> None:
        """Takes note of an answer that should have been recorded and could not be."""
        self._counts["lost"] += 1

    def found(self, operation: Operation | None, problems: Iterable[Problem]) -> None:
        """Takes note of what is wrong with a request, or with an answer."""
        self._census.found(operation, problems)

    def tell(self, miss: Miss, message: str) -> None:
        """Takes note of what a client was told about a miss, for the receipt."""
        if len(self._told) < MISSES_TOLD:
            self._told.append(ToldMiss(miss.reason, miss.request.method, miss.request.target, message))

    def receipt(self) -> Receipt:
        """What happened in this session so far."""
        unplayed = tuple(n for n in range(1, len(self._interactions) + 1) if n not in self._given)
        counts: Mapping[str, Any] = self._counts
        asked = self._census.rows()
        return Receipt(
            mode=self.mode.name,
            strict=self._strict,
            unplayed=unplayed,
            misses=tuple(self._told),
            leftovers=tuple(self._leftover(number) for number in unplayed[:LEFTOVERS_TOLD]),
            unused_rules=tuple(str(rule) for rule in self._rules.unused(self._touched)) if self.mode.plays else (),
            problems=sum(row.problems for row in asked),
            warnings=sum(row.warnings for row in asked),
            faulted=self.faulted,
            asked=asked,
            **counts,
        )

    def _identity(self, request: Request) -> bytes:
        found = identify(request, self._rules, self._operation_of)
        if not found.touched <= self._touched:
            self._touched |= found.touched
        return found.key

    def _leftover(self, number: int) -> Leftover:
        interaction = self._interactions[number - 1]
        return Leftover(number, interaction.request.method, interaction.request.target, interaction.line)

    def _play(self, takes: Turns | None, request: Request, operation: Operation | None) -> Replay | None:
        number = takes.next(request.method, self._repeat) if takes else None
        if takes is None or number is None:
            return None
        repeated = takes.over
        fault, passing = self._fault(number, request, operation)
        poll = is_poll(request, operation, len(takes.numbers))
        replay = Replay(number, self._interactions[number - 1], repeated, fault, poll)
        if passing:
            self.faulted += 1
            return replay
        takes.played += 1
        self._given.update((number, *self._earlier.get(number, ())))
        self._counts["repeated" if repeated else "played"] += 1
        return replay

    def _fault(self, number: int, request: Request, operation: Operation | None) -> tuple[Fault | None, bool]:
        """The fault of an answer, and whether the answer itself is kept for the next request."""
        planned = self._plan.strike(request, operation)
        if planned is not None:
            return planned, True
        fault = self._interactions[number - 1].fault
        if fault is None or fault.of_upstream:
            return None, False
        if fault.times == ALWAYS:
            return fault, False
        met = self._met[number] = self._met.get(number, 0) + 1
        return (fault, True) if met <= fault.times else (None, False)

    def _miss(self, request: Request) -> Miss:
        if not self.exists:
            return Miss("no_cassette", request)
        takes = self._takes.get(self._identity(request))
        reason: Reason = "already_played" if takes else "no_match"
        if takes:
            return Miss(reason, request, (Near(takes.numbers[-1] - 1, ()),))
        known = [interaction.request for interaction in self._interactions]
        return Miss(reason, request, nearest(request, known, rules=self._rules, operation_of=self._operation_of))

    def interaction(self, index: int) -> Interaction:
        """The interaction with that index (from 0) in the cassette."""
        return self._interactions[index]

    def __len__(self) -> int:
        return len(self._interactions)
