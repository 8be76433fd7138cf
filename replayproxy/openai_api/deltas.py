"""The text that the events of a stream make: each event's deltas, and the deltas folded together.

Rules:
1. Any data may come: what is not read as JSON, or has other types than the API's, adds nothing. Nothing raises.
2. A delta belongs to a kind and to the thing it adds to: `choices[0]`, `choices[0].tool_calls[1]`, the id of an item,
   message or step. A further index stands behind the id when it is not 0: `item_1[2]`.
3. Sound and pictures are no text. An event of a type that is not known here, named `….KIND.delta`, adds its `delta`
   under the kind its name tells.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

__all__ = ["KINDS", "Delta", "Folded", "delta_of", "folded"]

#: The kind of text of each flat event type: those of Responses, of transcriptions and of realtime sessions.
KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "response.output_text.delta": "text",
        "response.refusal.delta": "refusal",
        "response.function_call_arguments.delta": "arguments",
        "response.mcp_call_arguments.delta": "arguments",
        "response.mcp_call.arguments.delta": "arguments",
        "response.custom_tool_call_input.delta": "input",
        "response.code_interpreter_call_code.delta": "code",
        "response.code_interpreter_call.code.delta": "code",
        "response.shell_call_command.delta": "command",
        "response.reasoning_text.delta": "reasoning",
        "response.reasoning_summary_text.delta": "summary",
        "response.audio.transcript.delta": "transcript",
        "response.output_audio_transcript.delta": "transcript",
        "conversation.item.input_audio_transcription.delta": "transcript",
        "session.input_transcript.delta": "transcript",
        "session.output_transcript.delta": "transcript",
        "transcript.text.delta": "transcript",
    }
)
# What the delta of a choice says beside its tool calls, and the kind of each.
_CHOICE_TEXTS = {"content": "text", "refusal": "refusal"}
# What a flat event may be about, the best name first, and which of several.
_ITEMS, _INDEXES = (
    ("item_id", "segment_id", "response_id"),
    ("content_index", "summary_index", "command_index"),
)


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of text that one event adds: its `kind` and what it is a piece `of`. `text` is never empty."""

    kind: str
    of: str
    text: str


@dataclass(frozen=True, slots=True)
class Folded:
    """A text as far as it has come: when its first and last pieces came (None: unknown), how many `events` made it."""

    kind: str
    of: str
    text: str
    first: float | None
    last: float | None
    events: int


@dataclass(slots=True)
class _Growing:
    pieces: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    events: int = 0


def delta_of(event_name: str, data: str) -> tuple[Delta, ...]:
    """The deltas of one event, by its name ("" for none) and its data as it came; none when it adds no text."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return ()
    if not isinstance(value, dict):
        return ()
    found = _found(event_name, value)
    return tuple(Delta(kind, of, text) for kind, of, text in found if isinstance(text, str) and text)


def folded(events: Iterable[tuple[float | None, str, str]]) -> tuple[Folded, ...]:
    """The texts that events make, given as time, name and data, in the order in which the texts begin."""
    growing: dict[tuple[str, str], _Growing] = {}
    for at, name, data in events:
        deltas = delta_of(name, data)
        for delta in deltas:
            text = growing.setdefault((delta.kind, delta.of), _Growing())
            text.pieces.append(delta.text)
        for key in {(delta.kind, delta.of) for delta in deltas}:
            growing[key].events += 1
            growing[key].times += [] if at is None else [at]
    return tuple(_folded(kind, of, text) for (kind, of), text in growing.items())


def _folded(kind: str, of: str, text: _Growing) -> Folded:
    first, last = (text.times[0], text.times[-1]) if text.times else (None, None)
    return Folded(kind, of, "".join(text.pieces), first, last, text.events)


_Found = Iterator[tuple[str, str, object]]


def _found(event_name: str, value: dict[str, Any]) -> _Found:
    """What an event adds: kind, of, and what should be text."""
    if isinstance(value.get("choices"), list):
        yield from _choices(value)
        return
    for name in (event_name, value.get("type"), value.get("object")):
        if isinstance(name, str) and name.endswith(".delta"):
            yield from _NESTED.get(name, _flat)(name, value)
            return


def _choices(value: dict[str, Any]) -> _Found:
    for choice in _dicts(value["choices"]):
        of = f"choices[{_index(choice, 'index')}]"
        yield "text", of, choice.get("text")
        delta = _dict(choice, "delta")
        for name, kind in _CHOICE_TEXTS.items():
            yield kind, of, delta.get(name)
        # Some servers send the same text under both names.
        yield "reasoning", of, delta.get("reasoning_content") or delta.get("reasoning")
        yield "transcript", of, _dict(delta, "audio").get("transcript")
        yield "arguments", f"{of}.function_call", _dict(delta, "function_call").get("arguments")
        yield from _calls(of, delta)


def _calls(of: str, holder: dict[str, Any]) -> _Found:
    """What tool calls add, those of a choice and those of a run step."""
    for call in _dicts(holder.get("tool_calls")):
        place = f"{of}.tool_calls[{_index(call, 'index')}]"
        function, interpreter = _dict(call, "function"), _dict(call, "code_interpreter")
        yield "arguments", place, function.get("arguments")
        yield "output", place, function.get("output")
        yield "input", place, _dict(call, "custom").get("input")
        yield "code", place, interpreter.get("input")
        for output in _dicts(interpreter.get("outputs")):
            yield "output", place, output.get("logs")


def _message(_name: str, value: dict[str, Any]) -> _Found:
    for part in _dicts(_dict(value, "delta").get("content")):
        of = _place(_text(value, "id"), _index(part, "index"))
        yield "text", of, _dict(part, "text").get("value")
        yield "refusal", of, part.get("refusal")


def _step(_name: str, value: dict[str, Any]) -> _Found:
    yield from _calls(_text(value, "id"), _dict(_dict(value, "delta"), "step_details"))


def _shell_output(_name: str, value: dict[str, Any]) -> _Found:
    for name in ("stdout", "stderr"):
        yield name, _item(value), _dict(value, "delta").get(name)


def _flat(name: str, value: dict[str, Any]) -> _Found:
    kind = KINDS.get(name) or name.split(".")[-2] or "text"
    if kind != "audio" and not kind.endswith("_audio"):
        yield kind, _item(value), value.get("delta")


_NESTED: dict[str, Callable[[str, dict[str, Any]], _Found]] = {
    "thread.message.delta": _message,
    "thread.run.step.delta": _step,
    "response.shell_call_output_content.delta": _shell_output,
}


def _item(value: dict[str, Any]) -> str:
    """What a flat event is about: the item's id, else where in the output it stands."""
    item = next((value[name] for name in _ITEMS if _text(value, name)), "")
    if not item and "output_index" in value:
        item = f"output[{_index(value, 'output_index')}]"
    return _place(item, next((_index(value, name) for name in _INDEXES if name in value), 0))


def _place(item: str, index: int) -> str:
    return f"{item}[{index}]" if index else item


def _dict(value: dict[str, Any], name: str) -> dict[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _dicts(value: object) -> Iterator[dict[str, Any]]:
    return (each for each in value if isinstance(each, dict)) if isinstance(value, list) else iter(())


def _index(value: dict[str, Any], name: str) -> int:
    found = value.get(name)
    # True is an int too, and one of many digits cannot be written as text.
    return found if type(found) is int and 0 <= found < 1_000_000 else 0


def _text(value: dict[str, Any], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""
