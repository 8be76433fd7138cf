"""The family of runs, and creating a thread with one. How runs move on is told in run_life.py."""

from __future__ import annotations

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer, Events, Told
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.assistants.assistants import assistant_of
from replayproxy.emulator.assistants.run_course import Course
from replayproxy.emulator.assistants.run_events import Telling
from replayproxy.emulator.assistants.run_life import active_run, begin, move_on, streamed
from replayproxy.emulator.assistants.run_messages import MESSAGE, add_message
from replayproxy.emulator.assistants.run_outputs import take_outputs
from replayproxy.emulator.assistants.run_resources import resources_of
from replayproxy.emulator.assistants.run_shapes import RUN, is_invented, run_json
from replayproxy.emulator.assistants.run_steps import course_of, wants_results
from replayproxy.emulator.assistants.threads import add_thread, thread_of
from replayproxy.emulator.family import Routes, metadata_of, page_answer
from replayproxy.emulator.records import Json, Record
from replayproxy.emulator.state import State

__all__ = ["KINDS", "ROUTES"]

KINDS = (RUN,)
#: Clients wait so many milliseconds before they ask again; left to themselves they wait a second.
_POLL = {"openai-poll-after-ms": "10"}
_MOVING = ("queued", "in_progress", "cancelling")
_NOTHING_TO_SAY = Problem(
    "Run creation requires a Thread with a user message or an assistant with instructions.", code="invalid_thread"
)


def _create(state: State, asked: Asked) -> Answer:
    thread, body = thread_of(state, asked), asked.body
    if isinstance(thread, Problem):
        return thread
    assistant = assistant_of(state, body["assistant_id"])
    if isinstance(assistant, Problem):
        return assistant
    active = active_run(state, thread)
    if active is not None:
        return Problem(f"Thread {thread.id} already has an active run {active.id}.")
    more = body.get("additional_messages") or []
    said = any(each.json["role"] == "user" for each in state.shelf(MESSAGE, thread.id))
    if not said and not _can_begin(assistant, body, more):
        return _NOTHING_TO_SAY
    for each in more:
        add_message(state, thread, each)
    return _begun(state, asked, thread, assistant, Telling(results=wants_results(asked)))


def _create_with_thread(state: State, asked: Asked) -> Answer:
    body = asked.body
    assistant = assistant_of(state, body["assistant_id"])
    if isinstance(assistant, Problem):
        return assistant
    given = body.get("thread") or {}
    if not _can_begin(assistant, body, given.get("messages") or []):
        return _NOTHING_TO_SAY
    thread = add_thread(state, {"tool_resources": body.get("tool_resources")} | given)
    telling = Telling(results=wants_results(asked))
    telling.thread(thread)
    return _begun(state, asked, thread, assistant, telling)


def _can_begin(assistant: Record, body: Json, messages: list[Json]) -> bool:
    instructions = (assistant.json["instructions"], body.get("instructions"), body.get("additional_instructions"))
    return any(instructions) or any(each["role"] == "user" for each in messages)


def _begun(state: State, asked: Asked, thread: Record, assistant: Record, telling: Telling) -> Answer:
    """The answer to the creation of a run: the run, or all that becomes of it."""

    def fill(record: Record) -> None:
        record.json = run_json(record, assistant.json, asked.body)
        resources = asked.body.get("tool_resources")
        record.hidden["resources"] = resources_of(state, resources, "assistant") or assistant.json["tool_resources"]

    run = state.add(RUN, fill, thread)
    thread.hidden["run"] = run.id
    state.keep(thread)
    if not asked.body.get("stream"):
        return run.json
    telling.run("created", run)
    telling.run("queued", run)
    return Events(streamed(Course(state, thread, run, telling)))


def _list(state: State, asked: Asked) -> Answer:
    thread = thread_of(state, asked)
    if isinstance(thread, Problem):
        return thread
    active = active_run(state, thread)
    if active is not None:
        begin(Course(state, thread, active, Telling()))
    return page_answer(state.shelf(RUN, thread.id), RUN, asked)


async def _get(state: State, asked: Asked) -> Answer:
    course = course_of(state, asked)
    if isinstance(course, Problem):
        return course
    await move_on(course)
    json = course.run.json
    return Told(json, headers=_POLL) if json["status"] in _MOVING else json


def _modify(state: State, asked: Asked) -> Answer:
    course = course_of(state, asked)
    if isinstance(course, Problem):
        return course
    begin(course)
    run = course.run
    if run.json["status"] in _MOVING and not is_invented(state, run):
        return Problem(f"Cannot update run with status '{run.json['status']}'.")
    run.json["metadata"] = metadata_of(asked.body, otherwise=run.json["metadata"])
    state.keep(run)
    return run.json


def _cancel(state: State, asked: Asked) -> Answer:
    course = course_of(state, asked)
    if isinstance(course, Problem):
        return course
    begin(course)
    run = course.run
    status = run.json["status"]
    if status not in ("in_progress", "requires_action") and not is_invented(state, run):
        return Problem(f"Cannot cancel run with status '{status}'.")
    run.json |= {"status": "cancelling", "required_action": None}
    state.keep(run)
    return run.json


def _submit(state: State, asked: Asked) -> Answer:
    course = course_of(state, asked)
    if isinstance(course, Problem):
        return course
    begin(course)
    run = course.run
    course.telling.take()
    if run.json["status"] != "requires_action" and not is_invented(state, run):
        return Problem(f'Runs in status "{run.json["status"]}" do not accept tool outputs.')
    problem = take_outputs(course, asked.body["tool_outputs"])
    if problem is not None:
        return problem
    return Events(streamed(course)) if asked.body.get("stream") else run.json


ROUTES: Routes = (
    ("createRun", _create),
    ("createThreadAndRun", _create_with_thread),
    ("listRuns", _list),
    ("getRun", _get),
    ("modifyRun", _modify),
    ("cancelRun", _cancel),
    ("submitToolOuputsToRun", _submit),
)
