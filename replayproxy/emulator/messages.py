"""The family of messages."""

from __future__ import annotations

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes, deleted, metadata_of, not_found, page_answer
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.state import State

__all__ = ["KINDS", "MESSAGE", "ROUTES", "add_message"]


def _invent(_: State, record: Record) -> None:
    record.json = _message(record, {"role": "user", "content": "Hello"})


MESSAGE = Kind("message", "msg_", _invent)
KINDS = (MESSAGE,)


def add_message(state: State, thread: Record, body: Json) -> Record:
    """Put the message that a valid create-message body describes at the end of a thread."""

    def fill(record: Record) -> None:
        record.json = _message(record, body)

    return state.add(MESSAGE, fill, thread)


def _message(record: Record, body: Json) -> Json:
    """A message as the API answers it: without the status and the like that its description requires."""
    return {
        "id": record.id,
        "object": "thread.message",
        "created_at": record.created_at,
        "assistant_id": None,
        "thread_id": record.parent,
        "run_id": None,
        "role": body["role"],
        "content": _content(body["content"]),
        "attachments": [{"file_id": one["file_id"], "tools": one["tools"]} for one in body.get("attachments") or ()],
        "metadata": metadata_of(body, otherwise={}),
    }


def _content(given: str | list[Json]) -> list[Json]:
    parts = [{"type": "text", "text": given}] if isinstance(given, str) else given
    return [_part(part) for part in parts]


def _part(part: Json) -> Json:
    kind = part["type"]
    if kind == "text":
        return {"type": kind, "text": {"value": part["text"], "annotations": []}}
    return {"type": kind, kind: {**part[kind], "detail": part[kind].get("detail", "auto")}}


def _create(state: State, asked: Asked) -> Answer:
    thread = _thread_of(state, asked)
    return thread if isinstance(thread, Problem) else add_message(state, thread, asked.body).json


def _list(state: State, asked: Asked) -> Answer:
    thread = _thread_of(state, asked)
    if isinstance(thread, Problem):
        return thread
    run = asked.query.get("run_id")
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


def _thread_of(state: State, asked: Asked) -> Record | Problem:
    id_ = asked.params["thread_id"]
    return state.get(state.kinds["thread"], id_) or not_found("thread", id_)


def _message_of(state: State, asked: Asked) -> Record | Problem:
    thread, id_ = _thread_of(state, asked), asked.params["message_id"]
    return thread if isinstance(thread, Problem) else state.get(MESSAGE, id_, thread.id) or not_found("message", id_)


ROUTES: Routes = (
    ("listMessages", _list),
    ("createMessage", _create),
    ("getMessage", _get),
    ("modifyMessage", _modify),
    ("deleteMessage", _delete),
)
