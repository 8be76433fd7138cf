"""HAR: valid by its schema, and read back as the same interactions."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.exports.har import UNKNOWN_ORIGIN, har_of, origin_of
from replayproxy.core.exports.har_read import LeftOut, Taken, har_entries, read_entry
from replayproxy.core.fault_kinds import Delay, Fault
from replayproxy.core.journal import Entry
from replayproxy.core.messages import Chunk, FileBody, Headers, Request, Response, decode
from replayproxy.core.problem import Problem
from replayproxy.stores import FileStore
from tests.builders import interaction, request, response
from tests.core.exports.copied_requests import REQUESTS
from tests.real_traffic import NEEDS_RECORDINGS, recordings

ROOT = Path(__file__).parents[3]
SCHEMA = Draft202012Validator(json.loads((ROOT / "tests/data/har-1.2.schema.json").read_text("utf-8")))
EVENTS = Headers.of(("Content-Type", "text/event-stream"))
STREAM = b'event: a\ndata: {"x":1}\n\ndata: [DONE]\n\n'
LARGE = FileBody("a" * 32 + ".bin", 90_000, "b" * 64)
ODD = {
    "plain": interaction(request(body={"a": 1}), response(body={"b": "é"}), operation="createThread", family="threads"),
    "times": interaction(recorded="2026-11-22T03:30:00.123Z", first_byte=0.1, took=0.123456),
    "no instant": interaction(recorded="yesterday"),
    "gzip": interaction(None, response(200, {"a": 1}, Headers.of(("Content-Encoding", "gzip")), coding="gzip")),
    "stream": interaction(None, response(200, STREAM, EVENTS, chunks=(Chunk(0.0, 30), Chunk(1.25, len(STREAM) - 30)))),
    "bytes": interaction(request(body=b"\xff\x00"), response(body=b"\xfe\x00")),
    "odd head": interaction(
        Request("GET", decode(b"/\xff?a=\xfe b"), Headers.of(("X", decode(b"\xff")), ("connection", "x"), ("X", ""))),
        Response(
            299,
            decode(b"\xfeok"),
            Headers.of(("Set-Cookie", "a=b; Path=/; HttpOnly; Secure; domain=x; Max-Age=1"), ("Location", "/x")),
        ),
    ),
    "cookies": interaction(request("GET", "/", None, Headers.of(("Cookie", "a=redacted.cookie; b=c;")))),
    "problems": interaction(
        problems=(
            Problem("é\x7f", "a[0].b", "c", 422, "t", warning=True),
            Problem("m", side="response", warning=True, event=3),
        )
    ),
    "validator": interaction(None, response(400), validator=True),
    "faults": interaction(fault=Fault("status", status=503, retry_after=0.5, times=2), delay=Delay(1.5)),
    "stream fault": interaction(
        None, response(200, STREAM, EVENTS), fault=Fault("truncate", after_events=1), delay=Delay(0, 0.25)
    ),
    "upstream": interaction(None, response(502), fault=Fault("timeout", of_upstream=True)),
    "long wait": interaction(fault=Fault("timeout", lasts=1e-7)),
    "other methods": interaction(Request("purge", "*"), Response(304, body=b"")),
    "no body": interaction(request("GET", "/v1/x", None, Headers()), response(204, None, Headers())),
} | {f"asked {name}": interaction(asked) for name, asked in REQUESTS.items()}


def written(*exchanges: Interaction | Entry, **more: Any) -> Any:
    """The HAR as it is read from a file, found to be valid."""
    har = orjson.loads(orjson.dumps(har_of(exchanges, "1.0", **more)))
    assert [error.message for error in SCHEMA.iter_errors(har)] == []
    return har


def read(har: Any, origin: str = "") -> list[Taken | LeftOut]:
    """What its entries are taken for."""
    return [read_entry(entry, number, origin) for number, entry in enumerate(har_entries(har), 1)]


def taken(har: Any) -> list[Interaction]:
    """The interactions, all of them."""
    return [each.interaction if isinstance(each, Taken) else pytest.fail(str(each)) for each in read(har)]


@pytest.mark.parametrize("name", ODD)
def test_an_interaction_comes_back_equal(name: str) -> None:
    """Whatever it holds, and the HAR is valid."""
    assert taken(written(ODD[name])) == [ODD[name]]


@NEEDS_RECORDINGS
def test_recordings_of_the_real_api_come_back_equal() -> None:
    """All of them."""
    recorded = [Interaction(each.request, each.response) for each in recordings()]
    assert recorded
    assert taken(written(*recorded)) == recorded


@pytest.mark.parametrize("path", sorted((ROOT / "cassettes").glob("*.yaml")), ids=lambda path: path.name)
def test_shipped_cassettes_come_back_equal(path: Path) -> None:
    """With their head beside them."""
    cassette = FileStore(path).load()
    har = written(*cassette.interactions, head=cassette.head)
    assert taken(har) == list(cassette.interactions)
    assert har["log"]["_replayproxy"]["redaction"] == cassette.head.redaction


TEXTS = st.binary(max_size=20).map(decode).filter(lambda text: not set(text) & set("\0\r\n"))
HEADERS = st.lists(
    st.tuples(st.sampled_from(["X-A", "content-type", "Cookie", "Set-Cookie", "Location"]), TEXTS), max_size=4
)
BODIES = st.one_of(st.binary(max_size=40), st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace")))
SECONDS = st.floats(0, 1e6).map(lambda value: round(value, 6))


@given(
    st.builds(
        Interaction,
        st.builds(
            Request, st.sampled_from(["GET", "POST"]), TEXTS, HEADERS.map(lambda pairs: Headers(tuple(pairs))), BODIES
        ),
        st.builds(Response, st.integers(100, 599), TEXTS, HEADERS.map(lambda pairs: Headers(tuple(pairs))), BODIES),
        st.text("abc", max_size=3),
        st.sampled_from(["", "2026-11-22T03:30:00Z"]),
        SECONDS,
        SECONDS,
        st.booleans(),
    )
)
def test_any_interaction_comes_back_equal(one: Interaction) -> None:
    """Also of bytes that nobody would send."""
    assert taken(written(one)) == [one]


def test_what_is_in_files_is_read_or_told() -> None:
    """A HAR stands alone: with somebody who reads the files it holds them, without it says that they are missing."""
    asked = interaction(Request("POST", "/v1/files", body=LARGE), Response(200, body=LARGE))
    whole = b"x" * LARGE.size
    assert taken(written(asked, read_body=lambda body: b"x" * body.size)) == [
        interaction(Request("POST", "/v1/files", body=whole), Response(200, body=whole))
    ]
    har = written(asked)
    assert har["log"]["entries"][0]["_replayproxy"]["request_file"] == {"name": LARGE.name, "size": LARGE.size}
    assert "its request is not in the HAR: it lies in a file" in left_out(har)
    assert "its response" in left_out(written(interaction(None, Response(200, body=LARGE))))


def left_out(har: Any, origin: str = "") -> str:
    """Why the only entry is left out."""
    (found,) = read(har, origin)
    assert isinstance(found, LeftOut), found
    return found.why


def entry(**more: Any) -> Entry:
    """An exchange of the journal."""
    plain = Entry(7, "s", "2026-11-22T16:00:01.123Z", request(), 200, "played", seconds=0.5, first_byte=0.25)
    return dataclasses.replace(plain, **{"response": response(200, {"a": 1})} | more)


def test_an_exchange_has_its_times_and_facts() -> None:
    """Browsers show when it began, how long the first byte took, and that a stream is one."""
    (shown,) = written(entry(operation="createThread", interaction=3, cassette="c.yaml"), entry())["log"]["entries"][:1]
    assert (shown["startedDateTime"], shown["time"], shown["timings"]["wait"]) == ("2026-11-22T16:00:01.123Z", 500, 250)
    assert shown["_resourceType"] == "fetch"
    assert shown["_replayproxy"]["session"] == "s"
    assert shown["_replayproxy"]["outcome"] == "played"
    stream = written(entry(response=response(200, STREAM, EVENTS)))["log"]["entries"][0]
    assert stream["_resourceType"] == "eventsource"


def test_an_exchange_comes_back_as_an_interaction() -> None:
    """What the journal knew of the operation stays."""
    (found,) = taken(written(entry(operation="createThread", family="threads")))
    assert (found.operation, found.recorded, found.took) == ("createThread", "2026-11-22T16:00:01.123Z", 0.5)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"outcome": "missed", "status": 424}, "nothing recorded matched"),
        ({"outcome": "rejected"}, "the request was invalid"),
        ({"outcome": "failed"}, "the upstream gave none"),
        ({"outcome": "gone"}, "hung up"),
        ({"outcome": "under_way", "response": None, "status": 0}, "had not ended"),
        ({"cut": True}, "cut"),
    ],
)
def test_an_exchange_without_a_whole_answer_is_left_out(more: dict[str, Any], why: str) -> None:
    """It is in the HAR all the same, and valid."""
    assert why in left_out(written(entry(**more)))


def test_an_exchange_without_an_answer_says_why() -> None:
    """As browsers do, in `_error`."""
    (shown,) = written(entry(response=None, status=0, note="connection refused"))["log"]["entries"]
    assert shown["response"]["_error"] == "connection refused"
    assert left_out(written(entry(response=None, status=0))) == "it has no answer"


def test_forms_have_their_fields() -> None:
    """Files by their names, without what they hold."""
    entries = written(*(interaction(REQUESTS[name]) for name in ("form", "parts", "parts of bytes")))["log"]["entries"]
    form, parts, files = (each["request"]["postData"] for each in entries)
    assert form["params"] == [{"name": "a", "value": "b c"}, {"name": "d", "value": "' &"}]
    assert parts["params"] == [
        {"name": "purpose", "value": "assistants"},
        {"name": "file", "fileName": "a b.jsonl", "contentType": "application/jsonl"},
    ]
    assert files["_encoding"] == "base64"


def test_the_origin_is_that_of_the_upstream() -> None:
    """Whatever is no URL stands for the API."""
    assert origin_of("http://127.0.0.1:1/v1?x") == "http://127.0.0.1:1"
    assert origin_of("emulator") == UNKNOWN_ORIGIN
    assert written(interaction(), origin="http://h")["log"]["entries"][0]["request"]["url"] == "http://h/v1/threads"


def test_the_head_is_told() -> None:
    """With what is known of it."""
    assert written(head=Head("emulator", "", "x"))["log"]["_replayproxy"] == {"upstream": "emulator", "by": "x"}


def edited(name: str, **facts: Any) -> Any:
    """The HAR of one of the interactions, with other facts."""
    har = written(ODD[name])
    har["log"]["entries"][0]["_replayproxy"] |= facts
    return har


@pytest.mark.parametrize(
    "facts",
    [
        {"fault": "nonsense"},
        {"delay": {"first_byte": -1}},
        {"first_byte": "soon"},
        {"took": True},
        {"problems": [{"message": 3}]},
        {"problems": ["\ud800"]},
        {"chunks": [["x", len(STREAM)]]},
        {"target": "!"},
        {"target": 3},
        {"reason": "!"},
    ],
)
def test_facts_that_make_no_sense_are_told(facts: dict[str, Any]) -> None:
    """Whoever edited them, or made them up."""
    assert "no base64" in left_out(edited("stream", **facts)) or "makes no sense" in left_out(edited("stream", **facts))


@pytest.mark.parametrize("chunks", [3, [3], [[1, 2, 3]], [[0, -1]], [[0, 1]], [[0, "x"]]])
def test_chunks_of_another_body_are_forgotten(chunks: Any) -> None:
    """Somebody edited the text."""
    (found,) = taken(edited("stream", chunks=chunks, operation=3))
    assert found == dataclasses.replace(ODD["stream"], response=dataclasses.replace(ODD["stream"].response, chunks=()))
