"""A cassette's text cut into its documents (core/cuts.py has the rules), without reading YAML."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from replayproxy.core.cuts import Cut, Cutter
from replayproxy.errors import CassetteError

__all__ = ["CURE_FOREIGN", "Document", "Documents", "renumber", "split", "split_cassette"]

#: What to do about a file that is no cassette.
CURE_FOREIGN = "Name a file that replayproxy recorded, or another name to record to"
_CURE_EMPTY = "Remove it, or restore it from where it was saved"
_NUMBER = re.compile(r"--- # \d+: ")
_FOREIGN = (
    (re.compile(r"^http_interactions:", re.MULTILINE), "a cassette of VCR (Ruby)"),
    (re.compile(r"^interactions:", re.MULTILINE), "a cassette of VCR.py"),
    (re.compile(r"^(?:openapi|swagger):", re.MULTILINE), "an OpenAPI description"),
    (re.compile(r"\A\s*[{\[]"), "a JSON file"),
    (re.compile(r"^replayproxy-config|^(?:mode|cassette|cassettes|listen):", re.MULTILINE), "a config file"),
    (re.compile(r"^(?!#|---|\.\.\.)[^\s:]+:", re.MULTILINE), "a YAML file of another kind"),
)


@dataclass(frozen=True, slots=True)
class Document:
    """The exact text of a document, from `---` to `...` and its line end, and the number of its first line."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Documents:
    """All documents; `prolog` is what stands before the first, `whole` the bytes of UTF-8 up to the last end mark,
    `torn` what was begun after that."""

    prolog: str
    items: tuple[Document, ...]
    whole: int
    torn: Document | None


def split(text: str) -> Documents:
    """Cuts a cassette's text; CassetteError when something stands outside of documents."""
    cutter = Cutter()
    found = _documents(cutter, cutter.feed(text.encode("utf-8", "surrogatepass")))
    found += _documents(cutter, cutter.finish())
    line, torn = cutter.torn
    last = Document(_text(torn), line) if line else None
    return Documents(_text(cutter.prolog), tuple(found), cutter.whole, last)


def split_cassette(text: str) -> Documents:
    """The documents of a cassette's text; CassetteError when it is empty or something else than a cassette."""
    if not text.strip():
        raise CassetteError("the file is empty", cure=_CURE_EMPTY)
    if not re.search(r"replayproxy[\"']?\s*:", text):  # YAML has more ways to write a key than we do
        kind = next((kind for pattern, kind in _FOREIGN if pattern.search(text)), "something else than YAML")
        raise CassetteError(f"this is no cassette of replayproxy; it looks like {kind}", cure=CURE_FOREIGN)
    documents = split(text)
    if not documents.items:
        line = documents.torn.line if documents.torn else 0
        raise CassetteError("the head has no end mark", line=line, cure="Add a line `...` after it, or remove the file")
    return documents


def renumber(text: str, number: int) -> str:
    """A document with `number` in the comment of its first line, if it still has one of ours."""
    return _NUMBER.sub(f"--- # {number}: ", text, count=1) if _NUMBER.match(text) else text


def _documents(cutter: Cutter, cuts: Iterable[Cut]) -> list[Document]:
    return [Document(_text(cutter.data[start:over]), line) for start, _, over, line in cuts]


def _text(raw: bytes | bytearray) -> str:
    return raw.decode("utf-8", "surrogatepass")
