"""The family of messages: what its operations do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from replayproxy.core.problem import Call
from replayproxy.emulator.family import Answer, Routes, body_of, deleted, metadata_of, not_found, page_answer
from replayproxy.emulator.state import Json, Message, State, Thread

__all__ = ["ROUTES", "add_message", "message_json"]


def add_message(thread: Thread, body: dict[str, Any]) -> Message:
    """Put the message that a valid create-message body describes at the end of a thread."""
    attachments = [{"file_id": one["file_id"], "tools": one["tools"]} for one in body.get("attachments") or ()]

    def make(id_: str, created_at: int) -> Message:
        content = _content(body["content"])
        return Message(
            id_, created_at, thread.id, body["role"], content, tuple(attachments), metadata_of(body, otherwise={})
        )

    return thread.messages.add(make)


def message_json(message: Message) -> Json:
    """A message as the API answers it: without the status and the like that its description requires."""
    return {
        "id": message.id,
        "object": "thread.message",
        "created_at": message.created_at,
        "assistant_id": message.assistant_id,
        "thread_id": message.thread_id,
        "run_id": message.run_id,
        "role": message.role,
        "content": list(message.content),
        "attachments": list(message.attachments),
        "metadata": message.metadata,
    }


def _content(given: str | list[dict[str, Any]]) -> tuple[Json, ...]:
    parts = [{"type": "text", "text": given}] if isinstance(given, str) else given
    return tuple(_part(part) for part in parts)


def _part(part: dict[str, Any]) -> Json:
    kind = part["type"]
    if kind == "text":
        return {"type": kind, "text": {"value": part["text"], "annotations": []}}
    return {"type": kind, kind: {**part[kind], "detail": part[kind].get("detail", "auto")}}


def _create(state: State, call: Call) -> Answer:
    thread = state.threads.get(call.params["thread_id"])
    return message_json(add_message(thread, body_of(call))) if thread else _no_thread(call)


def _list(state: State, call: Call) -> Answer:
    thread = state.threads.get(call.params["thread_id"])
    if not thread:
        return _no_thread(call)
    run = dict(call.query).get("run_id")
    wanted = (lambda message: message.run_id == run) if run else None
    return page_answer(thread.messages, "message", call, message_json, wanted)


def _get(state: State, call: Call) -> Answer:
    thread = state.threads.get(call.params["thread_id"])
    if not thread:
        return _no_thread(call)
    message = thread.messages.get(call.params["message_id"])
    return message_json(message) if message else _no_message(call)


def _modify(state: State, call: Call) -> Answer:
    thread = state.threads.get(call.params["thread_id"])
    if not thread:
        return _no_thread(call)
    message = thread.messages.get(call.params["message_id"])
    if not message:
        return _no_message(call)
    changed = replace(message, metadata=metadata_of(body_of(call), otherwise=message.metadata))
    return message_json(thread.messages.replace(message.id, changed))


def _delete(state: State, call: Call) -> Answer:
    thread = state.threads.get(call.params["thread_id"])
    if not thread:
        return _no_thread(call)
    message = thread.messages.remove(call.params["message_id"])
    return deleted(message.id, "thread.message.deleted") if message else _no_message(call)


def _no_thread(call: Call) -> Answer:
    return not_found("thread", call.params["thread_id"])


def _no_message(call: Call) -> Answer:
    return not_found("message", call.params["message_id"])


ROUTES: Routes = (
    ("listMessages", _list),
    ("createMessage", _create),
    ("getMessage", _get),
    ("modifyMessage", _modify),
    ("deleteMessage", _delete),
)
