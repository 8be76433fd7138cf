"""The pieces a text is streamed in, and where a text is cut: about as large as a model's tokens.

A model sends a word with the blank before it ("Hello", ", ", " world" is "Hello", ",", " world"), punctuation alone,
and long words in several pieces. The pieces joined are the text, character for character.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from replayproxy.emulator.brain.turns import Reply

__all__ = ["StreamCut", "cut", "pieces", "sent"]

#: Characters of the longest piece of one word: longer ones come in several.
_LONGEST: Final = 12
#: A word with at most one blank before it; a run of punctuation of the same character; line ends; other blanks (all but
#: the last, which belongs to the word behind it); anything else, one by one.
_PIECE: Final = re.compile(
    rf"[^\S\n]?\w{{1,{_LONGEST}}}|[^\S\n]?([^\w\s])\1*|\n+|[^\S\n]+(?=[^\S\n])|[^\S\n]", re.UNICODE
)


class StreamCut(Exception):  # noqa: N818 -- no mistake: it is what was asked for
    """The reply says that the stream breaks off here: the connection is to be dropped."""


def cut(text: str) -> tuple[str, ...]:
    """The pieces of a text; joined they are the text."""
    return tuple(found.group() for found in _PIECE.finditer(text))


def pieces(reply: Reply) -> tuple[str, ...]:
    """What is sent piece by piece when a reply is streamed: its own pieces where it has them, else its text's."""
    return reply.pieces or cut(reply.text)


def sent(reply: Reply) -> Iterator[str]:
    """The pieces of a reply one after the other, for a stream that is made while it is sent.

    Raises StreamCut after as many as the reply says in `cut`; one that is longer than the text breaks off at its end.
    """
    told = pieces(reply)
    yield from told if reply.cut is None else told[: reply.cut]
    if reply.cut is not None:
        raise StreamCut
