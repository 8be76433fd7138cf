"""What reaches a terminal."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.cli.terminal import print_json, print_table, printable, say


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb\nc", "a\tb\nc"),
        ("\x1b]52;c;eA==\x07", "\\x1b]52;c;eA==\\x07"),
        ("\x9b31m\x7f\r\x00", "\\x9b31m\\x7f\\x0d\\x00"),
        ("\u202eabc\udcff", "\\u202eabc\\udcff"),
        ("a\u200bb\u2066\U000e0041\xad", "a\\u200bb\\u2066\\U000e0041\\xad"),
        ("é 中 😀", "é 中 😀"),
    ],
)
def test_control_characters_are_spelled_out(text: str, shown: str) -> None:
    """Line ends and tabs stay; escape sequences become text."""
    assert printable(text) == shown


@given(st.text())
def test_printable_text_can_be_written_and_does_nothing(text: str) -> None:
    """Whatever the text, only characters that show remain."""
    shown = printable(text).encode()
    assert not {byte for byte in shown if byte < 32} - {9, 10}
    assert b"\x7f" not in shown


def test_a_table_holds_no_markup_and_no_colours(capsys: pytest.CaptureFixture[str]) -> None:
    """Cells are text, long ones whole."""
    print_table(("A", "B"), [("[red]x[/red]", "y" * 150), ("\x1b[31m", "2")], right=(1,))
    out = capsys.readouterr().out
    assert "[red]x[/red]" in out
    assert "y" * 150 in out
    assert "\\x1b[31m" in out
    assert "\x1b" not in out


def test_what_is_said_is_printable(capsys: pytest.CaptureFixture[str]) -> None:
    """On either output."""
    say("a\x1bb")
    say("c\rd", err=True)
    assert tuple(capsys.readouterr()) == ("a\\x1bb\n", "c\\x0dd\n")


def test_json_is_ascii_without_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    """And says the same."""
    print_json({"a": "\x7f\x1b\x9bü\u2028"}, indent=None)
    told = capsys.readouterr().out
    assert told.strip().isprintable()
    assert told.isascii()
    assert json.loads(told) == {"a": "\x7f\x1b\x9bü\u2028"}
