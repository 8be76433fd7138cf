"""Validation: the order of looking, and that nothing a client can send raises."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from replayproxy.core.catalog import Operation, Resolved
from replayproxy.core.envelope import error_body
from replayproxy.core.messages import FileBody, Headers, Request
from replayproxy.core.problem import UNREAD, Call, Problem
from replayproxy.core.schemas import Schema
from replayproxy.core.validation import checked_call, problems
from replayproxy.openai_api import catalog

BETA = ("OpenAI-Beta", "assistants=v2")
JSON = ("Content-Type", "application/json")
PATH = "/v1/threads/thread_abc/messages"
MALFORMED = "We could not parse the JSON body of your request."


def found(body: bytes | FileBody, *headers: tuple[str, str], target: str = PATH) -> list[str]:
    """The messages of the problems of a POST."""
    resolved = catalog().resolve("POST", target)
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


def test_schemas_speak_where_no_model_does() -> None:
    """A run's body is checked by its schema, after the same look at its JSON."""
    run = '{"assistant_id": "asst_1"'
    assert found(f"{run}}}".encode(), BETA, JSON, target="/v1/threads/runs") == []
    (message,) = found(b"{", BETA, JSON, target="/v1/threads/runs")
    assert message.startswith(MALFORMED)
    told = found(f'{run}, "max_prompt_tokens": 1, "x": 2}}'.encode(), BETA, JSON, target="/v1/threads/runs")
    assert told == ["Unknown parameter: 'x'."]


def sent(target: str, body: bytes, content_type: str = "application/json", method: str = "POST") -> Problem | None:
    """The problem of a request without a beta header."""
    resolved = catalog().resolve(method, target)
    assert resolved is not None
    request = Request(method, target, Headers.of(("Content-Type", content_type)), body)
    outcome = checked_call(request, resolved)
    told = next(iter(problems(request, resolved)), None)
    assert (told is None or told.warning) == isinstance(outcome, Call)
    return told


CHAT = b'{"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}'


def test_what_an_evolving_family_does_not_know_is_a_warning() -> None:
    """The client may be newer than the catalog: the request goes on, and the field is told of."""
    problem = sent("/v1/chat/completions", CHAT.replace(b"}]}", b'}], "stream_optons": {}}'))
    assert problem is not None
    assert problem.message == "Unknown parameter: 'stream_optons'. Did you mean 'stream_options'?"
    assert problem.warning


def test_azure_names_the_model_in_the_path() -> None:
    """There the body needs none, the version stands in the query, and no beta header is asked for."""
    without = CHAT.replace(b'"model": "gpt-4o", ', b"")
    assert sent("/openai/deployments/d/chat/completions?api-version=1", without) is None
    assert sent("/openai/threads/thread_1?api-version=1", b"{}") is None
    problem = sent("/v1/chat/completions", without)
    assert problem is not None
    assert problem.message == "Missing required parameter: 'model'."


def multipart(*parts: tuple[str, str | None, str]) -> bytes:
    """A multipart body of name, filename and content."""
    told = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"'
        f"{f'; filename={chr(34)}{filename}{chr(34)}' if filename is not None else ''}\r\n\r\n{content}\r\n"
        for name, filename, content in parts
    ]
    return ("".join(told) + "--b--\r\n").encode()


FORM = "multipart/form-data; boundary=b"
FILE = ("file", "a.jsonl", "{}")


@pytest.mark.parametrize(
    ("target", "parts", "message"),
    [
        ("/v1/files", [FILE, ("purpose", None, "batch")], None),
        ("/v1/files", [("purpose", None, "batch")], "Missing required parameter: 'file'."),
        ("/v1/files", [FILE, ("purpose", None, "x")], "Invalid value: 'x'. Supported values are: "),
        (
            "/v1/files",
            [
                FILE,
                ("purpose", None, "batch"),
                ("expires_after[anchor]", None, "created_at"),
                ("expires_after[seconds]", None, "3600"),
            ],
            None,
        ),
        (
            "/v1/files",
            [FILE, ("purpose", None, "batch"), ("expires_after[anchor]", None, "created_at")],
            "Missing required parameter: 'expires_after.seconds'.",
        ),
        ("/v1/audio/transcriptions", [FILE, ("model", None, "whisper-1"), ("temperature", None, "0.2")], None),
        (
            "/v1/audio/transcriptions",
            [FILE, ("model", None, "whisper-1"), ("timestamp_granularities[]", None, "word")],
            None,
        ),
    ],
)
def test_parts_are_fields(target: str, parts: list[tuple[str, str | None, str]], message: str | None) -> None:
    """A multipart body is what its parts say: texts as their schema asks for them, a file as it is."""
    problem = sent(target, multipart(*parts), FORM)
    assert (problem is None) == (message is None)
    assert problem is None or (message and problem.message.startswith(message))


