"""What the answer of an exchange says: one object, or those that the events of its stream hold, each with its time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from replayproxy.core.journal import Entry
from replayproxy.core.media_types import media_type
from replayproxy.core.messages import Response
from replayproxy.core.sse import parse
from replayproxy.openai_api.conversations.said import Said, message
from replayproxy.openai_api.conversations.shapes import LARGEST, listed, mapping, number, parsed, shown, text
from replayproxy.openai_api.conversations.values import Call
from replayproxy.openai_api.deltas import Folded, folded

__all__ = ["Answer", "Told", "seconds_of"]

_TEXTS = ("text", "refusal", "transcript")


@dataclass(frozen=True, slots=True)
class Told:
    """An object that an answer holds: when it came (Unix seconds by the proxy's clock), under which event's name."""

    at: float
    event: str
    value: dict[str, Any]


class Answer:
    """The answer of one exchange. `objects` is empty when there is none, it is too large or no JSON."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self._events: tuple[tuple[float, str, str], ...] = ()
        self.objects = tuple(self._told(entry.response)) if entry.response is not None else ()

    @property
    def value(self) -> dict[str, Any]:
        """The answer's object; of a stream, that of its first event."""
        return self.objects[0].value if self.objects else {}

    @property
    def is_stream(self) -> bool:
        """Whether events came."""
        return bool(self._events)

    @property
    def refusal(self) -> str:
        """Why the API refused, "" when it did not."""
        for told in self.objects:
            error = told.value.get("error") if told.event in ("", "error") else None
            if error:
                return text(error, "message", "code") or shown(error)[:500]
            if told.event == "error":
                return text(told.value, "message", "code") or "error"
        return f"status {self._entry.status}" if self._entry.status >= 400 else ""

    @cached_property
    def texts(self) -> tuple[Folded, ...]:
        """What the deltas of the stream make."""
        return folded(self._events)

    def chat_messages(self) -> Iterator[Said]:
        """The messages of a chat completion's choices, those of a stream put together."""
        if self.is_stream:
            yield from self._streamed_choices()
            return
        for choice in listed(self.value, "choices"):
            yield message({"role": "assistant"} | mapping(choice, "message"))

    def said_so_far(self) -> Iterator[Said]:
        """What a stream says of items that it never completes, by the ids of the items."""
        for each in self.texts:
            if each.kind in _TEXTS:
                yield Said("assistant", each.text, id=each.of.partition("[")[0])

    def _streamed_choices(self) -> Iterator[Said]:
        said: dict[str, str] = {}
        calls: dict[str, dict[str, Call]] = {}
        for told in self.objects:
            for choice in listed(told.value, "choices"):
                of = f"choices[{_index(choice)}]"
                said.setdefault(of, "")
                for call in listed(mapping(choice, "delta"), "tool_calls"):
                    name = text(mapping(call, "function"), "name")
                    if name or text(call, "id"):
                        place = f"{of}.tool_calls[{_index(call)}]"
                        calls.setdefault(of, {})[place] = Call(text(call, "id"), name)
        for each in self.texts:
            of = each.of.partition(".")[0]
            if each.kind in _TEXTS and of in said:
                said[of] += each.text
            elif (begun := calls.get(of, {}).get(each.of)) and each.kind in ("arguments", "input"):
                calls[of][each.of] = replace(begun, arguments=each.text)
        for of, whole in said.items():
            yield Said("assistant", whole, calls=tuple(calls.get(of, {}).values()))

    def _told(self, response: Response) -> Iterator[Told]:
        began = seconds_of(self._entry.arrived)
        if not isinstance(response.body, bytes) or len(response.body) > LARGEST:
            return
        if media_type(response.headers).essence != "text/event-stream":
            value = parsed(response.body)
            if isinstance(value, dict):
                yield Told(began + self._entry.seconds, "", value)
            return
        self._events = tuple(_timed(response, began + self._entry.first_byte))
        for at, event, data in self._events:
            value = parsed(data)
            if isinstance(value, dict):
                yield Told(at, event or text(value, "type"), value)


def _index(value: dict[str, Any]) -> int:
    return int(number(value, "index") or 0)


def _timed(response: Response, began: float) -> Iterator[tuple[float, str, str]]:
    """The events of a stream, each at the time of the chunk that ended it."""
    chunks = iter(response.chunks)
    at, come, size = began, 0, 0
    body = response.body if isinstance(response.body, bytes) else b""
    for event in parse(body):
        size += len(event.raw)
        while come < size and (chunk := next(chunks, None)):
            at, come = began + chunk.at, come + chunk.size
        if event.dispatched:
            yield at, event.event, event.data


def seconds_of(arrived: str) -> float:
    """The Unix seconds of a time of the journal, 0 when it is none."""
    try:
        return datetime.fromisoformat(arrived).timestamp()
    except ValueError:
        return 0.0
