"""Nothing that a client or an API can send makes a check raise: it is made from the catalog, and at random."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from replayproxy.core.answer_checks import answer_check
from replayproxy.core.catalog import Operation
from replayproxy.core.messages import Headers, Request
from replayproxy.core.problem import Call, Problem
from replayproxy.core.schemas import Schema
from replayproxy.core.validation import checked_call, problems
from replayproxy.openai_api import catalog
from tests.schema_values import examples

OPERATIONS = list(catalog())
_TEXTS = st.text(max_size=8) | st.sampled_from(["", "null", "\x00", "-1", "1e999", "9" * 50, "a[", "[]", "a[b][]"])
_NUMBERS = st.integers() | st.floats() | st.sampled_from([2**63, -(2**64), 10**40])
_PLAIN = st.none() | st.booleans() | _NUMBERS | _TEXTS
JSON = st.recursive(_PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3))
MEDIA = st.sampled_from(
    [
        *(
            "application/json",
            "application/json; charset=utf-16",
            "multipart/form-data; boundary=b",
            "text/event-stream",
        ),
        *("multipart/form-data", "application/x-www-form-urlencoded", "text/plain", "application/sdp", ";;", ""),
    ]
)
_PIECES = [b"data: ", b"event: ", b"\n\n", b"{}", b'{"type": 1}', b"[DONE]", b"--b\r\n", b"--b--", b"\xff", b"[" * 2000]
BYTES = st.binary(max_size=40) | st.lists(st.sampled_from(_PIECES), max_size=8).map(b"".join)


def edited(value: Any, draw: st.DrawFn) -> Any:
    """`value` with something in it changed, left out, or added."""
    if isinstance(value, dict) and value and draw(st.booleans()):
        name = draw(st.sampled_from(sorted(value)))
        return {**value, name: edited(value[name], draw)}
    if isinstance(value, list) and value and draw(st.booleans()):
        return [edited(value[0], draw), *value[1:]]
    if isinstance(value, dict) and draw(st.booleans()):
        return {name: inner for name, inner in value.items() if draw(st.booleans())} | {draw(_TEXTS): draw(JSON)}
    return draw(JSON)


def near(schemas: list[Schema], draw: st.DrawFn) -> bytes:
    """Bytes that are nearly what one of `schemas` takes, or nothing of the kind."""
    if not schemas or draw(st.integers(0, 3)) == 0:
        return draw(BYTES)
    schema = draw(st.sampled_from(schemas))
    least_and_more = examples(schema.form, schema.definitions)[:4] or [{}]
    value = draw(st.sampled_from(least_and_more))
    for _ in range(draw(st.integers(0, 3))):
        value = edited(value, draw)
    return as_form(value) if draw(st.integers(0, 3)) == 0 else encoded(value)


def encoded(value: Any) -> bytes:
    """`value` as JSON, if that can hold it."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return repr(value).encode("utf-8", "surrogatepass")


def as_form(value: Any) -> bytes:
    """The fields of `value` as parts of a multipart body."""
    pairs = value.items() if isinstance(value, dict) else [("a", value)]
    parts = [
        b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
        % (
            name.encode("utf-8", "surrogatepass"),
            inner.encode("utf-8", "surrogatepass") if isinstance(inner, str) else encoded(inner),
        )
        for name, inner in pairs
    ]
    return b"".join(parts) + b"--b--\r\n"


@st.composite
def calls(draw: st.DrawFn) -> Request:
    """A request to an operation, right in its method and path, and as wrong as can be in all the rest."""
    operation: Operation = draw(st.sampled_from(OPERATIONS))
    names = [each.name for each in operation.parameters if each.place == "query"] or ["limit"]
    keys = st.sampled_from(names) | st.sampled_from(["a[b]", "include[]", "%5B", "a%00", "created_at[gt][x]"])
    values = st.sampled_from(["", "1", "x", "-0", "%FF", "true", "null", "%5B%5D", "[1]", "1" * 60, "{}", "%F0%9F"])
    query = "&".join(f"{draw(keys)}={draw(values)}" for _ in range(draw(st.integers(0, 3))))
    pairs = [*operation.query.items(), *([("", "")] if draw(st.booleans()) else [])]
    fixed = "&".join(f"{name}={value}" for name, value in pairs)
    segments = [draw(values) if part[:1] == "{" else part for part in operation.template.split("/")]
    target = draw(st.sampled_from(["", "/v1", "/openai/deployments/%FF"])) + "/".join(segments)
    head = {"content-type": draw(MEDIA), "openai-beta": draw(st.sampled_from([operation.beta, "", ",", "\xff"]))}
    headers = Headers(tuple((name, value) for name, value in head.items() if value))
    return Request(operation.method, f"{target}?{fixed}&{query}", headers, near(list(operation.bodies.values()), draw))


@st.composite
def answers(draw: st.DrawFn) -> tuple[Operation, int, Headers, list[bytes]]:
    """An operation, and an answer to it in pieces."""
    operation: Operation = draw(st.sampled_from(OPERATIONS))
    schemas = [schema for content in operation.answers.values() for schema in content.values()]
    events = list(operation.stream.events.items()) if operation.stream else []
    if events and draw(st.booleans()):
        media, pieces = "text/event-stream", []
        for _ in range(draw(st.integers(1, 4))):
            name, schema = draw(st.sampled_from(events))
            data = near([schema], draw).replace(b"\n", b" ")
            pieces.append(b"event: " + name.encode() + b"\ndata: " + data + b"\n\n")
    else:
        media, pieces = draw(MEDIA), [near(schemas, draw)]
    status = draw(st.sampled_from([200, 201, 204, 299, 301, 400, 404, 500, 599, 99, 1000]))
    return operation, status, Headers.of(("content-type", media)), [*pieces, draw(BYTES)]


@settings(max_examples=400)
@given(calls())
def test_no_request_makes_a_check_raise(request_: Request) -> None:
    """A call is checked, or told what is wrong with it."""
    resolved = catalog().resolve(request_.method, request_.target)
    if resolved is not None:
        found = problems(request_, resolved)
        assert len(found) <= 1
        assert all(isinstance(problem, Problem) and problem.message for problem in found)
        call = checked_call(request_, resolved)
        assert isinstance(call, Problem) == any(not problem.warning for problem in found)
        assert isinstance(call, Call | Problem)


@settings(max_examples=400)
@given(answers(), st.booleans())
def test_no_answer_makes_a_check_raise(answer: tuple[Operation, int, Headers, list[bytes]], complete: bool) -> None:
    """What is told of an answer are warnings about it."""
    operation, status, headers, pieces = answer
    check = answer_check(operation, status, headers)
    if check is not None:
        for piece in pieces:
            check.feed(piece)
        assert all(problem.warning and problem.side == "response" for problem in check.finish(complete=complete))


@given(st.text(max_size=8), st.text(max_size=40), MEDIA, BYTES | JSON.map(encoded))
def test_any_request_at_all_resolves_or_not(method: str, target: str, media: str, body: bytes) -> None:
    """A request that means nothing is no operation, and no error either."""
    resolved = catalog().resolve(method, target)
    if resolved is not None:
        problems(Request(method, target, Headers.of(("content-type", media)), body), resolved)
