"""Writes a document of a cassette as YAML: fast, for people, and read the same by every reader.

Rules:
1. What YAML 1.1 or 1.2 could take for something else than a string is quoted; numbers are plain, in JSON's grammar.
2. Text of several lines is a literal block, unless it holds what a block cannot keep (CR, control characters) or what
   nobody would see (bidirectional overrides, line separators): then it is double-quoted with escapes.
3. No tags, anchors, merge keys or folded lines; a document never has `---` or `...` at the start of a line.
4. What the reader's budgets would refuse is refused here, as `Unwritable`.

PyYAML's dumper loses NEL, writes lone surrogates that its C reader refuses, leaves `1e3` and `0o17` plain, and takes
ten times as long.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from replayproxy.core.json_layout import Json, Number

__all__ = ["MAX_NESTING", "Rendered", "Unwritable", "block", "emit", "entry", "flow", "key_text", "one_line"]

#: Mappings and sequences inside each other.
MAX_NESTING = 64

# Readers give up on a key after 1,024 characters.
_KEY_LIMIT = 1000
# ... and Python's own give up on an integer of more than 4,300 digits.
_NUMBER_LIMIT = 1000
_LINE_WIDTH = 100
#: Text that is no longer is remembered as it was written.
_REMEMBERED = 64

# What cannot stand for itself: controls, C1 with NEL, line separators, bidirectional controls, byte order mark,
# noncharacters.
_UNSEEN = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff"
_ESCAPED = re.compile(rf'[{_UNSEEN}\t\n"\\]')
_NOT_LITERAL = re.compile(rf"[{_UNSEEN}]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_BLANK = r"\xa0\u1680\u180e\u2000-\u200f\u202f\u205f-\u2065\u3000"
_PLAIN = re.compile(
    rf"(?!.*(?:: | #))(?![{_UNSEEN}{_BLANK}])[A-Za-z_/(\xa1-\uffff]"
    rf"(?:[^{_UNSEEN}{_BLANK}\t\n]*[^{_UNSEEN}{_BLANK}\t\n :])?"
)
_RESERVED = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
# The same for plain ASCII that can be printed, as nearly all of a recording is: the letters do what the patterns do.
_PLAIN_START = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_/(")
_LONGEST_RESERVED = 5
_LINE_START = re.compile(r"\n(?=[^\n])")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}


class Unwritable(ValueError):  # noqa: N818 - a verdict that has an alternative, not a failure
    """A value that YAML cannot hold or a reader would refuse: lone surrogates, very long keys, deep nesting."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A value that was written already: what follows its key, as if the key stood at the start of the line."""

    text: str


def emit(mapping: dict[str, Any], indent: int = 0) -> str:
    """The lines of a block mapping, each entry on lines of its own that begin with `indent` blanks.

    Values are JSON values (see core/json_layout.py), or `Rendered` ones.
    """
    return _mapping(mapping, indent) if mapping else ""


def entry(key: str, value: Json, indent: int) -> str:
    """An entry of a block mapping without what its first line begins with; its other lines begin with more than
    `indent` blanks."""
    return f"{key_text(key)}:{_node(value, indent + 2)}"


@lru_cache(maxsize=4096)
def key_text(text: str) -> str:
    """A key as it is written, without its colon."""
    key = one_line(text)
    if len(key) > _KEY_LIMIT:
        raise Unwritable("a key is too long")
    return key


def one_line(text: str) -> str:
    """Text on one line: plain, single-quoted when that saves escapes, else double-quoted."""
    if text.isascii() and text.isprintable():
        return _printable(text)
    _check(text)
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED:
        return text
    if ('"' in text or "\\" in text) and "\t" not in text and "\n" not in text and not _NOT_LITERAL.search(text):
        return "'" + text.replace("'", "''") + "'"
    return _quoted(text)


def block(value: Json) -> Rendered:
    """A value written in lines; `Unwritable` when YAML cannot hold it."""
    return Rendered(_node(value, 2))


def flow(value: Json) -> Rendered:
    """A value written on one line, as JSON writes it; `Unwritable` when YAML cannot hold it."""
    return Rendered(f" {_flow(value, 0)}\n")


def _mapping(mapping: dict[str, Any], indent: int) -> str:
    pad = " " * indent
    return pad + pad.join(_entries(mapping, indent))


def _entries(mapping: dict[str, Any], indent: int) -> list[str]:
    if indent > 2 * MAX_NESTING:
        raise Unwritable("nested too deeply")
    inner = indent + 2
    return [
        f"{key_text(key)}: {value}\n" if type(value) is int else f"{key_text(key)}:{_node(value, inner)}"
        for key, value in mapping.items()
    ]


def _sequence(items: list[Any], indent: int) -> str:
    pad = " " * indent
    return pad + pad.join(_items(items, indent))


def _items(items: list[Any], indent: int) -> list[str]:
    if indent > 2 * MAX_NESTING:
        raise Unwritable("nested too deeply")
    return [f"-{_item(item, indent + 2)}" for item in items]


