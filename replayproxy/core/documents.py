"""A cassette's text cut into its documents, without reading YAML.

Rules:
1. A document begins with a line `---` and ends with a line `...`, both at the start of the line, where nothing that
   stands inside a document can. Between documents there are blank lines and comments only.
2. What follows the last end mark is torn: the writer died over it. It is told, and never part of the cassette.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from replayproxy.errors import CassetteError

__all__ = ["Document", "Documents", "split"]

_MARK = re.compile(r"^(?:---|\.\.\.)(?!\S)[^\n]*\n?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Document:
    """The exact text of a document, from `---` to `...` and its line end, and the number of its first line."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Documents:
    """All documents; `prolog` is what stands before the first, `whole` the characters up to the last end mark, `torn`
    what was begun after that."""

    prolog: str
    items: tuple[Document, ...]
    whole: int
    torn: Document | None


def split(text: str) -> Documents:
    """Cuts a cassette's text; CassetteError when something stands outside of documents."""
    items, begun, whole, prolog = list[Document](), -1, 0, text
    lines = _Lines(text)
    for mark in _MARK.finditer(text):
        if text[mark.start()] == "-":
            if begun >= 0:
                raise CassetteError("this document has no end mark", line=lines.at(begun), cure=_NO_END)
            _check_gap(text, whole, mark.start(), lines)
            begun = mark.start()
            prolog = prolog if items else text[:begun]
        elif begun < 0:
            raise CassetteError("an end mark `...` without a document", line=lines.at(mark.start()), cure=_STRAY)
        else:
            end = mark.group() if mark.group().endswith("\n") else mark.group() + "\n"
            items.append(Document(text[begun : mark.start()] + end, lines.at(begun)))
            begun, whole = -1, mark.end()
    return Documents(prolog, tuple(items), whole, _torn(text, begun, whole, lines))


_NO_END = "Add a line `...` where it ends, or remove it"
_STRAY = "Begin each document with a line `---`, or remove this"


def _torn(text: str, begun: int, whole: int, lines: _Lines) -> Document | None:
    if begun < 0:
        begun = _content(text, whole, len(text))
    return Document(text[begun:], lines.at(begun)) if begun >= 0 else None


def _check_gap(text: str, start: int, end: int, lines: _Lines) -> None:
    stray = _content(text, start, end)
    if stray >= 0:
        raise CassetteError("this stands outside of any document", line=lines.at(stray), cure=_STRAY)


def _content(text: str, start: int, end: int) -> int:
    """Where something else than blank lines and comments stands, or -1."""
    position = start
    for line in text[start:end].split("\n"):
        content = line.lstrip("\ufeff" if position == 0 else None).strip()
        if content and not content.startswith("#"):
            return position
        position += len(line) + 1
    return -1


class _Lines:
    """Line numbers of growing positions, counted once."""

    def __init__(self, text: str) -> None:
        self._text, self._position, self._line = text, 0, 1

    def at(self, position: int) -> int:
        """The number of the line that `position` stands in."""
        self._line += self._text.count("\n", self._position, position)
        self._position = position
        return self._line
