"""What reaches a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.cli.terminal import print_table, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb\nc", "a\tb\nc"),
        ("\x1b]52;c;eA==\x07", "\\x1b]52;c;eA==\\x07"),
        ("\x9b31m\x7f\r\x00", "\\x9b31m\\x7f\\x0d\\x00"),
        ("\u202eabc\udcff", "\\u202eabc\\udcff"),
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
