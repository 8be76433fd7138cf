"""The query of a list: which page of it is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

from replayproxy.core import wording
from replayproxy.core.problem import Problem

__all__ = ["MAX_LIMIT", "PageQuery"]

MAX_LIMIT = 100
_ORDERS = ("asc", "desc")


@dataclass(frozen=True, slots=True)
class PageQuery:
    """A page of a list: at most `limit` items, in `order` of creation, behind `after` and before `before` (ids)."""

    limit: int = 20
    order: Literal["asc", "desc"] = "desc"
    after: str | None = None
    before: str | None = None

    @classmethod
    def parse(cls, query: Sequence[tuple[str, str]]) -> PageQuery | Problem:
        """The page that a decoded `query` asks for, or what is wrong with it. Other parameters do not count."""
        given = dict(query)
        limit = _limit(given.get("limit", "20"))
        if isinstance(limit, Problem):
            return limit
        order = given.get("order", "desc")
        if order not in _ORDERS:
            return wording.unsupported_value("order", order, _ORDERS)
        chosen = cast('Literal["asc", "desc"]', order)
        return cls(limit, chosen, given.get("after") or None, given.get("before") or None)


def _limit(text: str) -> int | Problem:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        return wording.wrong_type("limit", "an integer", text)
    limit = int(text[:20])  # Python refuses to read endless digits
    if limit < 1:
        return wording.below_minimum("limit", 1, limit)
    return limit if limit <= MAX_LIMIT else wording.above_maximum("limit", MAX_LIMIT, limit)
