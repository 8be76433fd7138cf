"""Answers checked as they pass: what an operation says of them, by status and media type.

Rules:
1. What is found is a warning: the answer has passed by then, and the client has it.
2. An answer of which nothing is known has no check: an undeclared status, no media type, a body that is not JSON.
3. `default` stands for the statuses that are not declared. It is not taken for a success where another success is:
   what APIs describe there is their error.
4. JSON is looked into when it is whole, up to `PARSE_LIMIT`; an event stream event by event (core/stream_checks.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import orjson

from replayproxy.core.bodies import PARSE_LIMIT
from replayproxy.core.catalog import Operation
from replayproxy.core.media_types import media_type
from replayproxy.core.messages import Headers
from replayproxy.core.problem import Problem
from replayproxy.core.schemas import Schema
from replayproxy.core.stream_checks import StreamCheck, answer_warning

__all__ = ["AnswerCheck", "answer_check"]

_JSON, _EVENTS = "application/json", "text/event-stream"
#: Answers that have no body, whatever their head says (RFC 9110).
_EMPTY = frozenset({204, 205, 304})
_NO_CONTENT: Mapping[str, Schema] = {}


class AnswerCheck(Protocol):
    """Looks at an answer's body while it passes. Never raises, never holds anything up."""

    def feed(self, data: bytes) -> None:
        """Takes in the next piece of the body, content coding taken off."""
        ...

    def finish(self, *, complete: bool = True) -> tuple[Problem, ...]:
        """All that is wrong, as warnings about the response; `complete` says that the body was not cut off."""
        ...


def answer_check(operation: Operation, status: int, headers: Headers) -> AnswerCheck | None:
    """How to check the answer of `operation` with that head; None when nothing is known of it."""
    media = media_type(headers)
    if status in _EMPTY or not media.essence:
        return None
    success = 200 <= status < 300
    if success and media.essence == _EVENTS and operation.stream is not None:
        return StreamCheck(operation.stream)
    content = _content(operation, status)
    schema = content.get(media.essence) or (content.get(_JSON) if media.is_json else None)
    if schema is not None:
        return _JsonCheck(schema) if media.is_json else None
    return _OtherMedia(media.essence, content) if success and _JSON in content else None


def _content(operation: Operation, status: int) -> Mapping[str, Schema]:
    """The schemas for `status`, by media type."""
    answers, hundreds = operation.answers, status // 100
    for key in (str(status), f"{hundreds}XX", f"{hundreds}xx"):
        if key in answers:
            return answers[key]
    if hundreds in (4, 5) or (hundreds == 2 and not any(key[:1] == "2" for key in answers)):
        return answers.get("default", _NO_CONTENT)
    return _NO_CONTENT


class _JsonCheck:
    """Collects a JSON answer and checks it when it is whole."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._body = bytearray()
        self._size = 0

    def feed(self, data: bytes) -> None:
        self._size += len(data)
        if self._size <= PARSE_LIMIT:
            self._body += data
        else:
            self._body.clear()

    def finish(self, *, complete: bool = True) -> tuple[Problem, ...]:
        if not complete or self._size > PARSE_LIMIT:
            return ()
        try:
            value = orjson.loads(self._body)
        except orjson.JSONDecodeError:
            return (_warning("The answer is not JSON, though its content type says so."),)
        problem = answer_warning(self._schema, value)
        return (problem,) if problem else ()


class _OtherMedia:
    """An answer in a media type that its operation does not have."""

    def __init__(self, given: str, content: Mapping[str, Schema]) -> None:
        expected = "' or '".join(content)
        self._problem = _warning(f"Unexpected content type: expected '{expected}', but got '{given[:100]}' instead.")

    def feed(self, data: bytes) -> None:
        """Nothing to look at."""

    def finish(self, *, complete: bool = True) -> tuple[Problem, ...]:
        return (self._problem,)


def _warning(message: str) -> Problem:
    return Problem(message, warning=True, side="response")
