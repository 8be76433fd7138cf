"""A run on its way: what those who move it on work with."""

from __future__ import annotations

from dataclasses import dataclass

from replayproxy.emulator.assistants.run_events import Telling
from replayproxy.emulator.assistants.run_shapes import STEP, step_json, tokens
from replayproxy.emulator.records import Json, Record
from replayproxy.emulator.state import State

__all__ = ["Course", "add_step", "end_run", "end_step", "tick"]

#: What is set to the time when a step or a run ends in that way.
_TIMES = {"completed": "completed_at", "incomplete": "completed_at", "failed": "failed_at", "cancelled": "cancelled_at"}


@dataclass(frozen=True, slots=True)
class Course:
    """A run on its thread, and who is told what becomes of it."""

    state: State
    thread: Record
    run: Record
    telling: Telling


def tick(run: Record) -> int:
    """The time in a run's life, one second later than the last time it was asked for."""
    now = int(run.hidden.get("now", run.created_at)) + 1
    run.hidden["now"] = now
    return now


def add_step(course: Course, kind: str, details: Json | list[Json]) -> Record:
    """A step that has begun, and is told to have."""
    run = course.run

    def fill(record: Record) -> None:
        record.created_at = tick(run)
        record.json = step_json(record, run, kind, details)

    step = course.state.add(STEP, fill, run)
    course.telling.step("created", step)
    course.telling.step("in_progress", step)
    return step


def end_step(
    course: Course, step: Record, status: str, usage: tuple[int, int] = (0, 0), error: Json | None = None
) -> None:
    """Ends a step; its tokens (of the prompt, of the answer) count for the run, too."""
    now = tick(course.run)
    step.json |= {"status": status, "last_error": error, "usage": tokens(*usage)}
    if status in _TIMES:
        step.json[_TIMES[status]] = now
    spent = course.run.hidden.get("usage", [0, 0])
    course.run.hidden["usage"] = [spent[0] + usage[0], spent[1] + usage[1]]
    course.state.keep(step)
    course.telling.step(status, step)


def end_run(course: Course, status: str, **more: Json | None) -> None:
    """Ends the run; its thread is free again."""
    run = course.run
    now = tick(run)
    run.json |= {"status": status, "expires_at": None, "required_action": None, **more}
    run.json["usage"] = tokens(*run.hidden.get("usage", (0, 0)))
    if status in _TIMES:
        run.json[_TIMES[status]] = now
    if course.thread.hidden.get("run") == run.id:
        del course.thread.hidden["run"]
        if _is_there(course):
            course.state.keep(course.thread)
    course.state.keep(run)
    course.telling.run(status, run)


def _is_there(course: Course) -> bool:
    """Whether the thread was not deleted while a model was asked."""
    return course.state.shelf(course.state.kinds["thread"]).get(course.thread.id) is course.thread
