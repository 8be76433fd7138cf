"""Redaction: what goes, what stays, and that nothing else changes."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.messages import Chunk, FileBody, Headers, Request, Response, decode, encode
from replayproxy.core.redaction import RULES, Finding, Redactor, Rule, find_secrets
from replayproxy.core.secrets.patterns import placeholder
from replayproxy.core.secrets.spans import apply, recut

REDACTOR = Redactor()
KEY = "sk-proj-Ab3dEf6hIj9lMnOpQrStUv"
ORG, PROJECT = "org-Ab3dEf6hIj9lMnOpQrStUvWx", "proj_Ab3dEf6hIj9lMnOpQrStUvWx"
ORG_ID, PROJECT_ID = (decode(placeholder(kind, encode(value))) for kind, value in (("org", ORG), ("proj", PROJECT)))
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\nq2+/x=\n-----END RSA PRIVATE KEY-----"

FIELDS = [
    ('{"api_key": "abc"}', '{"api_key": "redacted.api-key"}'),
    ('{"apiKey":"abc","apikey":"abc"}', '{"apiKey":"redacted.api-key","apikey":"redacted.api-key"}'),
    ('{"Api-Key" :\n\t"abc"}', '{"Api-Key" :\n\t"redacted.api-key"}'),
    ('{"X-API-KEY": "abc"}', '{"X-API-KEY": "redacted.api-key"}'),
    ('{"OPENAI_API_KEY": "abc"}', '{"OPENAI_API_KEY": "redacted.api-key"}'),
    ('{"aws_secret_access_key": "abc"}', '{"aws_secret_access_key": "redacted.api-key"}'),
    ('{"access_token": "abc"}', '{"access_token": "redacted.token"}'),
    ('{"refreshToken": "abc"}', '{"refreshToken": "redacted.token"}'),
    ('{"id-token": "abc"}', '{"id-token": "redacted.token"}'),
    ('{"client_secret": "abc"}', '{"client_secret": "redacted.secret"}'),
    ('{"secret": "abc"}', '{"secret": "redacted.secret"}'),
    ('{"password": "abc", "Passwd": "d"}', '{"password": "redacted.password", "Passwd": "redacted.password"}'),
    ('{"private_key": "abc"}', '{"private_key": "redacted.private-key"}'),
    ('{"authorization": "abc"}', '{"authorization": "redacted.authorization"}'),
    ('{"Authorization": "Bearer abc"}', '{"Authorization": "Bearer redacted.authorization"}'),
    ('{"Set-Cookie": "a=b"}', '{"Set-Cookie": "redacted.cookie"}'),
    ('{"a": {"b": [{"password": "abc"}]}}', '{"a": {"b": [{"password": "redacted.password"}]}}'),
    ('[{"password": "abc"}, 1]', '[{"password": "redacted.password"}, 1]'),
    ('{"api_key": ["a", "b"], "x": "c"}', '{"api_key": ["redacted.api-key", "redacted.api-key"], "x": "c"}'),
    ('{"api_key": ["a", 1, "b"]}', '{"api_key": ["redacted.api-key", 1, "b"]}'),
    (r'{"password": "a\"b\\", "x": "y"}', '{"password": "redacted.password", "x": "y"}'),
    (r'{"password": "a\\\"b"}', '{"password": "redacted.password"}'),
    (r'{"arguments": "{\"password\": \"abc\"}"}', r'{"arguments": "{\"password\": \"redacted.password\"}"}'),
    (r'{"a": "{\"password\":\"a\\\"b\"}"}', r'{"a": "{\"password\":\"redacted.password\"}"}'),
    (r'{"a": "{\"password\":\"a\\\\\",\"b\":1}"}', r'{"a": "{\"password\":\"redacted.password\",\"b\":1}"}'),
    (
        r'{"a": "{\"b\":\"{\\\"secret\\\":\\\"x\\\"}\"}"}',
        r'{"a": "{\"b\":\"{\\\"secret\\\":\\\"redacted.secret\\\"}\"}"}',
    ),
    (r'{"a": "{\"secret\":\"abc\\"}', r'{"a": "{\"secret\":\"redacted.secret"}'),
    (r'{"a": "{\"secret\":\n \"abc"}', r'{"a": "{\"secret\":\n \"redacted.secret"}'),
    ('data: {"password": "abc"}\n\ndata: [DONE]\n\n', 'data: {"password": "redacted.password"}\n\ndata: [DONE]\n\n'),
    ('data: {"password": "abc\n\ndata: x', 'data: {"password": "redacted.password\n\ndata: x'),
    ('{"a":1}\n{"secret":"abc"}\n', '{"a":1}\n{"secret":"redacted.secret"}\n'),
    ('{"secret": "trunc', '{"secret": "redacted.secret'),
    ("{'api_key': 'abc'}", "{'api_key': 'redacted.api-key'}"),
    ("\"use {'api_key': 'abc\", \"it's\"", "\"use {'api_key': 'redacted.api-key\", \"it's\""),
    (
        '{"domain_secrets": [{"value": "a]b", "domain": "c"}, {"value":"d"}], "value": "e"}',
        '{"domain_secrets": [{"value": "redacted.secret", "domain": "c"}, {"value":"redacted.secret"}], "value": "e"}',
    ),
    (
        '{"domain_secrets": ["domain_secrets": [{"value": "a',
        '{"domain_secrets": ["domain_secrets": [{"value": "redacted.secret',
    ),
    ('{"domain_secrets": [{"value": "a', '{"domain_secrets": [{"value": "redacted.secret'),
]

TEXTS = [
    (f"key {KEY}.", "key redacted.api-key."),
    (f'{{"text": "first\\n{KEY}"}}', '{"text": "first\\nredacted.api-key"}'),
    (f"a%3D{KEY}", "a%3Dredacted.api-key"),
    (f"a\\u003d{KEY}", "a\\u003dredacted.api-key"),
    ("sk-Ab3dEf6hIj9lMnOpQrStUvWx", "redacted.api-key"),
    ("sk-svcacct-Ab3dEf6hIj9lMnOpQr_tUvWx", "redacted.api-key"),
    ("sk-admin-Ab3dEf6hIj9lMnOpQr", "redacted.api-key"),
    ("sk-ant-api03-Ab3dEf6hIj9lMnOpQr-tUvWx", "redacted.api-key"),
    ("sess-Ab3dEf6hIj9lMnOpQrStUvWx", "redacted.api-key"),
    ("ek_68af296e8e408191a1120ab6383263c2", "redacted.api-key"),
    ("AKIAIOSFODNN7EXAMPLE", "redacted.api-key"),
    ("ghp_Ab3dEf6hIj9lMnOpQrStUvWxAb3dEf6hIj9l", "redacted.api-key"),
    ("github_pat_11ABCDEFG0Ab3dEf6hIj9l_MnOpQrSt", "redacted.api-key"),
    ("AIzaSyAb3dEf6hIj9lMnOpQrStUvWxAb3dEf6hI", "redacted.api-key"),
    ("xoxb-123456789012-Ab3dEf6hIj9l", "redacted.api-key"),
    ("hf_Ab3dEf6hIj9lMnOpQrStUvWxAb3dEf6hIj", "redacted.api-key"),
    (f"jwt {JWT}", "jwt redacted.jwt"),
    (f"{PEM}\n", "redacted.private-key\n"),
    (json.dumps(PEM), '"redacted.private-key"'),
    ("-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7MIIEpAIBAAKCAQEA7", "redacted.private-key"),
    ("curl -H 'X-Auth: Bearer abcdefghij0123456789'", "curl -H 'X-Auth: Bearer redacted.authorization'"),
    ("Authorization: Basic dXNlcjpwYXNz\n", "Authorization: Basic redacted.authorization\n"),
    ("authorization:Ab3dEf6hIj9lMnOpQr", "authorization:redacted.authorization"),
    ("> x-api-key: Ab3dEf6hIj9lMnOpQr", "> x-api-key: redacted.api-key"),
    ("cookie: session=Ab3dEf6hIj9l; b=c\nx", "cookie: redacted.cookie\nx"),
    ("set-cookie: session=Ab3dEf6hIj9l; path=/", "set-cookie: session=redacted.cookie; path=/"),
    ("set-cookie: 'session=Ab3dEf6hIj9l; path=/'", "set-cookie: 'session=redacted.cookie; path=/'"),
    ("Incorrect API key provided: not-a-re****ized. You", "Incorrect API key provided: redacted.api-key. You"),
    (f"in organization {ORG} on", f"in organization {ORG_ID} on"),
    (f'"/projects/{PROJECT}/users"', f'"/projects/{PROJECT_ID}/users"'),
    ("see https://user:pa@ss@host/x", "see https://redacted.userinfo@host/x"),
    (r"https:\/\/user:pass@host\/x", r"https:\/\/redacted.userinfo@host\/x"),
    ("https://Ab3dEf6hIj9l@host/x", "https://redacted.userinfo@host/x"),
    ("u=https%3A%2F%2Fuser%3Apass%40host", "u=https%3A%2F%2Fredacted.userinfo%40host"),
    ("https://h/x?key=Ab3dEf6h&b=c", "https://h/x?key=redacted.api-key&b=c"),
    ("https://h/x?b=c&amp;sig=Ab3dEf6h#top", "https://h/x?b=c&amp;sig=redacted.signature#top"),
    (r'"https://h/x?b=c\u0026token=Ab3dEf6h"', r'"https://h/x?b=c\u0026token=redacted.token"'),
    ("r=https%3A%2F%2Fh%3Faccess_token%3DAb3dEf6h%26b", "r=https%3A%2F%2Fh%3Faccess_token%3Dredacted.token%26b"),
    ("OPENAI_API_KEY=Ab3dEf6h\nB=c", "OPENAI_API_KEY=redacted.api-key\nB=c"),
    (r'".env:\nDB_PASSWORD=Ab3dEf6h\n"', r'".env:\nDB_PASSWORD=redacted.password\n"'),
    ("https://h/cb#access_token=Ab3dEf6h&b=c", "https://h/cb#access_token=redacted.token&b=c"),
    ("https://h/x?X-Amz-Signature=Ab3dEf6h", "https://h/x?X-Amz-Signature=redacted.signature"),
    ("postgres://u:Ab3/dEf+6h@h:5432/db", "postgres://redacted.userinfo@h:5432/db"),
    ("Server=h;Password=Ab3dEf6h;Timeout=30", "Server=h;Password=redacted.password;Timeout=30"),
    ('{"env": "DB_PASSWORD=Ab3dEf6h"}', '{"env": "DB_PASSWORD=redacted.password"}'),
    ("export API_KEY=Ab3dEf6hIj9lMnOp && x", "export API_KEY=redacted.api-key && x"),
    ("Incorrect API key provided: 'sk-a***z'.", "Incorrect API key provided: 'redacted.api-key'."),
    (r'{"message": "Invalid API key: \"ab***yz\""}', r'{"message": "Invalid API key: \"redacted.api-key\""}'),
    ("the key sk-proj-abc*****wxyz is revoked", "the key redacted.api-key is revoked"),
    ('{"password":' + " " * 500 + '"abc"}', '{"password":' + " " * 500 + '"redacted.password"}'),
    ("x" * 100 + "?api_key=Ab3dEf6h", "x" * 100 + "?api_key=redacted.api-key"),
]

UNTOUCHED = [
    '{"logprobs": {"content": [{"token": " Hello", "logprob": -0.1, "bytes": [32], "top_logprobs": []}]}}',
    '{"max_tokens": 16, "usage": {"prompt_tokens": 1, "total_tokens": 2}, "token": "x", "tokens": ["a"]}',
    '{"key": "value", "prompt_cache_key": "user-12", "api_key_id": "key_abc", "sort_key": "a"}',
    '{"api_key": null, "password": "", "secret": 12, "token_type": "Bearer", "client_secret": {"a": 1}}',
    '{"api_key": "redacted.api-key", "authorization": "Bearer redacted.authorization"}',
    '{"redacted.api-key": "value"}',
    '{"id": "thread_abc123abc123abc123abc123"}',
    '{"m": "msg_Ab3dEf6hIj9lMnOpQrStUvWx", "a": "asst_Ab3dEf6hIj9lMnOpQrStUv"}',
    "123e4567-e89b-12d3-a456-426614174000 req_faf493f9b4263389e214d838922ea5d4 user-test123456789012",
    "data:image/png;base64," + base64.b64encode(bytes(range(256)) * 8).decode(),
    base64.urlsafe_b64encode(bytes(range(256)) * 8).decode() + "A-sk-Ab3dEf6hIj9lMnOpQrStUvWx",
    "task-management-2024 risk-based sk-learn sk-short week_2024 org-internationalization org-chart proj_abc",
    "a Bearer token is needed; the secret: always be kind; authorization: required; cookie: small",
    "Basic authentication and password=short; ask me at mail@example.com, http://example.com/@user or see //x",
    "def call(api_key=None, *, key=1): f(&key=1) if a ?key=b else 'https://h/x?key=abc'",
    "https://redacted.userinfo@host/ ?api_key=redacted.api-key x-api-key: redacted.api-key",
    "redacted.api-key: Ab3dEf6hIj9lMnOpQr set-cookie: nothing",
    "Incorrect API key provided: redacted.api-key. You can",
    "an API key was used, the API key 12 of 1234; API key: none. call(api_key=os.environ['KEY'], password=get_it())",
    "see http://registry:4873/@scope/name and https://[::1]:8080/a@b, **bold** sk-***",
    "-----BEGIN PRIVATE KEY----- is how it starts",
    'content-disposition: form-data; name="file"\r\n\r\nabc\r\n--x',
    "",
]


def _redacted(body: str | bytes, content_type: str = "application/json") -> bytes:
    raw = body if isinstance(body, bytes) else body.encode()
    answer = REDACTOR.request(Request("POST", "/v1/x", Headers.of(("Content-Type", content_type)), raw)).body
    assert isinstance(answer, bytes)
    return answer


@pytest.mark.parametrize(("before", "after"), FIELDS + TEXTS)
def test_secrets_in_a_body_become_placeholders(before: str, after: str) -> None:
    """A secret goes, all other bytes stay, and a second pass changes nothing."""
    assert _redacted(before).decode() == after
    assert _redacted(after).decode() == after


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "text/plain", "image/png"]
)
def test_a_content_type_does_not_switch_redaction_off(content_type: str) -> None:
    """Whatever the content type says, in whatever case and with whatever parameters, the field is redacted."""
    assert _redacted('{"api_key": "abc"}', content_type) == b'{"api_key": "redacted.api-key"}'
    assert _redacted(b"\xff\x00" + KEY.encode() + b"\xfe", content_type) == b"\xff\x00redacted.api-key\xfe"


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_is_no_secret_stays(text: str) -> None:
    """Tokens of a language model, ids, base64 and prose are left alone."""
    assert _redacted(text).decode() == text
    assert find_secrets(text) == ()


FORMS = [
    ("api_key=a&b=c", "api_key=redacted.api-key&b=c"),
    ("b=c&Api%5FKey=a%26", "b=c&Api%5FKey=redacted.api-key"),
    ('user[password]=a b"c&x', "user[password]=redacted.password&x"),
    ("user%5Bpassword%5D=a", "user%5Bpassword%5D=redacted.password"),
    (
        "key=a&sig=b&token=c&pwd=d&key=",
        "key=redacted.api-key&sig=redacted.signature&token=redacted.token&pwd=redacted.password&key=",
    ),
    ("client+secret=abc&grant_type=x", "client+secret=redacted.secret&grant_type=x"),
    ("api_key=redacted.api-key&monkey=a&api_key", "api_key=redacted.api-key&monkey=a&api_key"),
]


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "Application/X-WWW-Form-Urlencoded ; charset=utf-8"]
)
@pytest.mark.parametrize(("before", "after"), FORMS)
def test_form_fields_are_redacted_by_name(before: str, after: str, content_type: str) -> None:
    """A field is known by its decoded name; its whole value goes, however short."""
    assert _redacted(before, content_type).decode() == after


@pytest.mark.parametrize(("before", "after"), FORMS)
def test_query_fields_are_redacted_by_name(before: str, after: str) -> None:
    """The query of a target is redacted as a form is."""
    assert REDACTOR.request(Request("GET", f"/v1/x?{before}")).target == f"/v1/x?{after}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/v1/x", "/v1/x"),
        ("/v1/x?", "/v1/x?"),
        ("/v1/a%2Fb//c?limit=2&after=msg_1", "/v1/a%2Fb//c?limit=2&after=msg_1"),
        (f"/v1/organization/projects/{PROJECT}/users", f"/v1/organization/projects/{PROJECT_ID}/users"),
        (f"/v1/x?org={ORG}", f"/v1/x?org={ORG_ID}"),
        ("//user:pass@host/steal", "//redacted.userinfo@host/steal"),
        ("http://user:Ab3dEf6hIj9l@host/", "http://redacted.userinfo@host/"),
        (
            "/v1/x?X-Amz-Signature=abc&X-Amz-Security-Token=d",
            "/v1/x?X-Amz-Signature=redacted.signature&X-Amz-Security-Token=redacted.token",
        ),
    ],
)
def test_targets_are_redacted(before: str, after: str) -> None:
    """Ids and user information go from a path and a query, whose other bytes stay."""
    assert REDACTOR.request(Request("GET", before)).target == after


MULTIPART = (
    '--X\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'
    '--X\r\nContent-Disposition: form-data; name="api_key"\r\nContent-Type: text/plain; charset=utf-8\r\n\r\na--b\r\n'
    "--X\r\ncontent-disposition: FORM-DATA; name=Password\r\n\r\nline\r\nline\r\n"
    '--X\r\nContent-Disposition: form-data; name="token"\r\n\r\n\r\n'
    f'--X\r\nContent-Disposition: form-data; name="file"; filename="key.txt"\r\n\r\nmy {KEY}\r\n--X--\r\n'
)


def test_parts_are_redacted_by_name() -> None:
    """A part with a secret name loses its content, other parts only what looks like a secret."""
    after = MULTIPART.replace("a--b", "redacted.api-key").replace("line\r\nline", "redacted.password")
    for content_type in ("multipart/form-data; boundary=X", "Multipart/Form-Data;boundary=X; charset=utf-8"):
        assert _redacted(MULTIPART, content_type).decode() == after.replace(KEY, "redacted.api-key")
        assert _redacted(after, content_type).decode() == after.replace(KEY, "redacted.api-key")


def test_a_part_that_is_cut_off_is_redacted() -> None:
    """The content of a part goes up to the end of the body; one too long for a secret stays."""
    head = 'content-disposition: form-data; name="secret"\r\n\r\n'
    assert _redacted(f"{head}abc", "multipart/form-data") == f"{head}redacted.secret".encode()
    assert _redacted(head + "x" * 70_000, "multipart/form-data").decode() == head + "x" * 70_000


def test_what_is_too_long_for_a_secret_stays() -> None:
    """A value of more than 16 KiB is data, whatever its name."""
    long = '{"secret": "' + "x" * 70_000 + '"}'
    assert _redacted(long).decode() == long
    assert len(find_secrets('{"secret": ["' + '", "'.join(["x" * 10_000] * 3) + '"]}')) == 2


HEADERS = [
    ("Authorization", f"Bearer {KEY}", "Bearer redacted.authorization"),
    ("authorization", "basic dXNlcjpwYXNz", "basic redacted.authorization"),
    ("AUTHORIZATION", KEY, "redacted.authorization"),
    ("Authorization", "open sesame", "redacted.authorization"),
    ("Authorization", "AWS4-HMAC-SHA256 Credential=a, Signature=b", "AWS4-HMAC-SHA256 redacted.authorization"),
    ("Authorization", "Bearer", "redacted.authorization"),
    ("Authorization", "Bearer ", "Bearer "),
    ("Authorization", "", ""),
    ("Proxy-Authorization", "Basic abc", "Basic redacted.authorization"),
    ("api-key", "abc", "redacted.api-key"),
    ("X-Api-Key", "abc", "redacted.api-key"),
    ("x-goog-api-key", "abc", "redacted.api-key"),
    ("Ocp-Apim-Subscription-Key", "abc", "redacted.api-key"),
    ("x-apikey", "abc", "redacted.api-key"),
    ("x-amz-security-token", "abc", "redacted.token"),
    ("X-Auth-Token", "abc", "redacted.token"),
    ("x-client-secret", "abc", "redacted.secret"),
    ("Cookie", "a=b; c=d", "redacted.cookie"),
    ("Set-Cookie", "a=b; Path=/; HttpOnly", "a=redacted.cookie; Path=/; HttpOnly"),
    ("set-cookie", 'a="b;c"; domain=.x', "a=redacted.cookie; redacted.cookie; domain=.x"),
    ("set-cookie", "a=; Max-Age=0;", "a=; Max-Age=0;"),
    ("set-cookie", "abc", "redacted.cookie"),
    ("set-cookie", "", ""),
    ("OpenAI-Organization", ORG, ORG_ID),
    ("openai-project", PROJECT, PROJECT_ID),
    ("cf-ray", "87b1ac69dd980c7f-SOF", "redacted.cf-ray"),
    ("Referer", "https://u:p@h/x?api_key=abcdefgh", "https://redacted.userinfo@h/x?api_key=redacted.api-key"),
    ("Location", "https://h/x?sig=abcdefgh&b=c", "https://h/x?sig=redacted.signature&b=c"),
    (
        "Sec-WebSocket-Protocol",
        f"realtime, openai-insecure-api-key.{KEY}",
        "realtime, openai-insecure-api-key.redacted.api-key",
    ),
    ("x-note", f"for {ORG}", f"for {ORG_ID}"),
    ("x-ratelimit-remaining-tokens", "29999", "29999"),
    ("Idempotency-Key", "123e4567", "123e4567"),
    ("www-authenticate", 'Bearer realm="OpenAI API"', 'Bearer realm="OpenAI API"'),
    ("x-request-id", "req_faf493f9b4263389e214d838922ea5d4", "req_faf493f9b4263389e214d838922ea5d4"),
    ("x-bytes", "caf\udce9", "caf\udce9"),
]


@pytest.mark.parametrize(("name", "before", "after"), HEADERS)
def test_headers_are_redacted_in_both_directions(name: str, before: str, after: str) -> None:
    """A credential goes from a request and from an answer; name, order and repetition stay."""
    headers = Headers.of(("a", "1"), (name, before), ("b", "2"), (name, before))
    expected = Headers.of(("a", "1"), (name, after), ("b", "2"), (name, after))
    assert REDACTOR.request(Request("GET", "/", headers)).headers == expected
    assert REDACTOR.response(Response(200, headers=headers), frozenset()).headers == expected
    assert REDACTOR.request(Request("GET", "/", expected)).headers == expected


SECRET = "hunter2+hunter2/ü?"  # what URLs, JSON and base64 all spell differently
USER_ID = "user-jxm65ijkzc1qrfhc0ij8moic"


def _spellings(secret: str) -> list[str]:
    raw = secret.encode()
    shifted = [base64.b64encode(b"xyz"[:shift] + raw + b"tail").decode() for shift in range(3)]
    return [secret, "hunter2%2Bhunter2%2F%C3%BC%3F", "hunter2%2bhunter2%2f%c3%bc%3f", json.dumps(secret),
            json.dumps(secret).replace("/", r"\/"), *shifted, base64.urlsafe_b64encode(raw).decode()]  # fmt: skip


@pytest.mark.parametrize("spelling", _spellings(SECRET))
@pytest.mark.parametrize(
    ("headers", "target"),
    [
        (Headers.of(("authorization", f"Bearer {SECRET}")), "/"),
        (Headers.of(("x-api-key", SECRET)), "/"),
        (Headers.of(("authorization", "Basic " + base64.b64encode(f"user:{SECRET}".encode()).decode())), "/"),
        (Headers.of(("cookie", f"a=b; c={SECRET}")), "/"),
        (Headers.of(("referer", "https://h/?key=hunter2%2Bhunter2%2F%C3%BC%3F")), "/"),
        (Headers.of(("referer", "https://user:hunter2%2Bhunter2%2F%C3%BC%3F@h/")), "/"),
        (Headers(), "/v1?api_key=hunter2%2Bhunter2%2F%C3%BC%3F"),
    ],
)
def test_a_credential_is_replaced_wherever_it_turns_up(headers: Headers, target: str, spelling: str) -> None:
    """A secret seen in a header or a target goes from body and answer too, as URLs, JSON and base64 spell it."""
    request = Request("POST", target, headers, f"<{spelling}>".encode())
    secrets = REDACTOR.secrets(request)
    answer = Response(200, f"<{spelling}>", Headers.of(("x-echo", spelling)), request.body)
    redacted = REDACTOR.response(answer, secrets)
    assert b"hunter" not in encode(repr(REDACTOR.request(request)))
    assert REDACTOR.request(request).body == redacted.body == REDACTOR.data(f"<{spelling}>".encode(), secrets)
    for text in (decode(redacted.body), redacted.reason, redacted.headers.pairs[0][1]):
        assert "redacted.api-key" in text
        assert spelling not in text


def test_a_dummy_key_eats_no_words() -> None:
    """A credential shorter than twelve characters, or one that is a placeholder's word, is not looked for elsewhere."""
    for dummy in ("test", "not-needed", "authorization", "redacted.authorization"):
        request = Request("POST", "/", Headers.of(("Authorization", f"Bearer {dummy}")), f"a {dummy} b".encode())
        assert REDACTOR.request(request).body == request.body
        assert REDACTOR.request(request).headers.get("authorization") == "Bearer redacted.authorization"


