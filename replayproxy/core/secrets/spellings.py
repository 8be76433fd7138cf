r"""The other spellings of a text: `\u0073k-…` of JSON, `%73k-…` of a URL, base64, quoted-printable, UTF-16 and UTF-32.

Rules:
1. A spelling is the text as a reader of that format sees it, with the way back: an edit of the text becomes an edit of
   the bytes, and what it puts there is spelled as they are (base64 cannot be: there the placeholder stands as it is).
2. Spellings lie in spellings: JSON in base64 in a form.
3. An edit that is about nothing that was spelled differently is dropped: whoever looks at the bytes sees it as well.
4. What is looked for is ASCII: secrets, and the names that stand before them.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import unquote_to_bytes

from replayproxy.core.secrets.spans import Edit
from replayproxy.core.secrets.views import View, view

__all__ = ["DEPTH", "Spelling", "spellings"]

#: How many spellings may lie in each other.
DEPTH = 3

Back = Callable[[Edit], Edit | None]


@dataclass(frozen=True, slots=True)
class Spelling:
    """A text, and what makes an edit of the bytes of one of the text; None when it changes nothing spelled so."""

    text: bytes
    back: Back


def spellings(data: bytes, depth: int = DEPTH) -> Iterator[Spelling]:
    """The texts that `data` spells in other ways, and those in these."""
    for spelling in _direct(data):
        yield spelling
        if depth > 1:
            for deeper in spellings(spelling.text, depth - 1):
                yield Spelling(deeper.text, partial(_both, deeper.back, spelling.back))


def _both(inner: Back, outer: Back, edit: Edit) -> Edit | None:
    found = inner(edit)
    return found and outer(found)


def _direct(data: bytes) -> Iterator[Spelling]:
    if b"\\u00" in data or b"\\\\/" in data:
        yield from _seen(data, _ESCAPE, _unescaped)
    if b"%" in data:
        yield from _seen(data, _PERCENT, lambda found: unquote_to_bytes(found[0].replace(b"+", b" ")))
    if b"=" in data and b"quoted-printable" in data.lower():
        yield from _seen(data, _QUOTED, lambda found: bytes.fromhex(found[1].decode()) if found[1] else b"")
    if b"\0" in data:
        yield from _wide(data)
    yield from _in_base64(data)


# --- escapes

#: How far before what gives a secret away its name may begin.
_NAME = 80

#: Escapes of JSON for printable characters, at any depth: `\u0073`, `\\u0073`, `\\\\u0073`.
_ESCAPE = re.compile(rb"(\\{1,64}+)(?:u00([2-7][0-9a-fA-F])|/)")
#: A blank of a form is told from a plus only where JSON may have one.
_PERCENT = re.compile(rb"%(?:(?:3[Aa]|2[Cc])\+?|[0-9A-Fa-f]{2})")
_QUOTED = re.compile(rb"=(?:([0-9A-Fa-f]{2})|\r?\n)")


def _seen(data: bytes, escape: re.Pattern[bytes], decoded: Callable[[re.Match[bytes]], bytes]) -> Iterator[Spelling]:
    seen = view(data, 0, len(data), escape, decoded)
    if seen.seen:
        yield Spelling(seen.text, partial(_through, seen))


def _through(seen: View, edit: Edit) -> Edit | None:
    if not seen.touches(max(0, edit.first - _NAME), edit.end):
        return None
    start, end = seen.span(edit.start, edit.end)
    return replace(edit, start=start, end=end, first=min(start, seen.span(edit.first, edit.end)[0]))


def _unescaped(found: re.Match[bytes]) -> bytes:
    """A character; the quotes of a string in a string stay such, and a backslash what it is."""
    if found[2] is None:
        return b"/"
    sign = bytes.fromhex(found[2].decode())
    if sign == b"\\":
        return found[0]
    return b"\\" * (2 * len(found[1]) - 1) + sign if sign == b'"' else sign


# --- UTF-16 and UTF-32

#: Zeros between characters. Written out, and with a zero first: so it costs next to nothing where there are none.
_WIDE = re.compile(rb"\0(?:%b|\0\0%b)" % (rb"[\x01-\xff]\0" * 5, rb"[\x01-\xff]\0\0\0" * 4))
#: By the width of a character and whether its high bytes come first: a text up to where a character is zero.
_TEXTS = {
    (2, False): re.compile(rb"(?:[\x01-\xff]\0|[\s\S][\x01-\xff])*+"),
    (2, True): re.compile(rb"(?:\0[\x01-\xff]|[\x01-\xff][\s\S])*+"),
    (4, False): re.compile(rb"(?:(?!\0\0\0\0)[\s\S]{3}\0)*+"),
    (4, True): re.compile(rb"(?:(?!\0\0\0\0)\0[\s\S]{3})*+"),
}


def _wide(data: bytes) -> Iterator[Spelling]:
    at = 0
    while found := _WIDE.search(data, at):
        start, width = found.start(), 2 if found[0][1] else 4
        low, start, end = max(_ordered(data, at, start, width), key=lambda order: order[2])
        at = max(end, found.end())
        yield Spelling(_narrowed(data[start:end], width, low), partial(_widened, start, width, low))


def _ordered(data: bytes, at: int, zero: int, width: int) -> Iterator[tuple[int, int, int]]:
    """Both orders of bytes for a text whose first `zero` is known: the place of the low byte, and where it stands.

    The wrong one is too short by a byte or more, but both have nearly all of the text.
    """
    if zero > at and data[zero - 1]:
        yield 0, zero - 1, _end_of(data, _TEXTS[width, False], zero - 1)
    yield width - 1, zero, _end_of(data, _TEXTS[width, True], zero)


def _end_of(data: bytes, text: re.Pattern[bytes], start: int) -> int:
    found = text.match(data, start)
    return found.end() if found else start


def _narrowed(raw: bytes, width: int, low: int) -> bytes:
    """A byte for each character; 0xff for those beyond Latin-1."""
    signs = raw[low::width]
    for other in range(width):
        if other != low and any(high := raw[other::width]):
            signs = bytes([0xFF if above else sign for sign, above in zip(signs, high, strict=True)])
    return signs


def _widened(start: int, width: int, low: int, edit: Edit) -> Edit:
    spelled = bytearray(width * len(edit.replacement))
    spelled[low::width] = edit.replacement
    begin, end, first = (start + width * place for place in (edit.start, edit.end, edit.first))
    return Edit(begin, end, bytes(spelled), edit.rule, first)


# --- base64

_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_LETTER = rb"[A-Za-z0-9+/_-]"
#: Base64 of 18 bytes of ASCII: the letters of each four that leave the highest bit of every byte zero. Says at which
#: letter the fours begin, and passes by nearly everything that is not text, images and ids above all.
_FOUR = rb"[ACDI-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589]%b" % _LETTER
_OF_ASCII = re.compile(_FOUR * 6)
_ALL_ASCII = re.compile(rb"(?:%b)*+" % _FOUR)
#: More of it, also in lines.
_MORE = re.compile(rb"(?:%b++|(?:\r?\n|(?:\\r)?\\n)(?=%b))*+" % (_LETTER, _LETTER))
_BREAK = re.compile(rb"\r?\n|(?:\\r)?\\n")
_HIDDEN = b"redacted"
_FROM_URL = bytes.maketrans(b"-_", b"+/")
#: How many letters are looked at together, to tell text from whatever else there is.
_STEP = 256


def _in_base64(data: bytes) -> Iterator[Spelling]:
    at = 0
    while found := _OF_ASCII.search(data, at):
        before = data[max(at, found.start() - _STEP) : found.start()]
        start = found.start() - (len(before) - len(before.rstrip(_LETTERS))) // 4 * 4
        # Text in another script may stand before and behind it; in the middle of something else it is short.
        end = _text_end(data, start)
        if end < found.end():
            start, within = found.start(), _ALL_ASCII.match(data, found.start())
            end = max(_text_end(data, start), within.end() if within else 0)
        at = end
        end -= len(_HIDDEN) if data.startswith(_HIDDEN + b".", end - len(_HIDDEN)) else 0
        lines = view(data, start, end, _BREAK, lambda _: b"")
        yield Spelling(_decoded(lines.text), partial(_in_letters, lines))


def _text_end(data: bytes, at: int) -> int:
    """Where base64 that begins at `at` ends, or ceases to be that of text."""
    left = b""
    while (more := _MORE.match(data, at, at + _STEP)) and more[0]:
        left = _BREAK.sub(b"", left + more[0])
        whole = len(left) // 4 * 4
        raw = _decoded(left[:whole])
        if len(raw.decode("utf-8", "ignore").encode()) * 4 < len(raw) * 3:
            break
        at, left = more.end(), left[whole:]
    return at


def _decoded(letters: bytes) -> bytes:
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    return a2b_base64(letters.translate(_FROM_URL) + b"=" * (-len(letters) % 4))


def _in_letters(lines: View, edit: Edit) -> Edit:
    """The letters that hold something of the bytes that are edited."""
    start, end = lines.span(edit.start * 8 // 6, -(-edit.end * 8 // 6))
    return replace(edit, start=start, end=end, first=min(start, lines.span(edit.first * 8 // 6, edit.end)[0]))
