"""The family of assistants."""

from __future__ import annotations

from typing import Any

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.assistants.run_resources import resources_of
from replayproxy.emulator.family import Routes, deleted, find, metadata_of, not_found, page_answer
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.state import State

__all__ = ["ASSISTANT", "KINDS", "ROUTES", "assistant_of"]

#: What an assistant has when nothing else was said, and what null sets back to.
_DEFAULTS: Json = {
    "name": None,
    "description": None,
    "model": "gpt-4o",
    "instructions": None,
    "tools": [],
    "top_p": 1.0,
    "temperature": 1.0,
    "reasoning_effort": None,
    "response_format": "auto",
}


def _invent(_: State, record: Record) -> None:
    record.json = _assistant(record, {"instructions": "You are a helpful assistant."}, {})


ASSISTANT = Kind("assistant", "asst_", _invent)
KINDS = (ASSISTANT,)


def assistant_of(state: State, id_: str) -> Record | Problem:
    """The assistant with that id."""
    return find(state, ASSISTANT, id_)


def _assistant(record: Record, body: Json, resources: Json) -> Json:
    fields = {name: _value(name, body.get(name)) for name in _DEFAULTS}
    response_format = fields.pop("response_format")
    return {
        "id": record.id,
        "object": "assistant",
        "created_at": record.created_at,
        **fields,
        "tool_resources": resources,
        "metadata": metadata_of(body, otherwise={}),
        "response_format": response_format,
    }


def _value(name: str, given: Any) -> Any:
    if given is None:
        default = _DEFAULTS[name]
        return [*default] if isinstance(default, list) else default
    return float(given) if name in ("top_p", "temperature") else given


def _create(state: State, asked: Asked) -> Answer:
    def fill(record: Record) -> None:
        record.json = _assistant(record, asked.body, resources_of(state, asked.body.get("tool_resources"), "assistant"))

    return state.add(ASSISTANT, fill).json


def _list(state: State, asked: Asked) -> Answer:
    return page_answer(state.shelf(ASSISTANT), ASSISTANT, asked)


def _get(state: State, asked: Asked) -> Answer:
    assistant = assistant_of(state, asked.params["assistant_id"])
    return assistant if isinstance(assistant, Problem) else assistant.json


def _modify(state: State, asked: Asked) -> Answer:
    assistant, body = assistant_of(state, asked.params["assistant_id"]), asked.body
    if isinstance(assistant, Problem):
        return assistant
    json = assistant.json
    json |= {name: _value(name, body[name]) for name in _DEFAULTS if name in body}
    json["metadata"] = metadata_of(body, otherwise=json["metadata"])
    if body.get("tool_resources") is not None:
        json["tool_resources"] = resources_of(state, body["tool_resources"], "assistant")
    state.keep(assistant)
    return json


def _delete(state: State, asked: Asked) -> Answer:
    id_ = asked.params["assistant_id"]
    return deleted(id_, "assistant.deleted") if state.remove(ASSISTANT, id_) else not_found("assistant", id_)


ROUTES: Routes = (
    ("listAssistants", _list),
    ("createAssistant", _create),
    ("getAssistant", _get),
    ("modifyAssistant", _modify),
    ("deleteAssistant", _delete),
)