def test_what_looks_like_a_basic_credential_and_is_none_is_redacted_all_the_same() -> None:
    """Base64 that cannot be read hides nothing more."""
    request = Request("GET", "/", Headers.of(("Authorization", "Basic %%%not-base64%%%")))
    assert REDACTOR.secrets(request) == {"%%%not-base64%%%"}


def test_ids_seen_in_headers_are_replaced_elsewhere_by_the_same_placeholder() -> None:
    """The organisation of an answer is known by its header, also when its id has the form of a user's."""
    body = json.dumps({"owned_by": USER_ID}).encode()
    answer = REDACTOR.response(
        Response(200, headers=Headers.of(("openai-organization", USER_ID)), body=body), frozenset()
    )
    hidden = answer.headers.get("openai-organization")
    assert re.fullmatch(r"redacted\.org\.[0-9a-f]{8}", hidden or "")
    assert answer.body == body.replace(USER_ID.encode(), (hidden or "").encode())
    project = Headers.of(("openai-project", PROJECT[:18]))
    assert REDACTOR.secrets(Request("GET", "/", project)) == {PROJECT[:18]}


def test_different_ids_stay_different() -> None:
    """A placeholder for an id is the same for the same id only."""
    other = ORG[:-1] + "0"
    one, two, three = (REDACTOR.text(value) for value in (ORG, other, ORG))
    assert one == three != two


