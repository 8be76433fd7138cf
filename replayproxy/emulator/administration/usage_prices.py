"""What usage costs: a small table of list prices, in US dollars, and the lines of a bill.

The prices are those of 2025 (https://platform.openai.com/docs/pricing), kept simple: text tokens, whatever they stand
for, and one price for an image of any size. They make costs plausible and the same each time; they are no offer. A
model that is not in the table costs what `_OTHER` says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from replayproxy.emulator.administration.usage_buckets import Row

__all__ = ["bill"]

#: Per million tokens: input, cached input, output. The longest beginning of a model's name counts.
_TOKENS: Mapping[str, tuple[float, float, float]] = {
    "gpt-5": (1.25, 0.125, 10.0),
    "gpt-5-mini": (0.25, 0.025, 2.0),
    "gpt-5-nano": (0.05, 0.005, 0.4),
    "gpt-4.1": (2.0, 0.5, 8.0),
    "gpt-4.1-mini": (0.4, 0.1, 1.6),
    "gpt-4.1-nano": (0.1, 0.025, 0.4),
    "gpt-4o": (2.5, 1.25, 10.0),
    "gpt-4o-mini": (0.15, 0.075, 0.6),
    "gpt-4-turbo": (10.0, 10.0, 30.0),
    "gpt-4": (30.0, 30.0, 60.0),
    "gpt-3.5-turbo": (0.5, 0.5, 1.5),
    "o3": (2.0, 0.5, 8.0),
    "o3-mini": (1.1, 0.55, 4.4),
    "o4-mini": (1.1, 0.275, 4.4),
    "o1": (15.0, 7.5, 60.0),
    "text-embedding-3-small": (0.02, 0.02, 0.0),
    "text-embedding-3-large": (0.13, 0.13, 0.0),
    "text-embedding-ada-002": (0.1, 0.1, 0.0),
}
_OTHER = (1.0, 0.5, 4.0)
#: Per image, character, second, call or session: the amount that is paid for, its price, and the name of its unit.
_PIECES: Mapping[str, tuple[str, float, str]] = {
    "images": ("images", 0.04, "images"),
    "audio_speeches": ("characters", 15 / 1e6, "characters"),
    "audio_transcriptions": ("seconds", 0.006 / 60, "duration_seconds"),
    "web_search_calls": ("num_requests", 0.01, "calls"),
    "file_search_calls": ("num_requests", 0.0025, "calls"),
    "code_interpreter_sessions": ("num_sessions", 0.03, "sessions"),
}


def bill(surface: str, row: Row) -> Iterator[Row]:
    """The lines of a bill for a row of usage: each with a `value` in dollars, a `quantity`, and the name of its unit.

    What costs nothing (moderations) has none.
    """
    if surface in ("completions", "embeddings"):
        yield from _tokens(row)
    elif surface in _PIECES:
        name, price, unit = _PIECES[surface]
        item = row.labels.get("model") or surface.replace("_", " ")
        yield _line(row, f"{item}, {unit}", row.amounts[name], price, unit)


def _tokens(row: Row) -> Iterator[Row]:
    model = str(row.labels.get("model"))
    names = [name for name in _TOKENS if model.startswith(name)]
    price = _TOKENS[max(names, key=len)] if names else _OTHER
    cached = row.amounts.get("input_cached_tokens", 0)
    amounts = (row.amounts["input_tokens"] - cached, cached, row.amounts.get("output_tokens", 0))
    for what, amount, each in zip(("input", "cached input", "output"), amounts, price, strict=True):
        if amount:
            yield _line(row, f"{model}, {what}", amount, each / 1e6, "tokens")


def _line(row: Row, item: str, quantity: float, price: float, unit: str) -> Row:
    labels = {name: row.labels.get(name) for name in ("project_id", "api_key_id")}
    return Row(row.time, {**labels, "line_item": item, "unit": unit}, {"value": quantity * price, "quantity": quantity})
