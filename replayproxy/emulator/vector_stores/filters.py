"""Filters over the attributes of files: comparisons, joined by `and` and `or`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from replayproxy.emulator.records import Json

__all__ = ["matches"]

Value = str | float | bool | None
_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def matches(attributes: Mapping[str, Value] | None, wanted: Json | None) -> bool:
    """Whether a file with these attributes passes a filter; without a filter any does.

    What has no such attribute passes only where it is to be unlike something. Values of different kinds are unlike, and
    none is greater.
    """
    if not wanted:
        return True
    kind = wanted["type"]
    if kind in ("and", "or"):
        decides: bool = kind == "or"
        for each in wanted["filters"]:  # no comprehension: filters may be nested as deep as the stack is
            if matches(attributes, each) == decides:
                return decides
        return not decides
    return _compares(kind, (attributes or {}).get(wanted["key"]), wanted["value"])


def _compares(kind: str, has: Value, value: Any) -> bool:
    if kind in ("eq", "ne"):
        return _same(has, value) == (kind == "eq")
    if kind in ("in", "nin"):
        listed = value if isinstance(value, list) else [value]
        return any(_same(has, each) for each in listed) == (kind == "in")
    comparable = _family(has) == _family(value) and _family(has) is not None
    return comparable and _ORDERS[kind](has, value)


def _same(one: Value, other: Value) -> bool:
    return _family(one) == _family(other) and one == other


def _family(value: Any) -> str | None:
    """Which values a value compares with: numbers, text, or truth values."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else None
