"""The kinds of value that say what tokens cost: `prices` and `currency`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from replayproxy.config.nodes import Node, complaint, similar, unfit
from replayproxy.config.structures import gathered, mapping_of
from replayproxy.config.values import Kind, single
from replayproxy.core.prices import Price

__all__ = ["CURRENCY", "PRICES"]

_AMOUNT = r"[0-9]{1,9}(\.[0-9]{1,12})?"
_NAMES = ("input", "cached", "output")


def _amount(text: str) -> Decimal:
    if not re.fullmatch(_AMOUNT, text, re.ASCII):
        raise ValueError
    return Decimal(text)


def _currency(text: str) -> str:
    if not re.fullmatch("[A-Za-z]{3}", text):
        raise ValueError
    return text.upper()


#: What a million tokens cost.
_PRICE: Kind[Decimal] = single(
    "a price such as 2.50",
    _amount,
    {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": f"^{_AMOUNT}$"}]},
)
#: The code of a currency, as ISO 4217 has it.
CURRENCY: Kind[str] = single("a currency such as USD", _currency, {"type": "string", "pattern": "^[A-Za-z]{3}$"})


def _priced(model: str, node: Node, name: str) -> Price:
    where = f"{name}.{model}"
    given = node.value
    if not isinstance(given, Mapping):
        raise unfit(node, where, "a mapping of input, cached and output to prices")

    def read(key: str) -> tuple[str, Decimal]:
        if key not in _NAMES:
            raise complaint(given[key], f"{where}.{key}", f"unknown price{similar(key, _NAMES)}")
        return key, _PRICE.read(given[key], f"{where}.{key}")

    amounts: dict[str, Any] = dict(gathered(read, given))
    if not amounts.keys() & {"input", "output"}:
        raise complaint(node, where, "expected the price of input or of output, for a million tokens")
    return Price(model, **amounts)


def _plain(price: Price) -> tuple[str, dict[str, float]]:
    told = {name: getattr(price, name) for name in _NAMES}
    return price.model, {name: float(amount) for name, amount in told.items() if amount is not None}


#: Prices by models' names, or patterns of them.
PRICES: Kind[tuple[Price, ...]] = mapping_of(
    "models to prices of a million tokens",
    _priced,
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: dict(_PRICE.schema) for name in _NAMES},
        "anyOf": [{"required": ["input"]}, {"required": ["output"]}],
    },
    _plain,
)