def test_cookies_of_an_answer_go_from_its_body() -> None:
    """The value that a set-cookie gives is a secret in the body too."""
    answer = Response(200, headers=Headers.of(("Set-Cookie", "sid=Ab3dEf6hIj9lMn; path=/")), body=b"<Ab3dEf6hIj9lMn>")
    assert REDACTOR.response(answer, frozenset()).body == b"<redacted.api-key>"


def test_bodies_in_files_pass_untouched() -> None:
    """A body too large for memory was redacted on its way to the file."""
    body = FileBody("a", 1, "b")
    assert REDACTOR.request(Request("POST", "/", body=body)).body == body
    assert REDACTOR.response(Response(200, body=body), frozenset()).body == body


def test_chunks_keep_their_bytes() -> None:
    """A boundary moves with the bytes around it, and to the end of a placeholder when it was inside the secret."""
    body = b'data: {"secret": "abcdefghij"}\n\n' + b"data: x\n\n"
    start = body.index(b"abc")
    sizes = (start, 3, 4, 8, len(body) - start - 15)
    answer = Response(200, body=body, chunks=tuple(Chunk(at / 10, size) for at, size in enumerate(sizes)))
    redacted = REDACTOR.response(answer, frozenset())
    assert redacted.chunks == (Chunk(0.0, start), Chunk(0.1, 15), Chunk(0.3, 5), Chunk(0.4, sizes[4]))
    assert isinstance(redacted.body, bytes)
    assert redacted.body[start : start + 15] == b"redacted.secret"


