"""Cassettes as text: what is written reads back, and what is odd is refused in both directions."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft7Validator  # type: ignore[import-untyped]

from replayproxy.core.cassette import Cassette, Head, Interaction
from replayproxy.core.cassette_schema import SCHEMA
from replayproxy.core.codec import (
    decode,
    decode_interaction,
    decode_request,
    encode,
    encode_head,
    renumber,
    split_cassette,
    upgraded,
    with_key,
    written_body,
)
from replayproxy.core.documents import Document, split
from replayproxy.core.fault_kinds import Delay, Fault
from replayproxy.core.key_line import proof, unkeyed
from replayproxy.core.matching import identity
from replayproxy.core.messages import Body, Chunk, FileBody, Headers, Request, Response
from replayproxy.core.problem import Problem
from replayproxy.core.yaml_read import MAX_CHARACTERS, MAX_NODES, Mapping
from replayproxy.errors import CassetteError

HEAD = Head("https://api.openai.com", "2026-11-22T03:30:00Z", "replayproxy 0.1.0", "3f9a0c12")
TYPES = [
    "application/json; charset=utf-8",
    "text/event-stream",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "text/plain",
    "application/octet-stream",
    "",
]


def typed(content_type: str) -> Headers:
    """Headers that name this media type."""
    return Headers.of(("Content-Type", content_type)) if content_type else Headers()


def exchange(body: Body = b"", content_type: str = "", **more: Any) -> Interaction:
    """An interaction whose answer has this body."""
    return Interaction(Request("GET", "/v1/x"), Response(200, "OK", typed(content_type), body, **more))


def written(*interactions: Interaction) -> tuple[str, dict[str, bytes]]:
    """A cassette's text and its files."""
    encoded = [encode(interaction, number) for number, interaction in enumerate(interactions, 1)]
    files = {name: content for each in encoded for name, content in each.files.items()}
    return encode_head(HEAD) + "".join(each.text for each in encoded), files


def key_of(document: str) -> bytes | None:
    """The identity that the key of a document proves."""
    raw = document.encode()
    found = proof(raw, 0, raw.rfind(b"\n", 0, -1) + 1, len(raw))
    return found[1][:16] if found else None


def expected_key(interaction: Interaction) -> bytes | None:
    """The identity that it has to prove."""
    request, fault = interaction.request, interaction.fault
    limited = fault is not None and fault.times and not fault.of_upstream
    inline = isinstance(request.body, bytes) and len(request.body) <= 65536
    return identity(request) if inline and not limited else None


def read_back(*interactions: Interaction) -> str:
    """The text of interactions, which must be read again as what they were and satisfy the schema."""
    text, files = written(*interactions)

    def read_file(body: FileBody) -> Body:
        return files.get(body.name, body)

    assert decode(text, read_file) == Cassette(HEAD, interactions)
    items = split(text).items[1:]
    assert [key_of(item.text) for item in items] == [expected_key(each) for each in interactions]
    for item in items:
        for proved in (decode_interaction, decode_request):
            assert proved(item, read_file, proved=True) == proved(item, read_file)
    for document in yaml.load_all(text, Loader=yaml.CSafeLoader):
        Draft7Validator(SCHEMA).validate(document)
    return text


ASKED = b'{"role":"user","content":"several\\nlines","metadata":{}}'
ANSWERED = json.dumps({"id": "msg_abc", "n": [1, 0.5], "no": None}, indent=2).encode()
GOLDEN = (
    Interaction(
        Request("POST", "/v1/threads/t/messages?a=b", typed("application/json"), ASKED),
        Response(200, "OK", typed("application/json"), ANSWERED, "gzip"),
        operation="createMessage",
        recorded="2026-11-22T03:30:00.123Z",
        first_byte=0.012,
        took=0.00001,
        validator=True,
        problems=(Problem("Too long.", "content", "string_above_max_length"), Problem("No.", None, None, 401, "x")),
    ),
    Interaction(
        Request("POST", "/v1/chat/completions"),
        Response(200, "", typed("text/event-stream"), b"data: a\n\ndata: b\n\n", "", (Chunk(0.12, 9), Chunk(0.31, 9))),
        fault=Fault("truncate", after_events=1, times=2),
        delay=Delay(0.2, 0.05),
    ),
    Interaction(Request("GET", "/v1/models"), Response(504), fault=Fault("timeout", of_upstream=True)),
)
NAMED = Interaction(
    Request("POST", "/v1/chat/completions", typed("application/json"), b"{}"),
    Response(200, "OK", typed("application/json"), b"{}"),
    operation="createChatCompletion",
    family="chat",
    problems=(
        Problem("Unknown parameter: 'x'.", "x", "unknown_parameter", warning=True),
        Problem("Missing 'id'.", "id", warning=True, side="response", event=12),
    ),
)


