"""A recorded conversation, changed in one place at a time: what counts misses and is named, the rest hits."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from replayproxy.config import Settings
from replayproxy.proxy.app import Proxy, running
from replayproxy.proxy.opening import Declaration
from replayproxy.pytest_plugin.background import Background
from tests.proxies import settings_for
from tests.servers import answering, raw_upstream

PATIENCE = 30
HEADERS = (
    ("Host", "localhost"),
    ("Accept-Encoding", "gzip, deflate"),
    ("Authorization", "Bearer sk-of-mine"),
    ("User-Agent", "OpenAI/Python 3.54.0"),
    ("X-Stainless-Lang", "python"),
    ("X-Stainless-Retry-Count", "0"),
    ("OpenAI-Beta", "assistants=v2"),
)
TOOL = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png", "detail": "low"}}
CHAT: dict[str, Any] = {
    "model": "gpt-4.1-mini",
    "temperature": 0.5,
    "stream": False,
    "metadata": {"run.id": "7"},
    "tools": [TOOL],
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "What is on this picture?"}, IMAGE]},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": "12 degrees"},
    ],
}
MESSAGE = {"role": "user", "content": "How does AI work? Explain it in simple terms."}
JSON = "application/json"


@dataclass(frozen=True)
class Part:
    """A part of a multipart body."""

    name: str
    content: bytes
    filename: str = ""
    content_type: str = ""


@dataclass(frozen=True)
class Ask:
    """One request of the conversation, such that each piece of it can be changed."""

    method: str
    path: str
    body: bytes = b""
    content_type: str = ""
    query: str = ""
    headers: tuple[tuple[str, str], ...] = HEADERS
    parts: tuple[Part, ...] = ()
    boundary: str = "one"

    def sent(self) -> tuple[str, list[tuple[str, str]], bytes]:
        """Target, headers and body."""
        headers, body = [*self.headers], self.body
        if self.parts:
            headers.append(("Content-Type", f"multipart/form-data; boundary={self.boundary}"))
            body = b"".join(self._part(part) for part in self.parts) + f"--{self.boundary}--\r\n".encode()
        elif self.content_type:
            headers.append(("Content-Type", self.content_type))
        headers.append(("Content-Length", str(len(body))))
        return f"{self.path}?{self.query}" if self.query else self.path, headers, body

    def _part(self, part: Part) -> bytes:
        lines = [f'--{self.boundary}\r\nContent-Disposition: form-data; name="{part.name}"']
        if part.filename:
            lines[0] += f'; filename="{part.filename}"'
        if part.content_type:
            lines.append(f"Content-Type: {part.content_type}")
        return "\r\n".join([*lines, "", ""]).encode() + part.content + b"\r\n"


def as_json(value: Any) -> bytes:
    """As the Python client writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


CONVERSATION = {
    "chat": Ask("POST", "/v1/chat/completions", as_json(CHAT), JSON),
    "message": Ask("POST", "/v1/threads/thread_abc123/messages", as_json(MESSAGE), JSON),
    "list": Ask(
        "GET", "/v1/threads/thread_abc123/messages", query="limit=20&order=asc&after=msg+1&include=a&include=b"
    ),
    "file": Ask(
        "POST",
        "/v1/files",
        parts=(
            Part("purpose", b"assistants"),
            Part("file", b"\x00one\r\ntwo\xff", "notes.bin", "application/octet-stream"),
        ),
    ),
    "form": Ask("POST", "/v1/token", b"grant=code&scope=read+write&scope=admin", "application/x-www-form-urlencoded"),
    "bytes": Ask("PUT", "/v1/blobs/1", b"\x89PNG\r\n\x1a\n", "image/png"),
}

Change = Callable[[Ask], Ask]


def in_json(change: Callable[[Any], object]) -> Change:
    """A change to the value of a JSON body."""

    def changed(ask: Ask) -> Ask:
        value = deepcopy(json.loads(ask.body))
        change(value)
        return replace(ask, body=as_json(value))

    return changed


def put(path: str, new: Any) -> Change:
    """Another value at a path of a JSON body (`messages.1.content`)."""

    def change(value: Any) -> None:
        *parents, last = (int(step) if step.isdigit() else step for step in path.split("/"))
        for step in parents:
            value = value[step]
        value[last] = new

    return in_json(change)


def header(name: str, value: str | None) -> Change:
    """Another value of a header; None takes it away."""

    def changed(ask: Ask) -> Ask:
        kept = tuple(each for each in ask.headers if each[0].lower() != name.lower())
        return replace(ask, headers=kept if value is None else (*kept, (name, value)))

    return changed


def part(index: int, **change: Any) -> Change:
    """A change to a part of a multipart body."""

    def changed(ask: Ask) -> Ask:
        parts = [*ask.parts]
        parts[index] = replace(parts[index], **change)
        return replace(ask, parts=tuple(parts))

    return changed


