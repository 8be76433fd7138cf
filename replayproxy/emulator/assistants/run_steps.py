"""The family of run steps."""

from __future__ import annotations

from functools import partial

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.assistants.run_course import Course
from replayproxy.emulator.assistants.run_events import Telling
from replayproxy.emulator.assistants.run_life import move_on
from replayproxy.emulator.assistants.run_shapes import RUN, STEP, shown_step
from replayproxy.emulator.assistants.threads import thread_of
from replayproxy.emulator.family import Routes, not_found, page_answer
from replayproxy.emulator.state import State

__all__ = ["KINDS", "ROUTES", "course_of", "wants_results"]

KINDS = (STEP,)
_RESULTS = "step_details.tool_calls[*].file_search.results[*].content"


def wants_results(asked: Asked) -> bool:
    """Whether the text of what file search found is asked for."""
    return any(name in ("include[]", "include") and value == _RESULTS for name, value in asked.call.query)


def course_of(state: State, asked: Asked) -> Course | Problem:
    """The run that the path names, on its thread."""
    thread, id_ = thread_of(state, asked), asked.params["run_id"]
    if isinstance(thread, Problem):
        return thread
    run = state.get(RUN, id_, thread.id)
    if run is None:
        return not_found("run", id_)
    return Course(state, thread, run, Telling(results=wants_results(asked)))


async def _list(state: State, asked: Asked) -> Answer:
    course = course_of(state, asked)
    if isinstance(course, Problem):
        return course
    if not asked.query.get("after") and not asked.query.get("before"):  # who turns pages looks at what is there
        await move_on(course)
    results = wants_results(asked)
    return page_answer(state.shelf(STEP, course.run.id), STEP, asked, render=partial(shown_step, results=results))


def _get(state: State, asked: Asked) -> Answer:
    course, id_ = course_of(state, asked), asked.params["step_id"]
    if isinstance(course, Problem):
        return course
    run = course.run
    step = state.get(STEP, id_, run.id)
    if step is None:
        return not_found("run step", id_)
    # One that was made up for an unknown id knows its run by id alone.
    step.json |= {"thread_id": run.parent, "assistant_id": run.json["assistant_id"]}
    return shown_step(step, results=wants_results(asked))


ROUTES: Routes = (("listRunSteps", _list), ("getRunStep", _get))
