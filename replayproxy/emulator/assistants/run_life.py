"""The life of a run: how it moves on, and how it ends.

    queued → in_progress → completed | failed | cancelled | expired | incomplete
                  ↓  ↑
        requires_action → queued, when the outputs of the tools have been handed in
    (queued, in_progress, requires_action) → cancelling → cancelled

Rules:
1. No time passes by itself. A run is queued in the answer that queues it, and in progress for whoever asks next; each
   retrieval of it moves it on one step, and so does a list of its steps or of its thread's messages, for those who
   poll these. One that requires action waits.
2. A model is asked when the run leaves `in_progress`, once, however many look at the run meanwhile.
3. A stream goes through all at once. What it tells has happened before it is told: who hangs up finds the run ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

from replayproxy.emulator.answers import DONE, Event
from replayproxy.emulator.assistants.run_course import Course, tick
from replayproxy.emulator.assistants.run_events import Telling
from replayproxy.emulator.assistants.run_outcomes import break_off, follow
from replayproxy.emulator.assistants.run_shapes import ACTIVE, RUN
from replayproxy.emulator.assistants.run_tools import use_tools
from replayproxy.emulator.assistants.run_turns import turn_of
from replayproxy.emulator.brain import Reply
from replayproxy.emulator.brain.words import StreamCut
from replayproxy.emulator.records import Record
from replayproxy.emulator.state import State

__all__ = ["active_run", "begin", "move_on", "poll_thread", "streamed"]


def active_run(state: State, thread: Record) -> Record | None:
    """The run that keeps a thread busy."""
    id_ = thread.hidden.get("run")
    run = state.get(RUN, id_, thread.id) if id_ else None
    return run if run is not None and run.json["status"] in ACTIVE else None


def begin(course: Course) -> None:
    """What was queued is in progress."""
    json = course.run.json
    if json["status"] == "queued":
        json |= {"status": "in_progress", "started_at": json["started_at"] or tick(course.run)}
        course.state.keep(course.run)
        course.telling.run("in_progress", course.run)


async def move_on(course: Course) -> None:
    """One step in the life of a run."""
    status = course.run.json["status"]
    if status == "queued":
        begin(course)
    elif status == "in_progress":
        await _think(course)
    elif status == "cancelling":
        break_off(course, "cancelled")


async def poll_thread(state: State, thread: Record) -> None:
    """One step in the life of the run that a thread is busy with, if there is one."""
    run = active_run(state, thread)
    if run is not None:
        await move_on(Course(state, thread, run, Telling()))


async def streamed(course: Course) -> AsyncIterator[Event]:
    """The events of a run that has been queued, from what was told of it already to its end."""
    for event in course.telling.take():
        yield event
    begin(course)
    for event in course.telling.take():
        yield event
    reply = await _think(course)
    if course.run.json["status"] == "cancelling":
        course.telling.run("cancelling", course.run)
        break_off(course, "cancelled")
    for event in _sent(course.telling.take(), None if reply is None else reply.cut):
        yield event
    yield "done", DONE


def _sent(events: list[Event], most: int | None) -> Iterator[Event]:
    """The events, broken off after so many pieces of the reply, or at its end, when it says so."""
    for name, data in events:
        if most is not None and name.endswith(".delta"):
            if most == 0:
                raise StreamCut
            most -= 1
        yield name, data
    if most is not None:
        raise StreamCut


async def _think(course: Course) -> Reply | None:
    """Asks the model and does what it says; None when somebody else has asked it already."""
    run = course.run
    if run.hidden.get("asking"):
        return None
    run.hidden["asking"] = True
    try:
        use_tools(course)
        reply = await course.state.brain.reply(turn_of(course.state, run))
        if reply.delay:
            await asyncio.sleep(reply.delay)
    finally:
        del run.hidden["asking"]
    if run.json["status"] == "in_progress":
        follow(course, reply)
    return reply
