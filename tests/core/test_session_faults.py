"""A session decides what fails: faults of interactions, planned faults, and polls that are folded."""

from __future__ import annotations

from replayproxy.core.cassette import Cassette, Interaction
from replayproxy.core.fault_kinds import Fault
from replayproxy.core.faults import FaultPlan, PlannedFault
from replayproxy.core.modes import MODES
from replayproxy.core.rules import Scope
from replayproxy.core.session import Forward, Miss, Replay, Session
from replayproxy.openai_api import catalog
from tests.builders import interaction, request, response

ONCE = Fault("status", status=503, times=1)


def create(name: str, fault: Fault | None = None) -> Interaction:
    return interaction(request("POST", "/v1/threads", {"a": 1}), response(body={"id": name}), fault=fault)


def poll(status: str) -> Interaction:
    return interaction(request("GET", "/v1/threads/t/runs/r"), response(body={"status": status}))


def told(session: Session, asked: Interaction, times: int, operation: str = "") -> list[tuple[int, Fault | None]]:
    known = catalog().operation(operation) if operation else None
    decisions = [session.decide(asked.request, known) for _ in range(times)]
    return [(each.number, each.fault) if isinstance(each, Replay) else (0, None) for each in decisions]


def playback(*interactions: Interaction, **options: bool) -> Session:
    return Session(MODES["playback"], Cassette(interactions=interactions), **options)


def test_a_fault_for_good_is_the_answer() -> None:
    """The interaction is used up by it."""
    reset = Fault("reset")
    session = playback(create("x", reset), create("y"))
    assert told(session, create(""), 3) == [(1, reset), (2, None), (0, None)]
    assert (session.receipt().played, session.faulted) == (2, 0)


def test_a_fault_that_passes_comes_before_the_answer() -> None:
    """It uses nothing up, so that a client that tries again gets what was recorded."""
    twice = Fault("status", status=503, times=2)
    session = playback(create("x", twice))
    assert told(session, create(""), 4) == [(1, twice), (1, twice), (1, None), (0, None)]
    assert (session.receipt().played, session.receipt().missed, session.faulted) == (1, 1, 2)


def test_what_the_upstream_did_is_played_as_the_client_was_told() -> None:
    """The recorded answer says it; nothing fails again."""
    assert told(playback(create("x", Fault("refused", of_upstream=True))), create(""), 1) == [(1, None)]


def test_a_planned_fault_uses_nothing_up() -> None:
    """Playback: first the fault, then what was recorded; a plan in its place ends it, and it needs a hit."""
    session = playback(create("x"))
    session.set_faults(FaultPlan((PlannedFault(ONCE, Scope(operation="createThread")),)))
    assert told(session, create(""), 2, "createThread") == [(1, ONCE), (1, None)]
    assert (session.faults.met, session.faulted) == ([1], 1)
    session.set_faults(FaultPlan((PlannedFault(Fault("reset")),)))
    assert isinstance(session.decide(request("POST", "/v1/other")), Miss)
    session.set_faults(FaultPlan())
    assert session.faults.met == []


def test_a_planned_fault_on_the_way_up() -> None:
    """What never reaches the upstream is not counted as forwarded."""
    session = Session(MODES["auto"], Cassette())
    cut = Fault("truncate", after=5, times=1)
    session.set_faults(FaultPlan((PlannedFault(ONCE), PlannedFault(cut))))
    assert [session.decide(create("").request) for _ in range(3)] == [Forward(ONCE), Forward(cut), Forward()]
    assert (session.receipt().forwarded, session.faulted) == (2, 2)


def test_a_poll_is_told() -> None:
    """So that its client can be told to come back at once."""
    decision = playback(poll("queued"), poll("completed")).decide(poll("").request, catalog().operation("getRun"))
    assert isinstance(decision, Replay)
    assert decision.poll
    decision = playback(create("x")).decide(create("").request, catalog().operation("createThread"))
    assert isinstance(decision, Replay)
    assert not decision.poll


def test_folded_polls_are_played_with_the_last() -> None:
    """The client gets the end at once, the receipt is content."""
    session = playback(poll("queued"), poll("in_progress"), create("x"), poll("completed"), collapse_polls=True)
    assert told(session, poll(""), 1) == [(2, None)]
    assert session.receipt().unplayed == (3, 4)
    assert told(session, poll(""), 2) == [(4, None), (4, None)]
    assert session.receipt().unplayed == (3,)
