"""Vectors of texts: the same text always has the same one, and texts that share words have vectors that are near.

Each word (and, for what it has in common with its inflections, its stem) points into a direction of its own; a text's
vector is the sum of its words' directions, of length 1. Shorter vectors are the first numbers of the longest one, made
length 1 again, as with the real models; so that these tell enough, directions lie rather in the first dimensions.
"""

from __future__ import annotations

import hashlib
import math
import re
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

__all__ = ["features", "vector"]

#: In how many dimensions a word's direction is not zero.
_SPREAD = 64
#: Length, beside that of the words' sum, of what no other text shares: it keeps every number from being zero.
_OWN = 0.15
#: A word counts less than its stem, which is what is left without these endings.
_WORD_WEIGHT = 0.6
_ENDINGS = re.compile(r"(?<=\w{3})(?:ings?|ed|es|s|ly)$")
#: Words that stand in any text tell little of it.
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be but by did do does for from had has have he her his how i if in is it its me my no not "
        "of on or our she so that the their them they this to was we were what when where which who why will with you "
        "your",
    )
)
_COMMON_WEIGHT = 0.2


def features(content: str | Sequence[int]) -> Iterator[tuple[str, float]]:
    """What a text, or a list of tokens, is made of, with the weight of each; what occurs often weighs little more."""
    if not isinstance(content, str):
        return ((f"token {token}", 1 + math.log(count)) for token, count in Counter(content).items())
    return _word_features(content)


def _word_features(text: str) -> Iterator[tuple[str, float]]:
    for word, count in Counter(re.findall(r"\w+", text.lower())).items():
        weight = (1 + math.log(count)) * (_COMMON_WEIGHT if word in _COMMON else 1.0)
        yield f"word {word}", weight * _WORD_WEIGHT
        yield f"stem {_ENDINGS.sub('', word)}", weight


def vector(content: str | Sequence[int], full: int, size: int) -> list[float]:
    """The vector of a text or of tokens: the first `size` of `full` numbers, of length 1."""
    numbers = [0.0] * full
    for feature, weight in features(content):
        for place, share in _direction(feature, full):
            numbers[place] += weight * share
    own = _noise(repr(content), full)
    scale = (math.sqrt(sum(each * each for each in numbers)) or 1.0) * _OWN
    mixed = [number + scale * noise for number, noise in zip(numbers[:size], own, strict=False)]
    return _unit(mixed)


@lru_cache(maxsize=20_000)
def _direction(feature: str, full: int) -> tuple[tuple[int, float], ...]:
    digest = hashlib.shake_128(feature.encode("utf-8", "surrogatepass")).digest(_SPREAD * 4)
    share = 1 / math.sqrt(_SPREAD)
    numbers = struct.unpack(f"<{_SPREAD}I", digest)
    return tuple((_place(number, full), share if number & 1 else -share) for number in numbers)


def _place(number: int, full: int) -> int:
    """A dimension for a number below 2 ** 32: the half of them lies in the first quarter."""
    return int(full * (number / 2**32) ** 2)


def _noise(text: str, full: int) -> list[float]:
    """Numbers of about length 1, none of them zero."""
    digest = hashlib.shake_128(text.encode("utf-8", "surrogatepass")).digest(full)
    scale = 1 / (74 * math.sqrt(full))  # 74: the square root of the mean square of the numbers below
    return [(byte - 127.5) * scale for byte in digest]


def _unit(numbers: list[float]) -> list[float]:
    length = math.sqrt(sum(each * each for each in numbers))
    return [float(f"{each / length:.8g}") for each in numbers]
