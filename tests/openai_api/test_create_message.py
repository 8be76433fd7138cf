"""What is right and what is wrong with the body of create message."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from replayproxy.core.messages import Headers, Request
from replayproxy.core.problem import Problem
from replayproxy.core.validation import problems
from replayproxy.openai_api import catalog
from tests.bad_calls import ROWS, bytes_of

GOOD = {"Authorization": "Bearer sk-test", "OpenAI-Beta": "assistants=v2", "Content-Type": "application/json"}
OK: dict[str, Any] = {"role": "user", "content": "Hello"}


def found(method: str, target: str, headers: dict[str, str | None], body: bytes) -> tuple[Problem, ...]:
    """The problems of a request."""
    resolved = catalog().resolve(method, target)
    assert resolved is not None
    pairs = tuple((name, value) for name, value in headers.items() if value is not None)
    return problems(Request(method, target, Headers(pairs), body), resolved)


@pytest.mark.parametrize("row", [row for row in ROWS if row.get("validator", True)], ids=lambda row: str(row["name"]))
def test_wrong_call_is_told_as_the_api_tells_it(row: dict[str, Any]) -> None:
    """Status, message, type, param and code are the API's."""
    target = row.get("path", "/v1/threads/thread_abc/messages")
    expected = {"status": 400, "type": "invalid_request_error", **row["error"]}
    assert found("POST", target, GOOD | row.get("headers", {}), bytes_of(row)) == (Problem(**expected),)


@pytest.mark.parametrize(
    "body",
    [
        OK,
        {"content": "x" * 256_000, "role": "assistant"},
        {**OK, "content": "😀" * 256_000},
        {**OK, "content": " "},
        {**OK, "attachments": None, "metadata": None},
        {**OK, "attachments": [], "metadata": {}},
        {**OK, "metadata": {"k" * 64: "v" * 512} | {str(i): "" for i in range(15)}},
        {**OK, "metadata": {"": "x", "<a>": "y", "a.b": "z"}},
        {**OK, "content": [{"type": "text", "text": "Hello"}]},
        {**OK, "content": [{"text": "", "type": "text"}]},
        {**OK, "content": [{"type": "image_file", "image_file": {"file_id": "file-1", "detail": "high"}}]},
        {**OK, "content": [{"type": "image_url", "image_url": {"url": "http://localhost:8000/a.png?b=c#d"}}]},
        {**OK, "content": [{"type": "image_url", "image_url": {"url": "HTTPS://x.test/ü.png", "detail": "low"}}]},
        {
            **OK,
            "attachments": [{"file_id": "file-1", "tools": [{"type": "code_interpreter"}, {"type": "file_search"}]}],
        },
        {**OK, "attachments": [{"file_id": "file-1", "tools": []}] * 50},
    ],
)
def test_right_body_has_no_problem(body: dict[str, Any]) -> None:
    """All that the description and the API's own limits allow goes through, up to the limits."""
    assert found("POST", "/v1/threads/thread_abc/messages", GOOD, orjson.dumps(body)) == ()


@pytest.mark.parametrize(
    "url", ["", "x", "ftp://x.test/a.png", "http:///a.png", "http://[", "https://x.test/a b.png", "//x.test/a.png"]
)
def test_image_needs_a_web_address(url: str) -> None:
    """Only http and https with a host and without white space will do."""
    body = {**OK, "content": [{"type": "image_url", "image_url": {"url": url}}]}
    (problem,) = found("POST", "/v1/threads/thread_abc/messages", GOOD, orjson.dumps(body))
    assert problem.message.startswith("Invalid 'content[0].image_url.url'. Expected a valid URL")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"role": "x", "content": ""}, "role"),
        ({"content": "", "role": "user", "metadata": 1}, "content"),
        ({"metadata": 1, "attachments": 1, "role": "user", "content": "x"}, "attachments"),
        ({"zzz": 1, "aaa": 2}, "zzz"),
        ({**OK, "content": [{"type": "text"}, 1]}, "content[0].text"),
        ({**OK, "attachments": [{"tools": 1, "x": 1}]}, "attachments[0].x"),
        ({**OK, "attachments": [{"tools": 1}]}, "attachments[0].file_id"),
        ({**OK, "metadata": {"b": 1, "a": 2} | {str(i): "x" for i in range(20)}}, "metadata.b"),
        ({**OK, "content": [{"type": "text", "text": "x" * 256_001}]}, "content[0].text"),
        ({**OK, "attachments": ["x"]}, "attachments[0]"),
    ],
)
def test_first_problem_is_the_one_told(body: dict[str, Any], param: str) -> None:
    """In each object unknown parameters first, then the declared ones in their declared order, whole."""
    (problem,) = found("POST", "/v1/threads/thread_abc/messages", GOOD, orjson.dumps(body))
    assert problem.param == param
