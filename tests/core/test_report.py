"""Misses and receipts in words."""

import pytest

from replayproxy.core.cassette import Cassette, Interaction
from replayproxy.core.matching import ABSENT
from replayproxy.core.modes import MODES
from replayproxy.core.report import miss_message, receipt_lines, shown
from replayproxy.core.session import Miss, Receipt, Session
from replayproxy.core.validation import Problem
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
        "What to do: if the change is meant, record again (`replayproxy record`); if it is not, the paths above say "
        "what the app sends differently.",
    ]


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
