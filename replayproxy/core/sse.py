"""Event streams, parsed as they arrive, losing no byte.

Rules (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream):
1. A line ends with LF, CRLF or CR; a blank line ends a block; a byte order mark at the start of the stream is skipped.
2. The raw bytes of all events, one after the other, are the stream. How it was cut into pieces makes no difference.
3. A block that a client would not see (comments only, nothing but an id, a tail that was never ended) is still told,
   with `dispatched` false.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Event", "EventParser", "is_plain", "parse"]

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Event:
    """A block of an event stream.

    `raw` are its exact bytes, the ending blank line included. `event` and `data` are "" and `id` and `retry` None when
    the block does not name them; `id` is the block's own, not the last one seen; `retry` is in milliseconds.
    `dispatched` says whether a client gets an event from it, which takes a `data` field.
    """

    raw: bytes
    event: str = ""
    data: str = ""
    id: str | None = None
    retry: int | None = None
    dispatched: bool = False


class EventParser:
    """Cuts an event stream into events. Feed it the stream in pieces of any size, then finish it."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._lines: list[bytes] = []
        self._line = self._scanned = 0
        self._started = False

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes. One that ends in CR waits for the next byte, which may be its LF."""
        if not self._buffer and is_plain(data):
            self._started = True
            return [_event(block + b"\n\n", block.split(b"\n")) for block in data[:-2].split(b"\n\n")]
        self._buffer += data
        return self._cut(final=False)

    def finish(self) -> list[Event]:
        """What is left when the stream has ended: an event that waited, then the unfinished tail as a raw piece."""
        events = self._cut(final=True)
        if self._buffer:
            events.append(Event(bytes(self._buffer)))
            self._buffer.clear()
        return events

    def _cut(self, *, final: bool) -> list[Event]:
        events, start, buffer = list[Event](), 0, self._buffer
        while found := _LINE_END.search(buffer, self._scanned):
            if found.group() == b"\r" and found.end() == len(buffer) and not final:
                self._scanned = found.start()
                break
            line = self._without_mark(bytes(buffer[self._line : found.start()]))
            self._line = self._scanned = found.end()
            if line:
                self._lines.append(line)
            else:
                events.append(_event(bytes(buffer[start : self._line]), self._lines))
                self._lines, start = [], self._line
        else:
            self._scanned = len(buffer)
        del buffer[:start]
        self._line -= start
        self._scanned -= start
        return events

    def _without_mark(self, line: bytes) -> bytes:
        first, self._started = not self._started, True
        return line.removeprefix(_BYTE_ORDER_MARK) if first else line


def is_plain(data: bytes) -> bool:
    """Whether it is whole blocks with LF alone and one blank line between them, as servers mostly write them."""
    return data[-2:] == b"\n\n" and data[:1] not in b"\n\xef" and b"\r" not in data and b"\n\n\n" not in data


def parse(data: bytes) -> tuple[Event, ...]:
    """The events of a whole stream, the unfinished tail last."""
    parser = EventParser()
    return (*parser.feed(data), *parser.finish())


def _event(raw: bytes, lines: list[bytes]) -> Event:
    event, data, last_id, retry = "", list[str](), None, None
    for line in lines:
        name, _, rest = line.partition(b":")
        value = rest.removeprefix(b" ").decode("utf-8", "replace")
        if name == b"data":
            data.append(value)
        elif name == b"event":
            event = value
        elif name == b"id" and "\0" not in value:
            last_id = value
        elif name == b"retry" and re.fullmatch("[0-9]{1,18}", value):
            retry = int(value)
    return Event(raw, event, "\n".join(data), last_id, retry, dispatched=bool(data))
