r"""The paths of rules, in the grammar in which differences are named: what a miss reports is a rule as it stands.

    path                     the path of the URL
    query.NAME  header.NAME  the fields of that name; `*` for all names
    body                     the body as a whole
    body.NAME  body[3]       a member, an item (from 0), a form field; as deep as needed: body.messages[3].content
    body.parts[0].filename   a fact about a part of a multipart body: name, filename, content-type, content
    ['any name']             in place of .NAME, for a name with characters other than letters, digits, `_` and `-`:
                             quoted and escaped as a Python string
    .*  [*]                  any one member or item
    .**                      any number of steps, none included; once in a path

The method has no path: what is asked with another method is another request.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal, cast

from replayproxy.errors import ConfigError

__all__ = ["ANY", "DEEP", "Root", "RulePath", "Step", "Wild"]

Root = Literal["path", "query", "header", "body"]


class Wild(Enum):
    """The type of `ANY` and `DEEP`."""

    ANY = "*"
    DEEP = "**"


#: Steps that stand for any one name or index, and for any number of them.
ANY: Final = Wild.ANY
DEEP: Final = Wild.DEEP

Step = str | int | Wild

_ROOTS = ("body", "header", "path", "query")
_HEX = "[0-9A-Fa-f]"
_ESCAPED = rf"\\(?:[nrt'\"\\]|x{_HEX}{{2}}|u{_HEX}{{4}}|U00(?:0{_HEX}|10){_HEX}{{4}})"
_STEP = re.compile(
    r"\.(?P<name>\*\*?|[A-Za-z0-9_-]+)"
    r"|\[(?:(?P<index>[0-9]{1,9})|(?P<any>\*)"
    rf"|'(?P<single>(?:[^'\\]|{_ESCAPED})*)'|\"(?P<double>(?:[^\"\\]|{_ESCAPED})*)\")\]",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:x(..)|u(....)|U(........)|(.))")
_PLAIN_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_EXPECTED = "expected .NAME, [NUMBER], [*], .* or ['NAME']"


@dataclass(frozen=True, slots=True)
class RulePath:
    """A path, parsed: where it begins, and the steps from there. `text` is how it was written."""

    root: Root
    steps: tuple[Step, ...] = ()
    text: str = field(default="", compare=False)
    _only: Step | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        fixed = [step for step in self.steps if step is not DEEP]
        only = fixed[0] if len(fixed) == 1 else ANY if self.steps and not fixed else None
        object.__setattr__(self, "_only", only)

    def __str__(self) -> str:
        return self.text

    @classmethod
    def parse(cls, text: str) -> RulePath:
        """The path that `text` spells; raises ConfigError that says what is wrong with it, and where."""
        word = re.split(r"[.\[]", text, maxsplit=1)[0]
        if word == "method":
            raise ConfigError("method: another method makes another request; a scope can name one")
        if word not in _ROOTS:
            raise ConfigError(f"{text[:80]!r}: a path begins with one of {', '.join(_ROOTS)}")
        steps = tuple(_steps(text, len(word)))
        if word == "header":
            steps = tuple(step.lower() if isinstance(step, str) else step for step in steps)
        _check(text, word, steps)
        return cls(cast("Root", word), steps, text)

    def leads_to(self, name: str) -> bool:
        """Whether the path leads to the field `name` of fields that hold nothing further: a query, headers, a form."""
        return self._only == name or self._only is ANY


def _steps(text: str, place: int) -> Iterator[Step]:
    while place < len(text):
        found = _STEP.match(text, place)
        if found is None:
            raise ConfigError(f"{text[:80]!r}: at character {place + 1}, {text[place : place + 20]!r}: {_EXPECTED}")
        yield _step(found)
        place = found.end()


def _step(found: re.Match[str]) -> Step:
    if found["name"] in ("*", "**"):
        return Wild(found["name"])
    if found["any"]:
        return ANY
    if found["index"]:
        return int(found["index"])
    quoted = found["single"] if found["single"] is not None else found["double"]
    return found["name"] or _ESCAPE.sub(_unescaped, quoted)


def _unescaped(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    return chr(int(code, 16)) if code else _PLAIN_ESCAPES.get(found[4], found[4])


def _check(text: str, root: str, steps: tuple[Step, ...]) -> None:
    shown = repr(text[:80])
    if root == "path" and steps:
        raise ConfigError(f"{shown}: the path is one text; nothing comes after `path`")
    if root in ("query", "header") and not (len(steps) == 1 and (isinstance(steps[0], str) or steps[0] is ANY)):
        raise ConfigError(f"{shown}: expected {root}.NAME, or {root}.* for all names")
    if steps.count(DEEP) > 1:
        raise ConfigError(f"{shown}: ** may stand in a path once")
