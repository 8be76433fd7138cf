"""The line of a JSON value, found by its path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.json_lines import Trace, line_of

TEXT = """{
  "model": "m",
  "messages": [
    {"role": "user",
     "content": "a, \\"b\\": {"},
    {
      "role": "user",
      "content": [
        1, [2,
        3], {}
      ]
    }
  ],
  "metadata": {
    "a.b": 1,
    "a": {
      "b": 2,
      "c[0]": 3
    }
  },
  "twice": 1,
  "twice": 2,
  "\\u00e9": null
}
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("", 1),
        ("model", 2),
        ("messages", 3),
        ("messages[0]", 4),
        ("messages[0].content", 5),
        ("messages[1]", 6),
        ("messages[1].content", 8),
        ("messages[1].content[1][1]", 10),
        ("messages[1].content[2]", 10),
        ("metadata.a.b", 17),
        ("metadata.a.c[0]", 18),
        ("metadata.a", 16),
        ("twice", 22),
        ("é", 23),
        # what is missing: the nearest that would hold it
        ("messages[1].name", 6),
        ("messages[2].content", 3),
        ("messages[1].content[0].text", 9),
        ("metadata.b", 14),
        ("mode", 1),
        ("models", 1),
        ("nothing[0].here", 1),
    ],
)
def test_a_value_is_found_by_its_path(path: str, line: int) -> None:
    """The line on which it starts; a missing one is told by the nearest value that would hold it."""
    assert line_of(TEXT, path) == line


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ('\n[\n{"a": 1}\n]', "[0].a", 3),
        ("\n\n17", "", 3),
        ('\n"text"', "a", 2),
        ('{"a.b":\n{"c":\n1}}', "a.b.c", 3),
        ('{"":\n1}', "", 1),
        ('{"a": {"":\n1}}', "a.", 1),
    ],
)
def test_any_value_can_be_the_whole(text: str, path: str, line: int) -> None:
    """Lists, plain values and odd keys."""
    assert line_of(text, path) == line


@pytest.mark.parametrize("text", ["", "}", "]]}", '{"a" "b"', '{"a\\x": \n1', '"open', "{[}]", '{"a": [1, 2'])
def test_what_is_no_json_does_no_harm(text: str) -> None:
    """There is always a line."""
    assert line_of(text, "a[1]") == 1


def test_a_broken_key_is_taken_as_it_stands() -> None:
    """An escape that JSON does not have."""
    assert line_of('{"a\\x":\n1}', "a\\x") == 2


def test_depth_has_no_limit() -> None:
    """No recursion."""
    depth = 20_000
    assert line_of("[\n" * depth + "]" * depth, "[0]" * (depth - 1)) == depth


def test_a_trace_begins_nowhere() -> None:
    """Before any value is told, and when an end is told without a beginning."""
    trace = Trace("a")
    trace.end()
    assert (trace.place, trace.at_key) == (0, False)


VALUES = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('abé"\\{\n ', min_size=1), inner, max_size=4),
    max_leaves=20,
)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, int]]:
    """Every path with the line on which its value starts in `json.dumps(value, indent=1)`, line 1 being the whole."""
    line = 1

    def walk(value: Any, path: str) -> Iterator[tuple[str, int]]:
        nonlocal line
        yield path, line
        steps = (
            ((f"{path}.{key}" if path else key, each) for key, each in value.items())
            if isinstance(value, dict)
            else ((f"{path}[{index}]", each) for index, each in enumerate(value))
            if isinstance(value, list)
            else iter(())
        )
        for step, each in steps:
            line += 1
            yield from walk(each, step)
        line += bool(value) if isinstance(value, dict | list) else 0

    return walk(value, path)


@given(VALUES)
def test_every_value_of_any_json_is_found(value: Any) -> None:
    """Whatever the keys are: paths lead to the line that the value stands on."""
    text = json.dumps(value, indent=1)
    assert [(path, line_of(text, path)) for path, _ in _leaves(value, "")] == list(_leaves(value, ""))