def so(**change: Any) -> Change:
    """Another value of a field of the request."""
    return lambda ask: replace(ask, **change)


def turned(value: dict[str, Any]) -> None:
    """The same with its keys in the other order."""
    for name in [*value][::-1]:
        value[name] = value.pop(name)


#: Which request, what is changed, and the paths that the miss has to name: those and no others.
COUNTS: list[tuple[str, Change, str]] = [
    ("chat", put("messages/0/content", "Be short."), "body.messages[0].content"),
    ("chat", put("messages/0/content", "Be brief. "), "body.messages[0].content"),
    ("chat", put("messages/0/role", "developer"), "body.messages[0].role"),
    ("chat", put("messages/1/content/0/text", "What is on this Picture?"), "body.messages[1].content[0].text"),
    (
        "chat",
        put("messages/1/content/1/image_url/url", "https://example.com/dog.png"),
        "body.messages[1].content[1].image_url.url",
    ),
    ("chat", put("messages/1/content/1/image_url/detail", "high"), "body.messages[1].content[1].image_url.detail"),
    (
        "chat",
        put("messages/2/tool_calls/0/function/arguments", '{"city":"Rome"}'),
        "body.messages[2].tool_calls[0].function.arguments",
    ),
    ("chat", put("messages/2/content", ""), "body.messages[2].content"),
    ("chat", put("messages/3/tool_call_id", "call_2"), "body.messages[3].tool_call_id"),
    ("chat", in_json(lambda chat: chat["messages"].append(chat["messages"][0])), "body.messages[4]"),
    ("chat", in_json(lambda chat: chat["messages"].pop()), "body.messages[3]"),
    (
        "chat",
        put("tools/0/function/parameters/properties/city/type", "number"),
        "body.tools[0].function.parameters.properties.city.type",
    ),
    ("chat", put("model", "gpt-4.1"), "body.model"),
    ("chat", put("temperature", 0.7), "body.temperature"),
    ("chat", put("stream", True), "body.stream"),
    ("chat", put("stream", 0), "body.stream"),
    ("chat", in_json(lambda chat: chat.pop("stream")), "body.stream"),
    ("chat", put("seed", None), "body.seed"),
    ("chat", put("metadata/run.id", "8"), "body.metadata['run.id']"),
    ("message", put("content", "How do planes fly? Explain it in simple terms."), "body.content"),
    ("message", header("OpenAI-Beta", "assistants=v1"), "header.openai-beta"),
    ("message", header("OpenAI-Beta", None), "header.openai-beta"),
    ("message", so(path="/v1/threads/thread_abc124/messages"), "path"),
    ("message", so(method="PUT"), "method"),
    ("message", so(query="dry=1"), "query.dry"),
    ("list", so(query="limit=21&order=asc&after=msg+1&include=a&include=b"), "query.limit"),
    ("list", so(query="limit=20&order=asc&after=msg+1&include=b&include=a"), "query.include"),
    ("list", so(query="limit=20&order=asc&after=msg-1&include=a&include=b"), "query.after"),
    ("list", so(query="limit=20&order=asc&include=a&include=b"), "query.after"),
    ("file", part(1, content=b"\x00one\r\ntwo\xfe"), "body.parts[1].content"),
    ("file", part(1, filename="notes.txt"), "body.parts[1].filename"),
    ("file", part(1, content_type="text/plain"), "body.parts[1].content-type"),
    ("file", part(0, content=b"vision"), "body.parts[0].content"),
    ("file", part(0, name="reason"), "body.parts[0].name"),
    ("form", so(body=b"grant=token&scope=read+write&scope=admin"), "body.grant"),
    ("form", so(body=b"grant=code&scope=admin&scope=read+write"), "body.scope"),
    ("bytes", so(body=b"\x89PNG\r\n\x1a\r"), "body"),
    ("bytes", so(content_type="image/webp"), "header.content-type"),
]