@given(st.lists(st.integers(0, 30), max_size=20), st.data())
def test_chunks_add_up_to_the_body(sizes: list[int], data: st.DataObject) -> None:
    """However a body was cut up, the sizes add up to the length of the redacted body, and empty chunks stay."""
    text = data.draw(st.text("ab", min_size=sum(sizes), max_size=sum(sizes))).replace("abba", '"secret":"a"')
    body = text[: sum(sizes)].encode().ljust(sum(sizes), b" ")
    answer = Response(200, body=body, chunks=tuple(Chunk(0.0, size) for size in sizes))
    redacted = REDACTOR.response(answer, frozenset())
    assert isinstance(redacted.body, bytes)
    assert sum(chunk.size for chunk in redacted.chunks) == len(redacted.body)
    assert recut(redacted.chunks, ()) == redacted.chunks


def test_rules_can_be_switched_off_and_added() -> None:
    """A rule that is left out does nothing, one that is added does; the digest tells the rule sets apart."""
    fewer = Redactor(tuple(rule for rule in RULES if not rule.name.startswith(("field.", "header."))))
    more = Redactor((*RULES, Rule("field.tenant", "field", "tenant-name", "tenant")))
    body = b'{"tenantName": "abc", "secret": "abc"}'
    assert fewer.data(body) == body
    assert fewer.request(Request("GET", "/", Headers.of(("cookie", "a=b")))).headers == Headers.of(("cookie", "a=b"))
    assert more.data(body) == b'{"tenantName": "redacted.tenant", "secret": "redacted.secret"}'
    assert len({fewer.digest, more.digest, REDACTOR.digest}) == 3
    assert Redactor((RULES[0],)).data(body) == body


