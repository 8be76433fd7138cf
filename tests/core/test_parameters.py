"""Path, query and headers: what is wrong with them."""

from __future__ import annotations

import pytest

from replayproxy.core.catalog import Operation, Parameter
from replayproxy.core.messages import Headers, Request
from replayproxy.core.parameters import header_problem, path_problem, query_problem
from replayproxy.core.problem import Call, Problem
from replayproxy.core.schemas import Schema


def schema(**form: object) -> Schema:
    """A schema without definitions."""
    return Schema(form, {})


OPERATION = Operation(
    "a",
    "GET",
    "/x/{x_id}",
    "f",
    query={"beta": "true"},
    parameters=(
        Parameter("x_id", "path", True, schema(type="string", maxLength=3)),
        Parameter("limit", "query", False, schema(type="integer", minimum=1)),
        Parameter("include[]", "query", False, schema(type="array", items={"enum": ["a", "b"]})),
        Parameter("created", "query", schema=schema(type="object", properties={"gt": {"type": "integer"}})),
        Parameter("free", "query"),
        Parameter("x-kind", "header", True, schema(enum=["one", "two"])),
    ),
)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ((), None),
        ((("limit", "3"), ("beta", "true"), ("free", "?"), ("api-version", "1")), None),
        ((("include[]", "a"), ("include[]", "b")), None),
        ((("include", "a"),), None),
        ((("created[gt]", "5"),), None),
        ((("limit", "x"),), "Invalid type for 'limit': expected an integer, but got a string instead."),
        ((("limit", "0"),), "Invalid 'limit': integer below minimum value. Expected a value >= 1, but got 0 instead."),
        ((("include[]", "c"),), "Invalid value: 'c'. Supported values are: 'a' and 'b'."),
        ((("created[gt]", "x"),), "Invalid type for 'created.gt': expected an integer, but got a string instead."),
    ],
)
def test_a_query_is_checked_by_its_schemas(query: tuple[tuple[str, str], ...], message: str | None) -> None:
    """Numbers, lists by brackets, ranges; a fixed query and what belongs to the base are known."""
    problem = query_problem(Call({}, query), OPERATION, {"api-version"})
    assert (problem and problem.message) == message


def test_a_name_that_nobody_knows_is_a_warning() -> None:
    """The API may have grown."""
    problem = query_problem(Call({}, (("limt", "3"),)), OPERATION)
    assert problem == Problem(
        "Unknown parameter: 'limt'. Did you mean 'limit'?", "limt", "unknown_parameter", warning=True
    )


def test_what_is_required_and_missing_is_told() -> None:
    """In a query and among the headers."""
    operation = Operation("a", "GET", "/x", "f", parameters=(Parameter("q", "query", True),))
    assert query_problem(Call({}), operation) == Problem(
        "Missing required parameter: 'q'.", "q", "missing_required_parameter"
    )
    assert query_problem(Call({}, (("q", ""),)), operation) is None
    missing = header_problem(Request("GET", "/x/1"), OPERATION)
    assert missing is not None
    assert missing.param == "x-kind"


def test_a_header_is_checked() -> None:
    """By its schema, whatever the case of its name."""
    assert header_problem(Request("GET", "/x/1", Headers.of(("X-Kind", "one"))), OPERATION) is None
    problem = header_problem(Request("GET", "/x/1", Headers.of(("X-Kind", "three"))), OPERATION)
    assert problem is not None
    assert problem.message == "Invalid value: 'three'. Supported values are: 'one' and 'two'."


def test_a_path_is_checked() -> None:
    """Its parameters, decoded."""
    assert path_problem(Call({"x_id": "abc"}), OPERATION) is None
    problem = path_problem(Call({"x_id": "abcd"}), OPERATION)
    assert problem is not None
    assert problem.param == "x_id"
