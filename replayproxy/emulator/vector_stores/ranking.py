"""Which texts answer a query best: BM25 over folded words (Robertson and Zaragoza, 2009), the same each time.

A score is the share of what a text could score that had every word of the query often: from 0 to below 1.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

__all__ = ["rewritten", "scores", "words"]

#: How soon more of the same word stops counting, and how much a long text is held against it.
SATURATION: Final = 1.2
LENGTH: Final = 0.75
#: Scripts without blanks between words, of which every character counts as one.
_UNSPACED = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff"
_WORDS = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")
#: The shortest stem that an ending is taken from.
_STEM = 3
#: Words that tell nothing of what is asked; they count only in a query that has no others.
_COMMON = frozenset(
    {
        *("a", "an", "and", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "how", "i", "in", "is"),
        *("it", "its", "me", "my", "of", "on", "or", "our", "that", "the", "their", "this", "to", "was", "we", "what"),
        *("when", "where", "which", "who", "why", "will", "with", "you", "your"),
    }
)
_ENDINGS = (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("es", "e"), ("s", ""))


def words(text: str) -> list[str]:
    """The words of a text, folded: without case and accents, and without the commonest endings of English."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(each for each in plain if not unicodedata.combining(each))
    return [_folded(word) for word in _WORDS.findall(bare)]


def rewritten(query: str) -> str:
    """A query without the words that tell nothing, as the API rewrites questions for its search; never empty."""
    kept = [word for word in _WORDS.findall(query) if word.lower() not in _COMMON]
    return " ".join(kept) or query


def scores(query: str, texts: Sequence[str]) -> list[float]:
    """How well each text answers the query."""
    asked = set(words(query))
    wanted = sorted(asked - _COMMON) or sorted(asked)
    counted = [_counted(text) for text in texts]
    average = sum(total for _, total in counted) / len(counted) if counted else 0.0
    weights = {word: _weight(word, [counts for counts, _ in counted]) for word in wanted}
    most = sum(weights.values()) * (SATURATION + 1)
    if not most:
        return [0.0] * len(texts)
    return [
        sum(weight * _frequency(counts[word], total / average) for word, weight in weights.items() if word in counts)
        / most
        for counts, total in counted
    ]


def _frequency(count: int, length: float) -> float:
    return count * (SATURATION + 1) / (count + SATURATION * (1 - LENGTH + LENGTH * length))


def _weight(word: str, counted: Sequence[Mapping[str, int]]) -> float:
    """How much a word tells: the more, the fewer texts have it."""
    having = sum(word in counts for counts in counted)
    return math.log(1 + (len(counted) - having + 0.5) / (having + 0.5))


@lru_cache(maxsize=2048)
def _counted(text: str) -> tuple[Mapping[str, int], int]:
    """How often a text has which word, and how many words it has; remembered, since it is searched again and again."""
    found = Counter(words(text))
    return found, found.total()


def _folded(word: str) -> str:
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _STEM and not word.endswith("ss"):
            return word[: len(word) - len(ending)] + instead
    return word
