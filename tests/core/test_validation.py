"""Validation: the order of looking, and that nothing a client can send raises."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from replayproxy.core.catalog import Operation, Resolved
from replayproxy.core.envelope import error_body
from replayproxy.core.messages import FileBody, Headers, Request
from replayproxy.core.validation import UNREAD, Call, Problem, checked_call, problems
from replayproxy.openai_api import CATALOG

BETA = ("OpenAI-Beta", "assistants=v2")
JSON = ("Content-Type", "application/json")
PATH = "/v1/threads/thread_abc/messages"
MALFORMED = "We could not parse the JSON body of your request."


def found(body: bytes | FileBody, *headers: tuple[str, str], target: str = PATH) -> list[str]:
    """The messages of the problems of a POST."""
    resolved = CATALOG.resolve("POST", target)
    assert resolved is not None
    return [problem.message for problem in problems(Request("POST", target, Headers(headers), body), resolved)]


@pytest.mark.parametrize(
    ("body", "headers", "target", "beginning"),
    [
        (b"{", [], "/v1/threads/x/messages", "You must provide the 'OpenAI-Beta' header"),
        (b"{", [("OpenAI-Beta", "assistants=v1")], PATH, "You must provide the 'OpenAI-Beta' header"),
        (
            b"{",
            [BETA, ("Content-Type", "text/plain")],
            "/v1/threads/x/messages",
            "Unsupported content type: 'text/plain'",
        ),
        (b"{", [BETA, JSON], "/v1/threads/x/messages", MALFORMED),
        (b"{}", [BETA, JSON], "/v1/threads/x/messages", "Invalid 'thread_id': 'x'."),
        (b"{}", [BETA, JSON], PATH, "Missing required parameter: 'role'."),
        (b"", [BETA], PATH, "Missing required parameter: 'role'."),
    ],
)
def test_order_of_looking(body: bytes, headers: list[tuple[str, str]], target: str, beginning: str) -> None:
    """Beta header, content type, JSON, path, body: the first thing wrong is the one that is told."""
    (message,) = found(body, *headers, target=target)
    assert message.startswith(beginning)


@pytest.mark.parametrize(
    "headers",
    [
        [BETA, JSON],
        [("openai-beta", "other=1, assistants=v2"), ("content-type", "Application/JSON; charset=utf-8")],
        [("OpenAI-Beta", "other=1"), BETA],
        [BETA, ("Content-Type", "")],
    ],
)
def test_right_request_has_no_problem(headers: list[tuple[str, str]]) -> None:
    """The case of a header, a charset, further beta tokens, and no content type at all do not count."""
    assert found(b'{"role": "user", "content": "Hello"}', *headers) == []


def test_nothing_is_of_any_type() -> None:
    """The content type of an empty body does not count: a thread may be made by sending nothing."""
    assert found(b"", BETA, ("Content-Type", "application/octet-stream"), target="/v1/threads") == []


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000,
        b'{"content": "\\ud800"}',
        b'{"content": "\xff"}',
        b"\xef\xbb\xbf{}",
        b'{"a": NaN}',
        "{}".encode("utf-16"),
        b"{} x",
        b" ",
    ],
)
def test_what_the_parser_cannot_hold_is_malformed(body: bytes) -> None:
    """Too deep, half a surrogate pair, not UTF-8, not JSON: one and the same answer."""
    (message,) = found(body, BETA, JSON)
    assert message.startswith(MALFORMED)


def test_operation_without_a_check_is_read_all_the_same() -> None:
    """Where the body must be JSON, it must be so for operations whose bodies are not checked, too."""
    assert found(b"{}", BETA, JSON, target="/v1/threads/runs") == []
    (message,) = found(b"{", BETA, JSON, target="/v1/threads/runs")
    assert message.startswith(MALFORMED)


def test_operation_that_takes_no_json_has_its_body_left_alone() -> None:
    """Neither content type nor body of a cancellation are looked at."""
    assert found(b"\xff", BETA, ("Content-Type", "text/plain"), target="/v1/threads/thread_1/runs/run_1/cancel") == []


def test_body_in_a_file_is_not_looked_into() -> None:
    """Its path is still checked."""
    body = FileBody("x", 10, "00")
    assert found(body, BETA, JSON) == []
    assert found(body, BETA, JSON, target="/v1/threads/x/messages") != []


def test_check_sees_the_decoded_call() -> None:
    """A check gets decoded parameters, the query in order, and the parsed body."""
    seen: list[Call] = []

    def check(call: Call) -> Problem | None:
        seen.append(call)
        return None

    def call_of(accepts: str) -> Call | Problem:
        operation = Operation("a", "POST", "/x/{id}", "f", accepts=accepts, check=check)
        request = Request("POST", "/x/1?b=%20&a=&b=2", Headers(), b'{"k": 1, "k": 2}')
        return checked_call(request, Resolved(operation, {"id": "1"}))

    query = (("b", " "), ("a", ""), ("b", "2"))
    assert call_of("application/json") == Call({"id": "1"}, query, {"k": 2})
    assert call_of("") == Call({"id": "1"}, query, UNREAD)
    assert len(seen) == 2


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
#: Objects that come near to being right, so that the checks are reached.
near_bodies = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from(["user", "assistant", "x", 1]) | json_values,
        "content": st.text()
        | json_values
        | st.lists(st.fixed_dictionaries({"type": json_values}, optional={"text": json_values})),
        "attachments": json_values
        | st.lists(st.fixed_dictionaries({"file_id": st.text()}, optional={"tools": json_values})),
        "metadata": json_values | st.dictionaries(st.text(), st.text()),
        "messages": json_values,
        "tool_resources": json_values,
    },
)
targets = st.sampled_from(
    [PATH, "/v1/threads", "/v1/threads/thread_1", f"{PATH}/msg_1", "/v1/threads/\udcff/messages?\udcff=%ff"]
)


@given(
    st.binary() | json_values.map(lambda v: json.dumps(v).encode()) | near_bodies.map(lambda v: json.dumps(v).encode()),
    targets,
)
@example(b'{"role": 1' + b"0" * 5_000 + b"}", PATH)
@example(b'{"role": "user", "role": "user", "content": "x", "content": {}}', PATH)
@example(b'{"content": [' + b"[" * 1_000 + b"]" * 1_000 + b'], "role": "user"}', PATH)
@example(b'{"role": "\\u0000", "content": "x"}', PATH)
def test_no_body_raises(body: bytes, target: str) -> None:
    """Bytes of any kind give at most one problem, and that can be told."""
    resolved = CATALOG.resolve("POST", target)
    assert resolved is not None
    told = problems(Request("POST", target, Headers.of(BETA, JSON), body), resolved)
    assert len(told) <= 1
    for problem in told:
        assert json.loads(error_body(problem))["error"]["type"] == "invalid_request_error"
