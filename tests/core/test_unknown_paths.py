"""Requests that the catalog does not know: what came nearest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.catalog import Catalog, Operation
from replayproxy.core.unknown_paths import unknown_path
from replayproxy.openai_api import catalog


@pytest.mark.parametrize(
    ("method", "target", "nearest"),
    [
        ("POST", "/v1/chat/completion", "POST /v1/chat/completions (createChatCompletion)"),
        ("POST", "/v1/chat/completions/chat/completions?x=1", "POST /v1/chat/completions (createChatCompletion)"),
        ("POST", "/v1/v1/embeddings", "POST /v1/embeddings (createEmbedding)"),
        ("POST", "/v1/embedding", "POST /v1/embeddings (createEmbedding)"),
        ("POST", "/embedding", "POST /embeddings (createEmbedding)"),
        ("POST", "/v1/thread/thread_1/messages", "POST /v1/threads/{thread_id}/messages (createMessage)"),
        ("GET", "/v1/threads/thread_1/message", "GET /v1/threads/{thread_id}/messages (listMessages)"),
    ],
)
def test_the_nearest_operation_is_named(method: str, target: str, nearest: str) -> None:
    """A letter left out, a base URL that holds too much: the message names what was probably meant."""
    problem = unknown_path(catalog(), method, target)
    path = target.partition("?")[0]
    assert problem.message == f"Invalid URL ({method} {path}). The nearest that the API has is {nearest}."
    assert (problem.status, problem.code, problem.warning) == (404, "unknown_url", True)


@pytest.mark.parametrize("target", ["/", "/metrics", "*", "", "/v1", "/index.html?x=chat/completions"])
def test_what_is_like_nothing_has_no_hint(target: str) -> None:
    """A wild guess would mislead."""
    assert unknown_path(catalog(), "GET", target).message == f"Invalid URL (GET {target.partition('?')[0]})."


def test_a_wrong_method_names_the_right_ones() -> None:
    """The path is known, so the path is not what is wrong."""
    problem = unknown_path(catalog(), "PATCH", "/v1/threads/thread_1")
    told = "Not allowed to PATCH on /v1/threads/thread_1. The API takes DELETE and GET and POST there."
    assert problem.message == told
    assert (problem.status, problem.warning) == (405, True)


def test_an_empty_catalog_knows_nothing_near() -> None:
    """No operations, no hint."""
    assert unknown_path(Catalog([]), "GET", "/x").message == "Invalid URL (GET /x)."


def test_an_operation_that_fits_everything_is_no_hint() -> None:
    """The end of any path would fit it."""
    anything = Catalog([Operation("any", "GET", "/{name}", "f")])
    assert unknown_path(anything, "GET", "/a/b").message == "Invalid URL (GET /a/b)."


@given(st.text(max_size=8), st.text(max_size=2000))
def test_no_request_raises(method: str, target: str) -> None:
    """Whatever stands in a request line."""
    assert unknown_path(catalog(), method, target).warning
