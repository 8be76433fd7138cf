"""Log probabilities of a text's tokens: plausible numbers that follow from the text alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from replayproxy.emulator.records import Json

__all__ = ["BEFORE", "logprob", "logprobs_of", "others"]

#: What might have been said in the place of a token, for `top_logprobs`.
_OTHERS = (
    *(" the", " a", " and", " to", " of", " in", ",", ".", " is", " it", " that", " for"),
    *(" with", " on", " as", " you", " this", " be", " are", " or", " not", " an", " I"),
)
#: How many tokens before it a token's chance depends on.
BEFORE = 3
#: The least likely of all tokens is still this likely.
_LEAST = -9.0


def logprobs_of(body: Json, tokens: Sequence[str], start: int = 0) -> Json | None:
    """The `logprobs` of a choice that says these tokens, from the `start`-th on; None when they were not asked for."""
    if not body.get("logprobs"):
        return None
    top = body.get("top_logprobs") or 0
    content = [
        _token(tokens[place], tokens[max(0, place - BEFORE) : place], top) for place in range(start, len(tokens))
    ]
    return {"content": content or None, "refusal": None}


def logprob(token: str, before: Sequence[str]) -> float:
    """The log probability of a token after others: between nearly certain and one in two."""
    text = "\0".join((*before[-BEFORE:], token)).encode("utf-8", "surrogatepass")
    share = int.from_bytes(hashlib.blake2b(text, digest_size=6).digest()) / 2**48
    return -round(share**4 * 0.69, 8)


def others(token: str, chance: float, count: int) -> list[tuple[str, float]]:
    """The likeliest tokens in a token's place, itself first, `count` in all."""
    rest = [other for other in _OTHERS if other != token][: max(0, count - 1)]
    found = [(token, chance), *((other, max(_LEAST, chance - 2.5 - place / 2)) for place, other in enumerate(rest))]
    return found[:count]


def _token(token: str, before: Sequence[str], top: int) -> Json:
    chance = logprob(token, before)
    return {**_entry(token, chance), "top_logprobs": [_entry(*each) for each in others(token, chance, top)]}


def _entry(token: str, chance: float) -> Json:
    return {"token": token, "logprob": chance, "bytes": list(token.encode("utf-8", "surrogatepass"))}
