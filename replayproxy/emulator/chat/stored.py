"""Chat completions that were stored: kept with the messages that they answer, listed, changed and deleted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.brain import Reply, Usage
from replayproxy.emulator.chat.answers import completion_json
from replayproxy.emulator.chat.models import snapshot
from replayproxy.emulator.chat.replies import Completion
from replayproxy.emulator.family import Routes, listed, metadata_of, not_found
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.state import State

__all__ = ["CHAT", "KINDS", "MESSAGE", "STORED_ROUTES", "store"]

#: An id has so many characters behind its prefix.
_LENGTH = 29
_MODEL = "gpt-4o-mini"


def _invent(state: State, record: Record) -> None:
    body = {"model": _MODEL, "messages": [{"role": "user", "content": "Hello"}]}
    reply = Reply("Hello! How can I help you today?", usage=Usage(8, 9))
    completion = Completion(record.id, record.created_at, snapshot(_MODEL), body, (reply,), state.settings.seed)
    record.json, record.hidden = _stored(completion), {"model": _MODEL}


def _invent_message(_: State, record: Record) -> None:
    record.json = _message(record, {"role": "user", "content": "Hello"})


CHAT = Kind("chat completion", "chatcmpl-", _invent, _LENGTH)
#: Its id is the completion's with the message's place, so none is ever made up for it.
MESSAGE = Kind("chat completion message", "chatcmpl-", _invent_message, _LENGTH)
KINDS = (CHAT, MESSAGE)


def store(state: State, completion: Completion) -> Completion:
    """Keeps a completion with its messages; gives it with the time that it has among those kept."""

    def fill(record: Record) -> None:
        kept = replace(completion, created=record.created_at)
        record.json, record.hidden = _stored(kept), {"model": completion.body["model"]}

    record = state.add(CHAT, fill, id_=completion.id)
    for place, given in enumerate(completion.body["messages"]):
        _add_message(state, record, place, given)
    return replace(completion, created=record.created_at)


def _add_message(state: State, parent: Record, place: int, given: Json) -> None:
    def fill(record: Record) -> None:
        record.json = _message(record, given)

    state.add(MESSAGE, fill, parent, id_=f"{parent.id}-{place}")


def _stored(completion: Completion) -> Json:
    """A completion as it is answered later: with what the request asked for, in the order of the API's examples.

    Left out: `request_id`, which nobody knows here, and calls that are null in the examples though no schema lets them.
    """
    body, made = completion.body, completion_json(completion)
    return {
        "object": made["object"],
        "id": made["id"],
        "model": made["model"],
        "created": made["created"],
        "tool_choice": body.get("tool_choice"),
        "usage": made["usage"],
        "seed": body.get("seed"),
        "top_p": _number(body, "top_p", 1.0),
        "temperature": _number(body, "temperature", 1.0),
        "presence_penalty": _number(body, "presence_penalty", 0.0),
        "frequency_penalty": _number(body, "frequency_penalty", 0.0),
        "system_fingerprint": made["system_fingerprint"],
        "input_user": body.get("user"),
        "service_tier": made["service_tier"],
        "tools": body.get("tools"),
        "metadata": metadata_of(body, otherwise={}),
        "choices": made["choices"],
        "response_format": body.get("response_format"),
    }


def _number(body: Json, name: str, otherwise: float) -> float:
    return otherwise if body.get(name) is None else float(body[name])


def _message(record: Record, given: Json) -> Json:
    """A message of the request; content in parts is told as parts, and its text as content."""
    content, parts = given.get("content"), None
    if isinstance(content, list):
        parts = [part for part in content if part["type"] in ("text", "image_url")]
        content = "".join(part["text"] for part in parts if part["type"] == "text") or None
    message = {"id": record.id, "role": given["role"], "content": content, "name": given.get("name")}
    calls = {key: given[key] for key in ("tool_calls", "tool_call_id") if given.get(key) is not None}
    return message | calls | {"content_parts": parts}


def _missing(id_: str) -> Problem:
    """No such completion; the wording is inferred, parameter and code are the real API's."""
    return Problem(f"Chat completion with id '{id_}' not found.", "completion_id", "not_found", 404)


def _completion_of(state: State, asked: Asked) -> Record | Problem:
    id_ = asked.params["completion_id"]
    return state.get(CHAT, id_) or _missing(id_)


def _page(
    state: State, asked: Asked, kind: Kind, parent: str = "", wanted: Callable[[Record], bool] | None = None
) -> Answer:
    """A page of a list whose order, unless it is given, is that of creation."""
    query = asked.page()
    if isinstance(query, Problem):
        return query
    if "order" not in asked.query:
        query = replace(query, order="asc")
    page = state.shelf(kind, parent).page(query, wanted)
    if isinstance(page, str):
        return not_found(kind.name, page)
    return listed([record.json for _, record in page.items], has_more=page.has_more)


def _list(state: State, asked: Asked) -> Answer:
    query = asked.query
    metadata, model = query.get("metadata"), query.get("model")
    metadata = metadata if isinstance(metadata, dict) else {}

    def wanted(record: Record) -> bool:
        has = record.json["metadata"]
        return (model in (None, record.json["model"], record.hidden.get("model"))) and all(
            has.get(key) == value for key, value in metadata.items()
        )

    return _page(state, asked, CHAT, wanted=wanted if metadata or model else None)


def _get(state: State, asked: Asked) -> Answer:
    record = _completion_of(state, asked)
    return record if isinstance(record, Problem) else record.json


def _update(state: State, asked: Asked) -> Answer:
    record = _completion_of(state, asked)
    if isinstance(record, Problem):
        return record
    record.json["metadata"] = metadata_of(asked.body, otherwise={})
    state.keep(record)
    return record.json


def _delete(state: State, asked: Asked) -> Answer:
    record = _completion_of(state, asked)
    if isinstance(record, Problem):
        return record
    for message in list(state.shelf(MESSAGE, record.id)):
        state.remove(MESSAGE, message.id, record.id)
    state.remove(CHAT, record.id)
    return {"object": "chat.completion.deleted", "id": record.id, "deleted": True}


def _messages(state: State, asked: Asked) -> Answer:
    record = _completion_of(state, asked)
    return record if isinstance(record, Problem) else _page(state, asked, MESSAGE, record.id)


STORED_ROUTES: Routes = (
    ("listChatCompletions", _list),
    ("getChatCompletion", _get),
    ("updateChatCompletion", _update),
    ("deleteChatCompletion", _delete),
    ("getChatCompletionMessages", _messages),
)
