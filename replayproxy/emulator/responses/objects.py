"""The response object: what it repeats of the request, in the order of the API's keys.

Facts: recordings of the real API (responses_create, responses_create_with_tool_call). What came to the object later is
there when the request gives it.
"""

from __future__ import annotations

import re
from typing import Any

from replayproxy.emulator.brain import Usage
from replayproxy.emulator.chat.models import snapshot
from replayproxy.emulator.family import metadata_of
from replayproxy.emulator.records import Json, Record
from replayproxy.emulator.responses.turns import DEFAULT_MODEL

__all__ = ["conversation_id", "reasons", "response_json", "usage_json"]

_REDACTED = "<redacted>"
#: What a tool is taken to say where it says nothing.
_TOOLS: dict[str, Json] = {
    "function": {"description": None, "name": "", "parameters": None, "strict": True},
    "file_search": {
        "filters": None,
        "max_num_results": 20,
        "ranking_options": {"ranker": "auto", "score_threshold": 0.0},
    },
    "web_search": {"filters": None, "search_context_size": "medium", "user_location": None},
    "web_search_preview": {"search_context_size": "medium", "user_location": None},
    "image_generation": {
        "background": "auto",
        "moderation": "auto",
        "output_compression": 100,
        "output_format": "png",
        "quality": "auto",
        "size": "auto",
    },
    "mcp": {"allowed_tools": None, "headers": None, "require_approval": "always"},
    "custom": {"format": {"type": "text"}},
}
#: Models that think before they answer.
_REASONING = re.compile(r"(?:.*[/:])?(?:o\d|gpt-5(?!-chat))")


def reasons(model: str) -> bool:
    """Whether a model's answers begin with a reasoning item."""
    return _REASONING.match(model) is not None


def response_json(record: Record, body: Json, status: str) -> Json:
    """The response to `body` before anything was answered."""
    model, conversation = body.get("model") or DEFAULT_MODEL, conversation_id(body)
    return {
        "id": record.id,
        "object": "response",
        "created_at": record.created_at,
        "status": status,
        **_given(body, "background"),
        **({"conversation": {"id": conversation}} if conversation else {}),
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        **_given(body, "max_tool_calls"),
        "model": snapshot(model),
        "output": [],
        "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
        "previous_response_id": body.get("previous_response_id"),
        **_prompt(body),
        **_given(body, "prompt_cache_key", "prompt_cache_retention"),
        "reasoning": _reasoning(model, body.get("reasoning") or {}),
        **_given(body, "safety_identifier"),
        **({"service_tier": _tier(body["service_tier"])} if body.get("service_tier") else {}),
        "store": body.get("store") is not False,
        "temperature": _number(body.get("temperature")),
        "text": _text(body.get("text") or {}),
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": [_tool(tool) for tool in body.get("tools") or ()],
        **_given(body, "top_logprobs"),
        "top_p": _number(body.get("top_p")),
        "truncation": body.get("truncation") or "disabled",
        "usage": None,
        "user": body.get("user"),
        "metadata": metadata_of(body, otherwise={}),
    }


def conversation_id(body: Json) -> str | None:
    """The id of the conversation that a request goes on with; None when there is none."""
    given = body.get("conversation")
    found = given.get("id") if isinstance(given, dict) else given
    return None if found is None else str(found)


def usage_json(usage: Usage) -> Json:
    """Tokens, as responses tell of them."""
    return {
        "input_tokens": usage.prompt,
        "input_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": 0},
        "output_tokens": usage.completion,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.total,
    }


def _given(body: Json, *names: str) -> Json:
    return {name: body[name] for name in names if body.get(name) is not None}


def _prompt(body: Json) -> Json:
    return {"prompt": {"variables": None, "version": None} | body["prompt"]} if body.get("prompt") else {}


def _reasoning(model: str, given: Json) -> Json:
    effort = given.get("effort") or ("medium" if reasons(model) else None)
    return {"effort": effort, "generate_summary": given.get("generate_summary")} | _given(given, "summary")


def _tier(given: str) -> str:
    return "default" if given == "auto" else given


def _number(given: float | None) -> float:
    return 1.0 if given is None else float(given)


def _text(given: Json) -> Json:
    return {"format": given.get("format") or {"type": "text"}} | _given(given, "verbosity")


def _tool(given: Json) -> Json:
    kind = given["type"]
    tool: dict[str, Any] = {"type": kind} | _TOOLS.get(kind, {})
    tool |= {name: value for name, value in given.items() if value is not None or name in tool}
    if tool.get("headers"):
        tool["headers"] = dict.fromkeys(tool["headers"], _REDACTED)
    if tool.get("authorization"):
        tool["authorization"] = _REDACTED
    return tool
