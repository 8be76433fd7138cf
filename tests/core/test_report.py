"""Misses and receipts in words."""

import pytest

from replayproxy.core.cassette import Cassette, Interaction
from replayproxy.core.matching import ABSENT
from replayproxy.core.modes import MODES
from replayproxy.core.problem import Problem
from replayproxy.core.receipt import Asked, Leftover, Receipt, ToldMiss
from replayproxy.core.report import miss_message, problem_line, receipt_lines, receipts_lines, shown
from replayproxy.core.session import Miss, Session
from tests.builders import interaction, request


def told(asked: object, *recorded: Interaction, problems: tuple[Problem, ...] = ()) -> str:
    session = Session(MODES["playback"], Cassette(interactions=recorded) if recorded else None)
    miss = session.decide(request(body=asked))
    assert isinstance(miss, Miss)
    return miss_message(miss, "cassettes/chat.yaml", session.interaction, problems)


def test_a_miss_names_reason_nearest_difference_and_cure() -> None:
    """What happened, what came nearest with its place in the file, and what to do."""
    text = told({"content": "planes"}, interaction(request(body={"content": "AI"}), line=31))
    assert text.splitlines() == [
        "replayproxy no_match: no interaction in cassettes/chat.yaml answers POST /v1/threads.",
        'nearest: #1 (cassettes/chat.yaml:31) differs in body.content: recorded "AI", received "planes"',
        "What to do: if the change is meant, record again (`replayproxy record`); if it varies from run to run, put "
        "its path under match.ignore in replayproxy.yaml; if neither, the app sends something else than it did.",
    ]


def test_a_long_target_is_cut() -> None:
    """It says so, and how long it is."""
    session = Session(MODES["playback"])
    miss = session.decide(request(target="/v1/" + "x" * 100))
    assert isinstance(miss, Miss)
    assert f"POST /v1/{'x' * 76}… (104 characters)" in miss_message(miss, "c.yaml", session.interaction)


def test_recordings_of_other_paths_are_told_only_when_there_is_nothing_nearer() -> None:
    """What is no candidate for a rule or an edit would only hide the one that is."""
    other, same = interaction(request(target="/v1/models")), interaction(request(body={"content": "AI"}))
    assert told({"content": "planes"}, other, same).count("nearest:") == 1
    assert 'path: recorded "/v1/models"' in told({"content": "planes"}, other)


def test_without_a_cassette_the_file_is_named() -> None:
    """The file that was looked for stands in the message."""
    assert "there is no file cassettes/chat.yaml" in told({})


def test_used_up_recordings_say_so() -> None:
    """A request that was answered before is told apart from one that never was recorded."""
    session = Session(MODES["playback"], Cassette(interactions=(interaction(line=4),)))
    session.decide(request())
    miss = session.decide(request())
    assert isinstance(miss, Miss)
    text = miss_message(miss, "c.yaml", session.interaction)
    assert "already_played" in text
    assert "#1 (c.yaml:4), the same request" in text


def test_problems_of_the_request_are_told_too() -> None:
    """A miss with an invalid body says what is invalid."""
    assert "not valid either: Unknown parameter: 'x'." in told({}, problems=(Problem("Unknown parameter: 'x'."),))


def test_many_differences_are_cut() -> None:
    """Five are told, the rest is counted."""
    text = told({f"k{n}": n for n in range(9)}, interaction(request(body={f"k{n}": -n - 1 for n in range(9)})))
    assert "and 4 more" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (ABSENT, "(absent)"),
        (b"\x00a", "'\\x00a'"),
        ("a\x1b[31m\u202e", '"a\\u001b[31m\\u202e"'),
        ({"a": 1.0}, '{"a": 1.0}'),
        ("é", '"é"'),
        ("x" * 100, '"' + "x" * 79 + "… (102 characters)"),
        ("\udcff", '"\\udcff"'),
    ],
)
def test_shown(value: object, text: str) -> None:
    """Values stand on one line, bounded, without control characters."""
    assert shown(value) == text


def test_receipt_lines() -> None:
    """Counts that are zero are left out; the verdict stands last."""
    assert receipt_lines(Receipt("playback", played=3, unplayed=(4,))) == ("playback: 3 played, 1 unplayed", "passed")
    assert receipt_lines(Receipt("playback")) == ("playback: no request came", "failed: nothing was played")


NO_MATCH = (
    "replayproxy no_match: no interaction in b.yaml answers POST /v1/threads.\n"
    "nearest: #1 (b.yaml:9) differs in body.a: recorded 1, received 2\nWhat to do: record again."
)


def missed(message: str = NO_MATCH, times: int = 1, **more: object) -> Receipt:
    misses = (ToldMiss("no_match", "POST", "/v1/threads", message),) * times
    facts: dict[str, object] = {"played": 1, "missed": times, "name": "b", "cassette": "b.yaml", "misses": misses}
    return Receipt("playback", **(facts | more))  # type: ignore[arg-type]


def test_a_single_receipt_that_passed_is_two_lines() -> None:
    """The counts, and the verdict last."""
    assert receipts_lines([Receipt("auto", played=1, name="default")]) == ("auto: 1 played", "passed")