def test_a_multipart_body_without_parts_is_unreadable() -> None:
    """No boundary, no end."""
    problem = sent("/v1/files", b"--b\r\n", FORM)
    assert problem is not None
    assert problem.message.startswith("Could not parse the multipart body")


def test_a_form_is_fields_where_the_operation_takes_one() -> None:
    """No operation of OpenAI does; others' do."""
    schema = Schema({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}, {})
    operation = Operation("a", "POST", "/x", "f", bodies={"application/x-www-form-urlencoded": schema})
    headers = Headers.of(("Content-Type", "application/x-www-form-urlencoded"))
    assert problems(Request("POST", "/x", headers, b"n=1"), Resolved(operation)) == ()
    (problem,) = problems(Request("POST", "/x", headers, b"n=a"), Resolved(operation))
    assert problem.message == "Invalid type for 'n': expected an integer, but got a string instead."
    assert checked_call(Request("POST", "/x", Headers(), b"n=1"), Resolved(operation)) == Call({}, (), UNREAD)


def test_the_media_types_that_an_operation_takes_are_named() -> None:
    """All of them."""
    bodies = {"application/json": Schema(True, {}), "application/sdp": Schema(True, {})}
    operation = Operation("a", "POST", "/x", "f", bodies=bodies)
    (problem,) = problems(Request("POST", "/x", Headers.of(("Content-Type", "text/x")), b"1"), Resolved(operation))
    assert "only accepts 'application/json' and 'application/sdp' requests" in problem.message
    sdp = Headers.of(("Content-Type", "application/sdp"))
    assert problems(Request("POST", "/x", sdp, b"v=0"), Resolved(operation)) == ()


def test_json_of_another_name_is_json() -> None:
    """Where an operation takes it."""
    schema = Schema({"type": "object", "required": ["n"]}, {})
    operation = Operation("a", "PATCH", "/x", "f", bodies={"application/merge-patch+json": schema})
    headers = Headers.of(("Content-Type", "application/merge-patch+json; charset=utf-8"))
    (problem,) = problems(Request("PATCH", "/x", headers, b"{}"), Resolved(operation))
    assert problem.message == "Missing required parameter: 'n'."


def test_a_body_that_may_be_left_out() -> None:
    """Nothing is no problem where a body is optional, and an empty object where it is not."""
    schema = Schema({"type": "object", "required": ["n"]}, {})
    bodies = {"application/json": schema}
    optional = Operation("a", "POST", "/x", "f", bodies=bodies)
    required = replace(optional, body_required=True)
    assert problems(Request("POST", "/x"), Resolved(optional)) == ()
    (problem,) = problems(Request("POST", "/x"), Resolved(required))
    assert problem.message == "Missing required parameter: 'n'."


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

    def call_of(*accepts: str) -> Call | Problem:
        bodies = {media: Schema(True, {}) for media in accepts}
        operation = Operation("a", "POST", "/x/{id}", "f", bodies=bodies, check=check)
        request = Request("POST", "/x/1?b=%20&a=&b=2", Headers(), b'{"k": 1, "k": 2}')
        return checked_call(request, Resolved(operation, {"id": "1"}))

    query = (("b", " "), ("a", ""), ("b", "2"))
    assert call_of("application/json") == Call({"id": "1"}, query, {"k": 2})
    assert call_of() == Call({"id": "1"}, query, UNREAD)
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
    resolved = catalog().resolve("POST", target)
    assert resolved is not None
    told = problems(Request("POST", target, Headers.of(BETA, JSON), body), resolved)
    assert len(told) <= 1
    for problem in told:
        assert json.loads(error_body(problem))["error"]["type"] == "invalid_request_error"