def test_a_cassette_reads_as_people_would_write_it() -> None:
    """The file as it is meant to be reviewed."""
    assert read_back(*GOLDEN, NAMED) == Path(__file__).with_name("cassette_keyed.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "held"),
    [("cassette.yaml", GOLDEN[:1]), ("cassette_v2.yaml", GOLDEN), ("cassette_v3.yaml", (*GOLDEN, NAMED))],
)
def test_a_cassette_of_an_earlier_time_is_read(name: str, held: tuple[Interaction, ...]) -> None:
    """What was recorded before there were faults, or families, or keys, still plays, and satisfies the schema."""
    text = Path(__file__).with_name(name).read_text("utf-8")
    assert decode(text, lambda body: body) == Cassette(HEAD, held)
    for document in yaml.load_all(text, Loader=yaml.CSafeLoader):
        Draft7Validator(SCHEMA).validate(document)


@pytest.mark.parametrize("loader", [yaml.SafeLoader, yaml.CSafeLoader])
def test_every_reader_of_yaml_takes_the_key_for_a_comment(loader: Any) -> None:
    """The one in C and the one in Python."""
    text = Path(__file__).with_name("cassette_keyed.yaml").read_text("utf-8")
    bare = "".join(unkeyed(item.text) for item in split(text).items)
    assert "# key" not in bare
    assert list(yaml.load_all(text, Loader=loader)) == list(yaml.load_all(bare, Loader=loader))


def test_whoever_writes_says_what_is_noted() -> None:
    """Another scheme with its identity, or none; and a document that was changed gets a key that fits it."""
    text = encode(exchange(), 1, identify=lambda request: ("2-ab", bytes(16))).text
    assert f"\n... # key 2-ab {'0' * 32} " in text
    assert key_of(text) == bytes(16)
    bare = encode(exchange(), 1, identify=lambda request: ("", b"")).text
    assert bare.endswith("\n...\n")
    assert with_key(bare, exchange()) == encode(exchange(), 1).text
    changed = with_key(bare.replace("/v1/x", "/v1/y"), replace(exchange(), request=Request("GET", "/v1/y")))
    assert key_of(changed) == identity(Request("GET", "/v1/y"))
    assert key_of(renumber(changed, 77)) == key_of(changed)


def test_a_request_alone_is_read_from_what_stands_before_the_response() -> None:
    """And its body has the text that it would be written with."""
    for each in (*GOLDEN, NAMED):
        text = encode(each, 1).text
        before = text.partition("\nresponse:\n")[0]
        assert decode_request(Document(before, 1), lambda body: body) == each.request
        body = written_body(each.request)
        assert (f"  body:\n{body}" in before + "\n") if body else "  body:" not in before


def test_lines_and_texts_are_told() -> None:
    """Each interaction knows its line and its very document."""
    text, _ = written(exchange(), exchange(b"x"))
    loaded = decode(text, lambda body: body).interactions
    assert text.splitlines()[loaded[1].line - 1] == "--- # 2: GET /v1/x -> 200"
    assert text.endswith(loaded[0].text + loaded[1].text)


HOSTILE_BYTES = [
    bytes(range(256)),
    gzip.compress(b"x" * 100, mtime=0),
    "a\x85b\ufeff\u2028".encode(),
    b"\xef\xbb\xbf{}",
    b"a\r\nb\r\n",
    b"a\rb",
    b'{"a":"\\ud800"}',
    b"trailing  \n  \nlines \n\n\n",
    b"\n",
    b"no end",
    b"---\n...\n",
    b"\x00",
    b"\x1b[31mred",
    "中文 😀".encode(),
    b"a=b&c=d+e&%zz",
    b"a=1&a=2&b=",
    b"a=x%20y",
    b"a=~",
    b"%ff=1",
    b"a" * 400 + b"=1",
    b'{"a":1,"a":2}',
    b"[" * 200 + b"]" * 200,
    b"[" * 90 + b"]" * 90,
    b'{"' + b"k" * 2000 + b'":1}',
    b"null",
    b'"text"',
    b"9" * 5000,
    b"--b\r\nA: 1\r\n\r\nx\r\n--b--\r\n",
    b"--b\r\n\r\n\r\n--b--",
    b'--b\r\nContent-Type: application/json\r\n\r\n{"a": 1}\r\n--b\r\nA:2\r\n\r\n\xff\r\n--b--\r\n',
    b'--b\r\nContent-Type: application/json\r\n\r\n{"a": 1}\r\n--b\r\nA: 2\r\n\r\n\xff\r\n--b--\r\n',
    b"--b\r\nA: \xff\r\n\r\nx\r\n--b--\r\n",
    b"--b--\r\n",
    b"data: a\n\n",
    b"data: a\r\n\r\ndata: b\n\n",
    b': ping\n\nevent: x\ndata: {"a":1}\n\ndata: {"a": 1}\n\ndata: [1, 2]\n\ndata: [DONE]\n\n',
    b"id: 1\nretry: 5\nevent: x\ndata: a\ndata: b\n\nevent: x\nevent: y\n\ndata: a\nid: 1\ndata: b\n\n",
    b'data: {"a":\ndata: 1}\n\ndata: {"a":"\\ud800"}\n\ndata:x\n\ndata: \n\n\n\nother: x\n\njson: x\n\ntail',
    b"data: \xff\n\n",
    b'data: {"' + b"k" * 2000 + b'":1}\n\n',
]


