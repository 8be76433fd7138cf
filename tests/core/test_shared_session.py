"""A session that several serve, each with a `Session` of its own and all with one tally."""

from __future__ import annotations

from typing import Any

from replayproxy.core.cassette import Cassette, Interaction
from replayproxy.core.fault_kinds import Fault
from replayproxy.core.faults import FaultPlan, PlannedFault
from replayproxy.core.modes import MODES
from replayproxy.core.receipt import ToldMiss
from replayproxy.core.session import Forward, Miss, Replay, Session
from replayproxy.core.tally import Count, OwnTally, Tally
from tests.builders import interaction, request, response
from tests.tallies import CommonTally

ASKED = request("POST", "/v1/x")
POLLED = request("GET", "/v1/x")


def answers(asked: Any, count: int) -> list[Interaction]:
    """So many answers to one request."""
    return [interaction(asked, response(body=str(number).encode())) for number in range(count)]


def two(*recorded: Interaction, mode: str = "playback", **options: Any) -> tuple[Session, Session]:
    """Both parts of a session."""
    tally = CommonTally()

    def part(tally: Tally) -> Session:
        return Session(MODES[mode], Cassette(interactions=recorded), tally=tally, **options)

    return part(tally), part(tally)


def number(session: Session, asked: Any = ASKED) -> int | str:
    """Which interaction answers, or what happens else."""
    decision = session.decide(asked)
    return decision.number if isinstance(decision, Replay) else type(decision).__name__


def test_each_answer_is_given_by_one_of_them() -> None:
    """And both know what both gave."""
    here, there = two(*answers(ASKED, 3))
    assert [number(here), number(there), number(here), number(there)] == [1, 2, 3, "Miss"]
    for part in (here, there):
        receipt = part.receipt()
        assert (receipt.played, receipt.missed, receipt.unplayed) == (3, 1, ())
    assert [here.arrive(), there.arrive(), here.arrive()] == [1, 2, 3]


def test_an_answer_that_is_given_again_is_taken_once_too() -> None:
    """Who has seen the same turn and comes second has to ask again; the last one that repeats is everybody's."""
    here, there = two(*answers(POLLED, 2))
    first, second = here.decide(POLLED), there.decide(POLLED)
    assert isinstance(first, Replay)
    assert isinstance(second, Replay)
    again = here.next_again(first.turns, "GET"), there.next_again(second.turns, "GET")
    assert again[0] is not None
    assert again[1] is not None
    assert here.gave_again(first.turns, again[0], None)
    assert there.gave_again(second.turns, again[1], None)
    assert here.receipt().repeated == 2

    here, there = two(*answers(ASKED, 2))
    known = here.decide(ASKED), there.decide(ASKED)
    assert isinstance(known[0], Replay)
    assert here.next_again(known[0].turns, "POST") is None

    here, there = two(*answers(ASKED, 2), repeat="cycle")
    known = here.decide(ASKED), there.decide(ASKED)
    assert isinstance(known[0], Replay)
    assert isinstance(known[1], Replay)
    turns = here.next_again(known[0].turns, "POST"), there.next_again(known[1].turns, "POST")
    assert turns[0] is not None
    assert turns[0] == turns[1]
    assert there.gave_again(known[1].turns, turns[0], None)
    assert not here.gave_again(known[0].turns, turns[0], None)


def test_a_plan_of_faults_is_one_under_its_number() -> None:
    """Its faults are met as often as it says by all together; the next plan begins anew."""
    here, there = two(*answers(ASKED, 9))
    plan = FaultPlan((PlannedFault(Fault("status", status=503, times=2)),))
    for _ in range(2):
        here.set_faults(plan)
        there.set_faults(plan, here.faults.number)
        met = [decision.fault is not None for part in (here, there, here) if (decision := replay(part))]
        assert met == [True, True, False]
        assert here.faults.met == there.faults.met == [2]
    assert here.faulted == 4
    known = there.decide(ASKED)
    assert isinstance(known, Replay)
    assert there.next_again(known.turns, "POST") is None  # a fault may be met


def replay(session: Session) -> Replay:
    """The decision, which is an answer."""
    decision = session.decide(ASKED)
    assert isinstance(decision, Replay)
    return decision


def test_misses_are_told_to_who_keeps_the_receipt() -> None:
    """In the place of a receipt of one's own."""
    told = list[ToldMiss]()
    keeper, part = Session(MODES["playback"]), Session(MODES["playback"], telling=told.append)
    miss = part.decide(ASKED)
    assert isinstance(miss, Miss)
    part.tell(miss, "nothing there")
    assert part.receipt().misses == ()
    for each in told * 30:
        keeper.note_miss(each)
    assert keeper.receipt().misses == (ToldMiss("no_cassette", "POST", "/v1/x", "nothing there"),) * 20


def test_what_one_recorded_the_other_asks_for_again() -> None:
    """Its last answer is as fresh as can be, whoever recorded it."""
    here, there = two(*answers(POLLED, 1), mode="auto")
    assert number(here, POLLED) == 1
    assert number(there, POLLED) == 1
    here.saved(interaction(POLLED))
    assert isinstance(there.decide(POLLED), Forward)


def test_what_came_into_the_cassette_later_is_not_played() -> None:
    """Whoever joins plays what the others do."""
    session = Session(MODES["playback"], Cassette(interactions=(*answers(ASKED, 2), *answers(POLLED, 1))), first=2)
    assert [number(session), number(session), number(session), number(session, POLLED)] == [1, 2, "Miss", "Miss"]


def test_who_comes_second_gets_the_next_answer() -> None:
    """An answer that somebody else takes between the look and the claim is not given twice."""

    class Raced(Count):
        rivals = 1

        def claim(self, place: int) -> bool:
            if self.rivals:
                self.rivals -= 1
                assert super().claim(place)  # somebody else's
            return super().claim(place)

    class RacedTally(OwnTally):
        def turns(self, key: bytes) -> Count:
            return Raced()

    recorded = Cassette(interactions=tuple(answers(ASKED, 2)))
    session = Session(MODES["playback"], recorded, tally=RacedTally())
    assert (number(session), number(session)) == (2, "Miss")


def test_what_was_recorded_beside_says_nothing_of_what_plays() -> None:
    """A new recording in auto mode counts as saved, and the others answer as before."""
    session = Session(MODES["auto"], Cassette(interactions=tuple(answers(ASKED, 1))))
    session.saved(interaction(request("POST", "/v1/elsewhere"), response(200)))
    assert number(session) == 1
    assert session.receipt().saved == 1
