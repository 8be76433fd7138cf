"""The emitter: every reader reads the same from what it writes."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from replayproxy.core.json_layout import Number
from replayproxy.core.yaml_emit import MAX_NESTING, Unwritable, block, emit, flow
from replayproxy.core.yaml_read import read_document

ODD = [
    *("", " ", "a ", " a", "-", "- a", "?", ": ", "a: b", "a:", "a #b", "#a", "a b", "[a", "{a", "]", ",", "&a", "*a"),
    *("!a", "|", ">", "'", '"', "%a", "@a", "`a", "~", "null", "Null", "NULL", "true", "True", "yes", "No", "ON"),
    *("off", "y", "N", "0", "01", "0o17", "0x1F", "0b1", "1_000", "1e3", "1.", ".5", "-.inf", ".NaN", "+1", "12:30:45"),
    *("1:30", "2020-10-01", "2026-11-22T03:30:00Z", "=", "<<", "---", "--- a", "...", "...\n", "---\n...\n", "a\nb"),
    *(
        "a\n",
        "\n",
        "\n\n",
        "\na",
        " a\nb",
        "\ta\nb",
        "a\n\n",
        "a\n b\n",
        "a \nb ",
        "a\n  \nb",
        "a\r\nb",
        "a\rb",
        "\x85",
    ),
    *("a\x85b\n", "\u2028\n", "\ufeff", "\x00", "\x1b[0m", "\x7f", "\x9f", "\xa0", "\xad", "a\tb", "\t", "a\\b", 'a"b'),
    *(
        "it's",
        "'\"",
        "😀",
        "\u202e",
        "\ufffe",
        "\U0010ffff",
        "é",
        "中: 文",
        "json\n...\n---\nx: y",
        "a\n---",
        "k\n#c\n",
    ),
    *("x" * 5000, '{"a": 1}', "C:\\x", "https://a.b/c?d=e#f", "a:b", "(a)", "/v1/x", "_a", "\\", "a\n\t", "\n \n a"),
]
TEXT = st.text() | st.sampled_from(ODD) | st.lists(st.sampled_from(["\n", " ", "\t", "a", ":", "#", "-"])).map("".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | TEXT,
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(TEXT.filter(lambda key: len(key) < 50), inner, max_size=5)
    ),
    max_leaves=15,
)
READERS: list[Any] = [yaml.CSafeLoader, yaml.SafeLoader]


def everyone_reads(text: str) -> list[Any]:
    """What each reader makes of a text: PyYAML's two, and ours from the events of both."""
    theirs = [yaml.load(text, Loader=reader) for reader in READERS]
    return theirs + [read_document(text, loader=reader) for reader in READERS]


@given(TEXT)
@example("a")
def test_every_reader_reads_the_text_that_was_written(text: str) -> None:
    """As a value, a list's item, a key's neighbour, and inside brackets."""
    values = {"a": text, "b": [text, {"c": text}, [text]], "d": "end"}
    assert everyone_reads(emit({**values, "e": flow([text])})) == [{**values, "e": [text]}] * 4


@pytest.mark.parametrize("text", ODD)
def test_odd_text_survives(text: str) -> None:
    """Each of the strings that some reader takes for something else, as a value and as a key."""
    values = {"a": text, "b": [text]} | ({text: 1, "c": {text: text}} if len(text) < 900 else {})
    assert everyone_reads(emit(values)) == [values] * 4


@given(VALUES)
def test_every_reader_reads_the_structure_that_was_written(value: Any) -> None:
    """In lines, on one line, and rendered beforehand at another depth."""
    written = emit({"a": value, "b": {"c": block(value), "d": [{"e": block(value), "f": flow(value)}]}})
    expected = {"a": value, "b": {"c": value, "d": [{"e": value, "f": value}]}}
    assert everyone_reads(written) == [expected] * 4


def test_what_is_written_is_pleasant_to_read() -> None:
    """Blocks for text in lines, plain where it is safe, numbers in brackets, one line for an event."""
    value = {"role": "user", "content": "several\nlines\n\n", "quote": '"it\'s"', "no": "no", "tabs": "a\tb"}
    more = {"list": ["a", {"b": 1, "c": [1.5, 2]}, [["x"]], []], "none": None, "event": flow({"a": [True, {}]})}
    assert emit(value | more) == (
        'role: user\ncontent: |+\n  several\n  lines\n\nquote: \'"it\'\'s"\'\n"no": "no"\ntabs: "a\\tb"\n'
        'list:\n  - a\n  - b: 1\n    c: [1.5, 2]\n  - - - x\n  - []\nnone: null\nevent: {"a": [true, {}]}\n'
    )


def test_many_numbers_stand_in_lines_of_moderate_length() -> None:
    """An embedding is wrapped, and numbers keep their spelling."""
    numbers = [Number("0.10"), *(0.123456789 for _ in range(50))]
    text = emit({"a": {"embedding": numbers}})
    assert max(map(len, text.splitlines())) <= 110
    assert "[0.10, 0.123" in text
    assert everyone_reads(text) == [{"a": {"embedding": [0.1, *numbers[1:]]}}] * 2 + [{"a": {"embedding": numbers}}] * 2


def nested(depth: int, wrap: Any) -> Any:
    """A value so many levels deep."""
    value: Any = "x"
    for _ in range(depth):
        value = wrap(value)
    return value


@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"a": inner}])
@pytest.mark.parametrize("write", [block, flow])
def test_deep_nesting_is_refused_before_the_reader_would(write: Any, wrap: Any) -> None:
    """What is written can be read; what is deeper is unwritable."""
    assert everyone_reads(emit({"a": write(nested(MAX_NESTING - 1, wrap))}))
    with pytest.raises(Unwritable):
        write(nested(MAX_NESTING + 2, wrap))


@pytest.mark.parametrize(
    "value",
    ["\ud800", "a\n\udfff", "\x00\ud800\n", {"\ud800": 1}, {"k" * 1001: 1}, Number("1" * 1001), [Number("1" * 1001)]],
)
def test_what_yaml_cannot_hold_is_unwritable(value: Any) -> None:
    """Lone surrogates, and keys that readers give up on."""
    for write in (block, flow):
        with pytest.raises(Unwritable):
            write(value)