def test_a_receipt_that_failed_is_told_in_full() -> None:
    """Which session, what missed and how it differs, what to do; then the counts and the verdict."""
    assert receipts_lines([missed()]) == (
        "session b failed (playback, b.yaml): 1 request(s) missed",
        "  no_match: no interaction in b.yaml answers POST /v1/threads.",
        "    nearest: #1 (b.yaml:9) differs in body.a: recorded 1, received 2",
        "  What to do: record again.",
        "playback: 1 played, 1 missed",
        "failed: 1 request(s) missed",
    )


def test_many_receipts_are_a_line_each_but_for_those_that_failed() -> None:
    """The sum and the verdict name how many, and which."""
    passed = [Receipt("playback", played=2, name=name, cassette=f"{name}.yaml") for name in ("a", "c")]
    lines = receipts_lines([passed[0], missed(), passed[1]])
    assert lines[:3] == (
        "session a (playback, a.yaml): 2 played",
        "session c (playback, c.yaml): 2 played",
        "session b failed (playback, b.yaml): 1 request(s) missed",
    )
    assert lines[-2:] == ("3 sessions: 5 played, 1 missed", "failed: 1 of 3 sessions (b)")
    assert receipts_lines(passed)[-2:] == ("2 sessions: 4 played", "passed")
    assert receipts_lines([missed(name=f"s{n}") for n in range(7)])[-1] == (
        "failed: 7 of 7 sessions (s0, s1, s2, s3, s4 and 2 more)"
    )


def test_the_same_miss_is_told_once() -> None:
    """With how often it came; a cure is told once for all misses, and what is not kept is counted."""
    lines = receipts_lines([missed(times=3, missed=5)])
    assert lines[1] == "  no_match: no interaction in b.yaml answers POST /v1/threads. (3 times)"
    assert "  and 2 more that missed" in lines
    assert sum("What to do" in line for line in lines) == 1


def test_what_to_do_when_nothing_was_played_or_saved() -> None:
    """Each failure has its cure."""
    assert "OPENAI_BASE_URL" in receipts_lines([Receipt("playback", name="a")])[1]
    assert "the log says" in receipts_lines([Receipt("record", forwarded=1, lost=1, name="a")])[1]


def test_interactions_that_nobody_asked_for_are_named_under_strict() -> None:
    """The first five with their place in the file."""
    left = tuple(Leftover(n, "GET", f"/v1/{n}", n * 10) for n in range(1, 8))
    facts = {"played": 1, "unplayed": tuple(range(1, 8)), "leftovers": left, "name": "a", "cassette": "a.yaml"}
    lines = receipts_lines([Receipt("playback", strict=True, **facts)])  # type: ignore[arg-type]
    assert lines[1] == "  never played: #1 GET /v1/1 (a.yaml:10)"
    assert lines[6] == "  and 2 more that were never played"
    assert "without --strict" in lines[7]
    assert receipts_lines([Receipt("playback", **facts)])[-1] == "passed"  # type: ignore[arg-type]


def test_a_session_that_could_not_be_opened_says_why() -> None:
    """On one line, without control characters."""
    lines = receipts_lines([Receipt("playback", name="a", broken="a.yaml:3: no\ncassette\x1b")])
    assert lines[:2] == (
        "session a failed (playback): the session could not be opened",
        "  a.yaml:3: no\\ncassette\\x1b",
    )


def test_rules_that_never_applied_are_told() -> None:
    """Those that applied in no session that was used: a rule for all need not apply in each."""
    one = Receipt("playback", played=1, name="a", unused_rules=("ignore body.x", "ignore body.y"))
    other = Receipt("playback", played=1, name="b", unused_rules=("ignore body.y",))
    idle = Receipt("auto", name="c")
    assert "a rule of matching never applied: ignore body.y" in receipts_lines([one, other, idle])
    assert not any("body.x" in line for line in receipts_lines([one, other, idle]))
    many = Receipt("playback", played=1, name="a", unused_rules=tuple(f"ignore body.{n}" for n in range(12)))
    assert "and 2 more rules of matching that never applied" in receipts_lines([many])


def test_problems_and_warnings_are_told_by_operation() -> None:
    """Of all sessions together; what nobody knows has a name, too, and nothing is said of nothing."""
    one = Receipt("record", forwarded=2, asked=(Asked("createMessage", "messages", 2, 1, 0), Asked("", "", 1, 0, 2)))
    other = Receipt("record", forwarded=1, asked=(Asked("createMessage", "messages", 2, 2, 1),))
    lines = receipts_lines((one, other))
    assert "problems: createMessage 3" in lines
    assert "warnings: createMessage 1, unknown paths 2" in lines
    assert not [line for line in receipts_lines((Receipt("record"),)) if "problems" in line]


def test_a_problem_as_a_line_of_a_log() -> None:
    """It says whose message it is in."""
    assert problem_line(Problem("Bad.")) == "Bad."
    assert problem_line(Problem("Odd.", warning=True)) == "warning: Odd."
    assert problem_line(Problem("Odd.", warning=True, side="response")) == "answer: Odd."
