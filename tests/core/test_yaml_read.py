"""The reader: plain values from strangers' YAML, or an error with a line."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.json_layout import Number
from replayproxy.core.yaml_read import MAX_CHARACTERS, MAX_DEPTH, Mapping, Sequence, read_document
from replayproxy.errors import CassetteError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a:", None),
        ("a: null", None),
        ("a: true", True),
        ("a: false", False),
        ("a: 12", 12),
        ("a: -1.5", -1.5),
        ("a: 1e5", Number("1e5")),
        ("a: " + "9" * 5000, Number("9" * 5000)),
        ("a: 0x10", "0x10"),
        ("a: 0777", "0777"),
        ("a: NO", "NO"),
        ("a: ~", "~"),
        ("a: True", "True"),
        ("a: 1:30", "1:30"),
        ("a: 2001-02-30", "2001-02-30"),
        ("a: =", "="),
        ("a: .inf", ".inf"),
        ('a: "12"', "12"),
        ("a: '12'", "12"),
        ("a: |\n  12", "12"),
    ],
)
def test_scalars_mean_what_json_says_and_nothing_else(text: str, value: Any) -> None:
    """Only null, true, false and JSON's numbers are not strings, and only when plain."""
    found = read_document(text)["a"]
    assert (found, type(found)) == (value, type(value))


def test_mappings_and_sequences_tell_their_lines() -> None:
    """Lines count from the first line in the file; below `json` values are plain."""
    value = read_document("---\na: 1\nb:\n  - x\n  - c: 1\njson:\n  - d: [1]\n    json: 2\ne: {}\n...\n", 10)
    assert isinstance(value, Mapping)
    assert (value.line, value.lines) == (11, {"a": 11, "b": 12, "json": 15, "e": 18})
    assert isinstance(value["b"], Sequence)
    assert value["b"].lines == [13, 14]
    assert [type(value["json"]), type(value["json"][0]), type(value["e"])] == [list, dict, Mapping]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a: !!python/object/apply:os.system [echo]", 1, "a tag stands here"),
        ("a: !!binary x", 1, "a tag stands here"),
        ("a: !x {}", 1, "a tag stands here"),
        ("a: 1\nb: &x 1", 2, "an anchor"),
        ("a: *x", 1, "an alias"),
        ("a: 1\na: 2", 2, "the key 'a' stands here twice"),
        ("json: {a: 1, a: 2}", 1, "twice"),
        ("? [a]\n: 1", 1, "a key is no string"),
        ("%YAML 1.2\n---\na: 1", 2, "a directive"),
        ("a: 1\n---\nb: 1", 2, "a document begins inside"),
        ("a: \x00", 1, "not YAML"),
        ("a: \x1b", 1, "not YAML"),
        ("a: \ud800", 1, "not YAML"),
        ("a: 1\n\tb: 1", 2, "not YAML"),
        ("a: [1", 2, "not YAML"),
        ("a: 'x", 1, "not YAML"),
        ("a: 1\n  b: 2", 2, "not YAML"),
        ("a: " + "[" * 50_000, 1, "levels deep"),
        ("a: " + "{a: " * 50_000, 1, "levels deep"),
        ("- " * 50_000, 1, "levels deep"),
        ("json: " + "[" * 200 + "]" * 200, 1, "levels deep"),
        ("x" * (MAX_CHARACTERS + 1), 1, "too large"),
    ],
)
@pytest.mark.parametrize("loader", [yaml.CSafeLoader, yaml.SafeLoader])
def test_hostile_yaml_is_an_error_with_a_line(text: str, line: int, what: str, loader: Any) -> None:
    """Tags, anchors, repeated keys, deep nesting and broken text are refused in one line, fast, by either parser."""
    begun = time.process_time()
    with pytest.raises(CassetteError) as caught:
        read_document(text, loader=loader)
    assert what in caught.value.what
    assert "\n" not in str(caught.value)
    assert caught.value.line in (line, 1, 2)
    assert time.process_time() - begun < 5


def test_billion_laughs_is_refused_at_the_first_anchor() -> None:
    """Nothing is expanded."""
    lines = ["a0: &a0 lol", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12))]
    with pytest.raises(CassetteError, match="anchor"):
        read_document("\n".join(lines))


def test_too_many_values_are_refused() -> None:
    """The budget of values holds for flat documents too."""
    with pytest.raises(CassetteError, match="more than 1,000 values"):
        read_document("a: [" + "1," * 1000 + "]", max_nodes=1000)


def test_depth_within_the_budget_is_fine() -> None:
    """The limit is where it says."""
    assert read_document("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    with pytest.raises(CassetteError, match="levels deep"):
        read_document("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))


def test_a_lone_scalar_is_a_value() -> None:
    """What the document is, is for its reader to judge."""
    assert read_document("--- x\n") == "x"
    assert read_document("") is None


@given(st.text() | st.text(alphabet="[]{},:-? \n&*!|>'\"%#a1"))
def test_reading_gives_a_value_or_a_cassette_error(text: str) -> None:
    """Nothing else ever comes out."""
    with contextlib.suppress(CassetteError):
        read_document(text)
