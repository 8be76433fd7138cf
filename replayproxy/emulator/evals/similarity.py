"""How alike two texts are, by the measures that graders know: each from 0 (nothing in common) to 1 (the same).

The measures are those of the literature over lower-case words, without the synonyms and stems that some add; where the
real ones weigh differently, a number differs, too. Of long texts the beginning is compared.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Final

__all__ = ["similarity"]

_WORDS = re.compile(r"\w+")
_LONGEST_GRAM: Final = 4
#: How much of a text is compared, in characters and in words: some measures take the square of it.
_CHARACTERS: Final = 5000
_MOST_WORDS: Final = 1000
Words = Sequence[str]


def similarity(metric: str, text: str, reference: str) -> float:
    """How alike a text is to a reference by a metric of the API; texts without words are alike when both are."""
    if metric == "fuzzy_match":
        return SequenceMatcher(None, text[:_CHARACTERS], reference[:_CHARACTERS], autojunk=False).ratio()
    one, other = (_WORDS.findall(each.lower())[:_MOST_WORDS] for each in (text, reference))
    if not one or not other:
        return float(one == other)
    if metric.startswith("rouge_") and metric != "rouge_l":
        return _rouge(one, other, int(metric.removeprefix("rouge_")))
    return _MEASURES[metric](one, other)


def _grams(words: Words, size: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[start : start + size]) for start in range(len(words) - size + 1))


def _shared(one: Words, other: Words, size: int) -> int:
    return (_grams(one, size) & _grams(other, size)).total()


def _cosine(one: Words, other: Words) -> float:
    first, second = Counter(one), Counter(other)
    product = sum(count * second[word] for word, count in first.items())
    return product / math.sqrt(sum(n * n for n in first.values()) * sum(n * n for n in second.values()))


def _bleu(one: Words, other: Words) -> float:
    sizes = range(1, min(_LONGEST_GRAM, len(one), len(other)) + 1)
    precisions = [_shared(one, other, size) / (len(one) - size + 1) for size in sizes]
    if not all(precisions):
        return 0.0
    brevity = min(1.0, math.exp(1 - len(other) / len(one)))
    return brevity * math.exp(sum(map(math.log, precisions)) / len(precisions))


def _gleu(one: Words, other: Words) -> float:
    sizes = range(1, _LONGEST_GRAM + 1)
    shared = sum(_shared(one, other, size) for size in sizes)
    return shared / max(sum(max(0, len(words) - size + 1) for size in sizes) for words in (one, other))


def _meteor(one: Words, other: Words) -> float:
    shared = _shared(one, other, 1)
    if not shared:
        return 0.0
    precision, recall = shared / len(one), shared / len(other)
    return 10 * precision * recall / (recall + 9 * precision)


def _rouge(one: Words, other: Words, size: int) -> float:
    sizes = max(0, len(one) - size + 1) + max(0, len(other) - size + 1)
    return 2 * _shared(one, other, size) / sizes if sizes else float(one == other)


def _rouge_l(one: Words, other: Words) -> float:
    """By the longest common subsequence."""
    row = [0] * (len(other) + 1)
    for word in one:
        before = 0
        for place, its in enumerate(other, 1):
            before, row[place] = row[place], before + 1 if word == its else max(row[place], row[place - 1])
    return 2 * row[-1] / (len(one) + len(other))


_MEASURES: Mapping[str, Callable[[Words, Words], float]] = {
    "cosine": _cosine,
    "bleu": _bleu,
    "gleu": _gleu,
    "meteor": _meteor,
    "rouge_l": _rouge_l,
}
