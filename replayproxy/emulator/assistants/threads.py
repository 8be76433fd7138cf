"""The family of threads."""

from __future__ import annotations

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.assistants.run_messages import add_message
from replayproxy.emulator.assistants.run_resources import resources_of
from replayproxy.emulator.family import Routes, deleted, find, metadata_of, not_found
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.state import State

__all__ = ["KINDS", "ROUTES", "THREAD", "add_thread", "thread_of"]


def _invent(_: State, record: Record) -> None:
    record.json = _thread(record, {}, {})


THREAD = Kind("thread", "thread_", _invent)
KINDS = (THREAD,)


def add_thread(state: State, body: Json) -> Record:
    """Make the thread that a valid create-thread body describes, its messages included."""

    def fill(record: Record) -> None:
        resources = resources_of(state, body.get("tool_resources"), "thread")
        record.json = _thread(record, metadata_of(body, otherwise={}), resources)

    thread = state.add(THREAD, fill)
    for message in body.get("messages") or ():
        add_message(state, thread, message)
    return thread


def thread_of(state: State, asked: Asked) -> Record | Problem:
    """The thread that the path names."""
    id_ = asked.params["thread_id"]
    return find(state, THREAD, id_)


def _thread(record: Record, metadata: dict[str, str], resources: Json) -> Json:
    return {
        "id": record.id,
        "object": "thread",
        "created_at": record.created_at,
        "metadata": metadata,
        "tool_resources": resources,
    }


def _create(state: State, asked: Asked) -> Answer:
    return add_thread(state, asked.body).json


def _get(state: State, asked: Asked) -> Answer:
    thread = thread_of(state, asked)
    if isinstance(thread, Problem):
        return thread
    # The real API says so when a thread without resources is retrieved, and {} when it is created or modified.
    return thread.json | {"tool_resources": thread.json["tool_resources"] or {"code_interpreter": {"file_ids": []}}}


def _modify(state: State, asked: Asked) -> Answer:
    thread = thread_of(state, asked)
    if isinstance(thread, Problem):
        return thread
    thread.json["metadata"] = metadata_of(asked.body, otherwise=thread.json["metadata"])
    if asked.body.get("tool_resources") is not None:
        thread.json["tool_resources"] = resources_of(state, asked.body["tool_resources"], "thread")
    state.keep(thread)
    return thread.json


def _delete(state: State, asked: Asked) -> Answer:
    id_ = asked.params["thread_id"]
    return deleted(id_, "thread.deleted") if state.remove(THREAD, id_) else not_found("thread", id_)


ROUTES: Routes = (
    ("createThread", _create),
    ("getThread", _get),
    ("modifyThread", _modify),
    ("deleteThread", _delete),
)
