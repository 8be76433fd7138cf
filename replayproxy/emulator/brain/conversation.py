"""What a conversation in the form of chat completions says: who asked what, and what the tools gave.

Everything here takes what a client may have sent: content as text, as parts, or none at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from replayproxy.emulator.brain.turns import Turn

__all__ = ["ToolResult", "answers_so_far", "attachments", "last_user_text", "results_of", "text_of"]

_Message = Mapping[str, Any]
#: What a part of a message that is no text is called.
_PARTS = {
    **dict.fromkeys(("image_url", "image_file", "input_image", "image"), "image"),
    **dict.fromkeys(("input_audio", "audio"), "sound"),
    **dict.fromkeys(("file", "input_file", "document"), "file"),
}


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool gave: its name ("" when nothing says it), and the text."""

    name: str
    text: str


def text_of(content: Any) -> str:
    """The text of a message's content; the texts of several parts stand on lines of their own."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list | tuple) else ()
    texts = (part if isinstance(part, str) else _text_of_part(part) for part in parts)
    return "\n".join(text for text in texts if text)


def last_user_text(turn: Turn) -> str:
    """What the user said last; "" when no user said anything."""
    message = _last_user(turn)
    return text_of(message.get("content")) if message else ""


def attachments(turn: Turn) -> list[str]:
    """What came with the user's last message beside text, in words: `1 image`, `2 files`."""
    message = _last_user(turn)
    content = message.get("content") if message else None
    counts: dict[str, int] = {}
    for part in content if isinstance(content, list | tuple) else ():
        word = _PARTS.get(part.get("type", "")) if isinstance(part, Mapping) else None
        if word:
            counts[word] = counts.get(word, 0) + 1
    return [f"{count} {word}{'s' if count > 1 else ''}" for word, count in counts.items()]


def results_of(turn: Turn) -> tuple[ToolResult, ...]:
    """What tools gave, where that is the last thing that was said; else nothing."""
    last = list(takewhile(_is_result, reversed(turn.messages)))[::-1]
    names = dict(_called(turn)) if last else {}
    return tuple(
        ToolResult(str(each.get("name") or names.get(each.get("tool_call_id"), "")), text_of(each.get("content")))
        for each in last
    )


def answers_so_far(turn: Turn) -> int:
    """How many messages the assistant has sent."""
    return sum(each.get("role") == "assistant" for each in turn.messages)


def _last_user(turn: Turn) -> _Message | None:
    return next((each for each in reversed(turn.messages) if each.get("role") == "user"), None)


def _is_result(message: _Message) -> bool:
    return message.get("role") in ("tool", "function")


def _called(turn: Turn) -> Iterator[tuple[Any, str]]:
    """The calls that the assistant made: id and name of the tool."""
    for message in turn.messages:
        for call in message.get("tool_calls") or ():
            yield call.get("id"), str((call.get(str(call.get("type"))) or {}).get("name", ""))


def _text_of_part(part: Any) -> str:
    found = part.get("text", part.get("refusal")) if isinstance(part, Mapping) else None
    return found if isinstance(found, str) else ""
