"""What tokens cost, by a table that the user supplies: a price for a million of each kind.

Rules:
1. Costs are exact decimals: a millionth of a cent times a million calls is seen.
2. A model that the table does not name has no cost, which is not the same as none to pay.
3. The name itself goes before a pattern, and an earlier pattern before a later one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import translate
from functools import lru_cache

__all__ = ["Price", "Prices"]

_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Price:
    """What a million tokens of a model cost; `cached` ones cost as much as others of the input when it is None.

    `model` is the name of a model, or a pattern with `*` and `?` for several.
    """

    model: str
    input: Decimal = Decimal(0)
    output: Decimal = Decimal(0)
    cached: Decimal | None = None

    def cost(self, entered: int, cached: int, given: int) -> Decimal:
        """What `entered` tokens, of which some were `cached`, and `given` ones cost."""
        of_cached = self.input if self.cached is None else self.cached
        return ((entered - cached) * self.input + cached * of_cached + given * self.output) / _MILLION


@dataclass(frozen=True, slots=True)
class Prices:
    """A table of prices."""

    prices: tuple[Price, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.prices)

    def of(self, model: str) -> Price | None:
        """The price of a model, None when the table has none."""
        named = next((price for price in self.prices if price.model == model), None)
        return named or next((price for price in self._patterns() if _pattern(price.model).fullmatch(model)), None)

    def _patterns(self) -> Iterable[Price]:
        return (price for price in self.prices if "*" in price.model or "?" in price.model)


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str]:
    # What stands in brackets is a set of characters in a glob, and part of a name here.
    return re.compile(translate(text.replace("[", "[[]")))