@pytest.mark.parametrize("content_type", TYPES)
@pytest.mark.parametrize("body", HOSTILE_BYTES, ids=range(len(HOSTILE_BYTES)))
def test_every_body_survives_as_every_type(body: bytes, content_type: str) -> None:
    """Whatever the header says about the bytes, they come back."""
    asked = Request("POST", "/", typed(content_type), body)
    read_back(Interaction(asked, Response(200, "", typed(content_type), body)))


@given(st.binary() | st.text().map(str.encode), st.sampled_from(TYPES), st.data())
def test_any_body_in_any_pieces_survives(body: bytes, content_type: str, data: st.DataObject) -> None:
    """Chunks too, empty ones included."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=4)))
    sizes = [end - start for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)] if cuts else []
    times = st.floats(0, 1e9)
    chunks = tuple(Chunk(data.draw(times), size) for size in sizes)
    read_back(exchange(body, content_type, chunks=chunks))


EVENTS = st.lists(
    st.sampled_from([b"event: x\n", b'data: {"a":1}\n', b'data: {"a": "\\u00e9"}\n', b"data: b\n", b"id: 1\n", b"\n"]),
    max_size=20,
).map(b"".join)


@given(EVENTS, st.data())
def test_event_streams_survive_with_their_cuts(body: bytes, data: st.DataObject) -> None:
    """However the stream was cut into chunks."""
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(body) - 1)), max_size=5))) if len(body) > 1 else []
    sizes = [end - start for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    chunks = tuple(Chunk(number / 7, size) for number, size in enumerate(sizes)) if body else ()
    read_back(exchange(body, "text/event-stream", chunks=chunks))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=20,
)


@example({"&": None, "\u2028": None}, {})
@example({"\\/": None}, {})
@given(JSON_VALUES, st.sampled_from([{}, {"indent": 2}, {"separators": (",", ":")}, {"ensure_ascii": False}]))
def test_any_json_survives_in_its_layout(value: Any, options: dict[str, Any]) -> None:
    """As its form, or as text when it has none."""
    body = json.dumps(value, **options).encode(errors="replace")
    text = read_back(exchange(body, "application/json"))
    assert "json:" in text


COUNTS, SECONDS = st.integers(0, 10**6), st.floats(0, 1e6)
PLACES = st.just({}) | st.fixed_dictionaries({"after": COUNTS}) | st.fixed_dictionaries({"after_events": COUNTS})
TIMES = st.fixed_dictionaries({"times": st.integers(0, 9)})
FAULTS = st.one_of(
    st.none(),
    st.builds(Fault, st.sampled_from(["refused", "reset", "timeout"]), of_upstream=st.just(True)),
    TIMES.map(lambda times: Fault("reset", **times)),
    st.builds(lambda times, place: Fault("truncate", **times, **place), TIMES, PLACES),
    st.builds(lambda times, place, lasts: Fault("timeout", lasts=lasts, **times, **place), TIMES, PLACES, SECONDS),
    st.builds(Fault, st.just("status"), status=st.integers(400, 599), retry_after=SECONDS, times=st.integers(0, 9)),
)


@given(FAULTS, st.builds(Delay, SECONDS, SECONDS))
def test_any_fault_and_delay_survives(fault: Fault | None, delay: Delay) -> None:
    """Whatever is written is read as it was, and what the schema says of it is true."""
    read_back(replace(exchange(b"data: x\n\n", "text/event-stream"), fault=fault, delay=delay))


RAW = st.binary(max_size=20).filter(lambda raw: not set(raw) & set(b"\r\n\0"))
TOKENS = st.text("abcXYZ019!#$%&'*+-.^_`|~", min_size=1)
TARGETS = st.binary(min_size=1).map(lambda raw: raw.translate(None, bytes(range(33)) + b"\x7f")).filter(bool)


@given(st.lists(st.tuples(TOKENS.map(str.encode), RAW)), TOKENS, TARGETS, RAW, st.integers(200, 599), st.data())
def test_any_interaction_survives(
    raw: list[tuple[bytes, bytes]], method: str, target: bytes, reason: bytes, status: int, data: st.DataObject
) -> None:
    """Headers, target and reason are bytes, and every one comes back; so do the facts about the exchange."""
    headers = Headers.from_raw(raw)
    answer = Response(status, reason.decode("utf-8", "surrogateescape"), headers, data.draw(st.binary()))
    texts, times = st.text(max_size=10), st.floats(0, 1e9)
    problem = st.builds(Problem, texts, st.none() | texts, st.none() | texts, st.integers(200, 599), texts)
    read_back(
        Interaction(
            Request(method, target.decode("utf-8", "surrogateescape"), headers, data.draw(st.binary())),
            answer,
            operation=data.draw(texts),
            recorded=data.draw(texts),
            first_byte=data.draw(times),
            took=data.draw(times),
            validator=data.draw(st.booleans()),
            problems=tuple(data.draw(st.lists(problem, max_size=2))),
        )
    )


@pytest.mark.parametrize(
    ("content_type", "body", "form"),
    [
        ("application/json", b'{"a": 1}', "layout: spaced\n    json:\n"),
        ("application/vnd.x+json", b"[]", "json: []"),
        ("application/json", b'{"a" :1}', "text: '{\"a\" :1}'"),
        ("application/x-www-form-urlencoded", b"a=1&b=x+y", 'form:\n      - a: "1"\n      - b: x y\n'),
        ("application/x-www-form-urlencoded", b"b=x%20y", "layout: percent\n    form:"),
        ("application/x-www-form-urlencoded", b"b", "text: b\n"),
        (
            "multipart/mixed; boundary=b",
            b"--b\r\nA: 1\r\n\r\nx\r\n--b--",
            'boundary: b\n    epilogue: ""\n    multipart:\n',
        ),
        ("multipart/mixed; boundary=b", b"--b\r\nA b: 1\r\n\r\nx\r\n--b--", 'text: "--b'),
        ("multipart/mixed; boundary=b", b"--b\r\nA: 1\r2\r\n\r\nx\r\n--b--", 'text: "--b'),
        ("multipart/mixed; boundary=b", b"--b\r\nA\xff: 1\r\n\r\nx\r\n--b--", "base64: LS1i"),
        ("multipart/mixed; boundary=b", b"--b\r\n" + b"A" * 2000 + b": 1\r\n\r\nx\r\n--b--", 'text: "--b'),
        ('multipart/mixed; boundary="\x7f"', b"--\x7f\r\nA: 1\r\n\r\nx\r\n--\x7f--", 'text: "--'),
        ("text/event-stream", b"data: x\n\n", "events:\n      - data: x\n"),
        ("text/plain", b"a\nb\n", "text: |\n      a\n      b\n"),
        ("text/plain", b"\x00\x01\x02", "base64: AAEC\n"),
        ("audio/mpeg", b"\xff", "base64: /w==\n"),
        ("audio/mpeg", b"\xff" * 100, "base64: |-\n      //"),
    ],
)
def test_the_most_readable_form_is_taken(content_type: str, body: bytes, form: str) -> None:
    """Each media type has its form, and a fall-back."""
    assert f"  body:\n    {form}" in read_back(exchange(body, content_type))


def test_a_large_body_goes_into_a_file_named_by_its_content() -> None:
    """The cassette holds name, size and digest; the same content has the same name."""
    body = b"x" * 70_000
    text, files = written(exchange(body, "text/plain"), exchange(body, "text/plain"))
    assert list(files.values()) == [body]
    assert read_back(exchange(body, "text/plain")).count("file:\n") == 1
    assert next(iter(files)).endswith(".txt")
    loaded = decode(text, lambda found: found).interactions[0].response.body
    assert loaded == FileBody(next(iter(files)), len(body), sha256(body).hexdigest())


def test_a_body_that_is_in_a_file_stays_there() -> None:
    """Only its name is written."""
    body = FileBody("0123456789abcdef0123456789abcdef.bin", 10**9, "ab" * 32)
    text = read_back(exchange(body, "text/plain", chunks=(Chunk(0.5, 10**9),)))
    assert "chunks:\n      - [0.5, 1000000000]\n    file:\n" in text


def test_a_stream_with_an_empty_chunk_is_kept_as_text() -> None:
    """No event could say when that came."""
    chunks = (Chunk(0.0, 0), Chunk(0.5, 9))
    assert "chunks:\n" in read_back(exchange(b"data: 1\n\n", "text/event-stream", chunks=chunks))


def test_large_event_streams_stay_in_the_cassette_up_to_a_limit() -> None:
    """Streams are meant to be read; beyond the reader's budget they go into a file."""
    assert "events:" in read_back(exchange(b"data: x\n\n" * 20_000, "text/event-stream"))
    assert encode(exchange(b"data: x\n\n" * 600_000, "text/event-stream"), 1).files