def test_a_rule_that_finds_its_own_placeholder_comes_to_an_end() -> None:
    """A careless rule of the user's makes nonsense of a text, and no endless loop."""
    assert Redactor((Rule("careless", "shape", "cat", "cat"),)).text("cat").startswith("redacted.redacted.")


def test_every_rule_has_a_name_of_its_own() -> None:
    """A name switches one rule off; digests are eight hex digits."""
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert re.fullmatch("[0-9a-f]{8}", REDACTOR.digest)


def test_literals_are_replaced_and_never_shown() -> None:
    """What was given on purpose is replaced from eight characters on; neither it nor a finding shows in a repr."""
    redactor = Redactor(literals=("Ab3dEf6h", "b"))
    assert redactor.text("<Ab3dEf6h> b") == "<redacted.api-key> b"
    assert "Ab3dEf6h" not in repr(redactor)
    assert redactor.digest == REDACTOR.digest
    assert KEY not in repr(find_secrets(KEY))


def test_text_of_any_kind_survives() -> None:
    """Text that is no UTF-8 comes back as it was around what is redacted."""
    assert REDACTOR.text(f"\ud800 {KEY} \udcff ü") == "\ud800 redacted.api-key \udcff ü"
    assert REDACTOR.text("nothing \ud800") == "nothing \ud800"
    secret = frozenset({"\udcb4 opaque credential"})
    assert REDACTOR.text("\udcb4 opaque credential", secret) == "redacted.api-key"
    assert REDACTOR.text("\ud800\udcb4 opaque credential", secret).endswith("redacted.api-key")


