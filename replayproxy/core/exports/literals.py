"""Values as source text: literals of Python and JavaScript, words of a shell.

Rule: what is not seen (control characters, directions of writing, bytes that are no text) is always spelled out, so
that pasted text is what it looks like.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["JAVASCRIPT", "PYTHON", "Dialect", "bytes_literal", "word"]

_WIDTH = 88
_SAFE_WORD = re.compile(r"[A-Za-z0-9_./:@%+,-]+")
_IN_DOLLAR_QUOTES = {"\n": "\\n", "\t": "\\t", "\\": "\\\\", "'": "\\x27", "!": "\\x21"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a language spells the values of JSON; `far` spells a character beyond U+FFFF that is not seen."""

    words: Mapping[bool | None, str]
    far: Callable[[int], str]
    step: str

    def text(self, text: str) -> str:
        """A string in double quotes."""
        return f'"{"".join(map(self._char, text))}"'

    def value(self, value: Any, indent: str = "") -> str:
        """A value of JSON, over lines when it is long; the lines after the first begin with `indent`."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bool) or value is None:
            return self.words[value]
        if not isinstance(value, dict | list):
            return repr(value)
        return self._within(value, indent)

    def _within(self, value: dict[str, Any] | list[Any], indent: str) -> str:
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        inner = indent + self.step
        items = (
            [f"{self.text(key)}: {self.value(each, inner)}" for key, each in value.items()]
            if isinstance(value, dict)
            else [self.value(each, inner) for each in value]
        )
        line = f"{opening}{', '.join(items)}{closing}"
        if "\n" not in line and len(line) + len(indent) <= _WIDTH:
            return line
        lines = "".join(f"{inner}{item},\n" for item in items)
        return f"{opening}\n{lines}{indent}{closing}"

    def _char(self, char: str) -> str:
        if char in '"\\\n\r\t':
            return json.dumps(char)[1:-1]
        if char.isprintable():
            return char
        return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else self.far(ord(char))


PYTHON = Dialect({True: "True", False: "False", None: "None"}, lambda code: f"\\U{code:08x}", "    ")
JAVASCRIPT = Dialect({True: "true", False: "false", None: "null"}, lambda code: f"\\u{{{code:x}}}", "  ")


def bytes_literal(data: bytes) -> str:
    """An expression of Python for bytes: readable where they are text, base64 (which takes an import) where not."""
    if data.isascii() and sum(data.count(char) for char in range(32)) * 8 <= len(data) + 64:
        return repr(data)
    try:
        return f"{PYTHON.text(data.decode())}.encode()"
    except UnicodeDecodeError:
        return f'base64.b64decode("{b64encode(data).decode()}")'


def word(text: str) -> str:
    """A word for bash and zsh; bytes that are no text are lone surrogates (core/messages.py). ValueError for NUL."""
    if "\0" in text:
        raise ValueError("no argument can hold a NUL")
    if _SAFE_WORD.fullmatch(text):
        return text
    if all(char.isprintable() or char == "\n" for char in text):
        return "'" + text.replace("'", "'\\''") + "'"
    return f"$'{''.join(map(_dollar_quoted, text))}'"


def _dollar_quoted(char: str) -> str:
    if char in _IN_DOLLAR_QUOTES:
        return _IN_DOLLAR_QUOTES[char]
    if char.isprintable():
        return char
    return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))
