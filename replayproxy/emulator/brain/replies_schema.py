"""The words of a file of replies, and its JSON Schema for editors (draft-07, which yaml-language-server promises)."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["ANSWER", "FAMILIES", "FINISH", "HOW", "REASONS", "RUNS", "USAGE", "WHEN", "replies_schema"]

FAMILIES: Final = ("chat", "completions", "responses", "runs")
FINISH: Final = ("stop", "length", "tool_calls", "content_filter")
RUNS: Final = ("failed", "expired", "incomplete", "cancelled")
REASONS: Final = ("max_completion_tokens", "max_prompt_tokens")
HOW: Final = ("equals", "contains", "regex")
#: The numbers of `usage`, and what they are called in `turns.Usage`.
USAGE: Final = {
    "prompt_tokens": "prompt",
    "completion_tokens": "completion",
    "reasoning_tokens": "reasoning",
    "cached_tokens": "cached",
}
WHEN: Final = ("model", "family", "user", "tool_result", "turn", "has_tools")
ANSWER: Final = (
    *("text", "tool_calls", "refusal", "finish_reason", "usage", "delay", "error", "run", "last_error", "reason"),
    *("pieces", "cut"),
)
_TEXT: Final = {"type": "string"}
_COUNT: Final = {"type": "integer", "minimum": 0}
_SECONDS: Final = {"type": "number", "minimum": 0}


def replies_schema() -> dict[str, Any]:
    """The JSON Schema (draft-07) of a file of replies, as a structure for JSON."""
    rule = {
        "when": _told("Which turns are meant: all that is given must hold", _object(_when())),
        **_answer(),
        "times": _told("How often the rule answers; without it, always", {"type": "integer", "minimum": 1}),
        "sequence": _told("Answers one after the other", _list(_object(_answer()))),
        "then": _told("What follows the sequence: its last answer again, or nothing more", {"enum": ["repeat", "end"]}),
    }
    whole = {
        "replies": _told("The first rule that fits and is not used up answers", _list(_object(rule))),
        "limits": _told("Requests that are refused with status 429", _list(_object(_limit(), "requests"))),
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "replies.yaml",
        **_object(whole),
        "type": ["object", "null"],
    }


def _when() -> dict[str, Any]:
    ways = {
        "equals": _told("The whole text", _TEXT),
        "contains": _told("A part of it; small and capital letters are alike", _TEXT),
        "regex": _told("A regular expression; what its named groups capture, templates can use", _TEXT),
    }
    families: dict[str, Any] = {"enum": list(FAMILIES)}
    return {
        "model": _told("A glob: gpt-4o*", _TEXT),
        "family": _told("Who asks", {"anyOf": [families, {"type": "array", "items": families}]}),
        "user": _told("The user's last message: a part of it, or", {"anyOf": [_TEXT, _object(ways)]}),
        "tool_result": _told("The result of a tool, which is the last message", _object({"name": _TEXT, **ways})),
        "turn": _told("How many messages the assistant has sent", _COUNT),
        "has_tools": _told("Whether tools are offered", {"type": "boolean"}),
    }


def _answer() -> dict[str, Any]:
    call = {"name": _TEXT, "arguments": {"type": ["object", "string", "null"]}}
    status = {"type": "integer", "minimum": 400, "maximum": 599}
    headers = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}
    texts = dict.fromkeys(("message", "type", "code", "param"), _TEXT)
    error = _object({"status": status, **texts, "retry_after": _SECONDS, "headers": headers}, "status")
    code = {"enum": ["server_error", "rate_limit_exceeded", "invalid_prompt"]}
    return {
        "text": _told("A template: {user}, {model}, {result}, {turn}, and what was captured", _TEXT),
        "tool_calls": _told("Without arguments, they are made to fit the tool", _list(_object(call, "name"))),
        "refusal": _told("A template too", _TEXT),
        "finish_reason": {"enum": list(FINISH)},
        "usage": _told("What is left out is counted", _object(dict.fromkeys(USAGE, _COUNT))),
        "delay": _told("Seconds before the answer", _SECONDS),
        "error": _told("An error in the place of an answer", {"anyOf": [status, error]}),
        "run": _told("How a run ends that does not complete", {"enum": list(RUNS)}),
        "last_error": _told("What a run that failed says", _object({"code": code, "message": _TEXT})),
        "reason": _told("Why a run is incomplete", {"enum": list(REASONS)}),
        "pieces": _told("The text, in the pieces in which it is streamed", _list(_TEXT)),
        "cut": _told("A stream breaks off after so many pieces", _COUNT),
    }


def _limit() -> dict[str, Any]:
    return {
        "model": _told("A glob: gpt-4o*", _TEXT),
        "requests": _told("How many requests are served", _COUNT),
        "refuses": _told("How many are refused then; without it, all", {"type": "integer", "minimum": 1}),
        "retry_after": _told("Seconds", _SECONDS | {"default": 1}),
        "per": _told("Whether each model is counted on its own", {"enum": ["session", "model"], "default": "session"}),
    }


def _told(about: str, form: dict[str, Any]) -> dict[str, Any]:
    return {"description": about, **form}


def _object(fields: dict[str, Any], *required: str) -> dict[str, Any]:
    form: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": fields}
    return form | ({"required": list(required)} if required else {})


def _list(form: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": form}
