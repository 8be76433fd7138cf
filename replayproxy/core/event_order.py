"""The order of the events in a stream: what may begin it, what has to come before what, what ends it.

Rules:
1. An event named `error` may come at any time and ends the stream: what would have come is no longer missed, and only
   a regular end may follow it (the Responses API says `response.failed` after it).
2. What an event has to come after is looked for with the same id when both have one, by name alone otherwise.
3. A stream that may begin anywhere and whose first event is not number 0 or 1 was resumed: what came before it is not
   missed.
4. Each thing is told once: after a number that was skipped or a name that was missed, order counts anew from there.
   Of what comes after the end nothing more is told than that it does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from replayproxy.core.catalog import Stream
from replayproxy.core.problem import Problem
from replayproxy.core.wording import one_of

__all__ = ["DONE", "ERROR", "EventOrder"]

#: The data that ends a stream, where the API says the end at all.
DONE = "[DONE]"
#: The name of the event that any stream may break off with.
ERROR = "error"

#: So many subjects of a stream are told apart; beyond, names alone count. It bounds the memory that a stream takes.
_MOST_SUBJECTS = 10_000
_LONGEST_ID = 200
#: What tells of which object of a stream an event speaks, the surest first.
_SUBJECTS = ("id", "output_index", "item_id")

_Subject = tuple[str, str | int]


class EventOrder:
    """Follows one stream. Tell it the events as they come; it answers what is out of order, in sentences."""

    __slots__ = ("_begun", "_done", "_ended", "_first", "_last", "_needed", "_next", "_resumed", "_seen", "_stream")

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._first, self._last = stream.first - {ERROR}, stream.last - {ERROR}
        self._needed = frozenset(stream.after.values())
        self._begun = self._done = self._resumed = False
        self._ended = ""
        self._next: int | None = None
        self._seen = set[tuple[str | int, ...]]()

    def event(self, name: str, data: object) -> Iterator[Problem]:
        """An event `name` with `data`, parsed JSON or anything else when it was not read."""
        stream = self._stream
        if self._ended or self._done:
            yield from self._after_the_end(name)
            return
        if name in self._last or name == ERROR:
            self._ended = name
        if stream.sequence:
            yield from self._count(data)
        if not self._begun:
            self._begun = True
            if self._first and name not in self._first and name in stream.events and name != ERROR:
                yield Problem(f"expected {_listed(self._first)} at the beginning of the stream.")
        if name in stream.after and not self._resumed:
            yield from self._look_back(name, data)
        if name in self._needed:
            self._remember(name, data)

    def done(self) -> Iterator[Problem]:
        """The data `[DONE]`."""
        self._begun = True
        if self._done:
            yield from self._after_the_end(DONE)
        elif not self._stream.done:
            yield Problem(f"this stream has no '{DONE}'.")
        self._done = True

    def end(self) -> Iterator[Problem]:
        """The stream has ended, complete as far as the connection goes."""
        if self._ended == ERROR:
            return
        if self._last and not self._ended:
            yield Problem(f"The stream ended without {_listed(self._last)}.")
        if self._stream.done and not self._done:
            yield Problem(f"The stream ended without '{DONE}'.")

    def _after_the_end(self, name: str) -> Iterator[Problem]:
        if not self._done and self._ended == ERROR and name in self._last:
            self._ended = name
            return
        ended = DONE if self._done else self._ended
        yield Problem(f"nothing may come after '{ended}'.")

    def _count(self, data: object) -> Iterator[Problem]:
        field = self._stream.sequence
        number = data.get(field) if isinstance(data, dict) else None
        if type(number) is not int:  # whether there must be one is for the schema to say
            self._next = None
            return
        if not self._begun:
            self._resumed = not self._first and number > 1
            expected = number if not self._first or number == 1 else 0
        else:
            expected = number if self._next is None else self._next
        if number != expected:
            yield Problem(f"expected {field} {expected}, but got {number} instead.", field)
        self._next = number + 1

    def _look_back(self, name: str, data: object) -> Iterator[Problem]:
        needed, subject = self._stream.after[name], _subject(data)
        if (needed,) not in self._seen:
            yield Problem(f"expected '{needed}' before it.")
            self._seen.add((needed,))
        elif subject and (needed, subject[0]) in self._seen and self._is_new((needed, *subject)):
            yield Problem(f"expected '{needed}' with the {subject[0]} '{subject[1]}' before it.", subject[0])
            self._seen.add((needed, *subject))

    def _remember(self, name: str, data: object) -> None:
        self._seen.add((name,))
        subject = _subject(data)
        if subject and self._is_new((name, *subject)):
            self._seen.update(((name, subject[0]), (name, *subject)))

    def _is_new(self, mark: tuple[str | int, ...]) -> bool:
        return mark not in self._seen and len(self._seen) < _MOST_SUBJECTS


def _subject(data: object) -> _Subject | None:
    """The field and the value by which an event tells of which object it speaks; None when it does not."""
    if isinstance(data, dict):
        for field in _SUBJECTS:
            value = data.get(field)
            if isinstance(value, int) or (isinstance(value, str) and len(value) <= _LONGEST_ID):
                return field, value
    return None


def _listed(names: Collection[str]) -> str:
    return one_of(sorted(names)) if len(names) > 1 else "".join(f"'{name}'" for name in names)