def edited(body: str, answer: str = "", headers: str = "") -> Response:
    """The answer that a hand-written document gives."""
    text = f"---\nreplayproxy: 1\n...\n---\nrequest:\n  method: GET\n  target: /\nresponse:\n  status: 200\n{answer}"
    text += f"  headers:\n    - content-type: x/y\n{headers}  body:\n{body}...\n"
    return decode(text, lambda found: found).interactions[0].response


def test_an_edited_body_is_what_is_sent() -> None:
    """Text, JSON in its layout, and events are taken as they stand."""
    assert edited("    text: Hello\n").body == b"Hello"
    assert edited("    json: {b: 0777, a: [1, yes, null]}\n").body == b'{"b":"0777","a":[1,"yes",null]}'
    assert edited("    layout: indent 2\n    json: {a: 1}\n").body == b'{\n  "a": 1\n}'
    assert edited("    json: 5\n").body == b"5"


def test_edited_events_lose_only_the_cuts_that_no_longer_fit() -> None:
    """Times stay with their events; an offset outside of its event is dropped, a missing first time is zero."""
    answer = edited(
        "    events:\n      - data: x\n      - at: 2\n        cuts: [[3, 2.5], [900, 3]]\n"
        "        event: e\n        retry: 5\n        data: long\n"
    )
    assert answer.body == b"data: x\n\nevent: e\nretry: 5\ndata: long\n\n"
    assert answer.chunks == (Chunk(0.0, 9), Chunk(2.0, 3), Chunk(2.5, 27))
    assert edited("    chunks: [[0.5, 3]]\n    text: edited\n").chunks == ()


