"""Which bodies are not looked into."""

from __future__ import annotations

import pytest

from replayproxy.core.bodies import PARSE_LIMIT, parse
from replayproxy.core.messages import Body, FileBody, Headers
from replayproxy.core.unread import DEPTH_LIMIT, unread

JSON = Headers.of(("Content-Type", "application/json; charset=utf-8"))
TEXT = Headers.of(("Content-Type", "text/plain"))


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize(
    ("headers", "body", "why"),
    [
        (JSON, b"", ""),
        (JSON, b'{"a": 1}', ""),
        (JSON, nested(DEPTH_LIMIT), ""),
        (JSON, nested(DEPTH_LIMIT + 1), "nested too deep"),
        (JSON, nested(2_000), "nested too deep"),
        (JSON, nested(100_000), "nested too deep"),
        (TEXT, nested(100_000), ""),
        (JSON, b"[" + b"[]," * 500 + b"[]]", ""),
        (JSON, b"[" + b"[]," * 500, ""),
        (JSON, b"[" * 300 + b"no" + b"]" * 300, ""),
        (TEXT, b"x" * PARSE_LIMIT, ""),
        (TEXT, b"x" * (PARSE_LIMIT + 1), "larger than 8 MiB"),
        (TEXT, FileBody("a", 9, "b"), "larger than 8 MiB"),
    ],
)
def test_what_is_not_looked_into_is_told(headers: Headers, body: Body, why: str) -> None:
    """JSON beyond the depth that is compared by value, and whatever is too large to be read as a whole."""
    assert unread(headers, body) == why


@pytest.mark.parametrize("levels", [DEPTH_LIMIT, DEPTH_LIMIT + 1])
def test_the_depth_is_that_to_which_bodies_are_compared_by_value(levels: int) -> None:
    """What is told here and what matching does cannot go apart."""
    assert (parse(JSON, nested(levels)).kind == "json") is (unread(JSON, nested(levels)) == "")
