"""Usage over time: the buckets of a query, page by page, and what is in them, grouped and filtered.

Facts: recordings of the real API. Buckets begin at multiples of their width, the first one at the time asked for; the
last one ends at the time asked for, which is now unless it is given. Costs alone come in whole days. The emulator has
no clock: now is the second after the last thing that it has seen.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from replayproxy.core import wording
from replayproxy.core.problem import Problem
from replayproxy.emulator.records import Json

__all__ = ["LABELS", "Bucket", "Row", "Window", "grouped", "matching", "page_of"]

#: Fields of a result that tell what it is of; all others are amounts.
LABELS = (
    *("project_id", "user_id", "api_key_id", "model", "batch", "service_tier", "size", "source"),
    *("vector_store_id", "context_level", "line_item"),
)
#: The label that each filter of a query asks for.
_FILTERS = {
    "project_ids": "project_id",
    "user_ids": "user_id",
    "api_key_ids": "api_key_id",
    "models": "model",
    "batch": "batch",
    "sizes": "size",
    "sources": "source",
    "vector_store_ids": "vector_store_id",
    "context_levels": "context_level",
}
#: Seconds, the default and the largest number of the buckets on a page, by width.
_WIDTHS = {"1m": (60, 60, 1_440), "1h": (3_600, 24, 168), "1d": (86_400, 7, 31)}
_DAYS = (86_400, 7, 180)
_CURSOR = "page_"


@dataclass(frozen=True, slots=True)
class Row:
    """Amounts at a time, and what they are of."""

    time: int
    labels: Mapping[str, str | bool | None]
    amounts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Bucket:
    """A stretch of time: from `start` until before `end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch of time that a query asks for, in buckets `width` wide; `limit` of them are a page."""

    start: int
    end: int
    width: int
    limit: int

    @classmethod
    def parse(cls, query: Json, now: int, *, whole_days: bool = False) -> Window | Problem:
        """What a valid query asks for, its cursor followed; or what is wrong with it."""
        width, limit, most = _DAYS if whole_days else _WIDTHS[query.get("bucket_width", "1d")]
        limit = _number(query.get("limit"), limit)
        if limit < 1:
            return wording.below_minimum("limit", 1, limit)
        if limit > most:
            return wording.above_maximum("limit", most, limit)
        start = _number(query["start_time"], 0)
        end = _number(query.get("end_time"), max(now, start + 1))
        if whole_days:
            start, end = start // width * width, -(-end // width) * width
        if query.get("page"):
            place = _place(str(query["page"]))
            if place is None:
                return wording.invalid("page")
            start = max(start, place)
        return cls(start, end, width, limit)

    def buckets(self) -> tuple[Bucket, ...]:
        """Those of the page."""
        found: list[Bucket] = []
        start = self.start
        while start < self.end and len(found) < self.limit:
            end = min((start // self.width + 1) * self.width, self.end)
            found.append(Bucket(start, end))
            start = end
        return tuple(found)

    def placed(self, rows: Iterable[Row]) -> dict[int, list[Row]]:
        """The rows within the window, by the start of the bucket that each is in."""
        found: dict[int, list[Row]] = {}
        for row in rows:
            if self.start <= row.time < self.end:
                found.setdefault(max(self.start, row.time // self.width * self.width), []).append(row)
        return found


def page_of(window: Window, results: Callable[[Bucket], list[Json]], *, cursor_first: bool = False) -> Json:
    """The page of a window; `cursor_first` when its cursor stands before its data, as it does for costs."""
    buckets = window.buckets()
    has_more = bool(buckets) and buckets[-1].end < window.end
    cursor = {"has_more": has_more, "next_page": _cursor(buckets[-1].end) if has_more else None}
    data = {
        "data": [
            {"object": "bucket", "start_time": each.start, "end_time": each.end, "results": results(each)}
            for each in buckets
        ]
    }
    return {"object": "page", **cursor, **data} if cursor_first else {"object": "page", **data, **cursor}


def matching(rows: Iterable[Row], query: Json) -> Iterator[Row]:
    """The rows that the filters of a query let through."""
    wanted = {label: _values(query[name]) for name, label in _FILTERS.items() if name in query}
    for row in rows:
        if all(_word(row.labels.get(label)) in values for label, values in wanted.items()):
            yield row


def grouped(rows: Iterable[Row], query: Json) -> list[tuple[dict[str, str | bool | None], dict[str, float]]]:
    """Rows added up by the labels that a query groups by: those labels, and the amounts; in the order of the rows."""
    by = _values(query.get("group_by", []))
    sums: dict[tuple[object, ...], tuple[dict[str, str | bool | None], dict[str, float]]] = {}
    for row in rows:
        labels = {label: row.labels.get(label) for label in LABELS if label in by}
        _, amounts = sums.setdefault(tuple(labels.values()), (labels, {}))
        for name, amount in row.amounts.items():
            amounts[name] = amounts.get(name, 0) + amount
    return list(sums.values())


def _number(text: object, otherwise: int) -> int:
    """A number of a query that was found valid."""
    return int(float(text)) if isinstance(text, str) and text else otherwise


def _values(given: object) -> list[str]:
    return [str(each) for each in given] if isinstance(given, list) else [str(given)]


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _cursor(start: int) -> str:
    return _CURSOR + base64.urlsafe_b64encode(start.to_bytes(16, signed=True)).decode()


def _place(cursor: str) -> int | None:
    """Where a page begins; None when the cursor is none of ours."""
    try:
        return int.from_bytes(base64.urlsafe_b64decode(cursor.removeprefix(_CURSOR)), signed=True)
    except (ValueError, binascii.Error):
        return None
