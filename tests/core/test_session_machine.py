"""A session against a model of it: any requests in any order, in every mode."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from replayproxy.core.cassette import Cassette, Interaction
from replayproxy.core.fault_kinds import ALWAYS, Fault
from replayproxy.core.messages import Request
from replayproxy.core.modes import MODES
from replayproxy.core.problem import Problem
from replayproxy.core.receipt import ToldMiss
from replayproxy.core.session import MISSES_TOLD, Forward, Miss, Repeat, Replay, Session
from replayproxy.core.turns import Turns
from tests.builders import interaction, request, response

#: Requests by what makes them different, each as clients spell it in several ways.
SPELLINGS: tuple[tuple[Request, ...], ...] = (
    (request("POST", "/v1/a", b'{"x": 1, "y": 2}'), request("POST", "/v1/a", b'{"y":2.0,"x":1}')),
    (request("POST", "/v1/a", b'{"x":true}'),),
    (request("GET", "/v1/c?a=1&b=2"), request("GET", "/v1/c?b=2&a=%31")),
    (request("HEAD", "/v1/c?a=1&b=2"),),
)
WHICH = st.integers(0, len(SPELLINGS) - 1)
FAULTS = st.sampled_from([None, None, None, Fault("status", status=500, times=2), Fault("reset", times=ALWAYS)])

#: What was decided: the number of the interaction and whether it was given before and is to fail, or a word.
Told = tuple[int, bool, bool] | str


@dataclass
class Line:
    """Those who may answer one request, and how many places of their line were taken."""

    numbers: list[int] = field(default_factory=list)
    places: list[tuple[int, bool]] = field(default_factory=list)
    taken: int = 0
    live: bool = False


class Model:
    """What a session must do, in the plainest words: a line for each request, and counts."""

    def __init__(self, mode: str, repeat: Repeat, recorded: Sequence[tuple[int, Fault | None]] | None) -> None:
        self.mode, self.repeat, self.exists = MODES[mode], repeat, recorded is not None
        self.counts, self.given = Counter[str](), set[int]()
        self.always = set[int]()
        self.lines = [Line() for _ in SPELLINGS]
        self.total = len(recorded or ()) if self.mode.plays else 0
        for number, (which, fault) in enumerate((recorded or ()) if self.mode.plays else (), 1):
            line = self.lines[which]
            line.numbers.append(number)
            if fault is not None and fault.times == ALWAYS:
                self.always.add(number)
            fails = fault.times if fault is not None else 0
            line.places += [(number, True)] * fails + [(number, False)]

    def decide(self, which: int) -> Told:
        """The decision about a request."""
        line = self.lines[which]
        if line.taken < len(line.places):
            number, failing = line.places[line.taken]
            line.taken += 1
            self.counts["faulted" if failing else "played"] += 1
            if not failing:
                self.given.add(number)
            return number, False, failing or number in self.always
        safe = SPELLINGS[which][0].method in ("GET", "HEAD")
        if line.numbers and not line.live and (self.repeat == "cycle" or (self.repeat == "last" and safe)):
            number = line.numbers[-1]
            if self.repeat == "cycle":
                number = line.numbers[(line.taken - len(line.places)) % len(line.numbers)]
                line.taken += 1
            self.counts["repeated"] += 1
            return number, True, number in self.always
        self.counts["forwarded" if self.mode.forwards else "missed"] += 1
        if self.mode.forwards:
            return "forward"
        return "already_played" if line.numbers else "no_match" if self.exists else "no_cassette"


class SessionMachine(RuleBasedStateMachine):
    """Requests, recordings and receipts in any order."""

    session: Session
    model: Model

    @initialize(
        mode=st.sampled_from([*MODES]),
        repeat=st.sampled_from(["last", "never", "cycle"]),
        recorded=st.none() | st.lists(st.tuples(WHICH, FAULTS), max_size=8),
        strict=st.booleans(),
    )
    def begin(self, mode: str, repeat: Repeat, recorded: list[tuple[int, Fault | None]] | None, strict: bool) -> None:
        """A cassette with interactions for these requests, some of which fail; or none."""
        cassette = None if recorded is None else Cassette(interactions=tuple(_recorded(*each) for each in recorded))
        self.session = Session(MODES[mode], cassette, repeat=repeat, strict=strict)
        self.model, self.strict = Model(mode, repeat, recorded), strict
        self.told, self.missed = list[ToldMiss](), list[Miss]()
        self.known: dict[int, Turns] = {}
        self.arrived = 0

    @rule()
    def arrive(self) -> None:
        """Places in line are given in order."""
        self.arrived += 1
        assert self.session.arrive() == self.arrived

    @rule(which=WHICH, spelled=st.lists(st.integers(0, 1), min_size=1, max_size=4))
    def decide(self, which: int, spelled: list[int]) -> None:
        """However a request is spelled, it gets what the model says."""
        spellings = SPELLINGS[which]
        for each in spelled:
            self._decide(which, spellings[each % len(spellings)])

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def again(self, data: st.DataObject) -> None:
        """The short way for what was asked before gives what a decision would give."""
        which = data.draw(st.sampled_from(sorted(self.known)))
        turns = self.known[which]
        turn = self.session.next_again(turns, SPELLINGS[which][0].method)
        if turn is None or self.model.lines[which].live:
            return
        assert self.session.gave_again(turns, turn, None)
        self.arrived += 1
        assert self.model.decide(which) == (turn.number, turn.repeated, turn.number in self.model.always)

    @precondition(lambda self: self.model.mode.saves)
    @rule(which=WHICH, lost=st.booleans())
    def record(self, which: int, lost: bool) -> None:
        """What was forwarded, by us or by another worker, is recorded or lost; then nothing older is repeated."""
        if lost:
            self.session.lost()
        else:
            self.session.saved(_recorded(which, None))
            self.model.lines[which].live = bool(self.model.total)
        self.model.counts["lost" if lost else "saved"] += 1

    @precondition(lambda self: self.missed)
    @rule(message=st.text(max_size=5))
    def tell(self, message: str) -> None:
        """What a client was told is in the receipt, up to a bound."""
        miss = self.missed.pop()
        self.session.tell(miss, message)
        self.told.append(ToldMiss(miss.reason, miss.request.method, miss.request.target, message))

    @rule(warning=st.booleans())
    def find(self, warning: bool) -> None:
        """Problems are counted apart from warnings."""
        self.session.found(None, (Problem("x", warning=warning),))
        self.model.counts["warnings" if warning else "problems"] += 1

    def _decide(self, which: int, asked: Request) -> None:
        decision = self.session.decide(asked)
        expected = self.model.decide(which)
        if isinstance(decision, Replay):
            assert (decision.number, decision.repeated, decision.fault is not None) == expected
            assert decision.interaction == self.session.interaction(decision.number - 1)
            assert decision.interaction.request.method == asked.method
            if decision.turns is not None:
                self.known[which] = decision.turns
        elif isinstance(decision, Forward):
            assert expected == "forward"
        else:
            assert decision.reason == expected
            self.missed.append(decision)

    @invariant()
    def the_receipt_is_that_of_the_model(self) -> None:
        """Counts, misses, what was never played, and the verdict."""
        receipt, model = self.session.receipt(), self.model
        names = ("played", "repeated", "missed", "forwarded", "saved", "lost", "faulted", "problems", "warnings")
        assert {name: getattr(receipt, name) for name in names} == {name: model.counts[name] for name in names}
        assert set(receipt.unplayed) == set(range(1, model.total + 1)) - model.given
        assert [left.number for left in receipt.leftovers] == [*receipt.unplayed]
        assert list(receipt.misses) == self.told[:MISSES_TOLD]
        assert sum(asked.requests for asked in receipt.asked) == self.arrived
        failed = [
            model.counts["missed"] > 0,
            model.counts["lost"] > 0,
            receipt.mode == "playback" and not (model.counts["played"] or model.counts["faulted"]),
            self.strict and bool(receipt.unplayed),
        ]
        assert len(receipt.failures) == sum(failed)


def _recorded(which: int, fault: Fault | None) -> Interaction:
    return interaction(SPELLINGS[which][0], response(body={"for": which}), fault=fault)


TestSession = SessionMachine.TestCase
TestSession.settings = settings(max_examples=120, stateful_step_count=40, report_multiple_bugs=False)
