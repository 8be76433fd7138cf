"""Secrets that a stream tells in pieces."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.messages import Chunk, Headers, Response
from replayproxy.core.redaction import Redactor
from replayproxy.core.sse import parse

REDACTOR = Redactor()
STREAM = Headers.of(("content-type", "text/event-stream; charset=utf-8"))
KEY = "sk-proj-Ab3dEf6hIj9lMnOpQrStUv"
OPAQUE = 'opaque "/ü secret-without-shape'


def chat(text: str, index: int = 0) -> dict[str, Any]:
    """A chunk of a chat completion."""
    choice = {"index": index, "delta": {"content": text}, "finish_reason": None}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "gpt-4o", "choices": [choice]}


def tool(text: str) -> dict[str, Any]:
    """A chunk of a tool call."""
    call = {"index": 0, "function": {"arguments": text}}
    return {"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}


def assistant(text: str) -> dict[str, Any]:
    """A message's delta."""
    content = [{"index": 0, "type": "text", "text": {"value": text}}]
    return {"id": "msg_1", "object": "thread.message.delta", "delta": {"content": content}}


def response_delta(text: str, item: str = "msg_1") -> dict[str, Any]:
    """A delta of the Responses API."""
    return {"type": "response.output_text.delta", "item_id": item, "output_index": 0, "content_index": 0, "delta": text}


def stream(events: list[Any]) -> bytes:
    """An event stream."""
    return b"".join(f"event: e\ndata: {json.dumps(event)}\n\n".encode() for event in events) + b"data: [DONE]\n\n"


def redacted(body: bytes, *secrets: str, headers: Headers = STREAM) -> bytes:
    """The body after redaction, which is final."""
    once = REDACTOR.response(Response(200, "", headers, body), frozenset(secrets)).body
    assert REDACTOR.response(Response(200, "", headers, once), frozenset(secrets)).body == once
    assert isinstance(once, bytes)
    return once


def data(body: bytes) -> list[Any]:
    """The JSON of the events."""
    return [json.loads(event.data) for event in parse(body) if event.data not in ("", "[DONE]")]


@pytest.mark.parametrize("event", [chat, tool, assistant, response_delta])
@pytest.mark.parametrize("secret", [KEY, OPAQUE])
def test_a_secret_in_pieces_goes_from_all_of_them(event: Any, secret: str) -> None:
    """The first piece takes the placeholder, the others nothing; what stands around it stays."""
    pieces = ["the key is ", "x " + secret[:5], secret[5:6], secret[6:], ", ok"]
    before = [event(text) for text in pieces]
    expected = [event(text) for text in ("the key is ", "x redacted.api-key", "", "", ", ok")]
    assert data(redacted(stream(before), OPAQUE)) == expected


def test_streams_that_are_told_at_once_do_not_mix() -> None:
    """Answers to two choices and items alternate; each is a text of its own."""
    half, rest = KEY[:9], KEY[9:]
    events = [chat("a " + half), chat("b " + half, 1), chat(rest), chat(rest, 1)]
    expected = [chat("a redacted.api-key"), chat("b redacted.api-key", 1), chat(""), chat("", 1)]
    assert data(redacted(stream(events))) == expected
    items = [response_delta(half), response_delta(half, "msg_2"), response_delta(rest), response_delta(rest, "msg_2")]
    assert KEY[12:] not in redacted(stream(items)).decode()


def test_a_secret_is_known_by_what_stands_before_it_in_an_earlier_piece() -> None:
    """The arguments of a tool call are JSON that comes in pieces."""
    before = [tool(text) for text in ('{"pass', 'word": "', "hunter2", '", "x": 1}')]
    assert data(redacted(stream(before)))[2] == tool("redacted.password")


def test_what_is_no_secret_stays_as_it_was() -> None:
    """Not one byte changes, nor in what is no JSON, repeats, or is nested without end."""
    deep: Any = "x"
    for _ in range(70):
        deep = [deep]
    events = [chat("Hel"), chat("lo"), {"index": {"a": 1}, "x": deep}, {"index": {"a": 1}, "x": [{}, "", 1]}]
    body = stream(events) + b"data: {broken\n\n: comment\n\ndata: 1\n\n"
    assert redacted(body) == body
    same = stream([chat(KEY[:9])] * 3)
    assert redacted(same) == same


def test_only_event_streams_are_put_together() -> None:
    """Lines of text stay lines of text."""
    body = stream([chat(KEY[:9]), chat(KEY[9:])])
    assert redacted(body, headers=Headers.of(("content-type", "text/plain"))) == body


def test_chunks_follow() -> None:
    """The sizes of the chunks add up to the body."""
    body = stream([chat(KEY[:9]), chat(KEY[9:])])
    chunks = (Chunk(0.1, 80), Chunk(0.2, len(body) - 80))
    answer = REDACTOR.response(Response(200, "", STREAM, body, "", chunks), frozenset())
    assert isinstance(answer.body, bytes)
    assert sum(chunk.size for chunk in answer.chunks) == len(answer.body)


@given(st.sampled_from([KEY, OPAQUE]), st.lists(st.integers(0, 40), max_size=8), st.text('ab "\\é', max_size=6))
def test_however_it_is_cut_nothing_is_left(secret: str, cuts: list[int], around: str) -> None:
    """The pieces put together are the text with the placeholder in it, and no other byte changes."""
    text = f"{around} {secret} {around}"
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[start:end] for start, end in pairwise(places)]
    after = data(redacted(stream([chat(piece) for piece in pieces]), OPAQUE))
    told = [event["choices"][0]["delta"]["content"] for event in after]
    assert "".join(told) == f"{around} redacted.api-key {around}"
    assert [chat(piece) for piece in told] == after


LINE_ENDS = ["\n", "\r\n", "\r"]


@pytest.mark.parametrize("line_end", LINE_ENDS)
@pytest.mark.parametrize("secret", [KEY, OPAQUE])
def test_a_secret_goes_wherever_it_is_divided(secret: str, line_end: str) -> None:
    """Between every two characters, with comments, ids and a byte order mark between the pieces."""
    for cut in range(1, len(secret)):
        pieces = (secret[:cut], secret[cut:])
        events = [f"id: 1{line_end}data: {json.dumps(chat(piece))}{line_end}: ping{line_end * 2}" for piece in pieces]
        body = redacted(f"\ufeff{''.join(events)}data: [DONE]{line_end * 2}".encode(), OPAQUE)
        assert data(body) == [chat("redacted.api-key"), chat("")]


@pytest.mark.parametrize("line_end", LINE_ENDS)
def test_events_that_are_no_json_are_one_text(line_end: str) -> None:
    """Their data lines are, too."""
    for cut in range(1, len(KEY)):
        told = f"data: it is {KEY[:cut]}{line_end * 2}data:{KEY[cut:]}{line_end}data: or not{line_end * 2}"
        left = f"data: it is redacted.api-key{line_end * 2}data:{line_end}data: or not{line_end * 2}"
        assert redacted(told.encode()).decode() == left


def test_a_secret_over_several_lines_of_events_that_are_no_json_goes() -> None:
    """What stands between two lines of data is none of it."""
    pem = ["-----BEGIN PRIVATE KEY-----", "MIIEpAIBAAKCAQEA7MIIEpAIBAAKCAQEA7", "x/+=", "-----END PRIVATE KEY-----"]
    told = "".join(f"data: {line}\nid: {number}\n" for number, line in enumerate(pem))
    body = redacted(f"{told}\ndata: {pem[1]}\n\n".encode()).decode()
    assert pem[1] not in body.split("\n\n")[0]
    assert "redacted.private-key" in body