HEADER = "---\nreplayproxy: 1\n...\n"
DOCUMENT = """\
---
request:
  method: GET
  target: /
  headers:
    - a: b
  body:
    text: x
response:
  status: 200
  body:
    text: x
...
"""


def refused(text: str, where: str, what: str) -> CassetteError:
    """The error that a cassette gives, which names the line that holds `where`."""
    with pytest.raises(CassetteError) as caught:
        decode(text, lambda body: body)
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)
    assert where in text.splitlines()[caught.value.line - 1]
    return caught.value


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("status: 200", "status: abc", "abc", "not a final status"),
        ("status: 200", "status: -1", "-1", "not a final status"),
        ("status: 200", "status: 99", "99", "not a final status"),
        ("status: 200", "status: 101", "101", "not a final status"),
        ("status: 200", "status: 1000", "1000", "not a final status"),
        ("status: 200", "status: " + "1" * 5000, "111", "not a final status"),
        ("status: 200", "status: true", "true", "not a final status"),
        ("status: 200", "status: 200.0", "200.0", "not a final status"),
        ("status: 200", "status: 200\n  status: 201", "201", "twice"),
        ("status: 200", "statu: 200", "statu", "Did you mean 'status'?"),
        ("  status: 200\n", "", "body", "not a final status"),
        ("status: 200", 'status: 200\n  reason: "a\\nb"', "reason", "line end"),
        ("status: 200", "status: 200\n  reason: 5", "reason", "not a string"),
        ("status: 200", "status: 200\n  headers: a", "headers", "not a list"),
        ("- a: b", "a: b", "headers:", "not a list"),
        ("- a: b", "- a", "- a", "not one `name: value`"),
        ("- a: b", "- a: b\n      c: d", "a: b", "not one `name: value`"),
        ("- a: b", "- a: [b]", "a:", "not a string"),
        ("- a: b", "- a: 5", "a:", "Put it in quotes"),
        ("- a: b", '- a: "b\\r\\nSet-Cookie: x"', "a:", "line end"),
        ("- a: b", '- "a\\r\\nb": x', "a", "not a header's name"),
        ("- a: b", "- a b: x", "a b", "not a header's name"),
        ("- a: b", "- a: {base64: _}", "a:", "not base64"),
        ("- a: b", "- a: {base64: 5}", "a:", "base64 is not a string"),
        ("- a: b", "- a: {base64: DQo=}", "a:", "line end"),
        ("method: GET", "method: G T", "G T", "not a method"),
        ("method: GET", "method: [GET]", "GET", "not a string"),
        ("method: GET\n  ", "", "target", "not a method"),
        ("target: /", 'target: "/a b"', "a b", "Escape blanks"),
        ("target: /", 'target: "/\\r\\nHost: x"', "Host", "not a path"),
        ("  target: /\n", "", "method", "not a path"),
        ("request:", "requests:", "requests", "Did you mean 'request'?"),
        ("response:\n  status: 200\n  body:\n    text: x\n", "", "request", "'response' is missing"),
        ("response:\n  status: 200\n  body:\n    text: x\n", "response: x\n", "response", "not a mapping"),
        ("request:", "zzz: 1\nrequest:", "zzz", "Known here"),
        ("request:", "took: soon\nrequest:", "took", "not a number of seconds"),
        ("request:", "took: -1\nrequest:", "took", "not a number of seconds"),
        ("request:", "took: 1e999\nrequest:", "took", "not a number of seconds"),
        ("request:", "took: true\nrequest:", "took", "not a number of seconds"),
        ("request:", "recorded: [1]\nrequest:", "recorded", "not a string"),
        ("request:", "answered_by: me\nrequest:", "answered_by", "answers nothing"),
        ("request:", "problems: 1\nrequest:", "problems", "not a list"),
        ("request:", "problems: [1]\nrequest:", "problems", "not a mapping"),
        ("request:", "problems: [{text: 1}]\nrequest:", "problems", "no field 'text'"),
        ("status: 200\n  body:\n    text: x", "status: 200\n  body: [x]", "body", "not a mapping"),
        ("    text: x\nresponse", "    coding: gzip\nresponse", "coding", "no field 'coding'"),
        ("    text: x\n...", '    coding: "a\\nb"\n...', "coding", "line end"),
        ("    text: x\n...", "    text: x\n    json: 1\n...", "json", "more than one form"),
        ("    text: x\n...", "    text: 1\n...", "text", "not a string"),
        ("    text: x\n...", "    base64: '*'\n...", "base64", "not base64"),
        ("    text: x\n...", "    layout: odd\n    json: 1\n...", "layout", "no layout"),
        ("    text: x\n...", "    layout: odd\n    form: []\n...", "layout", "no layout of a form"),
        ("    text: x\n...", "    form: [1]\n...", "form", "not one `name: value`"),
        ("    text: x\n...", "    multipart: []\n...", "multipart", "no boundary"),
        ("    text: x\n...", "    boundary: b\n    multipart: [1]\n...", "multipart", "a part is not a mapping"),
        ("    text: x\n...", "    boundary: b\n    multipart: [{a: 1}]\n...", "multipart", "no field"),
        ("    text: x\n...", "    boundary: b\n    multipart: [{text: a, json: 1}]\n...", "multipart", "one form"),
        ("    text: x\n...", "    chunks: [[1]]\n    text: x\n...", "chunks", "a chunk is not"),
        ("    text: x\n...", "    chunks: [[0, -1]]\n    text: x\n...", "chunks", "a chunk is not"),
        ("    text: x\n...", "    file: x\n...", "file", "not a mapping"),
        ("    text: x\n...", "    file: {name: ../../etc/passwd, size: 1}\n...", "file", "plain file name"),
        ("    text: x\n...", "    file: {name: /etc/passwd, size: 1}\n...", "file", "plain file name"),
        ("    text: x\n...", "    file: {name: a..b, size: 1}\n...", "file", "plain file name"),
        ("    text: x\n...", "    file: {name: a, size: -1}\n...", "file", "number of bytes"),
        ("    text: x\n...", "    file: {name: a, size: 1, include: b}\n...", "file", "no field 'include'"),
        ("    text: x\n...", "    events: x\n...", "events", "not a list"),
        ("    text: x\n...", "    events: [x]\n...", "events", "an event is not"),
        ("    text: x\n...", "    events: [{at: 1}]\n...", "events", "an event has no field"),
        ("    text: x\n...", "    events: [{dat: x}]\n...", "events", "Did you mean 'data'?"),
        ("    text: x\n...", "    events: [{raw: x, data: y}]\n...", "events", "`raw` and fields"),
        ("    text: x\n...", "    events: [{json: 1, data: y}]\n...", "events", "`json` and `data`"),
        ("    text: x\n...", "    events: [{data: [y]}]\n...", "events", "not a string"),
        ("    text: x\n...", '    events: [{event: "a\\nb"}]\n...', "events", "line end"),
        ("    text: x\n...", "    events: [{data: x, at: no}]\n...", "events", "seconds"),
        ("    text: x\n...", "    events: [{data: x, cuts: 1}]\n...", "events", "not a list"),
        ("    text: x\n...", "    events: [{data: x, cuts: [1]}]\n...", "events", "a cut is not"),
        ("---\n", "--- [1]\n...\n---\n", "[1]", "not a mapping of fields"),
        ("request:", "fault: 5\nrequest:", "fault", "neither a kind nor a mapping"),
        ("request:", "fault: [reset]\nrequest:", "fault", "neither a kind nor a mapping"),
        ("request:", "fault: rest\nrequest:", "fault", "Write one of reset, timeout, truncate, status"),
        ("request:", "fault: status\nrequest:", "fault", "'status' is None"),
        ("request:", "fault: refused\nrequest:", "fault", "'kind' is 'refused'"),
        ("request:", "fault:\n  after: 5\nrequest:", "after", "'kind' is None"),
        ("request:", "fault:\n  kind: truncate\n  aftr: 5\nrequest:", "aftr", "Did you mean 'after'?"),
        ("request:", "fault:\n  kind: reset\n  after: 5\nrequest:", "after", "Known here: kind, times"),
        ("request:", "fault:\n  kind: truncate\n  after: -1\nrequest:", "after", "Write a number from 0"),
        ("request:", "fault:\n  kind: truncate\n  after: 1.5\nrequest:", "after", "Write a number from 0"),
        ("request:", "fault:\n  kind: reset\n  times: 0\nrequest:", "times", "Write a number from 1"),
        ("request:", "fault:\n  kind: status\n  status: 200\nrequest:", "status: 200", "from 400 to 599"),
        ("request:", "fault:\n  kind: timeout\n  for: ever\nrequest:", "for", "a number of seconds"),
        ("request:", "fault:\n  kind: timeout\n  for: true\nrequest:", "for", "a number of seconds"),
        ("request:", "fault: {kind: truncate, after: 1, after_events: 1}\nrequest:", "fault", "one place only"),
        ("request:", "fault: {kind: truncate, after_events: 1}\nrequest:", "fault", "no event stream"),
        ("request:", "fault: {kind: truncate, of: upstream}\nrequest:", "fault", "refused, reset, timeout"),
        ("request:", "fault: {kind: reset, of: client}\nrequest:", "fault", "Write one of upstream"),
        ("request:", "fault: {kind: reset, of: upstream, times: 1}\nrequest:", "fault", "no field 'times'"),
        ("request:", "delay: 5\nrequest:", "delay", "not a mapping"),
        ("request:", "delay:\n  first_bite: 5\nrequest:", "first_bite", "Did you mean 'first_byte'?"),
        ("request:", "delay:\n  first_byte: -5\nrequest:", "first_byte", "a number of seconds"),
        ("request:", "delay:\n  each_event: 0.5\nrequest:", "delay", "no event stream"),
    ],
)
def test_what_a_hand_broke_is_named_with_its_line(old: str, new: str, where: str, what: str) -> None:
    """One line that says where and what, and often how to mend it."""
    assert old in DOCUMENT
    refused(HEADER + DOCUMENT.replace(old, new, 1), where, what)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "the file is empty"),
        (" \n", "the file is empty"),
        ("---\nhttp_interactions:\n- a: 1\n", "VCR (Ruby)"),
        ("interactions:\n- a: 1\nversion: 1\n", "VCR.py"),
        ("openapi: 3.1.0\n", "OpenAPI"),
        ('{"log": {}}', "a JSON file"),
        ("mode: auto\n", "a config file"),
        ("a: 1\n", "a YAML file of another kind"),
        ("hello", "something else than YAML"),
        ("---\nreplayproxy: 1\n", "the head has no end mark"),
        ("# c\nreplayproxy: 1\n", "the head has no end mark"),
        ("---\nreplayproxy: 4\n...\n", "Upgrade replayproxy"),
        ("---\nreplayproxy: one\n...\n", "does not say `replayproxy: 1`"),
        ("---\nreplayproxy: 0\n...\n", "does not say `replayproxy: 1`"),
        ("---\nreplayproxy: 1\nrecorder: x\n...\n", "Did you mean 'recorded'?"),
        (HEADER.replace("...\n", "") + DOCUMENT, "no end mark"),
        (HEADER + DOCUMENT.replace("...\n", "") + DOCUMENT, "no end mark"),
    ],
)
def test_a_file_that_is_no_cassette_says_what_it_is(text: str, what: str) -> None:
    """Other files, newer formats, and marks that are missing."""
    with pytest.raises(CassetteError) as caught:
        decode(text, lambda body: body)
    assert what in str(caught.value)
    assert caught.value.cure


