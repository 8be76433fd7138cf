"""The text in a file: what a vector store makes of an upload.

Text is UTF-8 (UTF-16 with its mark), HTML without its tags. Of a DOCX or PPTX the paragraphs are taken, of a PDF the
text that it shows in plain strings; one whose text is coded by its fonts has none that could be read without them.
"""

from __future__ import annotations

import html
import re
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Final

__all__ = ["text_of"]

#: The most that is unpacked of a file, in bytes: a small archive can hold anything.
MOST: Final = 32 * 1024**2
_HIDDEN = re.compile(r"<(?:(script|style|head)\b|!--)", re.IGNORECASE)
_ENDS = {
    "": re.compile("-->"),
    **{name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in ("script", "style", "head")},
}
_BREAKS = re.compile(r"</?(?:p|div|br|li|ul|ol|tr|h[1-6]|table|section|article)\b[^<>]*>", re.IGNORECASE)
_TAGS = re.compile(r"<[^<>]*>")
_PARAGRAPHS = re.compile(r"</(?:w|a):p>")
_PAGES = re.compile(r"word/document\.xml|ppt/slides/slide(\d+)\.xml")
_STREAM = re.compile(rb"stream\r?\n")
_SHOWN = re.compile(rb"\((?:\\.|[^\\()])*\)\s*(?:Tj|'|\")|\[(?:\((?:\\.|[^\\()])*\)|[^\[\]()])*\]\s*TJ|T\*|Td|TD|ET")
_STRINGS = re.compile(rb"\(((?:\\.|[^\\()])*)\)", re.DOTALL)
_ESCAPES = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"", b"f": b""}
#: Of what counts as text, at most one character in so many is none.
_RARE = 20


def text_of(filename: str, content: bytes) -> str | None:
    """The text of a file, or None when it has none that can be read."""
    if content.startswith(b"%PDF-"):
        return _sound(_pdf(content))
    if content.startswith(b"PK\x03\x04"):
        return _sound(_office(content))
    text = _decoded(content)
    if text is None or _sound(text) is None:
        return None
    is_html = filename.lower().endswith((".html", ".htm", ".xhtml")) or text.lstrip()[:15].lower() == "<!doctype html>"
    return _plain(text) if is_html else text


def _decoded(content: bytes) -> str | None:
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return content.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError:
        return None


def _sound(text: str | None) -> str | None:
    """The text, unless it has too much in it that no text has."""
    if text is None:
        return None
    odd = sum(1 for each in text if each < " " and each not in "\t\n\r\f")
    return text if odd * _RARE <= len(text) else None


def _plain(markup: str) -> str:
    """Markup without its tags, a line for each block."""
    bare = html.unescape(_TAGS.sub("", _BREAKS.sub("\n", "".join(_shown_markup(markup)))))
    return "\n".join(filter(None, map(str.strip, bare.splitlines())))


def _shown_markup(markup: str) -> Iterator[str]:
    """Markup without what is never shown; what is opened and not closed hides the rest."""
    place = 0
    while opened := _HIDDEN.search(markup, place):
        yield markup[place : opened.start()]
        closed = _ENDS[(opened[1] or "").lower()].search(markup, opened.end())
        if closed is None:
            return
        place = closed.end()
    yield markup[place:]


def _office(content: bytes) -> str | None:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            named = [(_PAGES.fullmatch(each.filename), each) for each in archive.infolist()]
            found = [(int(name[1] or 0), each) for name, each in named if name]
            if not found or sum(each.file_size for _, each in found) > MOST:
                return None
            pages = [archive.read(each) for _, each in sorted(found, key=lambda pair: pair[0])]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, zlib.error):
        return None
    markup = "\n".join(page.decode("utf-8", "replace") for page in pages)
    return _plain(_PARAGRAPHS.sub("\n", markup)) or None


def _pdf(content: bytes) -> str | None:
    room = MOST
    lines: list[str] = []
    for packed in _streams(content):
        stream = _unpacked(packed, room)
        room -= len(stream)
        lines += _shown(stream)
    text = "".join(lines).strip()
    return text or None


def _streams(content: bytes) -> Iterator[bytes]:
    place = 0
    while begins := _STREAM.search(content, place):
        ends = content.find(b"endstream", begins.end())
        if ends < 0:
            return
        yield content[begins.end() : ends]
        place = ends + len(b"endstream")


def _unpacked(stream: bytes, room: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(stream, max(room, 1))
    except zlib.error:
        return stream[:room]


def _shown(stream: bytes) -> list[str]:
    """What the operators of a page show, a new line wherever the place is moved."""
    shown = []
    for operator in _SHOWN.finditer(stream) if b"BT" in stream else ():
        strings = _STRINGS.findall(operator.group())
        shown.append(b"".join(map(_unescaped, strings)).decode("cp1252", "replace") if strings else "\n")
    return shown


def _unescaped(string: bytes) -> bytes:
    def plain(found: re.Match[bytes]) -> bytes:
        escape = found[1]
        return bytes([int(escape, 8) & 255]) if escape.isdigit() else _NAMED.get(escape, escape)

    return _ESCAPES.sub(plain, string)
