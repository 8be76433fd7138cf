"""The ids that a client sends with a request."""

from __future__ import annotations

import pytest

from replayproxy.core.messages import Headers
from replayproxy.core.trace_ids import LONGEST_ID, NO_IDS, Ids, ids_in, shown_id

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "value",
    [
        f"00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-00",
        f" 00-{TRACE}-{SPAN}-ff\t",
        f"01-{TRACE}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01-what-comes-later",
    ],
)
def test_the_trace_is_read(value: str) -> None:
    """Of this version of the header and of those to come."""
    assert ids_in(Headers.of(("Traceparent", value))) == Ids("", TRACE)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "nonsense",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01, 00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n",
    ],
)
def test_what_is_no_trace_is_none(value: str) -> None:
    """By W3C Trace Context: such a header counts as not there."""
    assert ids_in(Headers.of(("traceparent", value))) is NO_IDS


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([("X-Client-Request-Id", "a"), ("X-Request-Id", "b")], "a"),
        ([("X-Request-Id", "b")], "b"),
        ([("X-Client-Request-Id", ""), ("x-request-id", "b")], "b"),
        ([("X-Client-Request-Id", "a" * 1000)], "a" * LONGEST_ID),
        ([("Accept", "a")], ""),
    ],
)
def test_what_the_client_calls_it_is_read(headers: list[tuple[str, str]], expected: str) -> None:
    """The name OpenAI's documentation has for it comes first; no more of it is told than anybody reads."""
    assert ids_in(Headers.of(*headers)) == Ids(expected, "")


def test_an_id_is_cut() -> None:
    """Whoever makes it up decides how long it is."""
    assert shown_id("x" * 500) == "x" * LONGEST_ID
