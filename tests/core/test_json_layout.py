"""JSON text as a value and a layout."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.json_layout import COMPACT, Layout, Number, parse_layout, plain_or_number, read, render

VALUE = {"id": "msg_1", "n": [1, 2.5, None, True], "text": "é </a> \u2028 ☃", "e": {}, "l": []}
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"a":1,"b":[]}', "compact"),
        ('{"a":1}\n', "compact, newline"),
        ('{"a": 1, "b": []}', "spaced"),
        ("[1, 2]", "spaced"),
        ('{\n  "a": 1,\n  "b": {}\n}', "indent 2"),
        ('{\n  "a": 1\n}\n', "indent 2, newline"),
        ('{\n    "a": [\n        1\n    ]\n}', "indent 4"),
        ('{\n\t"a": 1\n}', "indent tab"),
        ('{"a": "\\u00e9"}', "spaced, ascii"),
        ('{"a":"\\ud83d\\ude00"}', "compact, ascii"),
        ('{"a":"\\u003cb\\u003e \\u0026 \\u2028"}', "compact, html"),
        ('{"url":"https:\\/\\/x"}', "compact, slash"),
        ('{"a":"\\u0001\\b\\f\\n\\r\\t\\"\\\\\x7f"}', "compact"),
        ("12345678901234567890123", "compact"),
        ('{"a":1.0e5,"b":-0,"c":1E400,"d":0.10}', "compact"),
        ("null", "compact"),
    ],
)
def test_a_layout_is_found_and_gives_the_same_bytes(text: str, name: str) -> None:
    """Each layout is told by its name, from which the text comes back."""
    found = read(text.encode())
    assert found is not None
    assert found[1].name == name
    assert render(found[0], parse_layout(name)) == text.encode()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"\xff",
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":1,"a":2}',
        b'{"a" : 1}',
        b'{"a":1, "b":2}',
        b' {"a":1}',
        b'{"a":1}\n\n',
        b'{"a":NaN}',
        b'{"a":"\\u00e9 \xc3\xa9"}',
        b'{"a":"\\u00E9"}',
        b'{"a":"\\ud800"}x',
        b"{\n            1}",
        b"[" * 5000 + b"]" * 5000,
    ],
)
def test_text_that_no_layout_gives_back_has_none(text: bytes) -> None:
    """Repeated keys, odd white space and mixed escapes stay text."""
    assert read(text) is None


@given(JSON_VALUES, st.sampled_from([(",", ":"), (", ", ": ")]), st.sampled_from([None, 1, 2, 4, "\t"]), st.booleans())
def test_what_pythons_json_writes_has_a_layout(
    value: Any, separators: tuple[str, str], indent: int | str | None, ascii_only: bool
) -> None:
    """Whatever json.dumps is told, unless it is the odd mixture of both."""
    if indent is not None:
        separators = (",", ": ")
    text = json.dumps(value, separators=separators, indent=indent, ensure_ascii=ascii_only).encode(errors="replace")
    found = read(text)
    assert found is not None
    assert render(*found) == text


@given(JSON_VALUES)
def test_both_writers_agree(value: Any) -> None:
    """The fast writer and the exact one give the same text."""
    for layout in (COMPACT, Layout(indent="  ")):
        exact = render(value, Layout(layout.spaced, layout.indent, ("newline",)))
        assert render(value, layout) == exact[:-1]


@given(st.binary())
def test_reading_never_fails_and_never_lies(raw: bytes) -> None:
    """Any bytes either have a value and a layout that give them back, or none."""
    found = read(raw)
    assert found is None or render(*found) == raw


@pytest.mark.parametrize("spelling", ["0", "-1", "123456789012345678", "1.5", "-0.0"])
def test_a_number_spelled_as_usual_is_a_number(spelling: str) -> None:
    """Usual spellings become int or float."""
    assert type(plain_or_number(spelling)) in (int, float)


@pytest.mark.parametrize("spelling", ["-0", "1234567890123456789", "1.50", "1E5", "1e400", "9" * 5000])
def test_a_number_spelled_otherwise_keeps_its_spelling(spelling: str) -> None:
    """Other spellings are kept, whatever their size."""
    assert plain_or_number(spelling) == Number(spelling)


@pytest.mark.parametrize("name", ["", "wide", "indent 0", "indent 10", "compact,ascii", "compact, unicode"])
def test_an_unknown_layout_is_refused(name: str) -> None:
    """A name that is not in the grammar is an error."""
    with pytest.raises(ValueError, match="no layout is called"):
        parse_layout(name)
