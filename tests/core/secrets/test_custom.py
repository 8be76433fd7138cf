"""Redaction by the user's own rules: each kind in every place a value can stand."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.messages import Headers, Request, Response
from replayproxy.core.redaction import Redactor
from replayproxy.core.rule_paths import RulePath
from replayproxy.core.secrets.custom import custom_rules, redactor_for, unusable_variables
from replayproxy.core.secrets.patterns import RULES
from replayproxy.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Declared:
    """What a config file declares."""

    off: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    patterns: tuple[tuple[str, str], ...] = ()
    env: tuple[str, ...] = ()
    paths: tuple[RulePath, ...] = ()


def redactor(*paths: str, env: dict[str, str] | None = None, **declared: tuple[object, ...]) -> Redactor:
    """A redactor by a declaration; `env` is the environment, all of which is secret."""
    parsed = tuple(map(RulePath.parse, paths))
    return redactor_for(Declared(paths=parsed, env=tuple(env or ()), **declared), env or {})  # type: ignore[arg-type]


FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=X"
STREAM = "text/event-stream"
JSON = "application/json"


def both(by: Redactor, content_type: str, body: str | bytes) -> str:
    """A body after redaction, which is the same in a request and in an answer, and final."""
    headers, raw = Headers.of(("Content-Type", content_type)), body if isinstance(body, bytes) else body.encode()
    sent = by.request(Request("POST", "/v1/x", headers, raw)).body
    answered = by.response(Response(200, "", headers, raw), frozenset()).body
    assert sent == answered
    assert by.request(Request("POST", "/v1/x", headers, sent)).body == sent
    assert isinstance(sent, bytes)
    return sent.decode()


def part(name: str, content: str, filename: str = "") -> str:
    """A part of a multipart body."""
    file = f'; filename="{filename}"' if filename else ""
    return f'--X\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n{content}\r\n'


FIELD = [
    (JSON, '{"ssn": "1", "a": {"b": [{"SSN":"2"}]}}',
     '{"ssn": "redacted.field", "a": {"b": [{"SSN":"redacted.field"}]}}'),
    ("Application/JSON; charset=utf-8", '[{"ssn":"1"}]', '[{"ssn":"redacted.field"}]'),
    (JSON, '{"ssn": 123, "x": 1.5e3, "n": null}', '{"ssn": 0, "x": 1.5e3, "n": null}'),
    (JSON, '{"ssn": {"a": ["b", -7, true], "c": ""}}', '{"ssn": {"a": ["redacted.field", 0, true], "c": ""}}'),
    (JSON, '{"ssn": ["1", "2"], "x": "3"}', '{"ssn": ["redacted.field", "redacted.field"], "x": "3"}'),
    (JSON, r'{"arguments": "{\"ssn\": \"1\"}"}', r'{"arguments": "{\"ssn\": \"redacted.field\"}"}'),
    (JSON, r'{"\u0073sn": "1"}', r'{"\u0073sn": "redacted.field"}'),
    (JSON, '{"customer_email": "a@b", "customerEmail":"c", "Customer-Email": "d"}',
     '{"customer_email": "redacted.field", "customerEmail":"redacted.field", "Customer-Email": "redacted.field"}'),
    (JSON, '{"email": "a", "my_customer_email": "b", "customer_email_id": "c"}', None),
    (JSON, '{"ssn": "1", "trunc', '{"ssn": "redacted.field", "trunc'),
    (JSON, '{"ssn": "1', '{"ssn": "redacted.field'),
    (JSON, '{"ssn": "redacted.api-key"}', None),
    ("application/jsonl", '{"ssn": 12}\n{"ssn": "2"}\n', '{"ssn": 0}\n{"ssn": "redacted.field"}\n'),
    ("text/plain", '{"ssn": "1"}', '{"ssn": "redacted.field"}'),
    (STREAM, 'data: {"ssn": 12, "a": "b"}\n\ndata: [DONE]\n\n', 'data: {"ssn": 0, "a": "b"}\n\ndata: [DONE]\n\n'),
    (FORM, "ssn=1&a=b&user%5Bssn%5D=2", "ssn=redacted.field&a=b&user%5Bssn%5D=redacted.field"),
    (FORM, "customer+email=a%40b&x", "customer+email=redacted.field&x"),
    (MULTIPART, part("ssn", "1") + part("a", "b") + "--X--\r\n",
     part("ssn", "redacted.field") + part("a", "b") + "--X--\r\n"),
    (MULTIPART, part("a", '{"ssn": "1"}') + "--X--", part("a", '{"ssn": "redacted.field"}') + "--X--"),
]  # fmt: skip

PATH = [
    ("body.user", JSON, '{ "user" : "ann", "a": {"user": "b"}}', '{ "user" : "redacted.path", "a": {"user": "b"}}'),
    ("body.user", "application/x+json", '{"user":"a"}', '{"user":"redacted.path"}'),
    ("body.user", "", '\ufeff {"user":"a"}', '\ufeff {"user":"redacted.path"}'),
    ("body.user", JSON, '{"user": {"name": "a", "born": 1970}}', '{"user": {"name": "redacted.path", "born": 0}}'),
    ("body.user", JSON, r'{"user": "a\"b\\"}', '{"user": "redacted.path"}'),
    ("body.user", JSON, '{"user": "", "n": 0}', None),
    ("body.user", JSON, '{"user": "redacted.api-key"}', '{"user": "redacted.path"}'),
    ("body.user", JSON, '{"user": 0, "b": "user"}', None),
    ("body.m[*].name", JSON, '{"m":[{"name":"a"},{"name":"b","x":"c"}]}',
     '{"m":[{"name":"redacted.path"},{"name":"redacted.path","x":"c"}]}'),
    ("body.m[1]", JSON, '{"m": ["a", "b", "c"]}', '{"m": ["a", "redacted.path", "c"]}'),
    ("body[0].x", JSON, '[{"x": "a"}, {"x": "b"}]', '[{"x": "redacted.path"}, {"x": "b"}]'),
    ("body.**.id", JSON, '{"id":"a","b":[{"id":"c","ids":"d"}]}',
     '{"id":"redacted.path","b":[{"id":"redacted.path","ids":"d"}]}'),
    ("body.a.**", JSON, '{"a":{"b":["c"]},"d":"e"}', '{"a":{"b":["redacted.path"]},"d":"e"}'),
    ("body.*.x", JSON, '{"a":{"x":"1"},"b":{"y":"2"}}', '{"a":{"x":"redacted.path"},"b":{"y":"2"}}'),
    ("body['a b'].c", JSON, '{"a b": {"c": "1"}}', '{"a b": {"c": "redacted.path"}}'),
    ("body['ü']", JSON, r'{"\u00fc": "1"}', r'{"\u00fc": "redacted.path"}'),
    ("body", JSON, '{"a": "b", "c": [1, false]}', '{"a": "redacted.path", "c": [0, false]}'),
    ("body", "text/plain", "all of it", "redacted.path"),
    ("body.user", "text/plain", "user", None),
    ("body.user", JSON, '{"a": }] "user": "x", 1:2 {"user": "y"', '{"a": }] "user": "x", 1:2 {"user": "redacted.path"'),
    ("body.x", JSON, '{1: 2, "x" "y"}', '{1: 2, "x" "redacted.path"}'),
    ("body.x", JSON, r'{"\q": 1, "x": "y"}', r'{"\q": 1, "x": "redacted.path"}'),
    ("body.user", STREAM, 'event: a\r\ndata: {"user":\r\ndata:  "ann"}\r\n\r\ndata:{"user":"b"}',
     'event: a\r\ndata: {"user":\r\ndata:  "redacted.path"}\r\n\r\ndata:{"user":"redacted.path"}'),
    ("body.user", "", 'data: {"user": "a"}\n\n', 'data: {"user": "redacted.path"}\n\n'),
    ("body.delta[0].text", STREAM, 'data\n\ndata: {"delta": [{"text": "a"}]}\r\rdata: {}\n\n',
     'data\n\ndata: {"delta": [{"text": "redacted.path"}]}\r\rdata: {}\n\n'),
    ("body.user", FORM, "user=a%20b&users=c&USER=d&user=", "user=redacted.path&users=c&USER=d&user="),
    ("body.*", FORM, "a=b&c=d", "a=redacted.path&c=redacted.path"),
    ("body", FORM, "a=b", "a=redacted.path"),
    ("body.parts[0].content", MULTIPART, part("a", "b") + part("c", "d") + "--X--",
     part("a", "redacted.path") + part("c", "d") + "--X--"),
    ("body.parts[*].filename", MULTIPART, part("a", "b", "me.txt") + part("c", "d") + "--X--",
     part("a", "b", "redacted.path") + part("c", "d") + "--X--"),
    ("body.**", MULTIPART, part("a", "b", "me.txt") + "--X--", part("a", "redacted.path", "redacted.path") + "--X--"),
    ("body.parts[0].content", MULTIPART, "--X\r\nbroken", None),
]  # fmt: skip

PATTERNS = [
    (JSON, '{"a": "for cus_12345678."}', '{"a": "for redacted.customer."}'),
    (JSON, '{"cus_12345678": 1}', '{"redacted.customer": 1}'),
    (JSON, r'{"a": "\u0063us_12345678, \"cus_12345678\""}', r'{"a": "redacted.customer, \"redacted.customer\""}'),
    ("text/plain", "cus_12345678 cus_1 CUS_1234567", "redacted.customer cus_1 CUS_1234567"),
    (STREAM, 'data: "cus_12345678"\n\n', 'data: "redacted.customer"\n\n'),
    (FORM, "a=cus%5F12345678&b=cus_12345678", "a=redacted.customer&b=redacted.customer"),
    (MULTIPART, part("a", "cus_12345678") + "--X--", part("a", "redacted.customer") + "--X--"),
    ("image/png", b"\x00cus_12345678\x01", "\x00redacted.customer\x01"),
    (JSON, '{"a": "redacted.customer", "b": "redacted.org.12345678"}', None),
]


@pytest.mark.parametrize(("content_type", "before", "after"), FIELD)
def test_declared_fields_are_hidden_by_their_name(content_type: str, before: str, after: str | None) -> None:
    """The very name, in any case and spelling of its words; numbers and all that is in an object go as well."""
    by = redactor(fields=("ssn", "customer_email"))
    assert both(by, content_type, before) == (before if after is None else after)


@pytest.mark.parametrize(("path", "content_type", "before", "after"), PATH)
def test_declared_paths_are_hidden_where_they_lead(
    path: str, content_type: str, before: str, after: str | None
) -> None:
    """What stands at the path goes, and no other byte."""
    assert both(redactor(path), content_type, before) == (before if after is None else after)


@pytest.mark.parametrize(("content_type", "before", "after"), PATTERNS)
def test_declared_patterns_are_hidden_anywhere(content_type: str, before: str, after: str | None) -> None:
    """However JSON or a form spells it; a placeholder is left alone."""
    by = redactor(patterns=(("customer", "cus_[0-9]{8,20}"), ("digits", "[0-9]{8,30}")))
    assert both(by, content_type, before) == (before if after is None else after)


@pytest.mark.parametrize(
    ("pattern", "before", "after"),
    [
        ("user=(?P<secret>[a-z.-]+)", "user=ann;", "user=redacted.who;"),
        ("(ann|bob)@x", "ann@x bob@y", "redacted.who bob@y"),
        ("(?i)ANN", "ann", "redacted.who"),
        ("Müller", "M\\u00fcller Müller", "redacted.who redacted.who"),
        ("Ann Lee", "q=Ann+Lee%2C", "q=redacted.who%2C"),
        ("\U0001f600{1,3}", "\\ud83d\\ude00", "redacted.who"),
        ("[a-z]+-key", "redacted.api-key", "redacted.api-key"),
        ("a(?P<secret>b)?", "a ab", "a aredacted.who"),
    ],
)
def test_an_expression_may_name_its_secret(pattern: str, before: str, after: str) -> None:
    """The group `secret` goes, or else all that was matched, never one alternative of it alone."""
    by = redactor(patterns=(("who", pattern),))
    assert by.text(before) == after
    assert by.text(after) == after


def test_declared_headers_are_hidden_both_ways_and_wherever_their_values_turn_up() -> None:
    """All of the value, and the value elsewhere too."""
    by = redactor("header.X-Person", headers=("x-tenant", "authorization"))
    headers = Headers.of(("X-Tenant", "acme-tenant-0001"), ("Authorization", "Bearer abc"), ("x-person", "ann"))
    request = Request("POST", "/v1/x", headers, b"acme-tenant-0001")
    hidden = Headers.of(
        ("X-Tenant", "redacted.header"), ("Authorization", "redacted.header"), ("x-person", "redacted.path")
    )
    assert by.request(request).headers == by.response(Response(200, "", headers), frozenset()).headers == hidden
    assert by.request(request).body == b"redacted.api-key"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/v1/x?who=a%20b&b=c", "/v1/x?who=redacted.path&b=c"),
        ("/v1/x?b=c&ssn=1&who", "/v1/x?b=c&ssn=redacted.field&who"),
        ("/v1/cus_12345678/x?a=cus%5f12345678", "/v1/redacted.customer/x?a=redacted.customer"),
        ("/v1/who?whom=who", "/v1/who?whom=who"),
        ("/v1/s3cret-value-of-env?x=s3cret-value-of-env", "/v1/redacted.api-key?x=redacted.api-key"),
    ],
)
def test_targets_are_redacted_by_declared_rules(before: str, after: str) -> None:
    """Fields of the query by name and by path, patterns and values of variables anywhere."""
    by = redactor(
        "query.who", fields=("ssn",), patterns=(("customer", "cus_[0-9]{8}"),), env={"MINE": "s3cret-value-of-env"}
    )
    assert by.request(Request("GET", before)).target == after
    assert by.request(Request("GET", after)).target == after


def test_long_lists_are_walked_to_their_end() -> None:
    """However many values a body has."""
    text = json.dumps({"a": [{"x": 1}] * 3000})
    assert both(redactor("body.a[2999].x"), JSON, text) == f"{text[: text.rindex('1')]}0}}]}}"


VALUE = 'pa"ss/wörd +1'


@pytest.mark.parametrize(
    ("content_type", "spelled"),
    [
        (JSON, json.dumps(VALUE)),
        (JSON, json.dumps(VALUE, ensure_ascii=False)),
        (JSON, json.dumps(VALUE, ensure_ascii=False).replace("/", "\\/")),
        (FORM, f"a={quote_plus(VALUE)}"),
        (STREAM, f"data: {json.dumps(VALUE)}\n\n"),
        ("text/plain", f"<{VALUE}>"),
        (MULTIPART, part("a", VALUE) + "--X--"),
    ],
)
def test_the_value_of_a_variable_is_secret_in_every_spelling(content_type: str, spelled: str) -> None:
    """White space around it does not count."""
    hidden = both(redactor(env={"MINE": f"{VALUE}\n"}), content_type, spelled)
    assert "redacted.api-key" in hidden
    assert "rd" not in hidden.replace("redacted", "").replace("form-data", "")


def test_variables_that_hide_nothing_are_told_and_their_values_are_not() -> None:
    """One that is not set, and one that is too short to be looked for."""
    declared = Declared(env=("NONE", "SHORT", "FINE"))
    told = list(unusable_variables(declared, {"SHORT": "hunter2", "FINE": "hunter2hunter2"}))
    assert [line.split(",")[0] for line in told] == ["redact.env names NONE", "redact.env names SHORT"]
    assert "hunter" not in repr(told)
    by = redactor_for(declared, {"SHORT": "hunter2", "FINE": "hunter2hunter2"}, ("another-literal",))
    assert by.text("hunter2 hunter2hunter2 another-literal") == "hunter2 redacted.api-key redacted.api-key"
    assert "hunter" not in repr(by)


@pytest.mark.parametrize("name", [rule.name for rule in RULES])
def test_each_default_can_be_switched_off_by_its_name(name: str) -> None:
    """It alone goes; all others stay in their order."""
    assert custom_rules(Declared(off=(name,))) == tuple(rule for rule in RULES if rule.name != name)


def test_switched_off_rules_do_nothing() -> None:
    """What the rule was for is left alone, what others are for is not."""
    by = redactor(off=("field.password", "header.cookie"))
    headers = Headers.of(("Cookie", "a=b"), ("x-api-key", "k"))
    assert both(by, JSON, '{"password": "a", "secret": "b"}') == '{"password": "a", "secret": "redacted.secret"}'
    assert by.request(Request("GET", "/", headers)).headers == Headers.of(
        ("Cookie", "a=b"), ("x-api-key", "redacted.api-key")
    )


def test_the_digest_tells_rules_apart_and_no_values() -> None:
    """Every kind of rule counts; the values of variables do not; nothing declared is the built-in set."""
    sets = [
        redactor(),
        redactor(off=("field.password",)),
        redactor(headers=("x",)),
        redactor(fields=("x",)),
        redactor(patterns=(("xx", "x"),)),
        redactor(patterns=(("xx", "y"),)),
        redactor("body.x"),
        redactor("header.x"),
        redactor("query.x"),
    ]
    assert len({by.digest for by in sets}) == len(sets)
    assert (
        redactor(env={"A": "one-long-value"}).digest == redactor(env={"A": "another-value"}).digest == Redactor().digest
    )


@pytest.mark.parametrize(
    ("paths", "fields", "told"),
    [
        (("path",), (), "a recording needs the path"),
        (("header.*",), (), "an answer without its headers"),
        ((), ("-_",), "names no field"),
    ],
)
def test_what_cannot_be_redacted_is_refused(paths: tuple[str, ...], fields: tuple[str, ...], told: str) -> None:
    """The message says why."""
    with pytest.raises(ConfigError, match=told):
        redactor(*paths, fields=fields)


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from('ab"\\ü'), inner, max_size=3),
    max_leaves=12,
)


@given(JSONS, st.sampled_from([None, 2]), st.booleans())
def test_values_are_found_as_a_reader_finds_them(value: object, indent: int | None, ascii_only: bool) -> None:
    """The bytes of any JSON, redacted by a path, read as the value with what the path leads to replaced."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    body = both(redactor("body.**.a"), JSON, text)
    assert json.loads(body) == hidden(value)


def hidden(value: object, inside: bool = False) -> object:
    """A value whose members `a` are hidden."""
    if isinstance(value, dict):
        return {name: hidden(item, inside or name == "a") for name, item in value.items()}
    if isinstance(value, list):
        return [hidden(item, inside) for item in value]
    if not inside or isinstance(value, bool) or value is None or value == "":
        return value
    return "redacted.path" if isinstance(value, str) else 0
