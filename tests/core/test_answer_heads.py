"""The head of an upstream's answer is read in one way, or not at all."""

from __future__ import annotations

import math

import pytest

from replayproxy.core.answer_heads import FIELD_LIMIT, kept_for, read_answer_head
from replayproxy.core.messages import Headers
from replayproxy.errors import UpstreamError

LENGTH = (b"Content-Length", b"3")
CHUNKED = (b"Transfer-Encoding", b"Chunked")


def test_a_final_answer() -> None:
    """All that it says is kept as it came."""
    head = read_answer_head("1.1", 207, b"Many \xff", [(b"X", b"a"), (b"x", b"b")])
    assert head is not None
    assert (head.status, head.reason, head.headers.pairs) == (207, "Many \udcff", (("X", "a"), ("x", "b")))


@pytest.mark.parametrize(("fields", "framed"), [([], False), ([LENGTH], True), ([CHUNKED], True)])
def test_framing(fields: list[tuple[bytes, bytes]], framed: bool) -> None:
    """A length or chunks say where the body ends; without them the connection does."""
    head = read_answer_head("1.1", 200, b"", fields)
    assert head is not None
    assert head.framed is framed


@pytest.mark.parametrize("status", [100, 102, 103, 199])
def test_interim_answers(status: int) -> None:
    """They are no answer yet."""
    assert read_answer_head("1.1", status, b"", [CHUNKED]) is None


@pytest.mark.parametrize(
    ("version", "status", "reason", "fields"),
    [
        ("1.1", 101, b"", []),
        ("1.1", 99, b"", []),
        ("1.1", 0, b"", []),
        ("2.0", 200, b"", []),
        ("0.9", 200, b"", []),
        ("1.1", 200, b"O\0K", []),
        ("1.1", 200, b"O\x1bK", []),
        ("1.1", 200, b"O\x7fK", []),
        ("1.1", 200, b"", [(b"X", b"y")] * (FIELD_LIMIT + 1)),
        ("1.1", 100, b"", [(b"X", b"y")] * (FIELD_LIMIT + 1)),
        ("1.0", 200, b"", [CHUNKED]),
        ("1.1", 200, b"", [CHUNKED, CHUNKED]),
        ("1.1", 200, b"", [(b"Transfer-Encoding", b"gzip, chunked")]),
        ("1.1", 200, b"", [(b"Transfer-Encoding", b"identity")]),
    ],
)
def test_what_cannot_be_passed_on(version: str, status: int, reason: bytes, fields: list[tuple[bytes, bytes]]) -> None:
    """Another protocol, no status, control characters, too many fields, another transfer coding."""
    with pytest.raises(UpstreamError):
        read_answer_head(version, status, reason, fields)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("timeout=5", 5), ("max=100, Timeout = 15", 15), ('timeout="30"', 30), ("max=100", math.inf), ("", math.inf)],
)
def test_how_long_a_connection_is_kept(value: str, seconds: float) -> None:
    """The other end may say so."""
    assert kept_for(Headers.of(("Keep-Alive", value))) == seconds


def test_nothing_is_said_of_how_long_a_connection_is_kept() -> None:
    """Then there is no telling."""
    assert kept_for(Headers.of()) == math.inf
