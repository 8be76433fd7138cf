"""Recordings in numbers."""

from __future__ import annotations

from dataclasses import replace

from replayproxy.core.fault_kinds import Fault
from replayproxy.core.messages import FileBody, Headers
from replayproxy.core.problem import Problem
from replayproxy.openai_api.cassette_stats import ModelUse, Stats, stats_of
from replayproxy.openai_api.usage import Usage
from tests.builders import interaction, request, response

EVENTS = Headers.of(("content-type", "text/event-stream"))
ASKED = request(target="/v1/chat/completions", body={"model": "gpt-4o", "messages": []})
TOLD = response(body={"usage": {"prompt_tokens": 5, "completion_tokens": 2}})
POLL = request("GET", "/v1/threads/t/runs/r")


def test_an_empty_cassette_counts_nothing() -> None:
    """Everything is zero."""
    assert stats_of(()) == Stats()


def test_everything_is_counted() -> None:
    """By operation, status and model; bytes of bodies, tokens as answers tell of them."""
    large = replace(response(500), body=FileBody("a.bin", 1000, "d"))
    stats = stats_of(
        (
            interaction(ASKED, TOLD, operation="createChatCompletion", recorded="2026-11-22T02:00:00Z", took=1.5),
            interaction(
                ASKED, response(headers=EVENTS, body=b"data: 1\n\n"), recorded="2026-11-22T01:00:00Z", took=0.5
            ),
            interaction(POLL, large, problems=(Problem("a"), Problem("b")), fault=Fault("reset")),
            interaction(POLL),
        )
    )
    tokens = Usage(input=5, output=2)
    assert stats == Stats(
        interactions=4,
        operations={"createChatCompletion": 1, "": 3},
        statuses={200: 3, 500: 1},
        models={"gpt-4o": ModelUse(2, tokens)},
        tokens=tokens,
        sent=2 * len(ASKED.body),
        received=len(TOLD.body) + 9 + 1000,
        streams=1,
        first="2026-11-22T01:00:00Z",
        last="2026-11-22T02:00:00Z",
        seconds=2.0,
        repeats=2,
        faults=1,
        problems=2,
    )


def test_what_two_cassettes_have_in_common_is_no_repeat() -> None:
    """Each is played by itself."""
    both = stats_of((interaction(POLL),)).plus(stats_of((interaction(POLL),)))
    assert (both.interactions, both.repeats) == (2, 0)
