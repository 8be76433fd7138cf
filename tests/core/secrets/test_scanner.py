"""The compiled rules: what is remembered and what is skipped changes nothing of what is found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.messages import Headers, Request
from replayproxy.core.redaction import RULES, Redactor
from replayproxy.core.secrets.headers import HeaderNames
from replayproxy.core.secrets.patterns import placeholder_of
from replayproxy.core.secrets.scanner import Scanner

SAMPLES = (
    b"sk-proj-abcDEF0123456789abcd",
    b"sess-abcdefghijklmnopqrst0123",
    b"AKIAABCDEFGHIJKLMNOP",
    b"xoxb-1234567890ab",
    b"hf_abcdefghijklmnopqrstuv",
    b"org-AbCdEfGhIjKl01234567",
    b"Bearer abcdefghijklmnopqrst0123",
    b"https://user:password@host/",
    b'"api_key": "0123456789abcdef"',
)


@given(st.lists(st.sampled_from((*SAMPLES, b" ", b"-", b"_", b'"', b"sk-", b"text")), max_size=8).map(b"".join))
def test_a_text_that_was_seen_before_is_read_the_same(text: bytes) -> None:
    """What a scanner remembers is what one that never saw the text finds, and a longer text has it as well."""
    scanner = Scanner.of(RULES)
    first = scanner.edits(text, (), placeholder_of)
    assert scanner.edits(text, (), placeholder_of) == first == Scanner.of(RULES).edits(text, (), placeholder_of)
    padded = scanner.edits(text + b"\n" * 2000, (), placeholder_of)
    assert [edit.replacement for edit in padded] == [edit.replacement for edit in first]


def test_rules_without_shapes_find_none() -> None:
    """Where all shapes are switched off there is nothing that a text could hold."""
    scanner = Scanner.of(tuple(rule for rule in RULES if rule.where != "shape"))
    assert scanner.edits(b"sk-proj-abcDEF0123456789abcd", (), placeholder_of) == ()
    assert scanner.edits(b"", (), placeholder_of) == ()


@pytest.mark.parametrize("name", ["Authorization", "AUTHORIZATION", "x-" + "a" * 100 + "-token"])
def test_the_rule_of_a_header_is_the_same_each_time(name: str) -> None:
    """However many other names were asked for in between, and however long a name is."""
    names = HeaderNames.of(RULES)
    first = names.rule(name)
    for number in range(2000):
        assert names.rule(f"x-other-{number}") is None
    assert names.rule(name) is first is not None


def test_a_head_that_was_seen_before_is_redacted_by_its_own_body_and_secrets() -> None:
    """Only the head is remembered: another body or further secrets are looked at anew."""
    redactor = Redactor()
    headers = Headers.of(("Authorization", "Bearer credential-0123456789"), ("X", "further-secret-1"))
    plain = redactor.request(Request("POST", "/a", headers, b"credential-0123456789"))
    again = redactor.request(Request("POST", "/a", headers, b"further-secret-1"))
    known = redactor.request(Request("POST", "/a", headers, b"further-secret-1"), frozenset({"further-secret-1"}))
    assert plain.body == b"redacted.api-key"
    assert (again.headers, again.body) == (plain.headers, b"further-secret-1")
    assert (known.headers.get("x"), known.body) == ("redacted.api-key", b"redacted.api-key")
