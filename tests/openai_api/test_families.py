"""Threads, messages and lists: what is right and wrong with their other calls."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import orjson
import pytest

from replayproxy.core import wording
from replayproxy.core.messages import Headers, Request
from replayproxy.core.problem import Problem
from replayproxy.core.validation import problems
from replayproxy.openai_api import catalog
from replayproxy.openai_api.lists import PageQuery
from replayproxy.openai_api.models.messages import MessageObject, ModifyMessageRequest
from replayproxy.openai_api.models.threads import CreateThreadRequest, ThreadObject
from replayproxy.openai_api.translation import first_problem

HEADERS = Headers.of(("OpenAI-Beta", "assistants=v2"), ("Content-Type", "application/json"))


def found(method: str, target: str, body: Any = None) -> Problem | None:
    """The first problem of a request."""
    resolved = catalog().resolve(method, target)
    assert resolved is not None
    content = b"" if body is None else orjson.dumps(body)
    return next(iter(problems(Request(method, target, HEADERS, content), resolved)), None)


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"messages": [], "metadata": None, "tool_resources": None},
        {"messages": [{"role": "user", "content": "Hello"}], "metadata": {"a": "b"}},
        {"tool_resources": {"code_interpreter": {"file_ids": ["file-1"] * 20}, "file_search": {}}},
        {"tool_resources": {"file_search": {"vector_store_ids": ["vs_1"]}}},
        {
            "tool_resources": {
                "file_search": {"vector_stores": [{"file_ids": ["f"], "chunking_strategy": {"type": "auto"}}]}
            }
        },
        {
            "tool_resources": {
                "file_search": {
                    "vector_stores": [
                        {
                            "chunking_strategy": {
                                "type": "static",
                                "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0},
                            },
                            "metadata": {"a": "b"},
                        }
                    ]
                }
            }
        },
    ],
)
def test_right_thread_has_no_problem(body: Any) -> None:
    """A thread may come with nothing, with messages and with resources."""
    assert found("POST", "/v1/threads", body) is None


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        (
            {"messages": 1},
            "Invalid type for 'messages': expected an array of objects, but got an integer instead.",
            "invalid_type",
        ),
        (
            {"messages": [{"role": "user", "content": "x", "file_ids": []}]},
            "Unknown parameter: 'messages[0].file_ids'.",
            "unknown_parameter",
        ),
        (
            {"messages": [{"content": "x"}]},
            "Missing required parameter: 'messages[0].role'.",
            "missing_required_parameter",
        ),
        ({"mesages": []}, "Unknown parameter: 'mesages'. Did you mean 'messages'?", "unknown_parameter"),
        (
            {"tool_resources": {"code_interpreter": {"file_ids": ["f"] * 21}}},
            "Invalid 'tool_resources.code_interpreter.file_ids': array too long. "
            "Expected an array with maximum length 20, but got an array with length 21 instead.",
            "array_above_max_length",
        ),
        (
            {"tool_resources": {"file_search": {"vector_store_ids": [1]}}},
            "Invalid type for 'tool_resources.file_search.vector_store_ids[0]': "
            "expected a string, but got an integer instead.",
            "invalid_type",
        ),
        (
            {"tool_resources": {"file_search": {"vector_stores": [{"chunking_strategy": {"type": "x"}}]}}},
            "Invalid value: 'x'. Supported values are: 'auto' and 'static'.",
            "invalid_value",
        ),
    ],
)
def test_wrong_thread_is_told_as_the_api_tells_it(body: Any, message: str, code: str) -> None:
    """Paths go down into messages and resources."""
    problem = found("POST", "/v1/threads", body)
    assert problem is not None
    assert (problem.message, problem.code) == (message, code)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((99, 0), "integer below minimum value. Expected a value >= 100, but got 99 instead."),
        ((4097, 0), "integer above maximum value. Expected a value <= 4096, but got 4097 instead."),
        ((100.0, 0), "expected an integer, but got a decimal instead."),
    ],
)
def test_chunk_sizes_have_bounds(sizes: tuple[float, int], message: str) -> None:
    """The API says by which bound a number is out."""
    static = {"max_chunk_size_tokens": sizes[0], "chunk_overlap_tokens": sizes[1]}
    store = {"chunking_strategy": {"type": "static", "static": static}}
    problem = found("POST", "/v1/threads", {"tool_resources": {"file_search": {"vector_stores": [store]}}})
    assert problem is not None
    assert problem.message.endswith(message)


@pytest.mark.parametrize("target", ["/v1/threads/thread_1", "/v1/threads/thread_1/messages/msg_1"])
def test_modifying_takes_metadata(target: str) -> None:
    """The measured error of a modification, and the right call beside it."""
    assert found("POST", target, {"metadata": {"modified": "true"}}) is None
    problem = found("POST", target, {"metadata": {"modified": True}})
    assert problem is not None
    assert problem.message == "Invalid type for 'metadata.modified': expected a string, but got a boolean instead."


def test_vector_stores_are_made_with_a_thread_only() -> None:
    """A modification names stores that are there already."""
    body = {"tool_resources": {"file_search": {"vector_stores": []}}}
    assert found("POST", "/v1/threads", body) is None
    problem = found("POST", "/v1/threads/thread_1", body)
    assert problem is not None
    assert problem.code == "unknown_parameter"


@pytest.mark.parametrize(
    ("method", "target", "name", "prefix"),
    [
        ("GET", "/v1/threads/x", "thread_id", "thread"),
        ("DELETE", "/v1/threads/x", "thread_id", "thread"),
        ("GET", "/v1/threads/thread_1/messages/x", "message_id", "msg"),
        ("DELETE", "/v1/threads/x/messages/x", "thread_id", "thread"),
        ("GET", "/v1/threads/x/messages?limit=0", "thread_id", "thread"),
    ],
)
def test_ids_begin_as_they_should(method: str, target: str, name: str, prefix: str) -> None:
    """An id of another kind is told from the first such parameter of the path."""
    assert found(method, target) == wording.wrong_id(name, "x", prefix)


@pytest.mark.parametrize(
    ("query", "message", "param"),
    [
        ("limit=0", "Invalid 'limit': integer below minimum value. Expected a value >= 1, but got 0 instead.", "limit"),
        (
            "limit=-5",
            "Invalid 'limit': integer below minimum value. Expected a value >= 1, but got -5 instead.",
            "limit",
        ),
        (
            "limit=101",
            "Invalid 'limit': integer above maximum value. Expected a value <= 100, but got 101 instead.",
            "limit",
        ),
        ("limit=ten", "Invalid type for 'limit': expected an integer, but got a string instead.", "limit"),
        ("limit=", "Invalid type for 'limit': expected an integer, but got a string instead.", "limit"),
        ("limit=%C2%B2", "Invalid type for 'limit': expected an integer, but got a string instead.", "limit"),
        ("order=up", "Invalid value: 'up'. Supported values are: 'asc' and 'desc'.", "order"),
    ],
)
def test_wrong_query_of_a_list_is_told(query: str, message: str, param: str) -> None:
    """Limit from 1 to 100, order one of two."""
    problem = found("GET", f"/v1/threads/thread_1/messages?{query}")
    assert problem is not None
    assert (problem.message, problem.param) == (message, param)


def test_endless_digits_are_too_many() -> None:
    """A limit that Python would not read is out of bounds all the same."""
    problem = found("GET", f"/v1/threads/thread_1/messages?limit={'9' * 10_000}")
    assert problem is not None
    assert problem.code == "integer_above_max_value"


def test_query_of_a_list_has_defaults() -> None:
    """Twenty, the newest first; the last of a repeated parameter counts, an empty cursor and an unknown name do not."""
    assert PageQuery.parse(()) == PageQuery(20, "desc", None, None)
    query = (("limit", "3"), ("limit", "7"), ("order", "asc"), ("after", "a"), ("before", ""), ("x", "y"))
    assert PageQuery.parse(query) == PageQuery(7, "asc", "a", None)
    assert found("GET", "/v1/threads/thread_1/messages?limit=100&order=desc&run_id=run_1") is None
    problem = found("GET", "/v1/threads/thread_1/messages?limit=100&x=y")
    assert problem == Problem("Unknown parameter: 'x'.", "x", "unknown_parameter", warning=True)


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("stop", ("store", "stream"), "store"),
        ("fileId", ("file_id", "tools"), "file_id"),
        ("max_tokens", ("max_output_tokens",), None),
        ("seed", ("user", "store"), None),
        ("n", ("id",), None),
        ("a" * 65, ("a" * 64,), None),
        ("", ("id",), None),
        ("x", (), None),
    ],
)
def test_near_miss_is_within_two_edits(name: str, known: tuple[str, ...], hint: str | None) -> None:
    """The proposals that real answers make, and those that they do not make."""
    expected = f" Did you mean '{hint}'?" if hint else ""
    assert wording.unknown("p", name, known).message == f"Unknown parameter: 'p'.{expected}"


def test_error_without_a_sentence_of_its_own_is_still_told() -> None:
    """What no sentence covers names at least the place: here text that cannot be UTF-8, which no parser lets in."""
    body = {"messages": [{"role": "user", "content": "\ud800"}]}
    assert first_problem(CreateThreadRequest, body) == wording.invalid("messages[0].content")


def test_objects_must_be_objects() -> None:
    """A model that is given something else says so."""
    problem = first_problem(ModifyMessageRequest, [])
    assert problem is not None
    assert problem.message == "Invalid type for '': expected an object, but got an array instead."
    problem = found("POST", "/v1/threads", {"tool_resources": {"code_interpreter": []}})
    assert problem == wording.wrong_type("tool_resources.code_interpreter", "an object", [])


SHORT = {
    "id": "msg_1",
    "object": "thread.message",
    "created_at": 1,
    "assistant_id": None,
    "thread_id": "thread_1",
    "run_id": None,
    "role": "user",
    "content": [{"type": "text", "text": {"value": "Hello", "annotations": []}}],
    "attachments": [],
    "metadata": {},
}


def test_message_object_takes_both_real_forms() -> None:
    """What is answered has no status; what is streamed has, and its content may still be empty."""
    streamed = SHORT | {
        "status": "in_progress",
        "incomplete_details": None,
        "incomplete_at": None,
        "completed_at": None,
        "content": [],
        "run_id": "run_1",
        "assistant_id": "asst_1",
        "role": "assistant",
    }
    assert MessageObject.model_validate(SHORT).status is None
    assert MessageObject.model_validate(streamed).status == "in_progress"


def test_thread_object_is_open() -> None:
    """A field that the API adds one day does not break it."""
    thread = {"id": "thread_1", "object": "thread", "created_at": 1, "metadata": {}, "tool_resources": {}, "new": 1}
    assert ThreadObject.model_validate(thread).id == "thread_1"


def test_catalog_loads_without_pydantic() -> None:
    """The start does not pay for models that are not needed yet."""
    code = "import sys, replayproxy.openai_api; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ((("limit", "x"),), "Invalid type for 'limit': expected an integer, but got a string instead."),
        ((("limit", "0"),), "Invalid 'limit': integer below minimum value. Expected a value >= 1, but got 0 instead."),
        (
            (("limit", "9" * 50),),
            f"Invalid 'limit': integer above maximum value. Expected a value <= 100, but got {'9' * 20} instead.",
        ),
        ((("order", "up"),), "Invalid value: 'up'. Supported values are: 'asc' and 'desc'."),
    ],
)
def test_a_page_that_nobody_checked_is_checked(query: tuple[tuple[str, str], ...], message: str) -> None:
    """In the words of the schemas."""
    problem = PageQuery.parse(query)
    assert isinstance(problem, Problem)
    assert problem.message == message
