"""A turn as a request for a chat completion, and the answer to it as a reply."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, cast, get_args

from replayproxy.emulator.brain.citing import citations, marker
from replayproxy.emulator.brain.default import counted
from replayproxy.emulator.brain.turns import Failure, Finish, Reply, ToolCall, Turn, Usage

__all__ = ["failure_of", "reply_of", "request_of"]

_Json = dict[str, Any]
#: Models that know the limit under its newer name only.
_NEWER: Final = re.compile(r"(?:.*[/:])?(?:o\d|gpt-5)")
_CITE: Final = (
    "These passages were found by file search. Use them where they help. Right behind each statement that rests on one "
    "put its marker, character for character as it stands above it, and nothing else about where it is from."
)
#: Headers of a failure that say when to try again.
_TELLING: Final = ("retry-after", "retry-after-ms", "x-should-retry")
_LONGEST: Final = 500


def request_of(turn: Turn, model: str | None) -> _Json:
    """The body of the request; `model` is asked for in place of the turn's."""
    named = model or turn.model
    body: _Json = {"model": named, "messages": _messages(turn), **turn.options}
    if turn.tools:
        body["tools"] = list(turn.tools)
        body |= {} if turn.tool_choice is None else {"tool_choice": turn.tool_choice}
        body |= {} if turn.parallel else {"parallel_tool_calls": False}
    if turn.response_format and turn.response_format.get("type") != "text":
        body["response_format"] = turn.response_format
    if turn.limit is not None:
        body["max_completion_tokens" if _NEWER.match(named) else "max_tokens"] = turn.limit
    return body


def reply_of(turn: Turn, answer: Any) -> Reply | None:
    """The reply that an answer's JSON holds; None when it is no chat completion."""
    choices = answer.get("choices") if isinstance(answer, Mapping) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(choice, Mapping) or not isinstance(message, Mapping):
        return None
    content, refusal = message.get("content"), message.get("refusal")
    text = content if isinstance(content, str) else ""
    calls = tuple(_calls(message))
    reply = Reply(
        text,
        calls,
        refusal if isinstance(refusal, str) else None,
        _finish(choice.get("finish_reason"), calls),
        cited=citations(text, turn.passages),
    )
    return _with_usage(turn, reply, answer.get("usage"))


def failure_of(status: int, headers: Mapping[str, str], body: bytes, shown: str) -> Failure:
    """What a backend says in place of an answer, with its status, message, type, param and code."""
    told = _error_in(body)
    message = told.get("message")
    if not isinstance(message, str) or not message:
        told = {}
        quoted = " ".join(body.decode("utf-8", "replace").split())[:_LONGEST]
        message = f"The model backend {shown} answered with status {status}" + (f": {quoted}" if quoted else ".")
    code, param = told.get("code"), told.get("param")
    return Failure(
        message,
        None if param is None else str(param),
        None if code is None else str(code),
        status if 400 <= status <= 599 else 502,
        str(told.get("type") or ("server_error" if status >= 500 or status < 400 else "invalid_request_error")),
        headers={name: headers[name] for name in headers if name.lower() in _TELLING or "ratelimit" in name.lower()},
    )


def _messages(turn: Turn) -> list[_Json]:
    """The messages, and behind the first system ones the passages that were found."""
    messages = list(turn.messages)
    if not turn.passages:
        return messages
    found = "\n\n".join(f"{marker(place, each)}\n{each.text}" for place, each in enumerate(turn.passages))
    place = next(
        (i for i, each in enumerate(messages) if each.get("role") not in ("system", "developer")), len(messages)
    )
    role = messages[place - 1]["role"] if place else "system"
    return [*messages[:place], {"role": role, "content": f"{_CITE}\n\n{found}"}, *messages[place:]]


def _calls(message: Mapping[str, Any]) -> list[ToolCall]:
    told = message.get("tool_calls")
    given = list(told) if isinstance(told, list) else []
    if isinstance(message.get("function_call"), Mapping):
        given.append({"function": message["function_call"]})
    found = []
    for each in given:
        inside = each.get("custom") or each.get("function") if isinstance(each, Mapping) else None
        if isinstance(inside, Mapping):
            arguments = inside.get("input") if "custom" in each else inside.get("arguments")
            text = arguments if isinstance(arguments, str) else json.dumps(arguments if arguments is not None else {})
            found.append(ToolCall(str(inside.get("name", "")), text, "custom" if "custom" in each else "function"))
    return found


def _finish(reason: Any, calls: tuple[ToolCall, ...]) -> Finish:
    if reason in get_args(Finish) and not (calls and reason == "stop"):
        return cast("Finish", reason)
    return "tool_calls" if calls else "stop"


def _with_usage(turn: Turn, reply: Reply, usage: Any) -> Reply:
    """The reply with the tokens that the backend counted; where it did not count, with what they may be."""
    if not isinstance(usage, Mapping):
        return counted(turn, reply)
    prompt, completion = _number(usage, "prompt_tokens"), _number(usage, "completion_tokens")
    thought = _number(usage.get("completion_tokens_details"), "reasoning_tokens")
    cached = _number(usage.get("prompt_tokens_details"), "cached_tokens")
    return replace(reply, usage=Usage(prompt, completion, thought, cached))


def _number(values: Any, name: str) -> int:
    found = values.get(name) if isinstance(values, Mapping) else None
    return int(found) if isinstance(found, int | float) else 0


def _error_in(body: bytes) -> Mapping[str, Any]:
    """The error in a body: in the API's envelope, or as other servers tell it."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    inside = found.get("error", found) if isinstance(found, Mapping) else None
    if isinstance(inside, str):
        return {"message": inside}
    if isinstance(inside, Mapping):
        return inside if "message" in inside else {"message": inside.get("detail")}
    return {}
