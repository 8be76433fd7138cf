"""Headers that answers of models have beside the others. Facts: recordings of the real API.

Nothing is counted: each request is told of as if it were the first of its minute.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["LIMIT_REQUESTS", "LIMIT_TOKENS", "model_headers"]

#: Per minute.
LIMIT_REQUESTS = 10_000
LIMIT_TOKENS = 50_000_000
#: A request may name a model as it likes; a header may not be of any length.
_LONGEST = 256


def model_headers(model: str, tokens: int) -> Mapping[str, str]:
    """The headers of an answer by a model whose request counts so many tokens against the limit."""
    milliseconds = tokens * 60_000 // LIMIT_TOKENS
    return {
        "openai-model": "".join(each if " " <= each <= "~" else "?" for each in model[:_LONGEST]),
        "x-ratelimit-limit-requests": str(LIMIT_REQUESTS),
        "x-ratelimit-limit-tokens": str(LIMIT_TOKENS),
        "x-ratelimit-remaining-requests": str(LIMIT_REQUESTS - 1),
        "x-ratelimit-remaining-tokens": str(max(0, LIMIT_TOKENS - tokens)),
        "x-ratelimit-reset-requests": "6ms",
        "x-ratelimit-reset-tokens": f"{milliseconds}ms" if milliseconds else "0s",
    }
