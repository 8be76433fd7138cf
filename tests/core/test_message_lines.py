"""The heads of messages in a document: the lines that the generic emitter would give, made without it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.fields import wire_headers, wire_text
from replayproxy.core.message_lines import request_lines, response_lines
from replayproxy.core.messages import Headers, Request, Response, decode
from replayproxy.core.yaml_emit import Unwritable, emit
from replayproxy.errors import CassetteError

NAMES = st.sampled_from(["Date", "no", "Y", "null", "x-request-id", "#a", "-a", "12", "a'b"]) | st.from_regex(
    r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}", fullmatch=True
)
VALUES = (
    st.binary(max_size=40).map(decode)
    | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=120)
    | st.sampled_from(["", "no", "a: b", "a #b", "a:", " a", 'W/"1"', "it's", "a\tb", "2020-10-01", "412", "\u2028"])
).map(lambda value: value.replace("\r", "").replace("\n", "").replace("\0", ""))
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=5).map(lambda pairs: Headers(tuple(pairs)))
BODIES = st.sampled_from([{}, {"json": {"a": [1, {"b": "c"}], "d": "e\nf"}}, {"coding": "gzip", "text": "x"}])


def fields(message: Request | Response, body: dict[str, Any]) -> dict[str, Any]:
    """What a message's headers and body are to the generic emitter."""
    headers = {"headers": wire_headers(message.headers)} if message.headers else {}
    return headers | ({"body": body} if body else {})


@given(st.sampled_from(["GET", "null", "M-SEARCH"]), VALUES.map("/{}".format), HEADERS, BODIES)
def test_a_request_has_the_lines_that_the_emitter_gives(
    method: str, target: str, headers: Headers, body: dict[str, Any]
) -> None:
    """Whatever its headers say."""
    request = Request(method, target, headers)
    generic = {"request": {"method": method, "target": wire_text(target), **fields(request, body)}}
    assert request_lines(request, body) == emit(generic)


@given(st.integers(200, 599), VALUES, HEADERS, BODIES)
def test_an_answer_has_the_lines_that_the_emitter_gives(
    status: int, reason: str, headers: Headers, body: dict[str, Any]
) -> None:
    """Whatever its headers say."""
    response = Response(status, reason, headers)
    told = {"reason": wire_text(reason)} if reason else {}
    assert response_lines(response, body) == emit({"response": {"status": status, **told, **fields(response, body)}})


@pytest.mark.parametrize(
    "pair",
    [("a b", "x"), ("", "x"), ("a:", "x"), ("ä", "x"), ("a", "x\r\nb: c"), ("a", "x\n"), ("a", "\0"), ("a", "\ud83d")],
)
def test_what_is_no_header_is_refused(pair: tuple[str, str]) -> None:
    """Also after the name, or the value, stood in a header before."""
    request_lines(Request("GET", "/", Headers.of(("a", "x"))), {})
    for _ in range(2):
        with pytest.raises(CassetteError):
            request_lines(Request("GET", "/", Headers.of(pair)), {})


def test_a_name_that_readers_give_up_on_is_refused() -> None:
    """As every key that is too long."""
    with pytest.raises(Unwritable):
        request_lines(Request("GET", "/", Headers.of(("a" * 1001, "x"))), {})


def test_long_values_are_written_as_they_are() -> None:
    """They are not remembered."""
    value = "x" * 5000
    assert request_lines(Request("GET", "/", Headers.of(("a", value))), {}).endswith(f"    - a: {value}\n")