@pytest.mark.parametrize("lead", ["", "a"])
def test_a_secret_may_end_within_a_character(lead: str) -> None:
    """The bounds of patterns count bytes: what they cut through is told, and nothing raises."""
    text = f"api key provided: {lead}{'é' * 400}"
    (found,) = find_secrets(text)
    assert (found.start, found.end) == (18, 168 + len(lead))
    assert REDACTOR.text(text).startswith("api key provided: redacted.api-key")


def test_find_secrets_says_where_and_which_rule() -> None:
    """Offsets count bytes in bytes and characters in text."""
    assert find_secrets(f"a {KEY}".encode()) == (Finding("shape.openai-key", 2, 2 + len(KEY)),)
    assert find_secrets(f"a {KEY}") == (Finding("shape.openai-key", 2, 2 + len(KEY)),)
    assert find_secrets(f"üü {KEY}") == (Finding("shape.openai-key", 3, 3 + len(KEY)),)
    assert find_secrets('{"password": "abc"}') == (Finding("field.password", 14, 17),)


LITERAL = "Ab3.dEf6+hIj9/lM"
FRAGMENTS = [
    *(
        LITERAL,
        KEY,
        ORG,
        PROJECT,
        JWT,
        json.dumps(PEM)[1:-1],
        USER_ID,
        ORG_ID,
        "abcDEF0123456789",
        "abcdefgh",
        "ü",
        "\x00",
    ),
    *(
        '"api_key": "',
        '"',
        "\\",
        '\\"password\\":\\"',
        '\\"',
        "'secret': '",
        "'",
        '"secrets": [',
        "?key=",
        "?api_key=",
        "&",
        "&sig=",
    ),
    *(
        "=",
        "%3d",
        "%26token%3D",
        "%2f%2fuser%3apass%40",
        "//",
        "user:",
        "@",
        "/",
        "Bearer ",
        "bearer ",
        "authorization: ",
    ),
    *(
        "Authorization: Basic ",
        "x-api-key: ",
        "cookie: a=",
        "set-cookie: b=",
        ";",
        "sk-",
        "org-",
        "proj_",
        "eyJ",
        "AKIA",
    ),
    *(
        "hf_",
        "ek_",
        "1",
        "-",
        "_",
        ".",
        ",",
        ":",
        " ",
        "\n",
        "\\n",
        "\\u0026",
        "API key provided: ",
        "redacted",
        "redacted.",
    ),
    *("redacted.api-key", "-----BEGIN PRIVATE KEY-----", 'form-data; name="secret"', "\r\n\r\n", "\r\n--"),
]
LINES = st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join)


