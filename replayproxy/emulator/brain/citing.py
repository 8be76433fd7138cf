"""The markers with which a text refers to passages that file search found: `【4:0†report.pdf】`.

The first number is the place of the message in its conversation, which for what is made here is always the same; the
second is the place of the passage among those that were found (recordings of the real API).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from replayproxy.emulator.brain.turns import Passage

__all__ = ["citations", "marker"]

_MARKER = re.compile(r"【\d+:(\d+)†[^】]*】")


def marker(place: int, passage: Passage) -> str:
    """The marker of the passage at a place, from 0, among those that were found."""
    return f"【4:{place}†{passage.filename}】"


def citations(text: str, passages: Sequence[Passage]) -> tuple[tuple[str, Passage], ...]:
    """The markers that a text holds, in its order, each with its passage; those that stand for none are only text."""
    found = ((match.group(), int(match.group(1))) for match in _MARKER.finditer(text))
    return tuple((each, passages[place]) for each, place in found if place < len(passages))
