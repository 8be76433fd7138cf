"""A session decides which recording answers."""

import pytest

from replayproxy.core.cassette import Cassette, Interaction
from replayproxy.core.messages import Request
from replayproxy.core.modes import MODES
from replayproxy.core.problem import Problem
from replayproxy.core.receipt import Asked, Leftover, Receipt
from replayproxy.core.rules import MatchRules
from replayproxy.core.session import Forward, Miss, Replay, Session
from replayproxy.errors import CassetteError
from tests.builders import interaction, request, response


def poll(body: str) -> Interaction:
    return interaction(request("GET", "/v1/threads/t/runs/r"), response(body={"status": body}))


def create(body: str) -> Interaction:
    return interaction(request("POST", "/v1/threads", {"a": 1}), response(body={"id": body}))


def playback(*interactions: Interaction, **options: object) -> Session:
    return Session(MODES["playback"], Cassette(interactions=interactions), **options)  # type: ignore[arg-type]


def numbers(session: Session, asked: Interaction, times: int) -> list[int | str]:
    decisions = [session.decide(asked.request) for _ in range(times)]
    return [d.number if isinstance(d, Replay) else d.reason if isinstance(d, Miss) else "forward" for d in decisions]


def test_identical_requests_are_answered_in_recorded_order() -> None:
    """FIFO for each identity, whatever lies between."""
    session = playback(poll("queued"), create("x"), poll("completed"), create("y"))
    assert numbers(session, create(""), 2) == [2, 4]
    assert numbers(session, poll(""), 2) == [1, 3]


def test_the_last_answer_repeats_for_get_only() -> None:
    """Polling goes on; a second creation that was never recorded is a miss."""
    session = playback(poll("queued"), poll("completed"), create("x"))
    assert numbers(session, poll(""), 4) == [1, 2, 2, 2]
    assert numbers(session, create(""), 2) == [3, "already_played"]
    assert session.receipt().repeated == 2


@pytest.mark.parametrize(
    ("repeat", "polled", "created"),
    [
        ("last", [1, 2, 2], [3, "already_played"]),
        ("never", [1, 2, "already_played"], [3, "already_played"]),
        ("cycle", [1, 2, 1], [3, 3]),
    ],
)
def test_repeat_says_what_happens_past_the_end(repeat: str, polled: list[object], created: list[object]) -> None:
    """`repeat` chooses between the last answer, a miss, and starting over."""
    session = playback(poll("queued"), poll("completed"), create("x"), repeat=repeat)
    assert numbers(session, poll(""), 3) == polled
    assert numbers(session, create(""), 2) == created


def test_without_a_cassette_every_request_misses() -> None:
    """The reason tells a missing file from a missing recording."""
    miss = Session(MODES["playback"]).decide(request())
    assert isinstance(miss, Miss)
    assert (miss.reason, miss.near) == ("no_cassette", ())


def test_a_miss_names_the_nearest() -> None:
    """A changed request finds what it was recorded as."""
    session = playback(create("x"), poll("queued"))
    miss = session.decide(request("POST", "/v1/threads", {"a": 2}))
    assert isinstance(miss, Miss)
    assert miss.reason == "no_match"
    assert miss.near[0].index == 0
    assert session.interaction(0).request.method == "POST"
    assert [difference.path for difference in miss.near[0].differences] == ["body.a"]


def test_record_never_plays() -> None:
    """An earlier take does not answer while a new one is made."""
    session = Session(MODES["record"], Cassette(interactions=(create("x"),)))
    assert numbers(session, create(""), 1) == ["forward"]
    assert session.receipt().unplayed == ()


def test_auto_plays_then_forwards() -> None:
    """What is recorded is played once; what is not, or no longer, goes up."""
    session = Session(MODES["auto"], Cassette(interactions=(create("x"),)))
    assert numbers(session, create(""), 2) == [1, "forward"]


def test_auto_asks_again_what_it_recorded_itself() -> None:
    """Polling while recording reaches the upstream each time: a fresh answer must not be repeated for ever."""
    session = Session(MODES["auto"], Cassette())
    assert isinstance(session.decide(poll("").request), Forward)
    session.saved(poll("queued"))
    assert isinstance(session.decide(poll("").request), Forward)
    assert session.receipt().saved == 1


def test_arrivals_are_counted() -> None:
    """Each request gets its place in line."""
    session = playback()
    assert [session.arrive(), session.arrive()] == [1, 2]