def test_a_missing_file_is_told_with_its_line() -> None:
    """The store does not know the line; the codec does."""

    def missing(body: FileBody) -> Body:
        raise CassetteError(f"no {body.name}", cure="Restore it")

    with pytest.raises(CassetteError, match=r"line 15: no a.bin. Restore it"):
        decode(HEADER + DOCUMENT.replace("    text: x\n...", "    file: {name: a.bin, size: 1}\n..."), missing)


@pytest.mark.parametrize(
    "interaction",
    [
        replace(exchange(), request=Request("", "/")),
        replace(exchange(), request=Request("GET", "")),
        replace(exchange(), request=Request("GET", "/ ")),
        replace(exchange(), request=Request("GET", "/", Headers.of(("a", "b\r\nc: d")))),
        replace(exchange(), request=Request("GET", "/", Headers.of(("a b", "c")))),
        replace(exchange(), response=Response(199)),
        replace(exchange(), response=Response(600)),
        replace(exchange(), response=Response(200, "a\nb")),
        replace(exchange(), response=Response(200, "", Headers.of(("a", "\0")))),
        replace(exchange(), response=Response(200, "", Headers.of(("a", "\ud800")))),
        replace(exchange(), operation="\ud800"),
        replace(exchange(), took=-1.0),
        replace(exchange(), took=float("nan")),
        replace(exchange(), fault=Fault("status")),
        replace(exchange(), fault=Fault("reset", after=1)),
        replace(exchange(), fault=Fault("truncate", after_events=1)),
        replace(exchange(), delay=Delay(each_event=1.0)),
        replace(exchange(), delay=Delay(first_byte=-1.0)),
        exchange(b"abc", chunks=(Chunk(0.0, 2),)),
        exchange(b"abc", chunks=(Chunk(float("inf"), 3),)),
        exchange(b"abc", coding="a\nb"),
        exchange(b"abc", coding="nonsense"),
        replace(exchange(), response=Response(200, "", Headers.of(("Content-Length", "3"), ("content-length", "3")))),
        replace(exchange(), response=Response(200, "", Headers.of(("content-length", "+3")))),
        exchange(FileBody("../x", 1, "")),
        replace(exchange(), operation="x" * (65 * 1024 * 1024)),
    ],
)
def test_what_would_be_refused_at_loading_is_refused_at_writing(interaction: Interaction) -> None:
    """Nothing gets into a file that could not be loaded again."""
    with pytest.raises(CassetteError):
        encode(interaction, 1)


