"""What the client's functions gave, handed in to the run that waits for it."""

from __future__ import annotations

from dataclasses import replace

from replayproxy.core.problem import Problem
from replayproxy.emulator.assistants.run_course import Course, add_step, end_step
from replayproxy.emulator.assistants.run_events import Telling
from replayproxy.emulator.assistants.run_shapes import STEP
from replayproxy.emulator.records import Json, Record

__all__ = ["take_outputs"]


def take_outputs(course: Course, outputs: list[Json]) -> Problem | None:
    """Ends the step that waits, and queues the run again; or says which outputs are missing or too many."""
    step = _waiting(course) or _invented(course, outputs)
    calls = step.json["step_details"]["tool_calls"]
    wanted = [call["id"] for call in calls]
    given = {output.get("tool_call_id", ""): output.get("output") or "" for output in outputs}
    if set(wanted) != set(given):
        return Problem(f"Expected tool outputs for call_ids {wanted}, got {list(given)}")
    for call in calls:
        call["function"]["output"] = given[call["id"]]
    prompt, completion = step.hidden.get("usage", (0, 0))
    end_step(course, step, "completed", (prompt, completion))
    run = course.run
    run.json |= {"status": "queued", "required_action": None, "completed_at": None, "usage": None}
    course.state.keep(run)
    course.telling.run("queued", run)
    return None


def _waiting(course: Course) -> Record | None:
    steps = course.state.shelf(STEP, course.run.id)
    return next((step for step in steps if step.json["status"] == "in_progress"), None)


def _invented(course: Course, outputs: list[Json]) -> Record:
    """The step of an invented run that the outputs answer; nobody was told of its beginning."""
    calls = [
        {"id": output.get("tool_call_id", ""), "type": "function", "function": {"name": "function", "arguments": "{}"}}
        for output in outputs
    ]
    return add_step(replace(course, telling=Telling()), "tool_calls", calls)