def test_the_receipt_counts() -> None:
    """Played, missed, forwarded, saved, lost, problems and unplayed are all told."""
    session = Session(MODES["auto"], Cassette(interactions=(create("x"), poll("queued"))))
    session.decide(create("").request)
    session.decide(create("").request)
    session.saved(create("y"))
    session.lost()
    session.arrive()
    session.found(None, (Problem("a"),))
    session.found(None, (Problem("a", warning=True),))
    receipt = session.receipt()
    assert (receipt.played, receipt.forwarded, receipt.saved, receipt.lost) == (1, 1, 1, 1)
    assert (receipt.problems, receipt.warnings, receipt.asked) == (1, 1, (Asked("", "", 1, 1, 1),))
    assert receipt.unplayed == (2,)


def test_saving_in_record_mode_keeps_nothing_to_play() -> None:
    """A recording session counts what it saved and needs no more of it."""
    session = Session(MODES["record"])
    session.saved(create("x"))
    assert (session.receipt().saved, len(session)) == (1, 0)


def test_what_fails_a_receipt() -> None:
    """A miss, nothing played, an answer lost, and under strict what nobody asked for."""
    assert playback(create("x")).receipt().failures == ("nothing was played",)
    session = playback(create("x"), poll("queued"), strict=True)
    session.decide(create("").request)
    assert session.receipt().failures == ("1 interaction(s) were never played",)
    session.decide(create("").request)
    session.lost()
    failures = session.receipt().failures
    assert failures[0] == "1 request(s) missed"
    assert failures[1] == "1 answer(s) could not be saved"
    assert Session(MODES["auto"]).receipt().failures == ()


def test_a_receipt_tells_what_missed_and_what_was_left() -> None:
    """The first misses as the client was told of them, and the interactions never given with their place."""
    recorded = [interaction(request("GET", f"/v1/{n}"), line=n * 10) for n in range(1, 150)]
    session = playback(*recorded)
    for number in range(30):
        miss = session.decide(request("POST", f"/v1/new/{number}"))
        assert isinstance(miss, Miss)
        session.tell(miss, f"message {number}")
    receipt = session.receipt()
    assert (receipt.missed, len(receipt.misses)) == (30, 20)
    told = receipt.misses[1]
    assert (told.reason, told.method, told.target, told.message) == ("no_match", "POST", "/v1/new/1", "message 1")
    assert (len(receipt.unplayed), len(receipt.leftovers)) == (149, 100)
    assert receipt.leftovers[0] == Leftover(1, "GET", "/v1/1", 10)


def test_a_session_that_could_not_be_opened_fails_its_receipt() -> None:
    """That is all there is to say of it."""
    assert Receipt("playback", broken="c.yaml is no cassette").failures == ("the session could not be opened",)


def test_nothing_is_played_from_a_cassette_that_was_changed() -> None:
    """The request counts as missed, and the receipt tells why; once it is what it was it is played again."""
    current = [True, False, True]
    session = playback(create("x"), poll("queued"), is_current=lambda: current.pop(0))
    assert numbers(session, poll(""), 1) == [2]
    with pytest.raises(CassetteError, match="changed while it is played"):
        session.decide(poll("").request)
    assert numbers(session, poll(""), 1) == [2]
    receipt = session.receipt()
    assert (receipt.missed, [told.reason for told in receipt.misses]) == (1, ["unreadable"])
    assert receipt.failures


def test_an_answer_that_came_before_is_decided_anew_when_the_cassette_was_changed() -> None:
    """The hot path leaves it to who can tell the client."""
    session = playback(poll("queued"), is_current=lambda: current)
    current = True
    decision = session.decide(poll("").request)
    assert isinstance(decision, Replay)
    assert decision.turns is not None
    assert session.next_again(decision.turns, "GET") is not None
    current = False
    assert session.next_again(decision.turns, "GET") is None


class Unreadable(Cassette):
    """Recordings that were there when they were counted, and cannot be read any more."""

    def key(self, index: int, scheme: str) -> bytes:
        """Tells them apart."""
        return b"%016d" % index

    def __getitem__(self, index: int) -> Interaction:
        """Fails."""
        raise CassetteError("gone", line=7)

    def request(self, index: int) -> Request:
        """Fails as well."""
        raise CassetteError("gone")


def test_a_receipt_is_told_although_nothing_can_be_read_any_more() -> None:
    """Or a run would pass because its cassette was broken."""
    rules = MatchRules.of(ignore=["query.nonce"])
    session = Session(MODES["playback"], Unreadable(interactions=(create("x"),)), rules=rules)
    receipt = session.receipt()
    assert [(left.number, left.method, left.target, left.line) for left in receipt.leftovers] == [(1, "?", "gone", 7)]
    assert len(receipt.unused_rules) == 1
    assert receipt.failures