def test_more_values_than_the_reader_takes_are_not_written() -> None:
    """Where bodies are kept in the cassette whatever their size."""
    asked = Request("POST", "/", Headers.of(("content-type", "application/json")))
    many = replace(exchange(), request=replace(asked, body=b"[" + b"1," * MAX_NODES + b"1]"))
    with pytest.raises(CassetteError, match="more than 2,000,000 values"):
        encode(many, 1, inline_limit=MAX_CHARACTERS)


@pytest.mark.parametrize(("cut", "whole"), [(1, True), (10, True), (75, True), (76, False), (100, False)])
def test_a_torn_last_document_is_left_out(cut: int, whole: bool) -> None:
    """What was complete is there, be its key torn or not."""
    text, _ = written(exchange(b"a"), exchange(b"b"))
    assert decode(text[:-cut], lambda body: body).interactions == (
        (exchange(b"a"), exchange(b"b")) if whole else (exchange(b"a"),)
    )
    assert (split(text[:-cut]).torn is None) == whole


def test_only_what_an_upgrade_changes_is_written_anew() -> None:
    """A document that no step changes keeps its text, comments included; large bodies stay where they are."""

    def step(mapping: Mapping) -> Mapping:
        if mapping.get("operation") == "old":
            mapping["operation"] = "new"
        return mapping

    old = replace(exchange(b"x" * 70_000, "text/plain"), operation="old")
    text, files = written(exchange(b"kept"), old, replace(old, operation="kept"))
    documents = split_cassette(text.replace("replayproxy: 3", "replayproxy: 2").replace("request:", "request: # mine"))
    head, *found = upgraded(documents, {2: step}).items
    assert "replayproxy: 3" in head.text
    assert [item == before for item, before in zip(found, documents.items[1:], strict=True)] == [True, False, True]
    assert found[1].text == encode(replace(old, operation="new"), 2).text
    assert list(files) == [next(iter(encode(old, 2).files))]
    assert upgraded(split_cassette(text)) == split_cassette(text)


