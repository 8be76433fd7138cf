"""Requests that are copied: those of every day, and those that break a careless quoting."""

from __future__ import annotations

import json
from typing import Any

from replayproxy.core.messages import Headers, Request

__all__ = ["REQUESTS", "posted", "with_parts"]

KEY = ("Authorization", "Bearer redacted.authorization")
JSON = Headers.of(KEY, ("Content-Type", "application/json"))
TEXT = Headers.of(("Content-Type", "text/plain"))
_EVERY_BYTE = bytes(range(256))
_NASTY = "it's \"quoted\" $HOME `id` $(id) !! !x \\ \\n %s ; | & # * ? [a] {b,c} ~ \u202e\u0007 😀 é\n'\n\\'"


def posted(body: Any, target: str = "/v1/threads", headers: Headers = JSON) -> Request:
    """A POST; what is no bytes goes as JSON."""
    return Request("POST", target, headers, body if isinstance(body, bytes) else json.dumps(body).encode())


def with_parts(*parts: tuple[str, bytes], target: str = "/v1/files") -> Request:
    """A form of parts, each with its head (without the disposition's first words) and its content."""
    body = b"".join(
        b"--XX\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n\r\n" + content + b"\r\n"
        for head, content in parts
    )
    return Request(
        "POST", target, Headers.of(KEY, ("Content-Type", "multipart/form-data; boundary=XX")), body + b"--XX--\r\n"
    )


_FILE = 'name="file"; filename="a b.jsonl"\r\nContent-Type: application/jsonl'

REQUESTS: dict[str, Request] = {
    "get": Request("GET", "/v1/models", Headers.of(KEY)),
    "query": Request("GET", "/v1/x?include[]=a%20b&include[]=c&q=it's;$(id)&e=é", Headers.of(KEY)),
    "dots": Request("GET", "/v1/a/../b/./c"),
    "delete": Request("DELETE", "/v1/threads/thread_1", Headers.of(KEY, ("OpenAI-Beta", "assistants=v2"))),
    "head": Request("HEAD", "/v1/models"),
    "options": Request("OPTIONS", "/v1/models", Headers.of(("X-A", ""), ("X-A", "b"))),
    "post without a body": Request("POST", "/v1/threads/thread_1/runs/run_1/cancel", Headers.of(KEY)),
    "json": posted({"metadata": {"a": "b"}, "messages": [{"role": "user", "content": "Hello!"}]}),
    "nasty json": posted({"content": _NASTY, _NASTY: [_NASTY, None, True, 1.5, -0.0, 1e300, {}, []]}),
    "numbers": posted(
        b'{"a": 1.10, "b": 1e5, "c": 9007199254740993, "d": -0, "e": 1E400, "f": 123456789012345678901234567890}'
    ),
    "exact numbers": posted(b'{"a": 18446744073709551615, "b": 1e22, "c": 0.1}'),
    "repeated key": posted(b'{"a": 1, "a": 2}'),
    "half a character": posted(b'{"a": "\\ud83d"}'),
    "proto": posted(b'{"__proto__": {"a": 1}, "2": 1, "1": 2}'),
    "no json": posted(b'{"a": '),
    "no json, no text": posted(_EVERY_BYTE),
    "long json": posted({"a": "x" * 70_000, "b": "'"}),
    "a list": posted([1, "a"]),
    "text": posted(_NASTY.encode(), headers=TEXT),
    "text with tabs and returns": posted(b"a\tb\r\nc\x1b[31m\x7f\xc2\x85!'", headers=TEXT),
    "long text": posted(b"it's\n" * 20_000, headers=TEXT),
    "at and nothing": posted(b"@/etc/passwd", headers=TEXT),
    "bytes": posted(_EVERY_BYTE, headers=Headers.of(("Content-Type", "application/octet-stream"))),
    "no type": posted(b"a=b", headers=Headers()),
    "form": posted(b"a=b%20c&d=%27+%26", headers=Headers.of(("Content-Type", "application/x-www-form-urlencoded"))),
    "json with a charset": posted({"a": "é"}, headers=Headers.of(("content-type", "application/json; charset=utf-8"))),
    "header of bytes": Request(
        "GET", "/v1/models", Headers.of(("X-Name", "é \udcff!'\"$HOME"), ("api-key", "redacted.api-key"))
    ),
    "parts": with_parts(('name="purpose"', b"assistants"), (_FILE, b'{"a": "it\'s; \\"b\\""}\n\n')),
    "parts of bytes": with_parts(
        ('name="file"; filename="a.png"\r\nContent-Type: image/png', _EVERY_BYTE), ('name="model"', b"@x;type=y")
    ),
    "part with a type": with_parts(('name="json"\r\nContent-Type: application/json', b'{"a": "b"}')),
    "odd parts": with_parts(('name="file"; filename="a"\r\nX-Odd: yes', b"x")),
    "broken parts": Request(
        "POST", "/v1/files", Headers.of(("Content-Type", "multipart/form-data; boundary=XX")), b"nothing"
    ),
    "stream": posted({"model": "gpt-4o", "messages": [], "stream": True}, "/v1/chat/completions"),
    "stream by query": Request("GET", "/v1/responses/resp_1?stream=true", Headers.of(KEY)),
}
