"""The family of messages. What they are made of is in run_messages.py."""

from __future__ import annotations

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.assistants.run_life import active_run, poll_thread
from replayproxy.emulator.assistants.run_messages import MESSAGE, add_message
from replayproxy.emulator.assistants.threads import thread_of
from replayproxy.emulator.family import Routes, deleted, find, metadata_of, page_answer
from replayproxy.emulator.records import Record
from replayproxy.emulator.state import State

__all__ = ["KINDS", "MESSAGE", "ROUTES", "add_message"]


KINDS = (MESSAGE,)


def _create(state: State, asked: Asked) -> Answer:
    thread = thread_of(state, asked)
    if isinstance(thread, Problem):
        return thread
    run = active_run(state, thread)
    if run is not None:
        return Problem(f"Can't add messages to {thread.id} while a run {run.id} is active.")
    return add_message(state, thread, asked.body).json


async def _list(state: State, asked: Asked) -> Answer:
    thread, query = thread_of(state, asked), asked.query
    if isinstance(thread, Problem):
        return thread
    if not query.get("after") and not query.get("before"):  # who turns pages looks at what is there
        await poll_thread(state, thread)
    run = query.get("run_id")
    wanted = (lambda message: message.json["run_id"] == run) if run else None
    return page_answer(state.shelf(MESSAGE, thread.id), MESSAGE, asked, wanted)


def _get(state: State, asked: Asked) -> Answer:
    message = _message_of(state, asked)
    return message if isinstance(message, Problem) else message.json


def _modify(state: State, asked: Asked) -> Answer:
    message = _message_of(state, asked)
    if isinstance(message, Problem):
        return message
    message.json["metadata"] = metadata_of(asked.body, otherwise=message.json["metadata"])
    state.keep(message)
    return message.json


def _delete(state: State, asked: Asked) -> Answer:
    message = _message_of(state, asked)
    if isinstance(message, Problem):
        return message
    state.remove(MESSAGE, message.id, message.parent)
    return deleted(message.id, "thread.message.deleted")


def _message_of(state: State, asked: Asked) -> Record | Problem:
    thread, id_ = thread_of(state, asked), asked.params["message_id"]
    return thread if isinstance(thread, Problem) else find(state, MESSAGE, id_, thread.id)


ROUTES: Routes = (
    ("listMessages", _list),
    ("createMessage", _create),
    ("getMessage", _get),
    ("modifyMessage", _modify),
    ("deleteMessage", _delete),
)
