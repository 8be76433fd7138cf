"""What the API finds wrong with a request for a chat completion that its schema does not tell.

Wording: as users of the API report it in public code and issues.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from replayproxy.core.problem import Problem
from replayproxy.emulator.records import Json

__all__ = ["chat_problem"]

_TOOL_FIRST = (
    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
)
_UNANSWERED = (
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
    "The following tool_call_ids did not have response messages: {ids}"
)
_NO_JSON = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
#: A parameter, the one that it needs, and how the API says so.
_NEEDED = (
    ("stream_options", "stream", "The 'stream_options' parameter is only allowed when 'stream' is enabled."),
    ("top_logprobs", "logprobs", "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled."),
    ("metadata", "store", "The 'metadata' parameter is only allowed when 'store' is enabled."),
    (
        "tool_choice",
        "tools",
        "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
    ),
    (
        "parallel_tool_calls",
        "tools",
        "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are specified.",
    ),
)


def chat_problem(body: Json) -> Problem | None:
    """The first thing wrong with a body that has the right form."""
    for name, needed, message in _NEEDED:
        if body.get(name) is not None and not body.get(needed) and body[name] not in ("none", {}):
            return Problem(message, name)
    asked_for = body.get("response_format") or {}
    if asked_for.get("type") == "json_object" and b"json" not in orjson.dumps(body["messages"]).lower():
        return Problem(_NO_JSON, "messages")
    return _order_problem(body["messages"])


def _order_problem(messages: Sequence[Json]) -> Problem | None:
    """Answers of tools stand directly behind the message that called them, one for each call."""
    waiting: list[str] = []
    calling = False
    for place, message in enumerate(messages):
        if message["role"] == "tool":
            if not calling:
                return Problem(_TOOL_FIRST, f"messages.[{place}].role")
            waiting = [id_ for id_ in waiting if id_ != message["tool_call_id"]]
            continue
        if waiting:
            return _unanswered(waiting, place)
        waiting = [call["id"] for call in message.get("tool_calls") or ()]
        calling = bool(waiting)
    return _unanswered(waiting, len(messages)) if waiting else None


def _unanswered(ids: list[str], place: int) -> Problem:
    return Problem(_UNANSWERED.format(ids=", ".join(ids)), f"messages.[{place}].role")
