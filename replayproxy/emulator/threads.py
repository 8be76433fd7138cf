"""The family of threads: what its operations do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from replayproxy.core.problem import Call
from replayproxy.emulator.family import Answer, Routes, body_of, deleted, metadata_of, not_found
from replayproxy.emulator.messages import add_message
from replayproxy.emulator.shelf import mint
from replayproxy.emulator.state import Json, State, Thread

__all__ = ["ROUTES", "add_thread", "thread_json"]


def add_thread(state: State, body: dict[str, Any]) -> Thread:
    """Make the thread that a valid create-thread body describes, its messages included."""

    def make(id_: str, created_at: int) -> Thread:
        resources = _resources(state, id_, body.get("tool_resources"))
        messages = state.messages_of(id_, created_at)
        return Thread(id_, created_at, metadata_of(body, otherwise={}), resources, messages)

    thread = state.threads.add(make)
    for message in body.get("messages", ()):
        add_message(thread, message)
    return thread


def thread_json(thread: Thread) -> Json:
    """A thread as the API answers it."""
    return {
        "id": thread.id,
        "object": "thread",
        "created_at": thread.created_at,
        "metadata": thread.metadata,
        "tool_resources": thread.tool_resources,
    }


def _resources(state: State, thread_id: str, given: dict[str, Any] | None) -> Json:
    """The resources of a thread as they are answered; of a vector store made along with it, the id alone is there."""
    answered: Json = {}
    given = given or {}
    if given.get("code_interpreter") is not None:
        answered["code_interpreter"] = {"file_ids": given["code_interpreter"].get("file_ids", [])}
    if given.get("file_search") is not None:
        made = [
            mint("vs", state.settings.seed, thread_id, place)
            for place, _ in enumerate(given["file_search"].get("vector_stores", ()))
        ]
        answered["file_search"] = {"vector_store_ids": [*given["file_search"].get("vector_store_ids", ()), *made]}
    return answered


def _create(state: State, call: Call) -> Answer:
    return thread_json(add_thread(state, body_of(call)))


def _get(state: State, call: Call) -> Answer:
    thread = state.threads.get(call.params["thread_id"])
    if not thread:
        return _no_thread(call)
    # The real API says so when a thread without resources is retrieved, and {} when it is created or modified.
    return thread_json(thread) | {"tool_resources": thread.tool_resources or {"code_interpreter": {"file_ids": []}}}


def _modify(state: State, call: Call) -> Answer:
    thread = state.threads.get(call.params["thread_id"])
    if not thread:
        return _no_thread(call)
    body: dict[str, Any] = body_of(call)
    resources = body.get("tool_resources")
    changed = replace(
        thread,
        metadata=metadata_of(body, otherwise=thread.metadata),
        tool_resources=thread.tool_resources if resources is None else _resources(state, thread.id, resources),
    )
    return thread_json(state.threads.replace(thread.id, changed))


def _delete(state: State, call: Call) -> Answer:
    thread = state.threads.remove(call.params["thread_id"])
    return deleted(thread.id, "thread.deleted") if thread else _no_thread(call)


def _no_thread(call: Call) -> Answer:
    return not_found("thread", call.params["thread_id"])


ROUTES: Routes = (
    ("createThread", _create),
    ("getThread", _get),
    ("modifyThread", _modify),
    ("deleteThread", _delete),
)
