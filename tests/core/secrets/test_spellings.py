"""Odd encodings: a secret is one however it is spelled, under whatever content type."""

from __future__ import annotations

import base64
import json
import quopri
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replayproxy.core.messages import Headers, Request, Response
from replayproxy.core.redaction import Redactor
from replayproxy.core.secrets.spellings import spellings

REDACTOR = Redactor()
#: What its shape tells, what a header told, what URLs and base64 spell differently, and what only its name tells.
KEY, OPAQUE = "sk-proj-Ab3dEf6hIj9lMnOpQrStUvWxYz012345", "Zq7wR2tY9uI4oP6aS8dF1gH3jK5lX0cV"
SLASHED, NAMED = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "hunter2-hunter2-hunter2"

Spell = Callable[[str], bytes]


def escaped(text: str) -> str:
    """JSON that escapes every character."""
    return "".join(f"\\u{ord(sign):04x}" for sign in text)


def percent(text: str) -> str:
    """A URL that escapes every character."""
    return "".join(f"%{ord(sign):02x}" for sign in text)


def base64_of(text: str | bytes) -> str:
    """Base64."""
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def urlsafe_of(text: str) -> str:
    """The other alphabet, without its padding."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def nested(text: str, depth: int) -> str:
    """JSON in a string of JSON, and so on."""
    for _ in range(depth):
        text = json.dumps({"a": text})
    return text


def part(encoding: str, content: str, line_end: str) -> bytes:
    """A body of one part."""
    lines = ("--B", f"Content-Transfer-Encoding: {encoding}", "", content, "--B--", "")
    return line_end.join(lines).encode()


#: A text by which a secret may be told of anywhere.
TEXTS: dict[str, Spell] = {
    "utf-16": lambda secret: f'{{"a": "{secret}"}}'.encode("utf-16"),
    "utf-16le": lambda secret: f'{{"ü": "{secret}"}}'.encode("utf-16le"),
    "utf-16be": lambda secret: f'{{"中": "{secret}"}}'.encode("utf-16be"),
    "utf-16be with a mark": lambda secret: f"\ufeff{secret}".encode("utf-16be"),
    "utf-32": lambda secret: f"the {secret}".encode("utf-32"),
    "utf-32be": lambda secret: f"中 the {secret}".encode("utf-32be"),
    "utf-32le": lambda secret: f"the 中 {secret}".encode("utf-32le"),
    "utf-16 in something else": lambda secret: b"\0\xff\0\0\x89" + f"中 {secret}\0".encode("utf-16le") + b"\xfe\0",
    "byte order mark": lambda secret: f'\ufeff{{"a": "{secret}"}}'.encode(),
    "escaped": lambda secret: f'{{"a": "x {escaped(secret)}"}}'.encode(),
    "partly escaped": lambda secret: f'{{"a": "{secret[:9]}{escaped(secret[9:11])}{secret[11:]}"}}'.encode(),
    "escaped in upper case": lambda secret: escaped(secret).upper().replace("U", "u").encode(),
    "escaped and nested": lambda secret: nested(f'{{"a": "{escaped(secret)}"}}', 2).encode(),
    "nested": lambda secret: nested(secret, 5).encode(),
    "nested with escaped slashes": lambda secret: nested(json.dumps([secret]).replace("/", r"\/"), 1).encode(),
    "base64": lambda secret: base64_of(f"user:{secret}").encode(),
    "base64 of another alphabet": lambda secret: urlsafe_of(f"<?>{secret}").encode(),
    "base64 of JSON": lambda secret: json.dumps({"a": base64_of(json.dumps({"b": secret}))}).encode(),
    "base64 behind a path": lambda secret: f"/v1/x/{base64_of(f'the {secret} it is')}".encode(),
    "base64 of other scripts": lambda secret: base64_of(f"中文字 {secret} 中文字" * 40).encode(),
    "base64 of base64": lambda secret: base64_of(base64_of(f"it is {secret}.")).encode(),
    "base64 in lines": lambda secret: base64.encodebytes(f"{'.' * 40}{secret}{'.' * 40}".encode()),
    "base64 in lines of JSON": lambda secret: json.dumps(base64.encodebytes(f"{'.' * 40}{secret}".encode()).decode()),
    "base64 of bytes": lambda secret: base64_of(bytes(range(128, 256)) * 3 + f" {secret} ".encode() + b"\xff" * 99),
    "base64 of utf-16": lambda secret: base64_of(f"it is {secret}.".encode("utf-16le")),
    "percent": lambda secret: f"a={percent(secret)}".encode(),
    "percent twice": lambda secret: f"a={quote(quote(secret, safe=''), safe='')}".encode(),
    "every percent twice": lambda secret: f"a={quote(percent(secret))}".encode(),
    "percent in JSON": lambda secret: json.dumps({"a": f"https://h/?q={percent(secret)}"}).encode(),
    "quoted-printable": lambda secret: part("Quoted-Printable", quopri.encodestring(
        f"{'.' * 60}{secret}=".encode()).decode(), "\r\n"),
    "quoted-printable, bare line ends": lambda secret: part(
        "quoted-printable", f"={ord(secret[0]):02x}{secret[1:]}", "\n"),
    "part in base64": lambda secret: part(
        "base64", base64.encodebytes(f"{'.' * 50}{secret}".encode()).decode(), "\r\n"),
    "lines of JSON": lambda secret: f'{{"a": 1}}\n{{"b": "{secret}"}}\n'.encode(),
}  # fmt: skip

#: A text in which only a name tells of a secret.
NAMES: dict[str, Callable[[str, str], bytes | str]] = {
    "utf-16": lambda name, secret: json.dumps({name: secret}).encode("utf-16"),
    "utf-32": lambda name, secret: json.dumps({name: secret}).encode("utf-32"),
    "another script in utf-16": lambda name, _: f'{{"{name}": "{"ж" * 30}"}}'.encode("utf-16"),
    "escaped name": lambda name, secret: f'{{"{escaped(name)}": "{secret}"}}',
    "letter of a name": lambda name, secret: f'{{"{name[:2]}{escaped(name[2])}{name[3:]}": "{secret}"}}',
    "escaped and nested": lambda name, secret: json.dumps({"a": f'{{"{escaped(name)}": "{secret}"}}'}),
    "escaped quotes": lambda name, secret: f'{{"a": "{{\\u0022{name}\\u0022:\\u0022{secret}\\\\u005c\\u0022}}"}}',
    "base64 of JSON": lambda name, secret: json.dumps([base64_of(json.dumps({name: secret}))]),
    "percent in a form": lambda name, secret: f"x={quote(json.dumps({'a': 1, name: secret})).replace('%20', '+')}",
    "percent twice": lambda name, secret: f"x={quote(quote(json.dumps({name: secret})))}",
    "form": lambda name, secret: f"{name}={secret}&{name}={secret}",
    "form with semicolons": lambda name, secret: f"a=b;{name}={secret};c=d",
    "form with brackets": lambda name, secret: f"{name}[]={secret}&user[{name}]={secret}&user%5B{name}%5D={secret}",
    "form with an escaped name": lambda name, secret: f"{name[:2]}{percent(name[2])}{name[3:]}={secret}",
    "fragment": lambda name, secret: f'{{"u": "https://h/cb#{name}={secret}"}}',
    "cut off": lambda name, secret: f'{{"{name}": "{secret}',
}  # fmt: skip
DISPOSITIONS = (
    'form-data; name="{}"',
    "form-data; name={}",
    'FORM-DATA; NAME="{}"',
    "form-data; name*=utf-8''{}",
    "form-data; name*=UTF-8'en'{}; name=x",
    'form-data; name*0="api"; name*1="_key"',
    'form-data ; name = "{}"',
    'form-data; filename="name=x"; name="{}"',
    'form-data;\r\n name="{}"',
    'attachment; name="{}[]"',
    "form-data; name='{}'",
)
CONTENT_TYPES = (
    "",
    "application/json",
    "APPLICATION/JSON; CHARSET=UTF-16",
    'application/json; charset="utf-8"; charset=latin-1',
    "application/json;;; charset",
    "text/plain; charset=utf-7",
    "application/x-www-form-urlencoded",
    "application/x-ndjson",
    "garbage, text/html",
    "multipart/form-data; boundary=B",
)


@lru_cache(maxsize=32)
def readings(data: bytes, depth: int = 3) -> set[bytes]:
    """What a reader might make of bytes: this knows nothing of how secrets are found."""
    found, new = {data}, {data}
    for _ in range(depth):
        new = {reading for text in new for reading in _read(text)} - found
        found |= new
    return found


def _read(text: bytes) -> Iterator[bytes]:
    for start in range(4):
        for charset in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
            yield text[start:].decode(charset, "ignore").encode("utf-8", "replace")
    yield re.sub(rb"\\u00([0-9a-fA-F]{2})", lambda found: bytes.fromhex(found[1].decode()), text)
    yield re.sub(rb"\\(.)", rb"\1", text)
    yield re.sub(rb"\\[rn]|\s", b"", text)
    yield unquote_to_bytes(text)
    yield quopri.decodestring(text)
    for letters in re.findall(rb"[A-Za-z0-9+/]{12,}", text.translate(bytes.maketrans(b"-_", b"+/"))):
        for start in range(4):
            yield base64.b64decode(letters[start : start + (len(letters) - start) // 4 * 4])


def tells(data: bytes, secret: str) -> bool:
    """Whether most of a secret can be read from bytes."""
    return any(secret[3:-3].encode() in reading for reading in readings(data))


def redacted(body: bytes, content_type: str, headers: Headers) -> bytes:
    """The body of a request after redaction, which is final; that of an answer is the same."""
    typed = Headers.of(("Content-Type", content_type)) if content_type else Headers()
    asked = Request("POST", "/v1/x", headers.plus(*typed), body)
    once = REDACTOR.request(asked)
    assert REDACTOR.request(once, REDACTOR.secrets(asked)) == once
    assert REDACTOR.response(Response(200, "", typed, body), REDACTOR.secrets(asked)).body == once.body
    assert isinstance(once.body, bytes)
    return once.body


def as_bytes(text: str | bytes) -> bytes:
    """Bytes."""
    return text if isinstance(text, bytes) else text.encode()


@pytest.mark.parametrize("spelling", TEXTS)
@pytest.mark.parametrize("secret", [KEY, OPAQUE, SLASHED])
def test_a_secret_goes_however_it_is_spelled(secret: str, spelling: str) -> None:
    """By its shape, or because the request carries it as a credential, under every content type."""
    headers = Headers.of(("authorization", f"Bearer {secret}")) if secret is not KEY else Headers()
    body = as_bytes(TEXTS[spelling](secret))
    assert tells(body, secret)
    for content_type in CONTENT_TYPES:
        after = redacted(body, content_type, headers)
        assert after != body
        assert not tells(after, secret)


@pytest.mark.parametrize("spelling", NAMES)
@pytest.mark.parametrize("name", ["api_key", "password"])
def test_a_name_tells_of_a_secret_however_both_are_spelled(name: str, spelling: str) -> None:
    """In a body, and in a body in a body."""
    body = as_bytes(NAMES[spelling](name, NAMED))
    form = "=" in spelling or "form" in spelling or "percent" in spelling
    after = redacted(body, "application/x-www-form-urlencoded" if form else "application/json", Headers())
    assert after != body
    assert not tells(after, NAMED)


@pytest.mark.parametrize("disposition", DISPOSITIONS)
@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
@pytest.mark.parametrize("end", ["--B--", ""])
def test_a_part_is_known_by_its_name_however_that_is_written(disposition: str, line_end: str, end: str) -> None:
    """As RFC 2231 has it, with bare line ends, without the last boundary, and in a part of a part."""
    lines = ("--B", f"Content-Disposition: {disposition.format('api_key')}", "", NAMED, end)
    for content_type in ("multipart/form-data; boundary=B", "Multipart/Mixed", ""):
        assert not tells(redacted(line_end.join(lines).encode(), content_type, Headers()), NAMED)
    inner = line_end.join(("--C", *lines[1:], "--C--"))
    outer = line_end.join(("--B", "Content-Type: multipart/mixed; boundary=C", "", inner, "--B--"))
    assert not tells(redacted(outer.encode(), "multipart/mixed; boundary=B", Headers()), NAMED)


@pytest.mark.parametrize("name", ["filename", "xname", "note"])
def test_a_part_of_another_name_stays(name: str) -> None:
    """A file may be called as it likes, and what is no name is none."""
    body = f'--B\r\nContent-Disposition: form-data; name="note"; {name}="password"\r\n\r\n{NAMED}\r\n--B--\r\n'.encode()
    assert redacted(body, "multipart/form-data; boundary=B", Headers()) == body


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"password": "abc"}'.encode("utf-16"), '{"password": "redacted.password"}'.encode("utf-16")),
        (f"中 {KEY} 中".encode("utf-16be"), "中 redacted.api-key 中".encode("utf-16be")),
        (f"a {KEY}".encode("utf-32be"), b"a redacted.api-key".decode().encode("utf-32be")),
        (rb'{"pass\u0077ord": "abc", "b": "\u0041"}', rb'{"pass\u0077ord": "redacted.password", "b": "\u0041"}'),
        (b"x=%7B%22secret%22%3A+%22abc%22%7D", b"x=%7B%22secret%22%3A+%22redacted.secret%22%7D"),
        (f"<{base64_of('abc ' + KEY + ' def')}>".encode(), b"<YWJjIredacted.api-keygZGVm>"),
    ],
)
def test_only_the_secret_changes(before: bytes, after: bytes) -> None:
    """What stands around it keeps its bytes, and what replaces it is spelled as they are where that can be."""
    assert redacted(before, "application/octet-stream", Headers()) == after


@pytest.mark.parametrize(
    "body",
    [
        b'{"text": "caf\\u00e9 \\u4e2d \\u0022quoted\\u0022 \\u0041 \\/ 100%25"}',
        base64_of(json.dumps({"text": "hello, world, how are you?", "tokens": 12})).encode(),
        base64_of(bytes(range(256)) * 20).encode(),
        "just some text, nothing else".encode("utf-16"),
        bytes(range(256)) * 20,
        b"\0" * 1000 + b"ab\0cd\0" * 100,
        part("quoted-printable", "a=3Db=\r\nc", "\r\n"),
    ],
)
def test_what_is_no_secret_stays_however_it_is_spelled(body: bytes) -> None:
    """A spelling alone is nothing to hide."""
    for content_type in CONTENT_TYPES:
        assert redacted(body, content_type, Headers()) == body


@settings(max_examples=40)
@given(st.binary(max_size=300), st.sampled_from(["utf-16le", "utf-32be", "utf-8"]), st.booleans())
def test_any_bytes_can_be_read(data: bytes, charset: str, coded: bool) -> None:
    """Nothing raises, every edit lies in the bytes, and a second look finds what is left of nothing."""
    text = data + f'"secret": "{KEY}", %41\\u0041'.encode(charset) + data
    body = base64.b64encode(text) if coded else text
    for spelling in spellings(body):
        assert isinstance(spelling.text, bytes)
    assert all(0 <= edit.first <= edit.start <= edit.end <= len(body) for edit in REDACTOR.edits(body))
    assert not tells(REDACTOR.data(body), KEY)


@settings(max_examples=40)
@given(st.integers(0, 700), st.integers(1, 400), st.sampled_from(["utf-16le", "utf-16be", "utf-8"]))
def test_a_stream_finds_what_is_spelled_otherwise(before: int, size: int, charset: str) -> None:
    """Wherever the pieces are cut."""
    body = (" " * before + f'"\\u0061pi_key": "{NAMED}", {KEY} ' + " " * 99).encode(charset)
    stream = REDACTOR.stream(overlap=400, window=800)
    out = b"".join(stream.feed(body[at : at + size]) for at in range(0, len(body), size)) + stream.finish()
    assert not tells(out, KEY)
    assert not tells(out, NAMED)
