"""A cassette's bytes cut into documents, in blocks of every size."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from replayproxy.core.cuts import Cutter
from replayproxy.core.documents import split
from replayproxy.errors import CassetteError

Told = tuple[bytes, list[tuple[int, bytes, int]], int, tuple[int, bytes]]


def cut(blocks: list[bytes]) -> Told:
    """Everything a cutter tells: prolog, documents (place, bytes, line), whole and torn."""
    cutter, found = Cutter(), list[tuple[int, bytes, int]]()
    for step in (*(cutter.feed(block) for block in blocks), cutter.finish()):
        for start, mark, over, line in step:
            assert cutter.data[mark:over].startswith(b"...")
            found.append((cutter.base + start, bytes(cutter.data[start:over]), line))
    return cutter.prolog, found, cutter.whole, cutter.torn


def read_by_lines(raw: bytes) -> Told:
    """The same, line by line, as slowly and plainly as can be; CassetteError with nothing but its line."""
    begun, first, done, found, prolog, stray = -1, 0, 0, list[tuple[int, bytes, int]](), raw, (0, 0)
    place = 0
    for number, line in enumerate(raw.splitlines(keepends=True) if b"\r" not in raw else _lines(raw), 1):
        mark = re.match(rb"(---|\.\.\.)([ \t\r\n]|\Z)", line)
        text = line.decode().lstrip("\ufeff") if place == 0 else line.decode()
        if mark and mark[1] == b"---":
            if begun >= 0 or stray[1]:
                raise CassetteError("", line=first if begun >= 0 else stray[1])
            prolog = prolog if found else raw[:place]
            begun, first = place, number
        elif mark and begun < 0:
            raise CassetteError("", line=number)
        elif mark:
            done = place + len(line)
            found.append((begun, raw[begun:done] if line.endswith(b"\n") else raw[begun:done] + b"\n", first))
            begun = -1
        elif begun < 0 and not stray[1] and text.strip() and not text.strip().startswith("#"):
            stray = place, number
        place += len(line)
    torn = (first, raw[begun:]) if begun >= 0 else (stray[1], raw[stray[0] :]) if stray[1] else (0, b"")
    return prolog, found, done, torn


def _lines(raw: bytes) -> list[bytes]:
    return re.findall(rb"[^\n]*\n|[^\n]+\Z", raw)


PIECES = ["---", "...", "--- # 1", "... # x", "\n", "\r\n", "\n\n", "# c", "x: 1", " ", "-", ".", "\ufeff", "é", "\t"]
TEXTS = st.lists(st.sampled_from([*PIECES, "---\n", "...\n", "---\nx: 1\n...\n"]), max_size=14).map("".join)


@example("\ufeff# a\n---\n...\n", 1)
@example("---\nx\n...", 2)
@given(TEXTS, st.integers(1, 9))
def test_any_text_is_cut_as_by_lines_in_blocks_of_any_size(text: str, size: int) -> None:
    """The same documents, lines, torn end and errors; and what cuts text does as well."""
    raw = text.encode()
    blocks = [raw[start : start + size] for start in range(0, len(raw), size)]
    wrong = 0
    try:
        expected = read_by_lines(raw)
    except CassetteError as error:
        wrong = error.line
    if wrong:
        for attempt in (lambda: cut(blocks), lambda: cut([raw]), lambda: split(text)):
            with pytest.raises(CassetteError) as caught:
                attempt()
            assert caught.value.line == wrong
            assert caught.value.cure
        return
    assert cut(blocks) == cut([raw]) == expected
    found = split(text)
    assert [(item.text.encode(), item.line) for item in found.items] == [each[1:] for each in expected[1]]
    assert (found.prolog.encode(), found.whole) == (expected[0], expected[2])
    assert ((found.torn.line, found.torn.text.encode()) if found.torn else (0, b"")) == expected[3]


def test_what_was_cut_is_let_go() -> None:
    """A large file takes no more room than a block and a document."""
    cutter = Cutter()
    document = b"---\n" + b"x: 1\n" * 100 + b"...\n"
    for number in range(1000):
        assert [line for *_, line in cutter.feed(document)] == [1 + 102 * number]
        assert len(cutter.data) <= 2 * len(document)
    assert list(cutter.finish()) == []
    assert cutter.whole == 1000 * len(document)


def test_what_is_no_text_between_documents_is_not_passed_over() -> None:
    """Nobody could tell whether it is a comment."""
    with pytest.raises(UnicodeDecodeError):
        cut([b"---\n...\n# \xff\n---\n...\n"])
