"""A session decides which recording answers a request: one cassette, one mode, and what was played so far.

Synchronous on purpose: a decision is made in one go, so that concurrent requests need no lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from replayproxy.core.cassette import Cassette, Interaction
from replayproxy.core.catalog import Operation
from replayproxy.core.census import Census
from replayproxy.core.decisions import Decision, Forward, Miss, Reason, Replay
from replayproxy.core.fault_kinds import ALWAYS, Fault
from replayproxy.core.faults import NO_FAULTS, FaultPlan, PlanUnderWay
from replayproxy.core.live import Live
from replayproxy.core.matching import NO_RULES, Near, identify, nearest, scheme_of
from replayproxy.core.messages import Request
from replayproxy.core.modes import Mode
from replayproxy.core.places import Places
from replayproxy.core.polls import is_poll
from replayproxy.core.problem import Problem
from replayproxy.core.receipt import Leftover, Receipt, ToldMiss
from replayproxy.core.recordings import Recordings
from replayproxy.core.rules import MatchRules, OperationOf, no_operation
from replayproxy.core.tally import OwnTally, Tally
from replayproxy.core.turns import Repeat, Turn, Turns
from replayproxy.errors import CassetteError

__all__ = [
    "Decision",
    "Forward",
    "Miss",
    "Reason",
    "Repeat",
    "Replay",
    "Session",
]

#: A receipt tells no more misses and unplayed interactions than this, the first ones; all are counted.
MISSES_TOLD, LEFTOVERS_TOLD = 20, 100
#: Of what was not played so many are read to see whether a rule of matching applies to it.
UNPLAYED_READ = 1000
_CURE = "Reset the session, or start again, to play it as it is now"
_COUNTED = ("arrived", "played", "repeated", "missed", "forwarded", "saved", "lost", "faulted")


def _always() -> bool:
    return True


class Session:
    """What a cassette answers in one mode, with its play counts.

    `recordings` is what the cassette holds, None when there is no cassette; `repeat` says what happens when the
    recordings of a request are used up: the last repeats for GET and HEAD (`last`), nothing repeats (`never`), all
    start over (`cycle`). With `collapse_polls` polls that follow each other are folded to the last (core/polls.py).
    `rules` say what counts when requests are compared; a rule's scope may name an operation, which `operation_of`
    finds. `tally` counts, for all who serve this session; `telling` is told of misses, in the place of its own receipt;
    no more than the `first` recordings are played: others came later. Nothing is played any more when the cassette is
    not what was read (`is_current`).
    `touched` are the rules that applied to something so far, by their places.
    """

    def __init__(
        self,
        mode: Mode,
        recordings: Recordings | None = None,
        *,
        repeat: Repeat = "last",
        strict: bool = False,
        collapse_polls: bool = False,
        rules: MatchRules = NO_RULES,
        operation_of: OperationOf = no_operation,
        tally: Tally | None = None,
        telling: Callable[[ToldMiss], None] | None = None,
        first: int | None = None,
        is_current: Callable[[], bool] = _always,
    ) -> None:
        self.mode, self.is_current = mode, is_current
        self._rules, self._operation_of, self._scheme = rules, operation_of, scheme_of(rules)
        self.touched: frozenset[int] = frozenset()
        self.exists = recordings is not None
        self._repeat: Repeat = repeat
        self._recordings: Recordings = recordings if recordings is not None and mode.plays else Cassette()
        self.tally = tally or OwnTally()
        self._counters = {name: self.tally.named(name) for name in _COUNTED}
        self._census = Census(self.tally)
        self._strict = strict
        self._told: list[ToldMiss] = []
        self._telling = telling or self.note_miss
        self._plan = PlanUnderWay(NO_FAULTS, self.tally, 0)
        self._turns: dict[bytes, Turns] = {}
        self._live = Live(self.tally)
        self._places = Places(
            self._recordings, self._scheme, self._identity, collapse_polls=collapse_polls, first=first
        )

    def arrive(self, operation: Operation | None = None) -> int:
        """The place in line (from 1) of a request that has just arrived, and calls `operation`."""
        self._census.arrived(operation)
        return self._counters["arrived"].add() + 1

    def set_faults(self, plan: FaultPlan, number: int = 0) -> None:
        """Lets the requests from now on meet the faults of a plan, in the place of those of an earlier plan.

        Whoever else serves this session is told the plan's `number`; 0: the next one.
        """
        self._plan = PlanUnderWay(plan, self.tally, number or self._plan.number + 1)

    @property
    def faults(self) -> PlanUnderWay:
        """The plan of faults, and how often each was met."""
        return self._plan

    @property
    def faulted(self) -> int:
        """How many requests met a fault and used nothing up."""
        return self._counters["faulted"].value

    def decide(self, request: Request, operation: Operation | None = None) -> Decision:
        """What to do with a (redacted) request that calls `operation`. Changes the play counts.

        Identical requests get their answers in the order in which they are decided: that of their arrival, when they
        arrive whole. One whose body takes longer is decided later. Nobody can tell before its last byte that it is
        identical, and to wait for it would let one slow upload hold up requests that have nothing to do with it.

        CassetteError when somebody changed the cassette, or what answers cannot be read; that counts as a miss.
        """
        try:
            return self._decided(request, operation)
        except CassetteError as error:
            self.unreadable(request, error)
            raise

    def _decided(self, request: Request, operation: Operation | None) -> Decision:
        if self.mode.plays and not self.is_current():
            raise CassetteError("the cassette was changed while it is played", cure=_CURE)
        key = self._identity(request) if self.mode.plays else b""
        replay = self._play(self._turns_of(key), key, request, operation) if key else None
        if replay is not None:
            return replay
        if self.mode.forwards:
            fault = self._plan.strike(request, operation)
            if fault is not None:
                self._count("faulted")
            if not (fault and fault.early):
                self._count("forwarded")
            return Forward(fault)
        self._count("missed")
        return self._miss(request, key)

    def next_again(self, turns: Turns, method: str) -> Turn | None:
        """The turn that is next for a request that was answered before from `turns`, None when it has to be decided
        anew: nothing is left, or a fault may be met. It is not taken before `gave_again`."""
        if self._plan.plan.faults or not self.is_current():
            return None
        turn = turns.next(method, self._repeat)
        return None if turn is None or turn.failing else turn

    def gave_again(self, turns: Turns, turn: Turn, operation: Operation | None) -> bool:
        """Takes that turn for a request that has just arrived; False, and nothing happened, when it is gone."""
        if not (turn.lasting or turns.counter.claim(turn.place)):
            return False
        self._census.arrived(operation)
        self._count("arrived")
        self._count("repeated" if turn.repeated else "played")
        return True

    def saved(self, interaction: Interaction) -> None:
        """Takes note of an interaction that was recorded, and given to the client, in this session.

        It is as fresh as can be, and says nothing about the next answer: the next such request is forwarded again.
        """
        self._count("saved")
        if self._places:  # there are some that play, so this one may be among them
            key = self._identity(interaction.request)
            if key in self._places:
                self._live.add(key)

    def lost(self) -> None:
        """Takes note of an answer that should have been recorded and could not be."""
        self._count("lost")

    def found(self, operation: Operation | None, problems: Iterable[Problem]) -> None:
        """Takes note of what is wrong with a request, or with an answer."""
        self._census.found(operation, problems)

    def unreadable(self, request: Request, error: CassetteError) -> None:
        """Takes note that what answers a request could not be read."""
        self._count("missed")
        self._telling(ToldMiss("unreadable", request.method, request.target, str(error)))

    def tell(self, miss: Miss, message: str) -> None:
        """Takes note of what a client was told about a miss, for the receipt."""
        self._telling(ToldMiss(miss.reason, miss.request.method, miss.request.target, message))

    def note_miss(self, told: ToldMiss) -> None:
        """Takes note of what a client was told by whoever else serves this session."""
        if len(self._told) < MISSES_TOLD:
            self._told.append(told)

    def receipt(self) -> Receipt:
        """What happened in this session so far."""
        unplayed = self.unplayed()
        counts: dict[str, Any] = {name: counter.value for name, counter in self._counters.items() if name != "arrived"}
        asked = self._census.rows()
        return Receipt(
            mode=self.mode.name,
            strict=self._strict,
            unplayed=unplayed,
            misses=tuple(self._told),
            leftovers=tuple(self._leftover(number) for number in unplayed[:LEFTOVERS_TOLD]),
            unused_rules=self._unused_rules(unplayed) if self.mode.plays else (),
            problems=sum(row.problems for row in asked),
            warnings=sum(row.warnings for row in asked),
            asked=asked,
            **counts,
        )

    def _count(self, name: str) -> None:
        self._counters[name].count()

    def _identity(self, request: Request) -> bytes:
        found = identify(request, self._rules, self._operation_of)
        if not found.touched <= self.touched:
            self.touched |= found.touched
        return found.key

    def _turns_of(self, key: bytes) -> Turns | None:
        turns = self._turns.get(key)
        if turns is None and key in self._places:
            numbers = self._places.under(key)
            turns = self._turns[key] = Turns(numbers, self.tally.turns(key), self._places.failing(numbers))
        return turns

    def _play(self, turns: Turns | None, key: bytes, request: Request, operation: Operation | None) -> Replay | None:
        while turns is not None and (turn := turns.next(request.method, self._repeat)) is not None:
            if turn.repeated and key in self._live:
                return None
            interaction = self._recordings[turn.number - 1]
            fault = self._plan.strike(request, operation)
            if fault is not None or turn.lasting or turns.counter.claim(turn.place):
                kept = fault is not None or turn.failing
                self._count("faulted" if kept else "repeated" if turn.repeated else "played")
                fault = fault or self._own_fault(interaction, turn)
                poll = is_poll(request, operation, len(turns.numbers))
                return Replay(turn.number, interaction, turn.repeated, fault, poll, turns)
        return None

    def _own_fault(self, interaction: Interaction, turn: Turn) -> Fault | None:
        fault = interaction.fault
        if fault is None or fault.of_upstream or (fault.times != ALWAYS and not turn.failing):
            return None
        return fault

    def _miss(self, request: Request, key: bytes) -> Miss:
        if not self.exists:
            return Miss("no_cassette", request)
        turns = self._turns_of(key)
        if turns is not None:
            return Miss("already_played", request, (Near(turns.numbers[-1] - 1, ()),))
        return Miss("no_match", request, self.nearest(request))

    def nearest(self, request: Request) -> tuple[Near, ...]:
        """The recordings that come nearest to a request, best first."""
        return nearest(request, self._recordings, rules=self._rules, operation_of=self._operation_of)

    def unplayed(self) -> tuple[int, ...]:
        """The numbers of the interactions that were never given; none in a mode that plays nothing."""
        given = set[int]()
        for key in self._places:
            turns = self._turns_of(key)
            for number in turns.given() if turns is not None else ():
                given.update((number, *self._places.earlier.get(number, ())))
        return tuple(number for number in range(1, len(self._recordings) + 1) if number not in given)

    def _unused_rules(self, unplayed: Sequence[int]) -> tuple[str, ...]:
        """The rules that nothing needed, neither what came nor what was recorded (of which a bounded part is read)."""
        if len(self.touched) < len(self._rules.rules):
            for number in unplayed[:UNPLAYED_READ]:
                with suppress(CassetteError):  # one that cannot be read any more needs no rule
                    self._identity(self._recordings.request(number - 1))
        return tuple(str(rule) for rule in self._rules.unused(self.touched))

    def _leftover(self, number: int) -> Leftover:
        try:
            interaction = self._recordings[number - 1]
        except CassetteError as error:  # a receipt has to be told all the same
            return Leftover(number, "?", error.what, error.line)
        return Leftover(number, interaction.request.method, interaction.request.target, interaction.line)

    def interaction(self, index: int) -> Interaction:
        """The interaction with that index (from 0) in the cassette."""
        return self._recordings[index]

    def __len__(self) -> int:
        return len(self._recordings)
