"""What tokens cost."""

from __future__ import annotations

from decimal import Decimal

import pytest

from replayproxy.core.prices import Price, Prices

TABLE = Prices(
    (
        Price("gpt-*", Decimal(1), Decimal(2)),
        Price("gpt-4o*", Decimal(3), Decimal(4)),
        Price("gpt-4o", Decimal("2.50"), Decimal(10), Decimal("1.25")),
        Price("ft:gpt-4o:[mine]?", Decimal(7)),
    )
)


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("gpt-4o", "gpt-4o"),
        ("gpt-4o-mini", "gpt-*"),
        ("ft:gpt-4o:[mine]2", "ft:gpt-4o:[mine]?"),
        ("ft:gpt-4o:m2", None),
        ("o3", None),
        ("", None),
    ],
)
def test_a_name_goes_before_a_pattern(model: str, found: str | None) -> None:
    """And an earlier pattern before a later one; brackets are part of a name."""
    price = TABLE.of(model)
    assert (price.model if price else None) == found


@pytest.mark.parametrize(
    ("price", "tokens", "cost"),
    [
        (TABLE.prices[2], (1_000_000, 400_000, 100_000), "3.0"),
        (TABLE.prices[0], (1_000_000, 400_000, 0), "1"),
        (TABLE.prices[2], (1, 0, 0), "0.0000025"),
        (TABLE.prices[2], (0, 0, 0), "0"),
    ],
)
def test_costs_are_exact(price: Price, tokens: tuple[int, int, int], cost: str) -> None:
    """For a million of each kind; what was cached costs like other input unless it has a price of its own."""
    assert price.cost(*tokens) == Decimal(cost)


def test_a_table_may_be_empty() -> None:
    """Then nobody said what anything costs."""
    assert not Prices()
    assert TABLE
