"""Messages and items of every family, read as one thing: who said what, with which tool calls or outputs of tools.

Facts: chat messages carry `tool_calls`, and outputs have the role `tool`; items of responses are `message`,
`function_call` and other `…_call`, `…_call_output`, `reasoning`; messages of threads have their text in `text.value`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from replayproxy.openai_api.conversations.shapes import listed, mapping, shown, text
from replayproxy.openai_api.conversations.values import Call

__all__ = ["Said", "item", "message", "tool_calls"]

#: What most messages have, and no more.
_PLAIN = {"role", "content"}
_ARGUMENTS = ("arguments", "input", "code")
_CALL, _OUTPUT = "_call", "_call_output"


@dataclass(frozen=True, slots=True)
class Said:
    """A message or an item; `outputs` are pairs of a call's id and what the tool gave."""

    role: str
    text: str = ""
    images: int = 0
    files: int = 0
    calls: tuple[Call, ...] = ()
    outputs: tuple[tuple[str, str], ...] = ()
    id: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.text or self.images or self.files or self.calls or self.outputs)

    @property
    def likeness(self) -> tuple[object, ...]:
        """What it is recognised by when a client sends it back, in whichever form."""
        calls = tuple([(call.id, call.name) for call in self.calls])
        return self.role, self.text.strip(), self.images, self.files, calls, self.outputs


def message(value: dict[str, Any]) -> Said:
    """A message of a chat or of a thread, as it is sent and as it is answered."""
    role = text(value, "role") or "assistant"
    if value.keys() == _PLAIN and isinstance(value["content"], str):
        return Said(role, value["content"])
    content, images, files = _content(value.get("content"))
    files += len(listed(value, "attachments"))
    content = content or text(value, "refusal") or text(mapping(value, "audio"), "transcript")
    call = text(value, "tool_call_id") if role == "tool" else ""
    outputs = ((call, content),) if call else ()
    return Said(role, content, images, files, tuple(tool_calls(value)), outputs, text(value, "id"))


def tool_calls(value: dict[str, Any]) -> Iterator[Call]:
    """The tool calls of a message, a step, or what a run requires."""
    for call in listed(value, "tool_calls"):
        yield _tool_call(call)
    if function := mapping(value, "function_call"):
        yield Call("", text(function, "name"), text(function, "arguments"))


def _tool_call(call: dict[str, Any]) -> Call:
    kind = text(call, "type") or "function"
    inside = mapping(call, kind)
    output = inside.get("output", inside.get("outputs", inside.get("results")))
    told = None if output is None or output == [] else _output(output)
    return Call(text(call, "id"), text(inside, "name") or kind, text(inside, *_ARGUMENTS), told)


def item(value: dict[str, Any]) -> Said | None:
    """An item of a response's input or output, None when it says nothing (a reference, thoughts that are hidden)."""
    kind, own = text(value, "type"), text(value, "id")
    if kind in ("", "message"):
        return message(value)
    if kind == "reasoning":
        parts = listed(value, "summary") or listed(value, "content")
        thoughts = "\n\n".join(filter(None, (text(part, "text") for part in parts)))
        return Said("reasoning", thoughts, id=own) if thoughts else None
    call = text(value, "call_id") or own
    if kind.endswith(_OUTPUT):
        return Said("tool", outputs=((call, _output(value.get("output"))),), id=own)
    if kind.endswith(_CALL):
        return _called(value, kind, call)
    return None


def _called(value: dict[str, Any], kind: str, call: str) -> Said:
    arguments = text(value, *_ARGUMENTS) or shown(value.get("action") or value.get("queries") or value.get("operation"))
    output = next((value[name] for name in ("output", "outputs", "results", "error") if value.get(name)), None)
    name = text(value, "name") or kind.removesuffix(_CALL)
    made = Call(call, name, arguments, None if output is None else _output(output))
    images = int(kind == "image_generation_call" and bool(text(value, "result")))
    return Said("assistant", "", images, calls=(made,), id=text(value, "id"))


def _output(value: object) -> str:
    """What a tool gave: text, parts with text, logs of an interpreter; else JSON."""
    if isinstance(value, list):
        texts = [text(part, "text", "logs") for part in value if isinstance(part, dict)]
        if texts and all(texts) and len(texts) == len(value):
            return "\n".join(texts)
    return shown(value)


def _content(value: object) -> tuple[str, int, int]:
    """The text of a message's content, and how many images and other things there are."""
    if isinstance(value, str):
        return value, 0, 0
    texts, images, files = list[str](), 0, 0
    for part in value if isinstance(value, list) else ():
        kind = text(part, "type")
        found = text(part, "text", "refusal") or text(mapping(part, "text"), "value") or text(part, "transcript")
        if found:
            texts.append(found)
        elif "image" in kind:
            images += 1
        elif kind and "text" not in kind:
            files += 1
    return "\n".join(texts), images, files
