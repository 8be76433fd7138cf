"""Faults: answers that fail on purpose, or as they failed when they were recorded.

Rule: what is broken never looks whole. It ends before its stated length, without its last chunk, or by a reset.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from replayproxy.core.sse import EventParser

__all__ = ["ALWAYS", "NO_DELAY", "SILENCE", "Cut", "Delay", "Fault", "Kind"]

Kind = Literal["reset", "timeout", "truncate", "status", "refused"]

#: As `times`: however often it is asked.
ALWAYS: Final = 0
#: How long a `timeout` keeps silent when nothing is said, in seconds.
SILENCE: Final = 30.0


@dataclass(frozen=True, slots=True)
class Fault:
    """How an answer fails.

    `reset`: the connection breaks before a byte. `timeout`: silence for `lasts` seconds (unless the client gives up
    sooner), then the connection breaks. `truncate`: the answer breaks off. `status`: `status` answers instead, with
    `retry_after` in seconds. A timeout or a truncation comes `after` so many bytes or `after_events` so many events of
    the recorded answer; a truncation without either at its end, a timeout before its head. It is met `times` times.

    With `of_upstream` it is a fact, not an order: the upstream `refused` the connection, reset it or was silent, and
    the interaction's answer is what the client was told.
    """

    kind: Kind
    after: int | None = None
    after_events: int | None = None
    lasts: float = SILENCE
    status: int = 0
    retry_after: float | None = None
    times: int = ALWAYS
    of_upstream: bool = False

    @property
    def early(self) -> bool:
        """Whether nothing of the recorded answer is sent."""
        placed = self.after is not None or self.after_events is not None
        return self.kind in ("reset", "status") or (self.kind == "timeout" and not placed)

    @property
    def recorded(self) -> bool:
        """Whether it came about while recording and not by anybody's hand."""
        return self.of_upstream or self == Fault("truncate")

    def __str__(self) -> str:
        if self.of_upstream:
            return f"{self.kind} of upstream"
        place = f" after {self.after} bytes" if self.after is not None else ""
        place = f" after {self.after_events} events" if self.after_events is not None else place
        return f"{self.kind} {self.status}" if self.status else f"{self.kind}{place}"


@dataclass(frozen=True, slots=True)
class Delay:
    """Seconds to wait, at every speed: before the answer begins, and before each of its events."""

    first_byte: float = 0.0
    each_event: float = 0.0


NO_DELAY: Final = Delay()


class Cut:
    """Lets through what of an answer comes before a fault. Feed it the answer in pieces of any size."""

    def __init__(self, fault: Fault) -> None:
        self._in_events = fault.after_events is not None
        places = (fault.after_events, fault.after)
        self._left = next((place for place in places if place is not None), -1)  # -1: the end of the answer
        self._parser = EventParser()
        self._seen = self._parsed = 0

    @property
    def done(self) -> bool:
        """Whether the place of the fault is reached."""
        return self._left == 0

    def feed(self, data: bytes) -> bytes:
        """What of `data` comes before the fault."""
        if self._left <= 0:
            return data if self._left else b""
        if self._in_events:
            return data[: self._room(data)]
        data = data[: self._left]
        self._left -= len(data)
        return data

    def _room(self, data: bytes) -> int:
        begun, self._seen = self._seen, self._seen + len(data)
        for event in self._parser.feed(data):
            self._parsed += len(event.raw)
            self._left -= event.dispatched
            if not self._left:
                return max(0, self._parsed - begun)
        return len(data)
