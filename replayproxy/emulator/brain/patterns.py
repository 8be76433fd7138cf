r"""Texts that a regular expression takes, for the simple ones that JSON Schemas have.

Known are literals, escapes (`\d \w \s \p{L}`…), classes, groups, alternatives, repetitions and anchors. Look-around,
back references and other finesse are not: then there is no text, or one that the caller finds to be wrong.
"""

from __future__ import annotations

import re
import string
from typing import Final

__all__ = ["matching"]

_DIGITS = string.digits
_WORDS = string.ascii_lowercase + string.digits + string.ascii_uppercase + "_"
_PRINTABLE = string.ascii_lowercase + string.digits + string.ascii_uppercase + string.punctuation + " "


def _others(members: str) -> str:
    return "".join(each for each in _PRINTABLE if each not in members)


_ESCAPES: Final = {
    "d": _DIGITS,
    "w": _WORDS,
    "s": " \t\n",
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "f": "\f",
    "v": "\v",
    "0": "\0",
    "D": _others(_DIGITS),
    "W": _others(_WORDS),
    "S": _others(" "),
}
_NUMBERED: Final = re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}")
_PROPERTY: Final = re.compile(r"[pP]\{\^?(?:[A-Za-z_]+=)?([A-Za-z]+)\}")
_PROPERTIES: Final = {"N": _DIGITS, "P": string.punctuation, "Z": " ", "S": "$+<=>^`|~", "Lu": string.ascii_uppercase}
_COUNTS: Final = re.compile(r"\{(\d+)(?:(,)(\d*))?\}")
_GROUP: Final = re.compile(r"\?(?::|P?<[A-Za-z_]\w*>)")
#: Repetitions beyond this are not made: a text would become huge.
_MOST: Final = 10_000


class _Unknown(Exception):  # noqa: N818 -- says that something is not known here
    """The expression has something that is not known here."""


def matching(pattern: str, shortest: int = 0, pick: int = 0) -> str | None:
    """A text in which `pattern` finds itself, with at least `shortest` characters where it can be had.

    Another `pick` gives another text where there is one. None: the pattern is not of the simple kind.
    """
    try:
        made = _Making(pattern, 0, pick).whole()
        for more in range(1, min(shortest, _MOST) + 1):
            if len(made) >= shortest:
                break
            made = _Making(pattern, more, pick).whole()
    except (_Unknown, RecursionError):
        return None
    return made + "a" * (shortest - len(made)) if not pattern.endswith("$") else made


class _Making:
    """One walk through a pattern that makes the text on the way: each repetition `more` often than it must."""

    def __init__(self, pattern: str, more: int, pick: int) -> None:
        self._pattern, self._more, self._pick = pattern, more, pick
        self._place = 0

    def whole(self) -> str:
        """The text of the whole pattern."""
        made = self._alternatives()
        if self._place < len(self._pattern):
            raise _Unknown
        return made

    def _alternatives(self) -> str:
        made = [self._sequence()]
        while self._take("|"):
            made.append(self._sequence())
        return made[self._pick % len(made)]

    def _sequence(self) -> str:
        made = []
        while self._place < len(self._pattern) and self._pattern[self._place] not in "|)":
            piece = self._piece()
            made.append(piece * self._times())
        return "".join(made)

    def _piece(self) -> str:
        character = self._next()
        if character in "^$":
            return ""
        if character == "(":
            return self._group()
        if character == "[":
            return self._chosen(self._class())
        if character == "\\":
            return "" if self._take("b") else self._chosen(self._escape())
        if character in "*+?":
            raise _Unknown
        return self._chosen(_PRINTABLE) if character == "." else character

    def _group(self) -> str:
        if self._pattern.startswith("?", self._place):
            found = _GROUP.match(self._pattern, self._place)
            if found is None:
                raise _Unknown
            self._place = found.end()
        made = self._alternatives()
        if not self._take(")"):
            raise _Unknown
        return made

    def _times(self) -> int:
        """How often what was just read is repeated."""
        least, most = 1, 1
        found = _COUNTS.match(self._pattern, self._place)
        if found:
            self._place = found.end()
            least = int(found[1])
            most = least if not found[2] else int(found[3]) if found[3] else _MOST
        elif self._place < len(self._pattern) and self._pattern[self._place] in "*+?":
            sign = self._next()
            least, most = int(sign == "+"), 1 if sign == "?" else _MOST
        else:
            return 1
        if not self._take("?"):
            self._take("+")
        if least > _MOST:
            raise _Unknown
        return max(least, min(least + self._more, most))

    def _class(self) -> str:
        """The characters of a class whose bracket was just read."""
        denied, members = self._take("^"), ""
        while not self._take("]"):
            first = self._member()
            if self._pattern.startswith("-", self._place) and not self._pattern.startswith("-]", self._place):
                self._place += 1
                last = self._member()
                members += "".join(map(chr, range(ord(first[0]), min(ord(last[0]), ord(first[0]) + 500) + 1)))
            else:
                members += first
        return _others(members) if denied else members

    def _member(self) -> str:
        character = self._next()
        return self._escape() if character == "\\" else character

    def _escape(self) -> str:
        """The characters that an escape stands for whose backslash was just read."""
        for known in (_NUMBERED, _PROPERTY):
            found = known.match(self._pattern, self._place)
            if found:
                self._place = found.end()
                break
        if found and found.re is _NUMBERED:
            return chr(min(int(found[1] or found[2] or found[3], 16), 0x10FFFF))
        if found:
            members = _PROPERTIES.get(found[1], _PROPERTIES.get(found[1][0], string.ascii_letters))
            return _others(members) if found.group().startswith("P") else members
        character = self._next()
        if character in "123456789Bk":
            raise _Unknown
        return _ESCAPES.get(character, character)

    def _chosen(self, characters: str) -> str:
        if not characters:
            raise _Unknown
        return characters[self._pick % len(characters)]

    def _next(self) -> str:
        if self._place >= len(self._pattern):
            raise _Unknown
        self._place += 1
        return self._pattern[self._place - 1]

    def _take(self, character: str) -> bool:
        found = self._pattern.startswith(character, self._place)
        self._place += found
        return found
