"""The settings that say what tokens cost."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from replayproxy.config import KEYS, Settings, load, schema
from replayproxy.core.prices import Price
from replayproxy.errors import ConfigError

FILE = """
prices:
  gpt-4o*: {input: 2.50, cached: 1.25, output: 10}
  text-embedding-3-small:
    input: 0.02
currency: eur
"""


def settings(folder: Path, file: str) -> Settings:
    """The settings that a config file of that text gives."""
    (folder / "replayproxy.yaml").write_text(file, "utf-8")
    return load({}, {}, folder).settings


def test_a_table_of_prices(tmp_path: Path) -> None:
    """Amounts are exact; the currency is a code in capitals."""
    found = settings(tmp_path, FILE)
    assert found.prices == (
        Price("gpt-4o*", Decimal("2.50"), Decimal(10), Decimal("1.25")),
        Price("text-embedding-3-small", Decimal("0.02")),
    )
    assert found.currency == "EUR"


def test_the_table_is_shown_as_it_was_given(tmp_path: Path) -> None:
    """`config show` has what the file says."""
    (key,) = (each for each in KEYS if each.name == "prices")
    told = key.of(settings(tmp_path, FILE))
    assert told == {
        "gpt-4o*": {"input": 2.5, "cached": 1.25, "output": 10.0},
        "text-embedding-3-small": {"input": 0.02, "output": 0.0},
    }
    assert settings(tmp_path, json.dumps({"prices": told})).prices[0] == Price(
        "gpt-4o*", Decimal("2.5"), Decimal("10.0"), Decimal("1.25")
    )


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ("{gpt-4o: 3}", "prices.gpt-4o: expected a mapping of input, cached and output to prices, not text"),
        ("{gpt-4o: {inputs: 3}}", "prices.gpt-4o.inputs: unknown price; did you mean `input`?"),
        ("{gpt-4o: {input: cheap}}", "prices.gpt-4o.input: expected a price such as 2.50, not 'cheap'"),
        ("{gpt-4o: {input: -1}}", "prices.gpt-4o.input: expected a price such as 2.50, not '-1'"),
        ("{gpt-4o: {cached: 1}}", "prices.gpt-4o: expected the price of input or of output, for a million tokens"),
        ("[gpt-4o]", "prices: expected a mapping of models to prices of a million tokens, not a list"),
    ],
)
def test_a_bad_price_is_named(tmp_path: Path, prices: str, expected: str) -> None:
    """With its place; nothing is guessed about money."""
    with pytest.raises(ConfigError, match=r"replayproxy\.yaml:1: ") as caught:
        settings(tmp_path, f"prices: {prices}\n")
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    "document",
    [
        {"prices": {"gpt-4o": 3}},
        {"prices": {"gpt-4o": {"inputs": 3}}},
        {"prices": {"gpt-4o": {"cached": 3}}},
        {"prices": {"gpt-4o": {"input": -1}}},
        {"prices": {"gpt-4o": {"input": "cheap"}}},
        {"currency": "$"},
    ],
)
def test_the_schema_refuses_what_loading_refuses(tmp_path: Path, document: dict[str, Any]) -> None:
    """Editor and start agree, also about what is right."""
    validator = jsonschema.Draft7Validator(schema())
    assert list(validator.iter_errors(document))
    with pytest.raises(ConfigError):
        settings(tmp_path, json.dumps(document))
    assert (
        list(validator.iter_errors({"prices": {"gpt-4o*": {"input": 2.5}, "x": {"output": "1"}}, "currency": "eur"}))
        == []
    )
