"""Exchanges as lines."""

from __future__ import annotations

from typing import Any

import pytest

from replayproxy.cli.tail_lines import Columns, Rows, note_lines


def row(number: int, outcome: str = "played", **more: Any) -> dict[str, Any]:
    """A summary as the feed has it."""
    return {
        "number": number,
        "session": "default",
        "arrived": f"2026-11-22T16:00:{number:02}.123Z",
        "method": "POST",
        "target": "/v1/threads",
        "operation": "createThread",
        "outcome": outcome,
        "status": 200,
        "first_byte": 0.0123,
        "seconds": 1.234,
        "tokens": {"total": 42},
        "note": "",
        **more,
    }


def feed(*numbers: int) -> dict[str, Any]:
    """A part of a feed."""
    return {"exchanges": [row(number) for number in numbers]}


def numbers(found: list[Any]) -> list[int]:
    """Which exchanges they are."""
    return [each["number"] for each in found]


class TestRows:
    """Which exchanges are shown."""

    def test_the_latest_of_the_past_come_first(self) -> None:
        """In order, though the feed tells the newest first, page by page."""
        rows = Rows(3, states=False)
        assert rows.take("page", feed(9, 8, 7)) == rows.take("page", feed(6, 5)) == []
        assert numbers(rows.take("caught_up", {})) == [7, 8, 9]

    def test_none_of_the_past(self) -> None:
        """With no lines wanted."""
        rows = Rows(0, states=False)
        rows.take("page", feed(2, 1))
        assert rows.take("caught_up", {}) == []
        assert numbers(rows.take("exchanges", feed(2, 3))) == [3]

    def test_an_exchange_is_shown_when_it_has_ended(self) -> None:
        """Once."""
        rows = Rows(10, states=False)
        assert rows.take("exchanges", {"exchanges": [row(1, "under_way")]}) == []
        assert numbers(rows.take("exchanges", feed(1))) == [1]
        assert rows.take("exchanges", feed(1)) == []
        assert rows.take("gone", {"through": 1}) == []

    def test_with_states_those_under_way_are_shown_too(self) -> None:
        """Whenever something is told of them."""
        rows, under_way = Rows(10, states=True), {"exchanges": [row(1, "under_way")]}
        assert len(rows.take("exchanges", under_way)) == len(rows.take("exchanges", under_way)) == 1
        assert numbers(rows.take("exchanges", feed(1))) == [1]

    def test_a_feed_that_begins_again_shows_what_is_new(self) -> None:
        """Of a proxy that was started anew as well, whose exchanges have the same numbers."""
        rows = Rows(1, states=False)
        rows.take("page", feed(2, 1))
        rows.take("caught_up", {})
        rows.take("page", feed(4, 3, 2, 1))
        assert numbers(rows.take("caught_up", {})) == [3, 4]
        rows.take("page", {"exchanges": [row(1, arrived="2026-11-23T00:00:00Z")]})
        assert numbers(rows.take("caught_up", {})) == [1]

    def test_what_was_shown_is_forgotten_some_day(self) -> None:
        """Memory is bounded; the feed does not come back to what is that old."""
        rows = Rows(1, states=False)
        for number in range(20_001):
            rows.take("exchanges", {"exchanges": [row(number, arrived="x")]})
        assert rows.take("exchanges", {"exchanges": [row(20_000, arrived="x")]}) == []
        assert numbers(rows.take("exchanges", {"exchanges": [row(0, arrived="x")]})) == [0]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, ["played", "POST", "createThread", "200", "12", "ms", "1.23", "s", "42", "default"]),
        ({"operation": None}, ["played", "POST", "/v1/threads", "200", "12", "ms", "1.23", "s", "42", "default"]),
        (
            {"outcome": "under_way", "status": 0, "first_byte": None, "seconds": 123.4, "tokens": None},
            ["under", "way", "POST", "createThread", "-", "-", "123", "s", "-", "default"],
        ),
        (
            {"outcome": "new", "session": "a\x1b[31m"},
            ["new", "POST", "createThread", "200", "12", "ms", "1.23", "s", "42", "a\\x1b[31m"],
        ),
    ],
)
def test_a_line_tells_what_happened(more: dict[str, Any], words: list[str]) -> None:
    """In words; what is not known is a dash."""
    line = Columns().line(row(1, **more)).plain
    assert line.split()[1:] == words


def test_the_time_is_that_of_the_clock_on_the_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hours, minutes, seconds; one that cannot be read is shown as it is."""
    assert len(Columns().line(row(1)).plain.split()[0]) == len("16:00:01")
    assert Columns().line(row(1, arrived="yesterday, 12:34:56")).plain.startswith("12:34:56")


def test_columns_are_aligned_and_fit_a_terminal() -> None:
    """What is too long is cut there, and whole in a file; characters of two columns count as such."""
    long = row(1, operation=None, target="/v1/" + "x" * 200)
    wide = row(2, operation="漢字" * 30)
    fits = Columns(100)
    lines = [fits.head(), *(fits.line(each) for each in (row(1), long, wide))]
    assert {line.cell_len - len(line.plain.split()[-1]) for line in lines} == {100 - 12}
    assert "…" in lines[2].plain
    assert "x" * 200 in Columns().line(long).plain


def test_a_note_stands_below() -> None:
    """Indented, and harmless."""
    assert [line.plain for line in note_lines("no\n  - a\x1bb")] == ["    no", "      - a\\x1bb"]
    assert note_lines("") == []
