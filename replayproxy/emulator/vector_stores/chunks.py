"""How the text of a file is cut into the chunks that are searched; a token is about a word."""

from __future__ import annotations

import re
from typing import Final

from replayproxy.emulator.records import Json

__all__ = ["chunk_spans", "overlap_problem", "strategy_of"]

#: What the API takes when nothing is said (`auto`): tokens in a chunk, and those that two neighbours share.
AUTO: Final = (800, 400)
#: A word, or so much of a text without blanks.
_WORDS = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]|[^\s\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]{1,40}")


def strategy_of(given: Json | None) -> Json:
    """The chunking strategy as it is answered: one that is chosen automatically is told in its numbers."""
    size, overlap = AUTO
    if given and given.get("type") == "static":
        size, overlap = given["static"]["max_chunk_size_tokens"], given["static"]["chunk_overlap_tokens"]
    return {"type": "static", "static": {"max_chunk_size_tokens": size, "chunk_overlap_tokens": overlap}}


def overlap_problem(given: Json | None) -> str | None:
    """What is wrong with the overlap of a strategy: it must be from 0 to half of a chunk."""
    strategy = strategy_of(given)["static"]
    size, overlap = strategy["max_chunk_size_tokens"], strategy["chunk_overlap_tokens"]
    if 0 <= overlap <= size // 2:
        return None
    return f"chunk_overlap_tokens must be between 0 and half of max_chunk_size_tokens ({size // 2}), but is {overlap}."


def chunk_spans(text: str, strategy: Json) -> list[list[int]]:
    """Where the chunks of a text begin and end, in characters; none when it has no words."""
    size, overlap = strategy["static"]["max_chunk_size_tokens"], strategy["static"]["chunk_overlap_tokens"]
    words = [found.span() for found in _WORDS.finditer(text)]
    spans = []
    first = 0
    while first < len(words):
        last = min(first + size, len(words)) - 1
        spans.append([words[first][0], words[last][1]])
        if last == len(words) - 1:
            break
        first += max(1, size - overlap)
    return spans
