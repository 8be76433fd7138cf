"""Messages as frozen values."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.messages import Chunk, FileBody, Headers, Request, Response, decode, encode

HEADERS = Headers.of(("Accept", "a"), ("X-A", "1"), ("x-a", "2"), ("Host", "h"))


@given(st.binary())
def test_text_keeps_every_byte(raw: bytes) -> None:
    """Bytes that are not UTF-8 survive being text."""
    assert encode(decode(raw)) == raw


def test_headers_from_raw_keep_order_repetition_and_case() -> None:
    """What was on the wire is in the value."""
    headers = Headers.from_raw([(b"X-A", b"1"), (b"x-a", b"\xff")])
    assert headers.pairs == (("X-A", "1"), ("x-a", "\udcff"))
    assert list(headers) == [("X-A", "1"), ("x-a", "\udcff")]
    assert len(headers) == 2


def test_names_compare_without_case() -> None:
    """`get` gives the first value, `all` every one."""
    assert HEADERS.get("X-a") == "1"
    assert HEADERS.all("X-A") == ("1", "2")
    assert HEADERS.get("none") is None
    assert HEADERS.get("none", "default") == "default"
    assert HEADERS.all("none") == ()


def test_headers_that_were_asked_are_equal_to_those_that_were_not() -> None:
    """What is remembered for the next question is no part of the value."""
    asked, fresh = Headers(HEADERS.pairs), Headers(HEADERS.pairs)
    asked.get("host")
    assert (asked, hash(asked), repr(asked)) == (fresh, hash(fresh), repr(fresh))


def test_an_empty_value_is_a_value() -> None:
    """A header without a value is there; one that is not there is not."""
    assert "x-empty" in Headers.of(("X-Empty", ""))
    assert "x-empty" not in Headers()


def test_without_drops_every_field_of_that_name() -> None:
    """Names to drop compare without case."""
    assert HEADERS.without(["X-A", "HOST"]) == Headers.of(("Accept", "a"))
    assert HEADERS.without(["none"]) == HEADERS


def test_plus_appends() -> None:
    """New fields come last."""
    assert Headers.of(("a", "1")).plus(("b", "2"), ("a", "3")).pairs == (("a", "1"), ("b", "2"), ("a", "3"))


@pytest.mark.parametrize(
    ("name", "pairs"),
    [
        ("X-A", (("Accept", "a"), ("X-A", "new"), ("Host", "h"))),
        ("host", (("Accept", "a"), ("X-A", "1"), ("x-a", "2"), ("Host", "new"))),
        ("X-B", (*HEADERS.pairs, ("X-B", "new"))),
    ],
)
def test_replacing_keeps_the_first_place(name: str, pairs: tuple[tuple[str, str], ...]) -> None:
    """A new value stands where the first one stood, in its spelling; further ones go; a new name comes last."""
    assert HEADERS.replacing(name, "new").pairs == pairs


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/v1/threads", "/v1/threads", ""),
        ("/v1/threads?", "/v1/threads", ""),
        ("/a%2Fb//c?x=1&y=?z", "/a%2Fb//c", "x=1&y=?z"),
        ("*", "*", ""),
    ],
)
def test_a_target_is_a_raw_path_and_a_raw_query(target: str, path: str, query: str) -> None:
    """Nothing is decoded, and only the first question mark divides."""
    request = Request("GET", target)
    assert (request.path, request.query) == (path, query)


@pytest.mark.parametrize("value", [Headers(), Request("GET", "/"), Response(200), Chunk(0.0, 1), FileBody("n", 1, "d")])
def test_values_are_frozen(value: object) -> None:
    """Change means a new value."""
    field = dataclasses.fields(value)[0].name  # type: ignore[arg-type]
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, field, None)
