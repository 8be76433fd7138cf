"""Event streams, checked event by event as they pass."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.bodies import PARSE_LIMIT
from replayproxy.core.catalog import Stream
from replayproxy.core.event_order import EventOrder
from replayproxy.core.problem import Problem
from replayproxy.core.schemas import Schema
from replayproxy.core.stream_checks import MOST_PROBLEMS, StreamCheck

ANY = Schema({"type": "object"}, {})
THING = Schema({"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}, {})
FAULT = Schema({"type": "object", "properties": {"code": {"type": "string"}}, "required": ["code"]}, {})

#: As an API with events called by the event line: the Assistants.
RUN = Stream(
    {"run.created": THING, "message.created": THING, "message.delta": THING, "run.completed": THING, "error": FAULT},
    key="event",
    done=True,
    first=frozenset({"run.created", "error"}),
    last=frozenset({"run.completed", "error"}),
    after={"message.delta": "message.created"},
)
#: By a field of their data, and numbered: Responses.
REPLY = Stream(
    dict.fromkeys(("created", "added", "delta", "completed", "failed"), ANY),
    key="type",
    first=frozenset({"created"}),
    last=frozenset({"completed", "failed"}),
    sequence="n",
    after={"delta": "added"},
)
#: Without names: chat chunks.
CHUNKS = Stream({"": THING}, done=True)
#: The tail of an earlier stream, asked for again.
RESUMED = Stream(REPLY.events, "type", last=REPLY.last, sequence="n", after=REPLY.after)

RUN_EVENTS = (
    ("run.created", {"id": "run_1"}),
    ("message.created", {"id": "msg_1"}),
    ("message.delta", {"id": "msg_1"}),
    ("run.completed", {"id": "run_1"}),
    ("done", "[DONE]"),
)


def sent(*events: tuple[str, Any]) -> bytes:
    """An event stream of `(event line, data)`; data that is a string goes as it is."""
    texts = (
        (f"event: {name}\n" if name else "", data if isinstance(data, str) else orjson.dumps(data).decode())
        for name, data in events
    )
    return "".join(f"{line}data: {text}\n\n" for line, text in texts).encode()


def numbered(*names: str, start: int = 0) -> bytes:
    """Events by these names, counted from `start`."""
    return sent(*((name, {"type": name, "n": n}) for n, name in enumerate(names, start)))


def found(stream: Stream, data: bytes, *, complete: bool = True) -> tuple[Problem, ...]:
    """What is found in a stream, the same whether it comes whole or event by event."""
    check, apart = StreamCheck(stream), StreamCheck(stream)
    check.feed(data)
    for block in re.split(rb"(?<=\n\n)", data):
        apart.feed(block)
    whole = check.finish(complete=complete)
    assert apart.finish(complete=complete) == whole
    return whole


def messages(stream: Stream, data: bytes, *, complete: bool = True) -> list[str]:
    """The sentences of it."""
    return [problem.message for problem in found(stream, data, complete=complete)]


@pytest.mark.parametrize(
    ("stream", "data"),
    [
        (RUN, sent(*RUN_EVENTS)),
        (RUN, b"\xef\xbb\xbf: hello\n\nretry: 30\n\nid: 7\n\nevent: nothing\n\n" + sent(*RUN_EVENTS) + b": bye\n\n"),
        (RUN, sent(*RUN_EVENTS).replace(b"\n", b"\r\n")),
        (RUN, sent(*RUN_EVENTS).replace(b"\n", b"\r")),
        (RUN, sent(RUN_EVENTS[0], ("error", {"code": "server_error"}))),
        (RUN, sent(RUN_EVENTS[0], ("error", {"error": {"message": "It broke."}}), RUN_EVENTS[-1])),
        (RUN, sent(("error", {"code": "server_error"}))),
        (REPLY, numbered("created", "added", "delta", "delta", "completed")),
        (REPLY, numbered("created", "completed", start=1)),
        (REPLY, numbered("created", "error", "failed")),
        (REPLY, sent(("", {"type": "created"}), ("", {"type": "completed"}))),
        (REPLY, sent(("", {"type": "created", "n": True}), ("", {"type": "completed", "n": 7.0}))),
        (RESUMED, numbered("delta", "completed", start=40)),
        (CHUNKS, sent(("", {"id": "a"}), ("", {"id": "b"}), ("", "[DONE]"))),
        (CHUNKS, sent(("", {"id": "a"}), ("", {"error": {"message": "It broke."}}))),
        (CHUNKS, sent(("error", {"error": {"message": "It broke."}}))),
        (Stream({"": ANY}), b""),
    ],
)
def test_a_good_stream_has_no_problems(stream: Stream, data: bytes) -> None:
    """What the operation says, in any spelling that the standard of event streams allows, is right."""
    assert messages(stream, data) == []


@pytest.mark.parametrize(
    ("stream", "data", "expected"),
    [
        (RUN, sent(*RUN_EVENTS[:1], ("run.begun", {}), *RUN_EVENTS[1:]), ["Event 2, run.begun: unknown event."]),
        (RUN, sent(*RUN_EVENTS[:1], ("", {}), *RUN_EVENTS[1:]), ["Event 2: it has no name."]),
        (REPLY, sent(("", {"n": 0}), ("", {"type": "completed", "n": 1})), ["Event 1: it has no name."]),
        (
            REPLY,
            sent(("created", []), ("", {"type": "completed"})),
            ["Event 1, created: Invalid body: expected an object, but got an array instead."],
        ),
        (CHUNKS, sent(("", "{"), ("", "[DONE]")), ["Event 1: the data is not JSON."]),
        (CHUNKS, sent(("", "[" * 5000), ("", "[DONE]")), ["Event 1: the data is not JSON."]),
        (CHUNKS, sent(("", {}), ("", "[DONE]")), ["Event 1: Missing required parameter: 'id'."]),
        (
            RUN,
            sent(RUN_EVENTS[0], ("error", {}), RUN_EVENTS[-1]),
            ["Event 2, error: Missing required parameter: 'code'."],
        ),
        (
            RUN,
            sent(*RUN_EVENTS[1:]),
            ["Event 1, message.created: expected 'run.created' at the beginning of the stream."],
        ),
        (RUN, sent(RUN_EVENTS[0], *RUN_EVENTS[-1:]), ["The stream ended without 'run.completed'."]),
        (RUN, sent(*RUN_EVENTS[:-1]), ["The stream ended without '[DONE]'."]),
        (CHUNKS, b"", ["The stream ended without '[DONE]'."]),
        (REPLY, numbered("created"), ["The stream ended without one of 'completed' or 'failed'."]),
        (RUN, sent(*RUN_EVENTS, RUN_EVENTS[-1]), ["Event 6, done: nothing may come after '[DONE]'."]),
        (RUN, sent(*RUN_EVENTS, ("error", {"code": "x"})), ["Event 6, error: nothing may come after '[DONE]'."]),
        (CHUNKS, sent(("", "[DONE]"), ("", {"id": "a"})), ["Event 2: nothing may come after '[DONE]'."]),
        (
            REPLY,
            numbered("created", "completed", "delta"),
            ["Event 3, delta: nothing may come after 'completed'."],
        ),
        (
            RUN,
            sent(RUN_EVENTS[0], *[("error", {"code": "x"})] * 2),
            ["Event 3, error: nothing may come after 'error'."],
        ),
        (REPLY, numbered("created", "failed") + sent(("", "[DONE]")), ["Event 3: this stream has no '[DONE]'."]),
        (REPLY, numbered("created", "error", "created"), ["Event 3, created: nothing may come after 'error'."]),
        (RUN, sent(*RUN_EVENTS[:-1], ("", "[DONE]")), ["Event 5: expected '[DONE]' in an event named 'done'."]),
        (
            REPLY,
            sent(("a", {"type": "created"}), ("", {"type": "failed"})),
            ["Event 1, created: the event line says 'a'."],
        ),
    ],
)
def test_what_is_wrong_is_told(stream: Stream, data: bytes, expected: list[str]) -> None:
    """Names, data, beginning and end: each has its sentence, with the event in which it is."""
    assert messages(stream, data) == expected


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((0, 1, 2), []),
        ((1, 2, 3), []),
        ((5, 6, 7), ["Event 1, created: expected n 0, but got 5 instead."]),
        ((0, 2, 3), ["Event 2, added: expected n 1, but got 2 instead."]),
        ((0, 0, 1), ["Event 2, added: expected n 1, but got 0 instead."]),
        (
            (0, 9, 2),
            [
                "Event 2, added: expected n 1, but got 9 instead.",
                "Event 3, completed: expected n 10, but got 2 instead.",
            ],
        ),
        ((0, None, 2), []),
        ((None, 7, 8), []),
    ],
)
def test_numbers_count_one_by_one(numbers: tuple[int | None, ...], expected: list[str]) -> None:
    """A number that is skipped or repeated is told once, and counting goes on from there."""
    names = ("created", "added", "completed")
    events: Iterator[tuple[str, Any]] = ((name, {"type": name, "n": n}) for name, n in zip(names, numbers, strict=True))
    assert messages(REPLY, sent(*events)) == expected


def delta(**data: Any) -> tuple[str, dict[str, Any]]:
    """An event that needs an `added` before it."""
    return "delta", data


def added(**data: Any) -> tuple[str, dict[str, Any]]:
    """An event that others need."""
    return "added", data


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((added(), delta()), []),
        ((added(id="a"), added(id="b"), delta(id="b"), delta(id="a")), []),
        ((added(id="a"), delta()), []),
        ((added(), delta(id="a")), []),
        ((added(output_index=0, item_id="a"), delta(output_index=0, item_id="b")), []),
        ((added(item_id="a"), delta(output_index=0, item_id="a")), []),
        ((added(id="a" * 300), delta(id="b" * 300)), []),
        ((added(id=None), delta(id=["a"])), []),
        ((added(id="a"), ("delta", "{")), ["Event 2, delta: the data is not JSON."]),
        ((delta(),), ["Event 1, delta: expected 'added' before it."]),
        ((delta(), delta(id="a")), ["Event 1, delta: expected 'added' before it."]),
        ((added(id="a"), delta(id="b")), ["Event 2, delta: expected 'added' with the id 'b' before it."]),
        (
            (added(id="a"), delta(id="b"), delta(id="b")),
            ["Event 2, delta: expected 'added' with the id 'b' before it."],
        ),
        (
            (added(output_index=0), delta(output_index=1)),
            ["Event 2, delta: expected 'added' with the output_index '1' before it."],
        ),
    ],
)
def test_what_an_event_needs_comes_before_it(
    events: tuple[tuple[str, Mapping[str, Any]], ...], expected: list[str]
) -> None:
    """By the same id where both have one, by name otherwise; the same gap is told once."""
    stream = Stream({"added": ANY, "delta": ANY}, "event", after={"delta": "added"})
    assert messages(stream, sent(*events)) == expected


def test_the_ids_that_are_remembered_are_bounded() -> None:
    """Beyond so many ids, names alone count."""
    order = EventOrder(Stream({"added": ANY, "delta": ANY}, "event", after={"delta": "added"}))
    for number in range(20_000):
        assert list(order.event("added", {"id": str(number)})) == []
    assert list(order.event("delta", {"id": "0"})) == []
    assert list(order.event("delta", {"id": "19999"})) == []
    assert list(order.event("delta", {"id": "never"})) == []


def test_a_problem_says_where_it_is() -> None:
    """It is a warning about the answer, with the event it is in and the path of what is wrong."""
    (problem,) = found(CHUNKS, sent(("", {"id": "a"}), ("", {"id": 1}), ("", "[DONE]")))
    message = "Event 2: Invalid type for 'id': expected a string, but got an integer instead."
    assert problem == Problem(message, "id", "invalid_type", warning=True, side="response", event=2)
    (end,) = found(CHUNKS, b"")
    assert end == Problem("The stream ended without '[DONE]'.", warning=True, side="response")


def test_a_stream_that_was_cut_misses_no_end() -> None:
    """What did not come because the connection broke is no fault of the stream; what came is checked."""
    assert messages(RUN, sent(*RUN_EVENTS[:2]), complete=False) == []
    assert messages(RUN, sent(("run.begun", {})) + b"event: run", complete=False) == [
        "Event 1, run.begun: unknown event."
    ]


def test_an_event_that_was_never_ended_did_not_come() -> None:
    """Clients do not see it either."""
    assert messages(CHUNKS, b"data: [DONE]\n") == ["The stream ended without '[DONE]'."]


def test_the_same_again_is_only_counted() -> None:
    """A problem of every chunk is told once."""
    data = sent(*[("", {})] * 3, ("", "[DONE]"))
    assert messages(CHUNKS, data) == [
        "Event 1: Missing required parameter: 'id'.",
        "2 more problems were found in the stream.",
    ]
    assert messages(CHUNKS, sent(("", {}), ("", {}), ("", "[DONE]")))[1:] == ["1 more problem was found in the stream."]


def test_many_problems_are_counted() -> None:
    """So many are kept; the end counts among them."""
    events: list[tuple[str, Any]] = [(f"new.{number}", {}) for number in range(MOST_PROBLEMS + 5)]
    told = found(RUN, sent(("run.created", {"id": "a"}), *events))
    assert len(told) == MOST_PROBLEMS + 1
    assert told[-1] == Problem("7 more problems were found in the stream.", warning=True, side="response")
    assert found(RUN, sent(RUN_EVENTS[0], *events[:MOST_PROBLEMS]))[-1].message.startswith("2 more")


def test_what_is_quoted_is_bounded() -> None:
    """Names and values of any length make no message of that length."""
    name, path = "n" * 10_000, "p" * 10_000
    strict = Schema({"additionalProperties": {"type": "string"}}, {})
    assert len(messages(RUN, sent((name, {})), complete=False)[0]) < 200
    assert len(messages(REPLY, sent((name, {"type": "created"})), complete=False)[0]) < 300
    (problem,) = found(Stream({"": strict}), sent(("", {path: 1})))
    assert len(problem.message) < 700
    assert problem.param is not None
    assert len(problem.param) < 700


@pytest.mark.parametrize("piece", [1 << 30, 1 << 20])
@pytest.mark.parametrize("ended", [True, False])
def test_a_huge_event_ends_the_checking(piece: int, ended: bool) -> None:
    """What comes after it is not looked into, nor is its end missed; in whatever pieces it came."""
    huge = sent(("", {"id": "a" * PARSE_LIMIT}))
    data = sent(("", {"id": "a"})) + (huge + sent(("", {}), ("", {})) if ended else huge[:-2])
    check = StreamCheck(CHUNKS)
    for start in range(0, len(data), piece):
        check.feed(data[start : start + piece])
    check.feed(b"data: {}\n\n")
    told = [problem.message for problem in check.finish()]
    assert told == ["Event 2: larger than 8 MiB; the stream was not checked from there on."]


def test_a_long_stream_is_no_huge_event() -> None:
    """The limit is one for an event."""
    data = sent(*[("", {"id": "a" * (PARSE_LIMIT // 4)})] * 6, ("", "[DONE]"))
    assert messages(CHUNKS, data) == []


def test_a_schema_that_cannot_be_used_is_told() -> None:
    """A fault of the catalog does not break the stream of somebody's answer."""
    (message,) = messages(Stream({"": Schema({"type": "nothing"}, {})}), sent(("", {})))
    assert message.startswith("Event 1: It could not be checked: the catalog has a schema that cannot be used")