#: Which request, and what is changed without a consequence.
COUNTS_NOT: list[tuple[str, str, Change]] = [
    ("chat", "key order", in_json(turned)),
    ("chat", "white space", lambda ask: replace(ask, body=json.dumps(json.loads(ask.body), indent=2).encode())),
    ("chat", "escapes", lambda ask: replace(ask, body=ask.body.replace(b"picture", b"p\\u0069cture"))),
    ("chat", "spelling of a number", lambda ask: replace(ask, body=ask.body.replace(b"0.5", b"5e-1"))),
    ("chat", "charset", so(content_type="Application/JSON; charset=utf-8")),
    ("chat", "x-stainless", header("X-Stainless-Lang", "js")),
    ("chat", "more of x-stainless", header("X-Stainless-Async", "async:asyncio")),
    ("chat", "retry count", header("X-Stainless-Retry-Count", "2")),
    ("chat", "user agent", header("User-Agent", "OpenAI/JS 6.9.0")),
    ("chat", "accept-encoding", header("Accept-Encoding", "br")),
    ("chat", "authorization", header("Authorization", "Bearer sk-of-yours")),
    ("chat", "no authorization", header("Authorization", None)),
    ("chat", "cookie", header("Cookie", "session=1")),
    ("chat", "trace", header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")),
    ("chat", "header order", lambda ask: replace(ask, headers=ask.headers[::-1])),
    (
        "chat",
        "header case",
        lambda ask: replace(ask, headers=tuple((name.upper(), value) for name, value in ask.headers)),
    ),
    ("list", "plus or %20", so(query="limit=20&order=asc&after=msg%201&include=a&include=b")),
    ("list", "query order", so(query="include=a&order=asc&include=b&after=msg+1&limit=20")),
    ("list", "needless escapes", so(query="%6Cimit=20&order=a%73c&after=msg+1&include=a&include=b")),
    ("file", "boundary", so(boundary="----WebKitFormBoundary7MA4YWxkTrZu0gW")),
    ("form", "percent or plus", so(body=b"grant=code&scope=read%20write&scope=admin")),
    ("form", "order of fields", so(body=b"scope=read+write&grant=code&scope=admin")),
]


@dataclass
class Sessions:
    """One proxy in playback, with a session of its own for each case, all of one cassette."""

    background: Background[Proxy]
    cassette: Path
    count: int = field(default=0)

    def ask(self, ask: Ask) -> tuple[int, str]:
        """Status and body of the answer, in a new session."""
        self.count += 1
        name = f"s{self.count}"
        proxy = self.background.value
        self.background.call(proxy.sessions.declare(Declaration(name, self.cassette)), PATIENCE)
        return asked(proxy.url, ask, f"/@{name}")


def asked(url: str, ask: Ask, prefix: str = "") -> tuple[int, str]:
    """Sends a request exactly as it is, and gives status and body of the answer."""
    target, headers, body = ask.sent()
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=PATIENCE)
    connection.putrequest(ask.method, prefix + target, skip_host=True, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders(body)
    answer = connection.getresponse()
    told = answer.status, answer.read().decode()
    connection.close()
    return told


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sessions]:
    """The conversation, recorded; the upstream is gone."""
    cassette = tmp_path_factory.mktemp("mutations") / "talk.yaml"
    answer = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"id": "x"}'
    upstream = Background(raw_upstream(answering(answer)))
    settings: Settings = settings_for(cassette, upstream.value.url)
    recording = Background(running(settings))
    assert {asked(recording.value.url, ask) for ask in CONVERSATION.values()} == {(200, '{"id": "x"}')}
    recording.stop()
    upstream.stop()
    playing = Background(running(settings_for(cassette, mode="playback")))
    yield Sessions(playing, cassette)
    playing.stop()


def named(message: str) -> set[str]:
    """The paths that the nearest recording is said to differ in."""
    nearest = next(line for line in message.split("\n") if "nearest" in line)
    return set(re.findall(r"(?:differs in |; )(\S+?): recorded ", nearest))


@pytest.mark.parametrize("name", CONVERSATION)
def test_what_was_recorded_plays(sessions: Sessions, name: str) -> None:
    """Unchanged, each request has its answer."""
    assert sessions.ask(CONVERSATION[name]) == (200, '{"id": "x"}')


@pytest.mark.parametrize(("name", "change", "path"), COUNTS, ids=[f"{name}-{path}" for name, _, path in COUNTS])
def test_a_change_that_counts_misses_and_is_named(sessions: Sessions, name: str, change: Change, path: str) -> None:
    """The message names the one path that was changed, and nothing else."""
    status, body = sessions.ask(change(CONVERSATION[name]))
    error = json.loads(body)["error"]
    assert (status, error["code"]) == (424, "no_match")
    assert named(error["message"]) == {path}


@pytest.mark.parametrize(
    ("name", "_what", "change"), COUNTS_NOT, ids=[f"{name}-{what}" for name, what, _ in COUNTS_NOT]
)
def test_a_change_that_does_not_count_hits(sessions: Sessions, name: str, _what: str, change: Change) -> None:
    """The recorded answer is given, and what was sent did change."""
    changed = change(CONVERSATION[name])
    assert changed.sent() != CONVERSATION[name].sent()
    assert sessions.ask(changed) == (200, '{"id": "x"}')


def test_there_are_enough_of_both() -> None:
    """Thirty changes that count, fifteen that do not."""
    assert (len(COUNTS) >= 30, len(COUNTS_NOT) >= 15) == (True, True)
