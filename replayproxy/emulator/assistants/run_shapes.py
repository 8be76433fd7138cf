"""Runs and their steps as the API answers them, and the kinds of both.

Source of fields and their order: recordings of the real API (run_steps_retrieve_run_setup of 2025, run_steps_list,
runs_streamed_create).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from replayproxy.emulator.family import metadata_of
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.shelf import mint
from replayproxy.emulator.state import State

__all__ = ["ACTIVE", "RUN", "STEP", "is_invented", "run_json", "shown_step", "step_json", "tokens"]

#: While a run has one of these, its thread takes neither messages nor another run.
ACTIVE = frozenset({"queued", "in_progress", "requires_action", "cancelling"})
#: How many seconds a run has before it expires.
LIFE = 600
_GREETING = "You are a helpful assistant."


def _invent_run(state: State, record: Record) -> None:
    """A run that was completed long ago."""
    assistant = {"id": mint("asst_", state.settings.seed, record.id), "model": "gpt-4o", "instructions": _GREETING}
    record.json = run_json(record, assistant, {}) | {
        "status": "completed",
        "started_at": record.created_at,
        "expires_at": None,
        "completed_at": record.created_at,
        "usage": tokens(0, 0),
    }
    record.hidden["invented"] = True


def _invent_step(state: State, record: Record) -> None:
    """A step that said something; `run_steps` puts in whose it is."""
    message = {"message_id": mint("msg_", state.settings.seed, record.id)}
    record.json = step_json(record, Record("run", record.parent, "", 0, record.created_at), "message_creation", message)
    record.json |= {"status": "completed", "completed_at": record.created_at, "usage": tokens(0, 0)}


RUN = Kind("run", "run_", _invent_run)
STEP = Kind("run step", "step_", _invent_step)


def is_invented(state: State, run: Record) -> bool:
    """Whether a run was made up for an id of somebody's: it is in whatever state he takes it to be in."""
    return state.settings.unknown_ids == "create" and bool(run.hidden.get("invented"))


def run_json(record: Record, assistant: Json, body: Json) -> Json:
    """A run that has just been queued: of an assistant, with what a valid create-run body says otherwise."""

    def chosen(name: str, default: Any) -> Any:
        given = body.get(name)
        return given if given is not None else assistant.get(name) if assistant.get(name) is not None else default

    return {
        "id": record.id,
        "object": "thread.run",
        "created_at": record.created_at,
        "assistant_id": assistant["id"],
        "thread_id": record.parent,
        "status": "queued",
        "started_at": None,
        "expires_at": record.created_at + LIFE,
        "cancelled_at": None,
        "failed_at": None,
        "completed_at": None,
        "required_action": None,
        "last_error": None,
        "model": chosen("model", None),
        "instructions": _instructions(assistant, body),
        "tools": chosen("tools", []),
        "tool_resources": {},
        "metadata": metadata_of(body, otherwise={}),
        "temperature": float(chosen("temperature", 1.0)),
        "top_p": float(chosen("top_p", 1.0)),
        "reasoning_effort": chosen("reasoning_effort", None),
        "max_completion_tokens": body.get("max_completion_tokens"),
        "max_prompt_tokens": body.get("max_prompt_tokens"),
        "truncation_strategy": {"type": "auto", "last_messages": None} | (body.get("truncation_strategy") or {}),
        "incomplete_details": None,
        "usage": None,
        "response_format": chosen("response_format", "auto"),
        "tool_choice": body.get("tool_choice") or "auto",
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
    }


def _instructions(assistant: Json, body: Json) -> str:
    """Those of the run, "" when there are none: the API's description has no null here, so strict clients refuse it."""
    own = body.get("instructions")
    parts = (own if own is not None else assistant.get("instructions"), body.get("additional_instructions"))
    return "\n".join(part for part in parts if part)


def step_json(record: Record, run: Record, kind: str, details: Json | list[Json]) -> Json:
    """A step of a run that has just begun; `details` is what stands under its kind's name."""
    return {
        "id": record.id,
        "object": "thread.run.step",
        "created_at": record.created_at,
        "run_id": record.parent,
        "assistant_id": run.json.get("assistant_id", ""),
        "thread_id": run.parent,
        "type": kind,
        "status": "in_progress",
        "cancelled_at": None,
        "completed_at": None,
        "expires_at": run.json.get("expires_at") or run.created_at + LIFE,
        "failed_at": None,
        "last_error": None,
        "step_details": {"type": kind, kind: details},
        "usage": None,
    }


def shown_step(step: Record, *, results: bool) -> Json:
    """A step as it is answered: the text of what file search found is there only when it was asked for."""
    if results or step.json["type"] != "tool_calls":
        return step.json
    shown = copy.deepcopy(step.json)
    for call in shown["step_details"]["tool_calls"]:
        for result in call.get("file_search", {}).get("results", ()):
            result.pop("content", None)
    return shown


def tokens(prompt: int, completion: int) -> Mapping[str, int]:
    """Tokens as runs and steps tell them."""
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
