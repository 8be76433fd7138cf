"""The tokens of a journal by session and model."""

from __future__ import annotations

from typing import Any

from replayproxy.core.journal import Entry
from replayproxy.openai_api.spending import Amount, spending
from replayproxy.openai_api.usage import Usage
from tests.builders import request, response

COUNTED = {"prompt_tokens": 5, "completion_tokens": 3}
USED = Usage(5, 0, 3)


def entry(
    number: int, method: str, path: str, answer: Any, outcome: str = "saved", session: str = "default", **more: Any
) -> Entry:
    """An exchange; without an answer when that is None."""
    reply = None if answer is None else response(200, answer)
    asked = request(method, f"/v1{path}", {"model": "gpt-4o"} if method == "POST" else None)
    return Entry(number, session, "2026", asked, 200, outcome, response=reply, **more)


def test_tokens_are_counted_by_session_and_model() -> None:
    """What was sent upstream beside what was played; exchanges that tell of none count for the session only."""
    chat = {"id": "chatcmpl-1", "model": "gpt-4o-2024", "usage": COUNTED}
    found = spending(
        [
            entry(1, "POST", "/chat/completions", chat),
            entry(2, "POST", "/chat/completions", chat, "played", seconds=0.5, cassette="c.yaml", interaction=1),
            entry(3, "POST", "/chat/completions", chat, "repeated", seconds=0.25, cassette="c.yaml", interaction=1),
            entry(4, "GET", "/models", {"data": []}),
            entry(5, "POST", "/chat/completions", None, "missed"),
            entry(6, "POST", "/embeddings", {"usage": {"prompt_tokens": 100}}, session="other"),
        ]
    )
    first, second = found
    assert (first.session, first.exchanges, first.played, first.played_seconds) == ("default", 5, 2, 0.75)
    assert first.recordings == (("c.yaml", 1), ("c.yaml", 1))
    (model,) = first.models
    assert (model.model, model.sent, model.played) == ("gpt-4o", Amount(1, USED), Amount(2, Usage(10, 0, 6)))
    assert second.models[0].sent == Amount(1, Usage(100))


def test_models_are_in_the_order_of_what_they_used() -> None:
    """The one that cost most is the first."""
    few, many = ({"model": name, "usage": {"prompt_tokens": number}} for name, number in (("a", 1), ("b", 9)))
    found = spending([entry(1, "GET", "/x", few), entry(2, "GET", "/x", many)])
    assert [each.model for each in found[0].models] == ["b", "a"]


def test_what_is_read_again_counts_once() -> None:
    """A run tells its tokens whenever it is read or changed; one that is made anew under the same id counts again."""
    run = {"id": "run_1", "model": "gpt-4o"}
    round_trip = [
        ("POST", "/threads/t/runs", run | {"usage": None}),
        ("GET", "/threads/t/runs/run_1", run | {"usage": COUNTED}),
        ("GET", "/threads/t/runs/run_1", run | {"usage": COUNTED}),
        ("POST", "/threads/t/runs/run_1", run | {"usage": COUNTED}),
    ]
    for times in (1, 2):
        entries = [entry(number, *each) for number, each in enumerate(round_trip * times, 1)]
        assert spending(entries)[0].models[0].sent == Amount(times, Usage(5 * times, 0, 3 * times))