@given(
    LINES | LINES.map(lambda text: text.replace("abcdefgh", f"{PEM}{SECRET}")),
    st.sampled_from(["application/json", "application/x-www-form-urlencoded"]),
)
def test_redacting_twice_changes_nothing(text: str, content_type: str) -> None:
    """What is redacted holds no secret and no half of one."""
    headers = Headers.of(("content-type", content_type), ("x-text", text.replace("\n", " ")), ("cookie", text))
    request = Request("POST", f"/{text}", headers, text.encode())
    once = REDACTOR.request(request, frozenset({LITERAL, SECRET}))
    assert REDACTOR.request(once, frozenset({LITERAL, SECRET})) == once


@given(st.lists(LINES, max_size=8), st.data())
def test_a_stream_is_redacted_as_the_whole_is(lines: list[str], data: st.DataObject) -> None:
    """Fed in pieces of any size, the output is that of the whole, as long as no secret is longer than the overlap."""
    whole = "".join(f"{line}\n\r\n--\n~~~~\x00" for line in lines).encode()
    overlap = max((len(line.encode()) for line in lines), default=0) + 16
    stream = REDACTOR.stream(frozenset({LITERAL}), overlap=overlap, window=data.draw(st.integers(overlap, 2 * overlap)))
    out, at = list[bytes](), 0
    while at < len(whole):
        size = data.draw(st.integers(1, 2 * overlap))
        out.append(stream.feed(whole[at : at + size]))
        at += size
    assert b"".join((*out, stream.finish())) == apply(whole, REDACTOR.edits(whole, frozenset({LITERAL})))


