"""Event streams, parsed as they arrive."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai._streaming import SSEDecoder

from replayproxy.core.sse import Event, EventParser, parse

#: What makes event streams difficult, to be mixed in any order.
PIECES = (
    *(b"data: a", b"data:b", b"data", b"event: e", b"id: 7", b"id", b"retry: 30", b"retry: x", b": comment", b"x: y"),
    *(
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"\r\n\r\n",
        b"\r\r",
        b"\xef\xbb\xbf",
        "data: é€😀".encode(),
        b"\xff",
        b"\0",
        b" ",
    ),
)
streams = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """`data` in pieces of these sizes, the rest in one."""
    pieces, start = [], 0
    for size in sizes:
        pieces.append(data[start : start + size])
        start += size
    return [*pieces, data[start:]]


def fed(pieces: list[bytes]) -> tuple[Event, ...]:
    """The events of a stream that arrives in pieces."""
    parser = EventParser()
    events = [event for piece in pieces for event in parser.feed(piece)]
    return (*events, *parser.finish())


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (b"data: a\n\n", Event(b"", "", "a", dispatched=True)),
        (b"data:a\n\n", Event(b"", "", "a", dispatched=True)),
        (b"data:  a\n\n", Event(b"", "", " a", dispatched=True)),
        (b"data: a\ndata: b\n\n", Event(b"", "", "a\nb", dispatched=True)),
        (b"data\n\n", Event(b"", "", "", dispatched=True)),
        (b'data: {"a": "b:c"}\n\n', Event(b"", "", '{"a": "b:c"}', dispatched=True)),
        (b"event: e\ndata: a\n\n", Event(b"", "e", "a", dispatched=True)),
        (b"event: e\nevent: f\ndata: a\n\n", Event(b"", "f", "a", dispatched=True)),
        (b"event: e\n\n", Event(b"", "e", "")),
        (b"id: 7\ndata: a\n\n", Event(b"", "", "a", "7", dispatched=True)),
        (b"id\ndata: a\n\n", Event(b"", "", "a", "", dispatched=True)),
        (b"id: a\0b\ndata: a\n\n", Event(b"", "", "a", dispatched=True)),
        (b"retry: 30\n\n", Event(b"", "", "", None, 30)),
        (b"retry: 3s\n\n", Event(b"")),
        (b"retry: \xd9\xa3\n\n", Event(b"")),
        (b": comment\n\n", Event(b"")),
        (b"unknown: x\nDATA: x\n\n", Event(b"")),
        (b"\n", Event(b"")),
        (b"\xef\xbb\xbfdata: a\n\n", Event(b"", "", "a", dispatched=True)),
        (b"\xef\xbb\xbf\n", Event(b"")),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", Event(b"")),
        (b"data: \xff\n\n", Event(b"", "", "�", dispatched=True)),
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_block_becomes_an_event(block: bytes, expected: Event, end: bytes) -> None:
    """Fields are read as the standard says, whatever the lines end with."""
    raw = block.replace(b"\n", end)
    event = Event(raw, expected.event, expected.data, expected.id, expected.retry, expected.dispatched)
    assert parse(raw) == (event,)


def test_line_ends_may_be_mixed() -> None:
    """Each line ends as it likes; a CR and the LF after it are one line end."""
    raws = [b"data: a\r\n\n", b"data: b\n\r\n", b"data: c\r\r", b"data: d\n\r", b": e\r\n\r\n"]
    assert [event.raw for event in parse(b"".join(raws))] == raws


def test_an_event_is_told_as_soon_as_it_is_complete() -> None:
    """The blank line is enough; nothing waits for the next event."""
    parser = EventParser()
    assert parser.feed(b"data: a\n") == []
    assert [event.data for event in parser.feed(b"\ndata: b")] == ["a"]
    assert [event.data for event in parser.feed(b"c\n\n")] == ["bc"]
    assert parser.finish() == []


def test_a_carriage_return_at_the_end_of_a_piece_waits() -> None:
    """It may be the first half of CRLF, and the LF belongs to the same event."""
    parser = EventParser()
    assert parser.feed(b"data: a\r\n\r") == []
    assert [event.raw for event in parser.feed(b"\ndata: b\r\r")] == [b"data: a\r\n\r\n"]
    assert [event.raw for event in parser.finish()] == [b"data: b\r\r"]


def test_the_unfinished_tail_comes_last_and_raw() -> None:
    """A stream that was cut off keeps its bytes, and its half event is none."""
    assert parse(b"data: a\n\ndata: b\n")[1:] == (Event(b"data: b\n"),)
    assert parse(b"data: a") == (Event(b"data: a"),)
    assert parse(b"data: a\r") == (Event(b"data: a\r"),)
    assert parse(b"") == ()


@given(streams | st.binary(max_size=60))
def test_the_raw_bytes_are_the_stream(stream: bytes) -> None:
    """Nothing is lost, nothing added."""
    assert b"".join(event.raw for event in parse(stream)) == stream


@given(streams, st.lists(st.integers(0, 5)))
def test_pieces_make_no_difference(stream: bytes, sizes: list[int]) -> None:
    """Cut anywhere, inside a character or a line end too, the events are the same."""
    assert fed(cut(stream, sizes)) == parse(stream)


@pytest.mark.parametrize("size", range(1, 40))
def test_pieces_of_every_size_make_no_difference(size: int) -> None:
    """A real-looking stream in pieces of one size gives the same events."""
    stream = "\ufeffevent: a\r\ndata: é€😀\r\n\r\n: ping\n\ndata: 1\rdata: 2\r\rdata: [DONE]\n\n".encode()
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert fed(pieces) == parse(stream)
    assert [event.data for event in fed(pieces) if event.dispatched] == ["é€😀", "1\n2", "[DONE]"]


words = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029"), max_size=8)
blocks = st.builds(
    lambda event, data, comment: (*event, *comment, *(f"data: {line}" for line in data)),
    st.just(()) | words.map(lambda word: (f"event: e{word}",)),
    st.lists(words, min_size=1, max_size=3),
    st.just(()) | words.map(lambda word: (f": {word}",)),
)


@given(st.lists(blocks, max_size=6), st.sampled_from(["\n", "\r\n", "\r"]))
def test_clients_see_the_same_events(stream: list[tuple[str, ...]], end: str) -> None:
    """The official client's own decoder gives the same events for ordinary streams."""
    raw = "".join(f"{end.join(block)}{end}{end}" for block in stream).encode()
    seen = [(event.event or "", event.data) for event in SSEDecoder().iter_bytes(iter([raw]))]
    assert [(event.event, event.data) for event in parse(raw) if event.dispatched] == seen
