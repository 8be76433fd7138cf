"""Event streams checked as they pass, event by event: names, data, order, and how they end.

Rules:
1. Nothing is held up and nothing raises: bytes go in, and what was found is asked for at the end. How the stream was
   cut into pieces makes no difference.
2. Comments, blocks without data, ids and retry times are no events, and say nothing of the stream's state.
3. What was found is all warnings. The same thing found again, and what goes beyond `MOST_PROBLEMS`, is only counted.
4. A stream is not looked into from an event on that is larger than `PARSE_LIMIT`: the memory that it takes is bounded.
5. An error event that holds the API's envelope is taken as it is. Clients know that form in any stream
   (openai-python, `_streaming.py`), whatever the API's description says of its error events.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import orjson

from replayproxy.core.bodies import PARSE_LIMIT
from replayproxy.core.catalog import Stream
from replayproxy.core.event_order import DONE, ERROR, EventOrder
from replayproxy.core.problem import UNREAD, Problem
from replayproxy.core.schemas import Schema
from replayproxy.core.sse import Event, EventParser, is_plain
from replayproxy.errors import ConfigError

__all__ = ["MOST_PROBLEMS", "StreamCheck", "answer_warning"]

#: So many problems of one stream are told, further ones counted.
MOST_PROBLEMS = 20

#: Names and values come from the answer; what is quoted of them in a message is bounded.
_LONGEST_NAME, _LONGEST_TEXT = 100, 500
_DONE_EVENT = "done"
_DATA, _EVENT = b"data: ", b"event: "


def answer_warning(schema: Schema, value: object) -> Problem | None:
    """What is wrong with `value`, parsed JSON of an answer, as a warning of bounded length.

    A schema that cannot be used is told the same way: an answer that passes is no place to raise.
    """
    try:
        problem = schema.answer_problem(value)
    except ConfigError as error:
        problem = Problem(f"It could not be checked: {error}")
    if problem is None:
        return None
    param = None if problem.param is None else _cut(problem.param, _LONGEST_TEXT)
    message = _cut(problem.message, _LONGEST_TEXT)
    return replace(problem, message=message, param=param, warning=True, side="response")


class StreamCheck:
    """Checks one event stream against what its operation says of it."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._order = EventOrder(stream)
        self._parser: EventParser | None = EventParser()
        self._pending = self._number = self._repeated = 0
        self._problems = list[Problem]()
        self._told = set[tuple[str, str]]()

    def feed(self, data: bytes) -> None:
        """Takes in the next piece of the stream, content coding taken off."""
        if self._parser is None:
            return
        if self._number and not self._pending and len(data) <= PARSE_LIMIT and is_plain(data):
            for block in data[:-2].split(b"\n\n"):
                self._look_at_block(self._parser, block)
            return
        self._pending += len(data)
        self._look(self._parser.feed(data))
        if self._pending > PARSE_LIMIT:
            self._give_up()

    def finish(self, *, complete: bool = True) -> tuple[Problem, ...]:
        """All that was found; `complete` says that the stream was not cut by either side of the connection."""
        if self._parser is not None:
            self._look(self._parser.finish())
        ends = self._order.end() if complete and self._parser is not None else ()
        found = [*self._problems, *(replace(end, warning=True, side="response") for end in ends)]
        more = self._repeated + len(found[MOST_PROBLEMS:])
        if not more:
            return tuple(found)
        counted = f"{more} more {'problem was' if more == 1 else 'problems were'} found in the stream."
        return (*found[:MOST_PROBLEMS], Problem(counted, warning=True, side="response"))

    def _look(self, events: Iterable[Event]) -> None:
        for event in events:
            size = len(event.raw)
            if size > PARSE_LIMIT:
                self._give_up()
                return
            self._pending -= size
            if event.dispatched:
                self._look_at(event.event, event.data)

    def _look_at_block(self, parser: EventParser, block: bytes) -> None:
        """Looks at a whole block; those that servers mostly write need no parser."""
        first, _, second = block.partition(b"\n")
        if first.startswith(_DATA) and not second:
            self._look_at("", first[len(_DATA) :].decode("utf-8", "replace"))
        elif first.startswith(_EVENT) and second.startswith(_DATA) and b"\n" not in second:
            name, text = first[len(_EVENT) :], second[len(_DATA) :]
            self._look_at(name.decode("utf-8", "replace"), text.decode("utf-8", "replace"))
        else:
            self._pending += len(block) + 2
            self._look(parser.feed(block + b"\n\n"))

    def _give_up(self) -> None:
        """Stops at an event that is too large."""
        self._parser = None
        self._pending = 0
        self._number += 1
        limit = f"larger than {PARSE_LIMIT // 2**20} MiB"
        self._tell("", (Problem(f"{limit}; the stream was not checked from there on."),))

    def _look_at(self, line: str, text: str) -> None:
        """Looks at an event: the name on its event line ("" for none), and its data."""
        self._number += 1
        if text == DONE:
            if self._stream.done and self._stream.key == "event" and line != _DONE_EVENT:
                self._tell(line, (Problem(f"expected '{DONE}' in an event named '{_DONE_EVENT}'."),))
            self._tell(line, self._order.done())
            return
        data = _read(text)
        name = self._name(line, data)
        if data is UNREAD:
            self._tell(name, (Problem("the data is not JSON."),))
        else:
            self._check(name, line, data)
        self._tell(name, self._order.event(name, data))

    def _name(self, line: str, data: object) -> str:
        key, fields = self._stream.key, data if isinstance(data, dict) else {}
        if key == "event":
            return line
        if key:
            name = fields.get(key)
            return name if isinstance(name, str) else line
        return ERROR if line == ERROR or fields.keys() == {ERROR} else ""

    def _check(self, name: str, line: str, data: object) -> None:
        """Tells what is wrong with an event by itself."""
        if self._stream.key not in ("", "event") and line not in ("", name):
            told = f"the event line says '{_cut(line, _LONGEST_NAME)}'."
            self._tell(name, (Problem(told, self._stream.key),))
        schema = self._stream.events.get(name)
        if schema is None:
            if name != ERROR:
                self._tell(name, (Problem("unknown event." if name else "it has no name."),))
        elif name != ERROR or not isinstance(data, dict) or not isinstance(data.get(ERROR), dict):
            problem = answer_warning(schema, data)
            if problem is not None:
                self._tell(name, (problem,))

    def _tell(self, name: str, problems: Iterable[Problem]) -> None:
        for problem in problems:
            what = (name := _cut(name, _LONGEST_NAME), problem.message)
            if what in self._told or len(self._problems) >= MOST_PROBLEMS:
                self._repeated += 1
                continue
            self._told.add(what)
            place = f"Event {self._number}, {name}" if name else f"Event {self._number}"
            message = f"{place}: {problem.message}"
            self._problems.append(replace(problem, message=message, warning=True, side="response", event=self._number))


def _read(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return UNREAD


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}…"
