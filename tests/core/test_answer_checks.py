"""Answers checked as they pass, against what their operation says."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.answer_checks import answer_check
from replayproxy.core.bodies import PARSE_LIMIT
from replayproxy.core.catalog import Operation, Stream
from replayproxy.core.messages import Headers
from replayproxy.core.problem import Problem
from replayproxy.core.schemas import Schema
from replayproxy.core.stream_checks import StreamCheck

JSON = "application/json"
EVENTS = "text/event-stream"


def schema(field: str) -> Schema:
    """A schema of objects that have `field`."""
    return Schema({"type": "object", "required": [field], "properties": {field: {"type": "string"}}}, {})


THING, FAULT = schema("id"), schema("error")


def operation(stream: Stream | None = None, **answers: dict[str, Schema]) -> Operation:
    """An operation with the answers `s200`, `default` and so on."""
    by_status = {status.removeprefix("s"): content for status, content in answers.items()}
    return Operation("make", "POST", "/things", "things", answers=by_status, stream=stream)


def messages(made: Operation, status: int, media: str | None, body: Any) -> list[str] | None:
    """What is said of an answer; None when it has no check."""
    check = answer_check(made, status, Headers.of(("content-type", media)) if media is not None else Headers())
    if check is None:
        return None
    check.feed(body if isinstance(body, bytes) else orjson.dumps(body))
    return [problem.message for problem in check.finish()]


THINGS = operation(s200={JSON: THING})
MISSING = ["Missing required parameter: 'id'."]


@pytest.mark.parametrize(
    ("made", "status", "media", "body", "expected"),
    [
        (THINGS, 200, JSON, {"id": "a", "new": 1}, []),
        (THINGS, 200, JSON, {}, MISSING),
        (THINGS, 200, "Application/JSON; charset=utf-8", {}, MISSING),
        (THINGS, 200, "application/vnd.things+json", {}, MISSING),
        (THINGS, 200, JSON, b"<html>", ["The answer is not JSON, though its content type says so."]),
        (THINGS, 200, JSON, b"", ["The answer is not JSON, though its content type says so."]),
        (THINGS, 200, EVENTS, b"", [f"Unexpected content type: expected '{JSON}', but got '{EVENTS}' instead."]),
        (
            operation(s200={JSON: THING, "text/csv": THING}),
            200,
            "text/html",
            b"",
            ["Unexpected content type: expected 'application/json' or 'text/csv', but got 'text/html' instead."],
        ),
        (operation(s200={JSON: THING, "text/csv": THING}), 200, "text/csv", b"", None),
        (operation(s200={"text/csv": THING}), 200, JSON, b"", None),
        (operation(s200={"text/csv": THING}), 200, "text/html", b"", None),
        (THINGS, 200, None, {}, None),
        (THINGS, 200, "", {}, None),
        (THINGS, 201, JSON, {}, None),
        (THINGS, 204, JSON, b"", None),
        (THINGS, 302, JSON, {}, None),
        (THINGS, 404, JSON, {}, None),
        (operation(s2XX={JSON: THING}), 201, JSON, {}, MISSING),
        (operation(s2xx={JSON: THING}), 201, JSON, {}, MISSING),
        (operation(s201={JSON: FAULT}, s2XX={JSON: THING}), 200, JSON, {}, MISSING),
        (operation(default={JSON: THING}), 200, JSON, {}, MISSING),
        (operation(s200={JSON: THING}, default={JSON: FAULT}), 201, JSON, {}, None),
        (operation(s200={JSON: THING}, default={JSON: FAULT}), 302, JSON, {}, None),
        (operation(default={JSON: FAULT}), 500, JSON, {}, ["Missing required parameter: 'error'."]),
        (operation(s429={JSON: FAULT}), 429, JSON, {}, ["Missing required parameter: 'error'."]),
        (operation(s4XX={JSON: FAULT}), 429, JSON, {}, ["Missing required parameter: 'error'."]),
        (operation(s429={JSON: FAULT}), 429, "text/html", b"", None),
        (operation(s429={JSON: FAULT}), 404, JSON, {}, None),
    ],
)
def test_an_answer_is_what_its_operation_says(
    made: Operation, status: int, media: str | None, body: Any, expected: list[str] | None
) -> None:
    """By status and media type; of what is not declared nothing is known."""
    assert messages(made, status, media, body) == expected


def test_an_event_stream_is_checked_as_one() -> None:
    """When the operation says what its stream is made of, and the answer is a success."""
    made = operation(Stream({"": THING}), s200={JSON: THING})
    assert isinstance(answer_check(made, 200, Headers.of(("Content-Type", f"{EVENTS}; charset=utf-8"))), StreamCheck)
    assert messages(made, 200, EVENTS, b"data: {}\n\n") == ["Event 1: Missing required parameter: 'id'."]
    assert messages(made, 200, JSON, {}) == MISSING
    assert messages(made, 500, EVENTS, b"data: {}\n\n") is None


def test_a_problem_is_a_warning_about_the_response() -> None:
    """Whoever reads it can tell it from a problem of the request."""
    check = answer_check(THINGS, 200, Headers.of(("content-type", JSON)))
    assert check is not None
    check.feed(b"{}")
    assert check.finish() == (Problem(MISSING[0], "id", "missing_required_parameter", warning=True, side="response"),)


def test_half_an_answer_is_not_looked_into() -> None:
    """That it is no JSON is the fault of the connection."""
    check = answer_check(THINGS, 200, Headers.of(("content-type", JSON)))
    assert check is not None
    check.feed(b'{"id')
    assert check.finish(complete=False) == ()


@pytest.mark.parametrize(("size", "told"), [(PARSE_LIMIT, 1), (PARSE_LIMIT + 1, 0)])
def test_a_large_answer_is_not_looked_into(size: int, told: int) -> None:
    """Beyond the limit nothing of it is kept."""
    check = answer_check(THINGS, 200, Headers.of(("content-type", JSON)))
    assert check is not None
    check.feed(b"{}" + b" " * (size - 3))
    check.feed(b" ")
    assert len(check.finish()) == told


def test_a_schema_that_cannot_be_used_is_told() -> None:
    """A fault of the catalog is no fault of the answer."""
    told = messages(operation(s200={JSON: Schema({"type": "nothing"}, {})}), 200, JSON, {})
    assert told is not None
    assert told[0].startswith("It could not be checked: the catalog has a schema that cannot be used")


@given(pieces=st.lists(st.binary(max_size=20) | st.sampled_from((b"{", b'"id"', b":", b"1", b"}", b"[" * 2000))))
def test_any_bytes_in_any_pieces_give_the_same(pieces: list[bytes]) -> None:
    """Nothing raises, and the pieces make no difference."""
    check = answer_check(THINGS, 200, Headers.of(("content-type", JSON)))
    assert check is not None
    for piece in pieces:
        check.feed(piece)
    assert [problem.message for problem in check.finish()] == messages(THINGS, 200, JSON, b"".join(pieces))