def _item(item: Any, indent: int) -> str:
    """What follows a dash: mappings and sequences begin on its line."""
    if item and isinstance(item, dict):
        return " " + (" " * indent).join(_entries(item, indent))
    if item and isinstance(item, list) and not _are_numbers(item):
        return " " + (" " * indent).join(_items(item, indent))
    return _node(item, indent)


def _node(value: Any, indent: int) -> str:
    """What follows a key's colon, line end included; `indent` is where the lines below it begin."""
    kind = type(value)
    if kind is str:
        return _short_line(value) if len(value) <= _REMEMBERED and "\n" not in value else _string(value, indent)
    if kind is int:
        return f" {value}\n"
    if isinstance(value, dict):
        return "\n" + _mapping(value, indent) if value else " {}\n"
    if isinstance(value, list):
        if not value:
            return " []\n"
        return f" {_numbers(value, indent)}\n" if _are_numbers(value) else "\n" + _sequence(value, indent)
    if isinstance(value, Rendered):
        return _indented(value.text, "\n" + " " * (indent - 2))
    if isinstance(value, str):
        return f" {_number(value)}\n" if isinstance(value, Number) else _string(value, indent)
    return f" {orjson.dumps(value).decode()}\n"


def _indented(text: str, line_start: str) -> str:
    """Lines with what they begin with; blank ones stay empty."""
    if "\n\n" in text:
        return _LINE_START.sub(line_start, text)
    return text[:-1].replace("\n", line_start) + text[-1:]


def _string(text: str, indent: int) -> str:
    if "\n" not in text:
        return f" {one_line(text)}\n"
    body = text.rstrip("\n")
    if not body or _NOT_LITERAL.search(text):
        return f" {_quoted(text)}\n"
    _check(text)
    # The reader guesses the indentation from the first line, unless told.
    told = "2" if body[0] in " \t\n" else ""
    chomping = "-" if len(body) == len(text) else "" if len(body) == len(text) - 1 else "+"
    pad = " " * indent
    lines = "\n".join([pad + line if line else "" for line in body.split("\n")])
    return f" |{told}{chomping}\n{lines}{text[len(body) :] or chr(10)}"


@lru_cache(maxsize=4096)
def _short_line(text: str) -> str:
    """The names of models and of roles, and much else of an exchange, were in one before."""
    return f" {one_line(text)}\n"


def _printable(text: str) -> str:
    """The same for text of printable ASCII."""
    plain = text[:1] in _PLAIN_START and text[-1] not in " :" and ": " not in text and " #" not in text
    if plain and (len(text) > _LONGEST_RESERVED or text.lower() not in _RESERVED):
        return text
    if '"' in text or "\\" in text:
        return "'" + text.replace("'", "''") + "'"
    return f'"{text}"'


@lru_cache(maxsize=4096)
def _short_quoted(text: str) -> str:
    """Every event of a stream repeats most of the one before."""
    return _quoted(text)


def _quoted(text: str) -> str:
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    _check(text)
    return '"' + _ESCAPED.sub(_escape, text) + '"'


def _check(text: str) -> None:
    if not text.isascii() and _SURROGATE.search(text):
        raise Unwritable("a lone surrogate cannot be written")


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def _flow(value: Json, depth: int) -> str:
    kind = type(value)
    if kind is str:
        return _short_quoted(value) if len(value) <= _REMEMBERED else _quoted(value)
    if kind is int:
        return str(value)
    if depth > MAX_NESTING:
        raise Unwritable("nested too deeply")
    if isinstance(value, dict):
        return "{" + ", ".join([f"{_flow_key(key)}: {_flow(item, depth + 1)}" for key, item in value.items()]) + "}"
    if isinstance(value, list):
        return "[" + ", ".join([_flow(item, depth + 1) for item in value]) + "]"
    return _number(value) if isinstance(value, Number) else orjson.dumps(value).decode()


@lru_cache(maxsize=1024)
def _flow_key(text: str) -> str:
    key = _quoted(text)
    if len(key) > _KEY_LIMIT:
        raise Unwritable("a key is too long")
    return key


def _number(number: float | Number) -> str:
    text = str(number) if isinstance(number, Number) else orjson.dumps(number).decode()
    if len(text) > _NUMBER_LIMIT:
        raise Unwritable("a number is too long")
    return text


def _are_numbers(items: list[Any]) -> bool:
    return all(isinstance(item, (int, float, Number)) and not isinstance(item, bool) for item in items)


def _numbers(items: list[Json], indent: int) -> str:
    """Numbers in brackets, in lines of up to a hundred characters: an embedding has 1,536 of them."""
    lines, line = list[str](), ""
    for item in items:
        number = _number(item)
        if line and indent + len(line) + len(number) > _LINE_WIDTH:
            lines.append(line)
            line = ""
        line += f", {number}" if line else number
    pad = " " * indent
    return "[" + f",\n{pad}".join([*lines, line]) + "]"
