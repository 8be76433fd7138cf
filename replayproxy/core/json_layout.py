"""JSON text as a value and the layout that gives the same bytes back.

Rules:
1. `read` answers only when `render` gives the identical bytes; what does not (repeated keys, odd white space, mixed
   escapes) has no layout and is kept as text.
2. Numbers keep their spelling: an `int` or `float` stands for the spelling orjson gives it, a `Number` for any other.
3. A layout has a name, as it stands in a cassette: `compact`, `spaced`, `indent 2` or `indent tab`, then flags:
   `ascii` (as Python's json writes), `html` (as Go's), `slash` (`\\/`, as PHP's), `newline` (one at the end).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Any

import orjson

__all__ = ["COMPACT", "FLAGS", "Json", "Layout", "Number", "parse_layout", "plain_or_number", "read", "render"]

#: None, bool, int, float, Number, str, list and dict of these.
Json = Any

FLAGS = ("ascii", "html", "slash", "newline")

_SMALL_INTEGER = re.compile(r"-?[1-9][0-9]{0,17}|0")
_INDENT = re.compile(r"[\[{]\n( {1,9}|\t)(?![ \t])")
_HTML = re.compile(r"\\u003[ce]|\\u0026|\\u202[89]")
_LAYOUT = re.compile(r"(compact|spaced|indent (?:[1-9]|tab))((?:, (?:ascii|html|slash|newline))*)")


class Number(str):
    """A JSON number whose spelling neither int nor float would keep: `1.0e5`, `-0`, an integer of 20 digits."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """How JSON text is laid out; `indent` is empty for text on one line."""

    spaced: bool = False
    indent: str = ""
    flags: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name that stands in a cassette."""
        width = "tab" if self.indent == "\t" else str(len(self.indent))
        style = f"indent {width}" if self.indent else "spaced" if self.spaced else "compact"
        return ", ".join((style, *self.flags))


COMPACT = Layout()
_INDENT_2 = Layout(indent="  ")
_BY_ORJSON = {COMPACT: 0, _INDENT_2: orjson.OPT_INDENT_2}


def parse_layout(name: str) -> Layout:
    """The layout of that name; ValueError when there is none."""
    found = _LAYOUT.fullmatch(name)
    if found is None:
        raise ValueError(f"no layout is called {name!r:.80}")
    style, _, width = found[1].partition(" ")
    indent = "\t" if width == "tab" else " " * int(width or 0)
    return Layout(style == "spaced", indent, tuple(flag for flag in FLAGS if f", {flag}" in found[2]))


def plain_or_number(spelling: str) -> int | float | Number:
    """The number that a JSON spelling stands for, so that rendering it gives the spelling back."""
    if _SMALL_INTEGER.fullmatch(spelling):
        return int(spelling)
    value = float(spelling)
    return value if orjson.dumps(value) == spelling.encode() else Number(spelling)


def read(raw: bytes) -> tuple[Json, Layout] | None:
    """The value and the layout of a JSON text, or None when no layout gives the same bytes."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _read_odd(raw)
    layout = _INDENT_2 if raw[1:2] == b"\n" else COMPACT
    return (value, layout) if orjson.dumps(value, option=_BY_ORJSON[layout]) == raw else _read_odd(raw)


def render(value: Json, layout: Layout) -> bytes:
    """The JSON text of a value; UnicodeEncodeError for a lone surrogate when the layout is not `ascii`."""
    if layout in _BY_ORJSON:
        try:
            return orjson.dumps(value, option=_BY_ORJSON[layout] | orjson.OPT_PASSTHROUGH_SUBCLASS)
        except TypeError:  # a Number, an integer beyond 64 bits or a lone surrogate
            pass
    text = _Writer(layout).text(value, "\n")
    return (text + "\n" if "newline" in layout.flags else text).encode()


def _read_odd(raw: bytes) -> tuple[Json, Layout] | None:
    try:
        text = raw.decode()
        value = json.loads(text, parse_int=plain_or_number, parse_float=plain_or_number, parse_constant=_refuse)
        for layout in _candidates(text):
            if render(value, layout) == raw:
                return value, layout
    except (ValueError, RecursionError):  # not JSON, not UTF-8, or nested too deeply
        pass
    return None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _candidates(text: str) -> Iterator[Layout]:
    found = _INDENT.match(text)
    styles = [Layout(indent=found[1])] if found else [Layout(), Layout(spaced=True)]
    # A sign of a flag may stand there for another reason: U+2028 is no ASCII, a backslash may come before a slash.
    signs = {
        "ascii": "\\u" in text and text.isascii(),
        "html": _HTML.search(text) is not None,
        "slash": "\\/" in text,
    }
    possible = [(False, True) if sign else (False,) for sign in signs.values()]
    for chosen in product(*possible):
        present = {**dict(zip(signs, chosen, strict=True)), "newline": text.endswith("\n")}
        for style in styles:
            yield Layout(style.spaced, style.indent, tuple(flag for flag in FLAGS if present[flag]))


class _Writer:
    """Writes one text in one layout."""

    def __init__(self, layout: Layout) -> None:
        self._indent = layout.indent
        self._colon = ": " if layout.indent or layout.spaced else ":"
        self._comma = ", " if layout.spaced else ","
        self._string = _escaper(layout.flags)

    def text(self, value: Json, line: str) -> str:
        """The text of a value; `line` is the line end and indentation where it stands."""
        if isinstance(value, Number):
            return str(value)
        if isinstance(value, str):
            return self._string(value)
        if isinstance(value, dict):
            inner = line + self._indent
            items = [f"{self._string(key)}{self._colon}{self.text(item, inner)}" for key, item in value.items()]
            return self._joined("{", items, "}", line)
        if isinstance(value, list):
            inner = line + self._indent
            return self._joined("[", [self.text(item, inner) for item in value], "]", line)
        return orjson.dumps(value).decode()

    def _joined(self, opening: str, items: list[str], closing: str, line: str) -> str:
        if not items or not self._indent:
            return opening + self._comma.join(items) + closing
        inner = line + self._indent
        return opening + inner + ("," + inner).join(items) + line + closing


def _escaper(flags: tuple[str, ...]) -> Callable[[str], str]:
    plain: Callable[[str], str] = encode_basestring_ascii if "ascii" in flags else encode_basestring
    replaced = [("/", "\\/")] if "slash" in flags else []
    if "html" in flags:
        replaced += [(character, f"\\u{ord(character):04x}") for character in "<>&\u2028\u2029"]
    if not replaced:
        return plain

    def escape(text: str) -> str:
        escaped = plain(text)
        for character, spelled in replaced:
            escaped = escaped.replace(character, spelled)
        return escaped

    return escape
