"""The life of runs: their states, steps and tool calls, from all that exchanges tell of them.

Facts: a run is `queued`, `in_progress`, `requires_action`, `cancelling`, and ends as `completed`, `failed`, `expired`,
`cancelled` or `incomplete`. Its own times are whole seconds by the API's clock, so states are told by when they were
seen; one that nobody saw is put in by the run's own times.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from replayproxy.core.journal import Entry
from replayproxy.openai_api.conversations.answers import Told
from replayproxy.openai_api.conversations.said import Said, tool_calls
from replayproxy.openai_api.conversations.shapes import mapping, number, text
from replayproxy.openai_api.conversations.turns import Turns
from replayproxy.openai_api.conversations.values import Call, Run, RunState, Step
from replayproxy.openai_api.usage import Usage

__all__ = ["ENDS", "Runs"]

#: A run with one of these states does not change any more.
ENDS = frozenset({"completed", "failed", "expired", "cancelled", "incomplete"})
_TIMES = ("created_at", "started_at", "completed_at", "failed_at", "cancelled_at", "expires_at")


@dataclass(slots=True)
class _Growing:
    id: str
    exchange: int
    began: float
    seen: float
    latest: dict[str, Any] = field(default_factory=dict)
    states: list[RunState] = field(default_factory=list)
    steps: dict[str, Step] = field(default_factory=dict)
    usage: Usage | None = None
    polls: int = 0


class Runs:
    """The runs of one thread, and the tool calls of their steps among its `turns`."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._runs: dict[str, _Growing] = {}

    def tell(self, told: Told, entry: Entry) -> None:
        """Takes a run object."""
        value, own = told.value, text(told.value, "id")
        run = self._run(own, told.at, entry)
        status = text(value, "status")
        run.latest = {**run.latest, **{name: each for name, each in value.items() if each is not None}}
        run.usage = Usage.read(value.get("usage")) or run.usage
        run.polls += entry.request.method == "GET"
        if status and not (run.states and run.states[-1].status in ENDS):
            run.seen = max(run.seen, told.at)
            if not run.states or run.states[-1].status != status:
                run.states.append(RunState(status, max(0.0, told.at - run.began), entry.number))
        calls = tuple(tool_calls(mapping(value, "required_action", "submit_tool_outputs")))
        if calls:
            self._turns.say(Said("assistant", calls=calls), entry, run=own)

    def tell_step(self, told: Told, entry: Entry, before: str = "") -> None:
        """Takes a step of a run; `before` is the message that came next."""
        value, run = told.value, self._run(text(told.value, "run_id"), told.at, entry)
        details = mapping(value, "step_details")
        calls = tuple(tool_calls(details))
        message = text(mapping(details, "message_creation"), "message_id")
        own = text(value, "id")
        known = run.steps.get(own)
        run.steps[own] = Step(
            own,
            text(value, "type") or text(details, "type"),
            text(value, "status"),
            calls or (known.calls if known else ()),
            message,
            Usage.read(value.get("usage")),
            known.exchange if known else entry.number,
        )
        if calls:
            self._turns.say(Said("assistant", calls=calls), entry, run=run.id, before=before)

    def finished(self, outputs: dict[str, Call]) -> tuple[Run, ...]:
        """The runs in the order in which they were first told of; `outputs` are the calls as the turns know them."""
        return tuple([_finished(run, outputs) for run in self._runs.values()])

    def _run(self, own: str, at: float, entry: Entry) -> _Growing:
        return self._runs.setdefault(own, _Growing(own, entry.number, at, at))


def _finished(run: _Growing, outputs: dict[str, Call]) -> Run:
    value = run.latest
    times = tuple([(name, at) for name in _TIMES if (at := number(value, name)) is not None])
    states = tuple(_with_implied(run.states, dict(times)))
    steps = tuple([_with_outputs(step, outputs) for step in run.steps.values()])
    error = text(mapping(value, "last_error"), "message") or text(mapping(value, "incomplete_details"), "reason")
    status = run.states[-1].status if run.states else ""
    seconds = max(0.0, run.seen - run.began)
    return Run(
        run.id, status, text(value, "model"), states, steps, times, seconds, run.polls, run.usage, error, run.exchange
    )


def _with_outputs(step: Step, outputs: dict[str, Call]) -> Step:
    return replace(step, calls=tuple([outputs.get(call.id, call) for call in step.calls]))


def _with_implied(states: list[RunState], times: dict[str, float]) -> Iterator[RunState]:
    """A run that was `queued` and then over has been `in_progress` in between, when it says that it was started."""
    started, created = times.get("started_at"), times.get("created_at")
    yield from states[:1]
    for before, state in pairwise(states):
        leapt = before.status == "queued" and state.status in ENDS | {"requires_action"}
        if leapt and started is not None and created is not None:
            at = min(max(before.at, before.at + started - created), state.at)
            yield RunState("in_progress", at, state.exchange, implied=True)
        yield state
