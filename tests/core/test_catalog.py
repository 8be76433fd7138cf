"""The catalog: which operation a method and a path mean."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.catalog import Base, Catalog, Operation
from replayproxy.openai_api import catalog

CATALOG = catalog()
BEHAVIOUR = Path(__file__).parents[2] / ".." / "shared" / "api-behaviour.md"


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
    for operation in CATALOG:
        query = "&".join(f"{name}={value}" for name, value in operation.query.items())
        resolved = CATALOG.resolve(operation.method, f"/v1{operation.template}?{query}")
        assert resolved is not None
        assert resolved.operation is CATALOG.operation(operation.id) is operation


def test_families_hold_all_operations() -> None:
    """Each operation is in the family that it names."""
    assert sum(len(family.operations) for family in CATALOG.families) == len(CATALOG) == 289
    assert all(operation.family == family.name for family in CATALOG.families for operation in family.operations)


def seed_table() -> list[tuple[str, str, str]]:
    """Method, path and operation of each row of the table of the endpoints that people first asked for."""
    if not BEHAVIOUR.is_file():
        return []
    section = BEHAVIOUR.read_text("utf-8").split("## B7")[1].split("Families named in seed")[0]
    rows = re.findall(r"\| (GET|POST|DELETE) `([^`]+)`(?: \[[^|]*\])? \| `([^`]+)`", section)
    return [(method, path, operation) for method, path, operation in rows]


@pytest.mark.skipif(not BEHAVIOUR.is_file(), reason=f"no table of endpoints in {BEHAVIOUR}")
def test_the_table_of_endpoints_is_read_whole() -> None:
    """So that no row is left out by a mistake in reading it."""
    section = BEHAVIOUR.read_text("utf-8").split("## B7")[1].split("Families named in seed")[0]
    assert len(seed_table()) == len([line for line in section.splitlines() if line.startswith("|")]) - 2


@pytest.mark.parametrize(("method", "path", "operation"), seed_table())
@pytest.mark.parametrize("base", ["", "/v1", "/openai", "/openai/v1"])
def test_every_endpoint_of_the_table_is_known(method: str, path: str, operation: str, base: str) -> None:
    """Each resolves to its operation, wherever the API is mounted."""
    resolved = CATALOG.resolve(method, base + path.replace("{", "").replace("}", "_1"))
    assert resolved is not None
    assert resolved.operation.id == operation


NAMED = re.findall(
    r"`([A-Za-z-]+)`",
    BEHAVIOUR.read_text("utf-8").split("Families named in seed 003")[1].split("Notes:")[0]
    if BEHAVIOUR.is_file()
    else "",
)


@pytest.mark.parametrize("name", [name for name in NAMED if not name.endswith("-") and "/" not in name])
def test_every_operation_of_the_further_families_is_known(name: str) -> None:
    """Chat, Responses, Files and the others are there by the names that the API's description gives them."""
    assert CATALOG.operation(name).id == name


@pytest.mark.parametrize(
    ("method", "target", "operation", "base", "implied"),
    [
        ("POST", "/v1/responses", "createResponse", "/v1", {}),
        ("POST", "/v1/responses?beta=true", "beta_createResponse", "/v1", {}),
        ("POST", "/v1/responses?beta=false", "createResponse", "/v1", {}),
        ("POST", "/v1/responses?a=b&beta=true", "beta_createResponse", "/v1", {}),
        (
            "POST",
            "/openai/deployments/gpt%204/chat/completions?api-version=1",
            "createChatCompletion",
            "/openai/deployments/{model}",
            {"model": "gpt 4"},
        ),
        ("POST", "/openai/v1/chat/completions?api-version=preview", "createChatCompletion", "/openai/v1", {}),
        ("POST", "/openai/threads/runs?api-version=2024-05-01-preview", "createThreadAndRun", "/openai", {}),
        ("POST", "/openai/deployments//chat/completions", None, "", {}),
    ],
)
def test_where_an_operation_is_mounted(
    method: str, target: str, operation: str | None, base: str, implied: dict[str, str]
) -> None:
    """OpenAI's prefix, Azure's two, and Azure's deployment, which is the model; a query may tell operations apart."""
    resolved = CATALOG.resolve(method, target)
    assert (resolved and resolved.operation.id) == operation
    assert resolved is None or (resolved.base.path, resolved.implied) == (base, implied)


def test_a_base_may_begin_with_anything() -> None:
    """The longest that fits goes first; one without a path is no other than none."""
    operation = Operation("a", "GET", "/x", "f")
    catalog_ = Catalog([operation], [Base(""), Base("/{tenant}"), Base("/{tenant}/api")])
    for path, base in (("/t/api/x", "/{tenant}/api"), ("/t/x", "/{tenant}"), ("/x", "")):
        resolved = catalog_.resolve("GET", path)
        assert resolved is not None
        assert (resolved.base.path, resolved.implied) == (base, {"tenant": "t"} if base else {})
    assert catalog_.resolve("GET", "//x") is None


def test_ids_may_be_of_any_shape_for_those_who_make_things_up() -> None:
    """Only paths are concerned; the operations are the same otherwise."""
    lenient, strict = CATALOG.with_any_ids, CATALOG.operation("listMessages")
    assert lenient is CATALOG.with_any_ids
    assert (len(lenient), lenient.bases, lenient.title) == (len(CATALOG), CATALOG.bases, CATALOG.title)
    loose = lenient.operation("listMessages")
    assert {each.place for each in strict.parameters} == {"path", "query"}
    assert {each.place for each in loose.parameters} == {"query"}
    assert loose.beta == strict.beta


def test_a_base_has_parameters_of_its_own() -> None:
    """Azure's version in the query belongs to no operation."""
    assert Base.parse("/openai/?api-version&x") == Base("/openai", frozenset({"api-version", "x"}))


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
        Catalog([one, other])


def test_parameters_have_the_names_of_their_own_template() -> None:
    """Two operations in one place may call the same segment differently."""
    catalog = Catalog([Operation("a", "GET", "/x/{a}", "f"), Operation("b", "PUT", "/x/{b}", "f")])
    got, put = catalog.resolve("GET", "/x/1"), catalog.resolve("PUT", "/x/1")
    assert got is not None
    assert put is not None
    assert (got.params, put.params) == ({"a": "1"}, {"b": "1"})


@given(st.text(), st.lists(st.sampled_from(["", "v1", "threads", "runs", "messages", "%", "%zz", "\udcff", "?", "x"])))
def test_no_path_raises(method: str, segments: list[str]) -> None:
    """Whatever stands in a request line, the catalog has an answer."""
    CATALOG.resolve(method, "/".join(segments))
    CATALOG.methods("/" + "/".join(segments))
