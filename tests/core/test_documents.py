"""A cassette's text cut into documents."""

from __future__ import annotations

import pytest

from replayproxy.core.documents import Document, split
from replayproxy.errors import CassetteError


def test_documents_are_cut_at_their_marks() -> None:
    """Comments and blank lines between documents belong to none; the prolog is told."""
    text = "# a\n---\nx: 1\n...\n\n# b\n--- # 1: GET\ny: |\n  ...\n  ---\n...\n# c\n"
    found = split(text)
    assert found.prolog == "# a\n"
    first, second = Document("---\nx: 1\n...\n", 2), Document("--- # 1: GET\ny: |\n  ...\n  ---\n...\n", 7)
    assert found.items == (first, second)
    assert found.torn is None
    assert text[: found.whole].endswith("---\n...\n")


def test_carriage_returns_and_a_missing_last_line_end_do_not_matter() -> None:
    """A file that went through Windows or an editor is the same cassette."""
    assert [item.line for item in split("\ufeff# a\r\n---\r\nx: 1\r\n...\r\n---\r\ny: 1\r\n...").items] == [2, 5]
    assert split("---\nx: 1\n...").items == (Document("---\nx: 1\n...\n", 1),)


@pytest.mark.parametrize(
    ("tail", "line"), [("--- # 2\ny: 1\n", 4), ("---", 4), ("--", 4), ("# c\n-", 5), ("---\n..", 4)]
)
def test_what_follows_the_last_end_mark_is_torn(tail: str, line: int) -> None:
    """A document that was begun is told, and is not part of the cassette."""
    found = split("---\nx: 1\n...\n" + tail)
    assert len(found.items) == 1
    assert found.torn == Document(tail.removeprefix("# c\n"), line)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("---\nx: 1\n---\ny: 1\n...\n", 1, "no end mark"),
        ("---\nx: 1\n...\ny: 2\n---\nz: 1\n...\n", 4, "outside of any document"),
        ("x: 1\n---\ny: 1\n...\n", 1, "outside of any document"),
        ("---\nx: 1\n...\n...\n", 4, "without a document"),
    ],
)
def test_a_file_out_of_order_is_an_error(text: str, line: int, what: str) -> None:
    """What a hand broke is named with its line."""
    with pytest.raises(CassetteError, match=what) as caught:
        split(text)
    assert caught.value.line == line
    assert caught.value.cure


def test_marks_inside_a_line_are_text() -> None:
    """Only a line that begins with a mark, and has nothing but space after it, is one."""
    assert len(split("---\na: b ---\n...x\n---y\n...\n").items) == 1
