"""What a handler may answer, and how each is put on the wire.

JSON is pretty-printed as the API does it. A stream is written event by event; `event:` lines only where events have
names. Facts about headers: recordings of the real API.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field

import orjson

from replayproxy.core.problem import Problem
from replayproxy.emulator.records import Json

__all__ = ["DONE", "Answer", "Event", "Events", "Raw", "Told", "event_bytes"]

#: The data that ends the streams of the older families.
DONE = "[DONE]"
#: An event's name ("" for none) and its data; text is written as it stands.
Event = tuple[str, Json | str]


@dataclass(frozen=True, slots=True)
class Told:
    """JSON with a status or headers of its own."""

    json: Json
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Raw:
    """A body that is no JSON."""

    content: bytes
    media_type: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Events:
    """An event stream. A problem among its events cannot be: what fails before the first event is a Problem."""

    events: Iterable[Event] | AsyncIterator[Event]
    headers: Mapping[str, str] = field(default_factory=dict)


#: A dict is JSON with status 200.
Answer = Json | Told | Raw | Events | Problem


def event_bytes(event: Event) -> bytes:
    """An event as it stands on the wire."""
    name, data = event
    line = f"event: {name}\n".encode() if name else b""
    text = data.encode() if isinstance(data, str) else orjson.dumps(data)
    return b"%bdata: %b\n\n" % (line, text)
