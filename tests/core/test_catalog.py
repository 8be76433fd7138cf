"""The catalog: which operation a method and a path mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.catalog import Catalog, Family, Operation
from replayproxy.openai_api import CATALOG, FAMILIES


@pytest.mark.parametrize(
    ("method", "path", "operation", "params"),
    [
        ("POST", "/v1/threads", "createThread", {}),
        ("POST", "/threads", "createThread", {}),
        ("GET", "/v1/threads/thread_1", "getThread", {"thread_id": "thread_1"}),
        ("POST", "/v1/threads/runs", "createThreadAndRun", {}),
        ("GET", "/v1/threads/runs", "getThread", {"thread_id": "runs"}),
        ("GET", "/v1/threads/runs/messages", "listMessages", {"thread_id": "runs"}),
        ("GET", "/v1/threads/t/messages?limit=2&a=/x", "listMessages", {"thread_id": "t"}),
        ("DELETE", "/v1/threads/t/messages/m", "deleteMessage", {"thread_id": "t", "message_id": "m"}),
        ("GET", "/v1/threads/a%2Fb%20%C3%BC/messages", "listMessages", {"thread_id": "a/b ü"}),
        ("GET", "/v1/threads/%ff/messages", "listMessages", {"thread_id": "\udcff"}),
        (
            "POST",
            "/v1/threads/t/runs/r/submit_tool_outputs",
            "submitToolOuputsToRun",
            {"thread_id": "t", "run_id": "r"},
        ),
        ("POST", "/v1/threads//messages", "createThread", {}),
        ("POST", "/v1/threads//messages/msg_1", "createThread", {}),
        ("GET", "/v1/threads/t/messages//x", "listMessages", {"thread_id": "t"}),
    ],
)
def test_path_means_operation(method: str, path: str, operation: str, params: dict[str, str]) -> None:
    """Prefix or not, literal before templated, decoded parameters, no query, and an id left out ends the path."""
    resolved = CATALOG.resolve(method, path)
    assert resolved is not None
    assert (resolved.operation.id, resolved.params) == (operation, params)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/threads"),
        ("get", "/v1/threads/t"),
        ("GET", "/v1/nothing"),
        ("POST", "/v1/threads/"),
        ("GET", "/v1/threads/t/"),
        ("POST", "/v1/v1/threads"),
        ("POST", "//v1/threads"),
        ("POST", "/v1"),
        ("GET", "/"),
        ("OPTIONS", "*"),
        ("GET", ""),
    ],
)
def test_other_paths_mean_nothing(method: str, path: str) -> None:
    """A wrong method, an unknown path and a slash at the end resolve to nothing."""
    assert CATALOG.resolve(method, path) is None


def test_methods_of_a_path() -> None:
    """A path tells which methods it answers, an unknown one that it answers none."""
    assert CATALOG.methods("/v1/threads/thread_1?x=1") == ("DELETE", "GET", "POST")
    assert CATALOG.methods("/v1/threads/runs") == ("DELETE", "GET", "POST")
    assert CATALOG.methods("/v1/nothing") == ()


def test_every_operation_is_found_by_its_own_template() -> None:
    """No operation hides another."""
    operations = [operation for family in FAMILIES for operation in family.operations]
    assert list(CATALOG) == operations
    for operation in operations:
        resolved = CATALOG.resolve(operation.method, f"/v1{operation.template}")
        assert resolved is not None
        assert resolved.operation is CATALOG.operation(operation.id) is operation


def test_the_assistants_tag_is_complete() -> None:
    """All 23 operations are there, each in the family that lists it."""
    assert len(list(CATALOG)) == 23
    assert all(operation.family == family.name for family in FAMILIES for operation in family.operations)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Operation("a", "GET", "/x/{id}", "f"), Operation("b", "GET", "/x/{name}", "f")),
        (Operation("a", "GET", "/x", "f"), Operation("a", "GET", "/y", "f")),
    ],
)
def test_operation_twice_is_refused(one: Operation, other: Operation) -> None:
    """Two operations under one name, or in one place, are a mistake in a table."""
    with pytest.raises(ValueError, match="twice"):
        Catalog([Family("f", (one, other))])


def test_parameters_have_the_names_of_their_own_template() -> None:
    """Two operations in one place may call the same segment differently."""
    catalog = Catalog([Family("f", (Operation("a", "GET", "/x/{a}", "f"), Operation("b", "PUT", "/x/{b}", "f")))])
    got, put = catalog.resolve("GET", "/x/1"), catalog.resolve("PUT", "/x/1")
    assert got is not None
    assert put is not None
    assert (got.params, put.params) == ({"a": "1"}, {"b": "1"})


@given(st.text(), st.lists(st.sampled_from(["", "v1", "threads", "runs", "messages", "%", "%zz", "\udcff", "?", "x"])))
def test_no_path_raises(method: str, segments: list[str]) -> None:
    """Whatever stands in a request line, the catalog has an answer."""
    CATALOG.resolve(method, "/".join(segments))
    CATALOG.methods("/" + "/".join(segments))