def test_renumbering_changes_our_comment_only() -> None:
    """A first line that somebody wrote himself stays."""
    assert (
        renumber("--- # 1: GET / -> 200\na: '--- # 1: '\n...\n", 12) == "--- # 12: GET / -> 200\na: '--- # 1: '\n...\n"
    )
    assert renumber("---\na: 1\n...\n", 2) == "---\na: 1\n...\n"


def test_a_comment_holds_nothing_that_could_end_it() -> None:
    """Odd and long paths are shortened in the comment, never in the document."""
    path = "/" + "\x85é" + "x" * 200
    text = read_back(replace(exchange(), request=Request("GET", path)))
    first = next(line for line in text.split("\n") if line.startswith("--- # 1"))
    assert first.startswith("--- # 1: GET /??xxx")
    assert len(first) < 130


@pytest.mark.parametrize(("page", "counts"), [("cassettes.md", [1, 1]), ("faults.md", [1])])
def test_the_examples_of_the_documentation_are_cassettes(page: str, counts: list[int]) -> None:
    """What the pages show can be loaded."""
    text = Path(__file__).parents[2].joinpath("docs", page).read_text("utf-8")
    examples = [block.partition("```")[0] for block in text.split("```yaml\n")[1:]]
    assert [len(decode(example, lambda body: body).interactions) for example in examples] == counts
