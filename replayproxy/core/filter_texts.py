"""How a filter looks for text: in an exchange's heads and bodies, and in short words with `*` for anything.

Rules: letters of either case are the same; text is found in JSON however its quotes, line ends and accents are escaped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

__all__ = ["Texts", "body_of", "contains", "fits", "head_of"]

#: Gives the request's and the response's text: head lines, an empty line, the body; "" when there is no message.
Texts = Callable[[], tuple[str, str]]


def head_of(message: str) -> str:
    """The head lines of a message's text."""
    return message.partition("\n\n")[0]


def body_of(message: str) -> str:
    """The body of a message's text."""
    return message.partition("\n\n")[2]


def contains(wanted: str) -> Callable[[Iterable[str]], bool]:
    """Whether one of some texts holds the wanted one: as it is, or as JSON writes it."""
    spellings = {wanted, json.dumps(wanted)[1:-1], json.dumps(wanted, ensure_ascii=False)[1:-1]}
    needles = tuple(each.casefold() for each in sorted(spellings))

    def found(texts: Iterable[str]) -> bool:
        return any(needle in text for text in map(str.casefold, texts) for needle in needles)

    return found


def fits(pattern: str, text: str) -> bool:
    """Whether a text is the pattern, in which `*` stands for anything; takes a time that is linear in both."""
    first, *others = pattern.casefold().split("*")
    rest = text.casefold()
    if not others:
        return rest == first
    if not rest.startswith(first):
        return False
    rest, last = rest[len(first) :], others.pop()
    for part in others:
        _, found, rest = rest.partition(part) if part else ("", "-", rest)
        if not found:
            return False
    return rest.endswith(last)