PIECES = (
    *(b"data: ", b"data: [DONE]\n\n", b"event: ", b"created", b"delta", b"error", b"done", b": c", b"id: 1", b"\xff"),
    *(b'{"type":"created","n":0}', b'{"type":"delta","n":1}', b'{"id":1}', b'{"error":{}}', b"[", b"]", b"null"),
    *(b"\n", b"\n\n", b"\r", b"\r\n\r\n", b"\xef\xbb\xbf"),
)


@given(
    data=st.lists(st.sampled_from(PIECES) | st.binary(max_size=3), max_size=40).map(b"".join),
    sizes=st.lists(st.integers(0, 20)),
    stream=st.sampled_from((RUN, REPLY, RESUMED, CHUNKS)),
    complete=st.booleans(),
)
def test_any_bytes_in_any_pieces_give_the_same(data: bytes, sizes: list[int], stream: Stream, complete: bool) -> None:
    """Nothing raises, how a stream was cut makes no difference, and asking twice answers twice."""
    check, start = StreamCheck(stream), 0
    for size in sizes:
        check.feed(data[start : start + size])
        start += size
    check.feed(data[start:])
    expected = found(stream, data, complete=complete)
    assert check.finish(complete=complete) == expected == check.finish(complete=complete)
    assert all(problem.warning and problem.side == "response" for problem in expected)


def test_blocks_of_every_shape_are_the_same_events() -> None:
    """Plain ones, comments, several data lines, an id, no blank behind the colon; together and one by one."""
    shapes = (
        b'event: run.created\ndata: {"id": "run_1"}\n\n',
        b": keep-alive\n\n",
        b'data: {"id": "x"}\nevent: message.created\n\n',
        b'event: message.delta\nid: 7\ndata: {"id":\ndata: "x"}\n\n',
        b'event:message.delta\ndata:{"id": "x"}\n\n',
        b'event: run.completed\ndata: {"id": "run_1"}\n\n',
        b"event: done\ndata: [DONE]\n\n",
    )
    assert found(RUN, b"".join(shapes)) == ()
    for cut in range(1, len(shapes)):
        check = StreamCheck(RUN)
        check.feed(b"".join(shapes[:cut]))
        check.feed(b"".join(shapes[cut:]))
        assert check.finish() == ()
