"""Which tools a turn's reply calls, and with what.

Rules:
1. `tool_choice` that names a tool or requires one calls it, the first where it does not say which; `none` calls none;
   `allowed_tools` leaves only those.
2. Otherwise a tool is called when the user's last message asks for it: its name stands there, or a word of its name
   that is no mere verb (`weather` of `get_weather`), or two such words of its description. Tools whose whole name
   stands there go before all others.
3. With parallel calls, all tools asked for are called, else the first. In a turn in which a tool has given its result
   none is called: a conversation comes to an end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from replayproxy.emulator.brain.conversation import last_user_text
from replayproxy.emulator.brain.filling import example
from replayproxy.emulator.brain.hints import words_of
from replayproxy.emulator.brain.turns import ToolCall, Turn

__all__ = ["call_of", "called", "parameters_of", "tool_name"]

_Tool = Mapping[str, Any]
#: Words that say that something is done, not what it is about.
_VERBS: Final = {
    *("get", "set", "list", "find", "search", "fetch", "create", "do", "run", "call", "make", "use", "tool"),
    *("lookup", "the", "and", "for", "with", "from", "to", "of", "in", "on", "by", "an", "look", "up", "query"),
    *("read", "its", "return", "returns", "retrieve", "show", "tell", "give", "given", "check", "current"),
    *("new", "any", "all", "user", "this", "that", "what", "when", "which", "will", "you", "your", "can"),
    *("has", "have", "are", "not", "function", "into"),
}
_SHORTEST: Final = 3


def called(turn: Turn) -> tuple[ToolCall, ...]:
    """The calls that the reply to a turn makes; none: it is to be text."""
    tools, forced = _allowed(turn)
    if not tools or _has_result(turn):
        return ()
    asked = _asked_for(tools, last_user_text(turn)) or (tools[:1] if forced else [])
    return tuple(call_of(tool, turn) for tool in (asked if turn.parallel and not forced else asked[:1]))


def call_of(tool: _Tool, turn: Turn) -> ToolCall:
    """A call of a tool, with arguments that fit its schema; a custom tool is given the user's message."""
    message = last_user_text(turn)
    if tool.get("type") == "custom":
        return ToolCall(tool_name(tool), message, "custom")
    made = example(parameters_of(tool) or {"type": "object"}, message, turn.choice)
    return ToolCall(
        tool_name(tool), json.dumps(made if isinstance(made, dict) else {}, ensure_ascii=False, separators=(",", ":"))
    )


def tool_name(tool: _Tool) -> str:
    """The name of a tool."""
    return str(_said(tool).get("name", ""))


def parameters_of(tool: _Tool) -> Mapping[str, Any]:
    """The schema of a tool's arguments; an empty one where it has none."""
    found = _said(tool).get("parameters")
    return found if isinstance(found, Mapping) else {}


def _said(tool: _Tool) -> Mapping[str, Any]:
    """What is said about a tool: under its type, or on the spot."""
    inside = tool.get(str(tool.get("type")))
    return inside if isinstance(inside, Mapping) else tool


def _allowed(turn: Turn) -> tuple[list[_Tool], bool]:
    """The tools that may be called, and whether one must be."""
    tools, choice = list[_Tool](turn.tools), turn.tool_choice
    if not isinstance(choice, Mapping):
        return ([] if choice == "none" else tools), choice == "required"
    if choice.get("type") == "allowed_tools":
        inside = _said(choice)
        names = {tool_name(each) for each in inside.get("tools") or ()}
        return [tool for tool in tools if tool_name(tool) in names], inside.get("mode") == "required"
    named = [tool for tool in tools if tool_name(tool) == tool_name(choice)]
    return (named, True) if named else (tools, False)


def _has_result(turn: Turn) -> bool:
    """Whether a tool has given something since the user last spoke."""
    roles = [each.get("role") for each in turn.messages]
    place = len(roles) - roles[::-1].index("user") if "user" in roles else 0
    return any(role in ("tool", "function") for role in roles[place:])


def _asked_for(tools: list[_Tool], message: str) -> list[_Tool]:
    names = set(re.findall(r"[\w-]+", message.lower()))
    named = [tool for tool in tools if tool_name(tool).lower() in names]
    said = {_stem(word) for word in words_of(message)}
    return named or [tool for tool in tools if _meant(tool, said)]


def _meant(tool: _Tool, said: set[str]) -> bool:
    words = words_of(tool_name(tool))
    telling = {_stem(word) for word in words if word not in _VERBS and len(word) >= _SHORTEST}
    if (telling or {_stem(word) for word in words}) & said:
        return True
    about = words_of(str(_said(tool).get("description") or ""))
    return len({_stem(word) for word in about if word not in _VERBS and len(word) > _SHORTEST} & said) > 1


def _stem(word: str) -> str:
    return word.removesuffix("s")