def test_a_stream_uses_flat_memory() -> None:
    """Output keeps up with input, and a secret on the border of two windows is seen."""
    stream, line = REDACTOR.stream(), b"x" * 100_000 + b' "secret": "abc" '
    given, taken = 0, b""
    for _ in range(60):
        taken += stream.feed(line)
        given += len(line)
        assert given - len(taken) < 1_000_000
    assert taken + stream.finish() == REDACTOR.data(line * 60)


REAL = Path(__file__).parents[2] / ".." / "shared" / "real-traffic" / "ruby-openai"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads what Ruby's VCR writes."""


_Loader.add_constructor("!binary", lambda loader, node: base64.b64decode(node.value))


def _recorded() -> Iterator[tuple[Request, Response]]:
    for path in sorted(REAL.glob("*.yml")):
        cassette: Any = yaml.load(path.read_text(), Loader=_Loader)
        for one in cassette["http_interactions"]:
            sent, got = one["request"], one["response"]
            yield (
                Request(sent["method"], sent["uri"], _fields(sent), _body(sent)),
                Response(got["status"]["code"], "", _fields(got), _body(got)),
            )


def _body(message: Any) -> bytes:
    text = message.get("body", {}).get("string") or b""
    return text if isinstance(text, bytes) else encode(text)


def _fields(message: Any) -> Headers:
    return Headers(tuple((name, value) for name, values in message["headers"].items() for value in values))


@pytest.mark.skipif(not REAL.is_dir(), reason="the recordings of real traffic are not beside this repository")
def test_real_traffic_holds_no_secret_afterwards() -> None:
    """After redaction no cookie value, organisation or project remains of what the real API sent, and ids stay."""
    seen = 0
    for request, response in _recorded():
        gone = {value.partition(";")[0].partition("=")[2] for value in response.headers.all("set-cookie")}
        gone.update(response.headers.all("openai-organization") + response.headers.all("openai-project"))
        twins = REDACTOR.request(request), REDACTOR.response(response, REDACTOR.secrets(request))
        text = repr(twins)
        assert not [secret for secret in gone if secret in text]
        assert not re.search(r"\borg-\w{16}|proj_\w{16}", text)
        assert REDACTOR.response(twins[1], frozenset()) == twins[1]
        assert replace(twins[0], headers=request.headers) == request
        seen += len(gone)
    assert seen > 500


def test_an_answer_tells_secrets_of_its_own() -> None:
    """They are looked for in it besides those of its request."""
    answer = Response(200, "", Headers.of(("Set-Cookie", "sid=0123456789abcdef; Path=/"), ("X-Note", "to " + KEY)))
    assert REDACTOR.answer_secrets(answer, frozenset({"that-of-the-request"})) == {
        "that-of-the-request",
        "0123456789abcdef",
        KEY,
    }


@pytest.mark.parametrize(("name", "rule"), [("X-API-Key", "header.api-key"), ("Accept", None)])
def test_a_header_has_the_rule_of_its_name(name: str, rule: str | None) -> None:
    """In any case; most have none."""
    found = REDACTOR.header_rule(name)
    assert (found.name if found else None) == rule


@pytest.mark.parametrize(
    "pairs",
    [
        (("X-A", "ok"), ("X-Key", "abc"), ("X-B", KEY)),
        (("X-Key", "abc"), ("X-A", KEY), ("Set-Cookie", "a=b; Path=/")),
        (("Set-Cookie", "a=b; Path=/" + KEY), ("X-A", "ok")),
    ],
)
def test_a_secret_among_headers_that_rules_are_for_is_found(pairs: tuple[tuple[str, str], ...]) -> None:
    """Wherever it stands, also in what a rule leaves of a value."""
    answer = REDACTOR.response(Response(200, "", Headers(pairs)), frozenset())
    asked = REDACTOR.request(Request("GET", "/", Headers(pairs)))
    assert KEY not in repr(answer)
    assert KEY not in repr(asked)
    assert [name for name, _ in answer.headers] == [name for name, _ in pairs]
