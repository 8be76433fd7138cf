"""What is copied: what it holds and what not, how it reads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from replayproxy.core.exports.copying import FORMS, copied
from replayproxy.core.exports.curl import as_curl
from replayproxy.core.exports.javascript import as_javascript
from replayproxy.core.exports.json_text import UNREADABLE, laid_out, readable, same_in_javascript
from replayproxy.core.exports.literals import JAVASCRIPT, PYTHON, bytes_literal, word
from replayproxy.core.exports.python_httpx import as_httpx
from replayproxy.core.exports.python_openai import as_openai
from replayproxy.core.exports.sent import LARGE, sent, url_of
from replayproxy.core.messages import FileBody, Headers, Request
from replayproxy.core.schemas import Schema
from replayproxy.openai_api import catalog
from tests.core.exports.copied_requests import JSON, KEY, REQUESTS, posted, with_parts

BASE = "http://127.0.0.1:8080"


def openai(request: Request) -> str:
    """The script with the official client."""
    meant = catalog().resolve(request.method, request.target)
    return as_openai(request, BASE, meant.operation if meant else None)


def every_form(request: Request) -> list[str]:
    """All forms."""
    meant = catalog().resolve(request.method, request.target)
    return [copied(form, request, BASE, meant.operation if meant else None) for form in FORMS]


@pytest.mark.parametrize("name", REQUESTS)
def test_every_request_has_every_form(name: str) -> None:
    """Scripts of Python are such; test_running.py runs them all."""
    curl, client, http, javascript = every_form(REQUESTS[name])
    assert "curl " in curl
    compile(client, "openai", "exec")
    compile(http, "httpx", "exec")
    assert "await fetch(" in javascript


def test_curl_reads_like_what_people_write() -> None:
    """One option a line, the key from the environment, the body laid out."""
    assert as_curl(posted({"metadata": {"it's": 1}}), BASE) == (
        "curl http://127.0.0.1:8080/v1/threads \\\n"
        '  -H "Authorization: Bearer $OPENAI_API_KEY" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        "  --data-raw '{\n  \"metadata\": {\n    \"it'\\''s\": 1\n  }\n}'\n"
    )


def test_openai_calls_the_method() -> None:
    """With what the path, the query and the body say under their names; the rest goes as extra."""
    headers = JSON.plus(("OpenAI-Beta", "assistants=v2"), ("X-Mine", "a"), ("User-Agent", "x"))
    body = {"role": "user", "content": "Hi", "odd": 1}
    assert openai(posted(body, "/v1/threads/thread_1/messages?odder=1", headers)) == (
        "import os\n\nfrom openai import OpenAI\n\n"
        'client = OpenAI(\n    api_key=os.environ["OPENAI_API_KEY"],\n    base_url="http://127.0.0.1:8080/v1",\n)\n'
        "answer = client.beta.threads.messages.create(\n"
        '    thread_id="thread_1",\n    role="user",\n    content="Hi",\n'
        '    extra_query={"odder": "1"},\n    extra_body={"odd": 1},\n'
        '    extra_headers={\n        "X-Mine": "a",\n    },\n'
        ")\nprint(answer)\n"
    )


def test_openai_reads_streams() -> None:
    """Event by event."""
    script = openai(posted({"model": "m", "messages": [], "stream": True}, "/v1/chat/completions"))
    assert "for event in client.chat.completions.create(\n" in script
    assert script.endswith("):\n    print(event)\n")


def test_openai_has_numbers_and_truths_in_queries() -> None:
    """Where the API has them; `limit=02` is none."""
    script = openai(Request("GET", "/v1/chat/completions?limit=2&order=asc&metadata[a]=b", Headers.of(KEY)))
    assert '    limit=2,\n    order="asc",\n    metadata={"a": "b"},\n' in script
    assert 'limit="02"' in openai(Request("GET", "/v1/chat/completions?limit=02", Headers.of(KEY)))
    usage = "/v1/organization/usage/completions?start_time=1&batch=true&group_by[]=model&group_by[]=x"
    script = openai(Request("GET", usage, Headers.of(KEY)))
    assert '    start_time=1,\n    batch=True,\n    group_by=["model", "x"],\n' in script
    assert "admin_api_key=" in script
    assert "batch=False" in openai(Request("GET", usage.replace("true", "false"), Headers.of(KEY)))


@pytest.mark.parametrize(
    "request_",
    [
        posted({"input": "a", "model": "m"}, "/v1/embeddings"),  # the client adds encoding_format
        posted({"role": "user"}, "/v1/threads/thread_1/messages"),  # something is missing
        Request("POST", "/v1/embeddings", JSON),
        posted([1], "/v1/threads"),
        posted(b"{", "/v1/threads"),
        posted({}, "/v1/threads", Headers.of(("Content-Type", "application/vnd.x+json"))),
        posted({}, "/v1/threads"),  # without OpenAI-Beta, which the client would add
        posted({"prompt": "a"}, "/v1/images/edits"),
        Request("GET", "/v1/models/%00", Headers.of(KEY)),
        Request("GET", "/v1/models/%FF", Headers.of(KEY)),
        Request("GET", "/v1/threads//messages", Headers.of(("OpenAI-Beta", "assistants=v2"))),
        Request("GET", "/models//x", Headers.of(KEY)),
        Request("DELETE", "/v1/models/a", JSON, b"{}"),
        Request("GET", "/v1/chat/completions?order=a&order=b", Headers.of(KEY)),
        Request("GET", "/v1/chat/completions?metadata[a]=1&metadata[a]=1", Headers.of(KEY)),
        Request("GET", "/v1/chat/completions?metadata[a]=1&metadata[]=1", Headers.of(KEY)),
        Request("GET", "/v1/chat/completions?metadata[]=1&metadata[a]=1", Headers.of(KEY)),
        Request("GET", "/v1/chat/completions?metadata[a][b]=1", Headers.of(KEY)),
        Request("GET", "/v1/chat/completions?order=%00", Headers.of(KEY)),
        Request("GET", "/v1/organization/costs?limit=1", Headers.of(KEY)),  # a field of the query is missing
        posted(
            {"role": "user", "content": "a"},
            "/v1/threads/thread_1/messages?role=x",
            JSON.plus(("OpenAI-Beta", "assistants=v2")),
        ),
        with_parts(('name="purpose"\r\nContent-Type: text/plain', b"x"), ('name="file"; filename="a"', b"x")),
        with_parts(('name="file"; filename="a"', b"x"), ('name="file"; filename="b"', b"x"), ('name="purpose"', b"x")),
        with_parts(('name="file"', b"y"), ('name="file"; filename="a"', b"x"), ('name="purpose"', b"x")),
        with_parts(('name="file"; filename="a"', b"x"), ('name="other"; filename="a"', b"x"), ('name="purpose"', b"x")),
        with_parts(('name="file"; filename="a"', b"x"), ('name="a[b"; filename="a"', b"x"), ('name="purpose"', b"x")),
    ],
    ids=lambda request: f"{request.method} {request.target} {len(request.body)}",
)
def test_openai_does_not_call_a_method_that_would_send_something_else(request_: Request) -> None:
    """It says what is to be sent."""
    script = openai(request_)
    assert f"client.{request_.method.lower()}(\n" in script
    assert "cast_to=object" in script


def test_an_operation_of_another_path_is_not_called() -> None:
    """Whoever says what a request means may be wrong; what takes anything takes no field by its name."""
    meant = catalog().operation("createMessage")
    assert "client.post(" in as_openai(posted({"role": "user", "content": "a"}), BASE, meant)
    anything = replace(catalog().operation("createThread"), bodies={"application/json": Schema(True, {})})
    headers = JSON.plus(("OpenAI-Beta", "assistants=v2"))
    assert 'extra_body={"a": 1}' in as_openai(posted({"a": 1}, headers=headers), BASE, anything)


def test_openai_takes_lists_of_files() -> None:
    """Their names end in brackets."""
    parts = [('name="image[]"; filename="a.png"\r\nContent-Type: image/png', b"x")] * 2
    script = openai(with_parts(*parts, ('name="prompt"', b"a"), target="/v1/images/edits"))
    assert 'image=[\n        ("a.png", b\'x\', "image/png"),\n        ("a.png", b\'x\', "image/png"),\n    ],' in script


def test_an_unknown_operation_is_posted() -> None:
    """Also with a stream, and outside of `/v1`."""
    script = openai(posted({"a": 1, "stream": True}, "/odd?x=1"))
    assert 'base_url="http://127.0.0.1:8080",' in script
    assert 'client.post(\n    "/odd?x=1",\n    body={"a": 1, "stream": True},\n' in script
    assert "stream_cls=Stream[object]" in script


@pytest.mark.parametrize("form", FORMS)
def test_no_credential_is_copied(form: str) -> None:
    """Whatever stands in the headers; what was redacted elsewhere is told."""
    headers = Headers.of(
        ("authorization", "Basic redacted.authorization"),
        ("Authorization", "Bearer sk-real"),
        ("x-api-key", "real-key"),
        ("Cookie", "a=redacted.cookie"),
        ("OpenAI-Organization", "redacted.org.12345678"),
        ("X-Odd\n", "a"),
        ("X-Split", "a\nb"),
        (":path", "x"),
        ("Accept", "*/*"),
        ("x-stainless-lang", "python"),
    )
    text = copied(form, Request("GET", "/v1/models?key=redacted.api-key", headers), BASE)
    assert not any(
        each in text for each in ("sk-real", "real-key", "redacted.org", "redacted.cookie", "stainless", "*/*")
    )
    for told in ("authorization", "Cookie", "OpenAI-Organization"):
        assert f"left out: {told}, which was redacted" in text
    assert "left out: X-Split, which no client sends" in text
    assert "redacted.api-key: stands for what was redacted" in text


def test_what_is_large_comes_from_a_file() -> None:
    """Nobody pastes megabytes; a body that was never in memory has its name."""
    for request in (
        posted(b"x" * (LARGE + 1)),
        posted({"a": "x" * LARGE}),
        Request("POST", "/", JSON, FileBody("a.json", 9, "")),
    ):
        for text in every_form(request):
            assert len(text) < 1000
            assert "first" in text.partition("\n")[0]
    texts = every_form(
        with_parts(('name="file"; filename="../b/big.bin"', b"x" * (LARGE + 1)), ('name="purpose"', b"x"))
    )
    for text in texts:
        assert "put the 262145 bytes of big.bin into a file of that name first" in text
        assert len(text) < 1000
    assert 'file=@"big.bin"' in texts[0]
    assert 'open("big.bin", "rb").read()' in texts[1]
    nameless = with_parts(('name="file"; filename=""', b"x" * (LARGE + 1)))
    assert "file.bin" in as_curl(nameless, BASE)


def test_a_large_field_is_no_file() -> None:
    """Such a form goes as it was."""
    assert sent(with_parts(('name="a"', b"x" * (LARGE + 1))), BASE).parts is None
    assert sent(with_parts(('name="a"', b"\xff")), BASE).parts is None
    assert sent(with_parts(('name="a"; filename="b\x01"', b"x")), BASE).parts is None
    assert sent(with_parts(), BASE).parts is None


def test_large_text_of_a_part_is_coded() -> None:
    """An argument has an end."""
    assert "<(base64 -d <<" in as_curl(with_parts(('name="file"; filename="a"', b"x" * 70_000)), BASE)
    assert "--form-string" in as_curl(with_parts(('name="file"', b"x" * 9_000)), BASE)


def test_a_body_of_get_is_not_in_fetch() -> None:
    """Which would refuse it."""
    text = as_javascript(Request("GET", "/v1/x", JSON, b"{}"), BASE)
    assert "left out: the body" in text
    assert "body:" not in text
    assert "httpx.request" in openai(Request("GET", "/v1/x", JSON, b"{}"))


def test_bodies_that_are_not_text_are_bytes() -> None:
    """In each language as it has them."""
    request = posted(b"\xff\x00", headers=Headers.of(("Content-Type", "image/png")))
    assert 'base64.b64decode("/wA=")' in as_httpx(request, BASE)
    assert "import base64\n" in as_httpx(request, BASE)
    assert 'atob("/wA=")' in as_javascript(request, BASE)
    empty = Request("POST", "/v1/x", Headers.of(("X-A", "1"), ("X-A", "2")))
    assert '    ["X-A", "1"],\n' in as_javascript(empty, BASE)
    assert 'headers=[\n        ("X-A", "1"),' in as_httpx(empty, BASE)


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("a", "a"),
        ("", "''"),
        ("a b", "'a b'"),
        ("it's", "'it'\\''s'"),
        ("a\nb!", "'a\nb!'"),
        ("\x1b'!\\\n\t\udcffé", "$'\\x1b\\x27\\x21\\\\\\n\\t\\xffé'"),
        ("\u202e", "$'\\xe2\\x80\\xae'"),
    ],
)
def test_words_of_a_shell(text: str, spelled: str) -> None:
    """What is not seen is spelled out."""
    assert word(text) == spelled


def test_no_word_holds_nul() -> None:
    """No system could hand it over."""
    with pytest.raises(ValueError, match="NUL"):
        word("\0")


@pytest.mark.parametrize("value", [None, True, 1.5, '\u202e\U000e0001"\\\n é', [], {}, {"a": ["x" * 90, {"b": None}]}])
def test_literals_of_python_are_the_value(value: Any) -> None:
    """Short ones on one line; what is not seen is spelled out."""
    text = PYTHON.value(value)
    assert eval(text) == value
    assert text.replace("\n", "").isprintable()
    assert JAVASCRIPT.value(value).replace("\n", "").isprintable()


@pytest.mark.parametrize("data", [b"", b"a\n\xe9", "é\u202e".encode(), b"a" * 9, bytes(range(32)) * 9])
def test_literals_of_bytes_are_the_bytes(data: bytes) -> None:
    """Readable where they are text."""
    import base64

    assert eval(bytes_literal(data), {"base64": base64}) == data


@pytest.mark.parametrize(
    ("body", "same"),
    [
        (b'{"a":9007199254740992}', True),
        (b'{"a":9007199254740993}', False),
        (b"[1e20]", False),
        (b'{"__proto__":1}', False),
        (b'["a",null,1.5,true]', True),
    ],
)
def test_javascript_keeps_what_it_can(body: bytes, same: bool) -> None:
    """And no more."""
    assert same_in_javascript(readable(JSON, body)) is same


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"{", b'{"a":1,"a":1}', b'{"a":1e999}', b'"\\ud800"', b"9" * 5000, b"[" * 100_000]
)
def test_what_would_become_another_body_is_left_alone(body: bytes) -> None:
    """No reader keeps it."""
    assert readable(JSON, body) is UNREADABLE


def test_laying_out_keeps_each_token() -> None:
    """Numbers and escapes as they were; what is not seen is escaped."""
    body = '{"a":[1.10,{}, [],"\\u00e9\u202e\x7f"],"b":{"c":-0}}'.encode()
    assert laid_out(JSON, body) == (
        '{\n  "a": [\n    1.10,\n    {},\n    [],\n    "\\u00e9\\u202e\\u007f"\n  ],\n  "b": {\n    "c": -0\n  }\n}'
    )
    assert laid_out(JSON, b"\xff") is None
    assert laid_out(Headers(), b"{}") is None
    assert laid_out(JSON, b'{"a":1, "a":2}') is None


def test_urls_are_ascii() -> None:
    """What is escaped stays so, and what is no path gets a slash."""
    assert url_of("http://h/", "/é%20?a=b c&d[]='\"#") == "http://h/%C3%A9%20?a=b%20c&d[]='%22%23"
    assert url_of("http://h/@s", "*") == "http://h/@s/*"
