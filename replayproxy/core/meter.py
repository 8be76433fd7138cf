"""The meter: how many exchanges there were, what became of them, how long they took, and how much went through.

Rules:
1. Everything that is measured stands in `METRICS`, by the name under which it is told.
2. A reading is made of plain values, so that it can travel, and the readings of several processes add up to one.
3. Labels have few values: no session, no path, no id, nothing that a client can make up.
4. One exchange costs a handful of dictionary operations. Whoever is in a hurry counts later, and many at once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from replayproxy.core.catalog import Operation

__all__ = ["BUCKETS", "METRICS", "WHO", "Meter", "Metric", "Reading", "Value", "of_histogram", "summed"]

#: Upper bounds of the histograms, in seconds: a hit takes half a millisecond, a long answer of a model a minute.
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
#: Who answered: a time says little while it may be that of a recording or that of a model.
WHO = {
    "played": "recording",
    "repeated": "recording",
    "saved": "upstream",
    "forwarded": "upstream",
    "missed": "replayproxy",
    "rejected": "replayproxy",
    "failed": "replayproxy",
    "gone": "nobody",
}

#: A number, or for a histogram how many fell into each bucket (the last is for what is above all bounds) and their sum.
Value = float | tuple[tuple[int, ...], float]
#: What is measured: values by the values of a metric's labels, by the metric's name.
Reading = Mapping[str, Mapping[tuple[str, ...], Value]]


@dataclass(frozen=True, slots=True)
class Metric:
    """Something that is measured. A counter is told with `_total` behind its name."""

    name: str
    kind: Literal["counter", "gauge", "histogram", "info"]
    meaning: str
    labels: tuple[str, ...] = ()


METRICS = (
    Metric(
        "replayproxy_exchanges",
        "counter",
        "Exchanges that have ended, by what became of them and what was asked.",
        ("outcome", "operation", "family"),
    ),
    Metric(
        "replayproxy_exchange_seconds",
        "histogram",
        "From the arrival of a request to the end of its answer, by who answered.",
        ("answered_by",),
    ),
    Metric(
        "replayproxy_first_byte_seconds",
        "histogram",
        "From the arrival of a request to the first byte of its answer, by who answered.",
        ("answered_by",),
    ),
    Metric(
        "replayproxy_upstream_errors",
        "counter",
        "Answers that the upstream did not give, or not to their end, by what went wrong.",
        ("kind",),
    ),
    Metric("replayproxy_request_body_bytes", "counter", "Bytes of the bodies of requests.", ("answered_by",)),
    Metric("replayproxy_response_body_bytes", "counter", "Bytes of the bodies of answers.", ("answered_by",)),
    Metric(
        "replayproxy_problems",
        "counter",
        "Problems that the validator found, by whose message they were in (request, response).",
        ("side", "severity"),
    ),
    Metric("replayproxy_misses", "counter", "Requests that no recording answered, by the reason.", ("reason",)),
    Metric("replayproxy_exchanges_under_way", "gauge", "Exchanges that have not ended yet."),
    Metric("replayproxy_streams_under_way", "gauge", "Those of them whose answer is an event stream."),
    Metric("replayproxy_journal_entries", "gauge", "Exchanges that the journal holds."),
    Metric("replayproxy_journal_bytes", "gauge", "About how many bytes the journal holds."),
    Metric("replayproxy_spool_bytes", "gauge", "Bytes of large bodies that wait in temporary files."),
    Metric("replayproxy_sessions", "gauge", "Sessions that are open."),
    Metric("replayproxy_cassettes", "gauge", "Files that open sessions play from or record into."),
    Metric("replayproxy_cassette_interactions", "gauge", "Interactions that open sessions have to play."),
    Metric("replayproxy_cassette_bytes", "gauge", "Size of the files of open sessions."),
    Metric("replayproxy_workers", "gauge", "Processes that serve the data port."),
    Metric("replayproxy", "info", "The version that runs, and its mode.", ("version", "mode")),
)


class _Cell:
    """What is known of all exchanges with one outcome and one operation.

    `at_once` are those whose answer was there as a whole: one bucket tells both times. Of the others `first` has the
    time of the first byte, `whole` that of the end.
    """

    __slots__ = (
        "at_once",
        "family",
        "first",
        "first_seconds",
        "received",
        "seconds",
        "seconds_at_once",
        "sent",
        "whole",
    )

    def __init__(self, family: str) -> None:
        self.family = family
        self.received = self.sent = 0
        self.seconds = self.seconds_at_once = self.first_seconds = 0.0
        self.at_once, self.first, self.whole = ([0] * (len(BUCKETS) + 1) for _ in range(3))

    def times(self) -> tuple[Value, Value]:
        """The histograms of the whole and of the first byte."""
        whole = tuple(map(sum, zip(self.at_once, self.whole, strict=True)))
        first = tuple(map(sum, zip(self.at_once, self.first, strict=True)))
        return (whole, self.seconds_at_once + self.seconds), (first, self.seconds_at_once + self.first_seconds)


class Meter:
    """Counts what goes through one process."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, str], _Cell] = {}
        self._problems: dict[tuple[str, ...], Value] = {}
        self._misses: dict[tuple[str, ...], Value] = {}
        self._errors: dict[tuple[str, ...], Value] = {}

    def ended(
        self,
        outcome: str,
        operation: Operation | None,
        seconds: float,
        first_byte: float = 0.0,
        received: int = 0,
        sent: int = 0,
    ) -> None:
        """Counts an exchange: what became of it, what it called, how long it took, how long until the first byte of its
        answer (0: as long as the whole), and how large the bodies were that were received and sent."""
        key = outcome, operation.id if operation is not None else ""
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = _Cell(operation.family if operation is not None else "")
        cell.received += received
        cell.sent += sent
        if first_byte:
            cell.first[bisect_left(BUCKETS, first_byte)] += 1
            cell.whole[bisect_left(BUCKETS, seconds)] += 1
            cell.first_seconds += first_byte
            cell.seconds += seconds
        else:
            cell.at_once[bisect_left(BUCKETS, seconds)] += 1
            cell.seconds_at_once += seconds

    def problem(self, side: str, *, warning: bool) -> None:
        """Counts a problem in the message of one side."""
        _add(self._problems, (side, "warning" if warning else "error"), 1)

    def missed(self, reason: str) -> None:
        """Counts a miss."""
        _add(self._misses, (reason,), 1)

    def upstream_failed(self, kind: str) -> None:
        """Counts an answer that the upstream did not give, or not to its end."""
        _add(self._errors, (kind,), 1)

    def reading(self) -> Reading:
        """What was counted so far."""
        found: dict[str, dict[tuple[str, ...], Value]] = {
            "replayproxy_exchanges": {},
            "replayproxy_exchange_seconds": {},
            "replayproxy_first_byte_seconds": {},
            "replayproxy_upstream_errors": dict(self._errors),
            "replayproxy_request_body_bytes": {},
            "replayproxy_response_body_bytes": {},
            "replayproxy_problems": dict(self._problems),
            "replayproxy_misses": dict(self._misses),
        }
        for (outcome, operation), cell in self._cells.items():
            who = (WHO.get(outcome, "nobody"),)
            whole, first = cell.times()
            _add(found["replayproxy_exchanges"], (outcome, operation, cell.family), sum(cell.at_once) + sum(cell.whole))
            _add(found["replayproxy_exchange_seconds"], who, whole)
            _add(found["replayproxy_request_body_bytes"], who, cell.received)
            _add(found["replayproxy_response_body_bytes"], who, cell.sent)
            if who != ("nobody",):  # who left saw no first byte
                _add(found["replayproxy_first_byte_seconds"], who, first)
        return found


def summed(readings: Iterable[Reading]) -> Reading:
    """The readings of several processes as one."""
    found: dict[str, dict[tuple[str, ...], Value]] = {}
    for reading in readings:
        for name, values in reading.items():
            into = found.setdefault(name, {})
            for labels, value in values.items():
                _add(into, labels, value)
    return found


def of_histogram(value: Value) -> tuple[tuple[tuple[str, int], ...], float]:
    """What a histogram tells: how many took no longer than each bound (as text, the last is +Inf), and their sum."""
    counts, total = value if isinstance(value, tuple) else ((0,) * (len(BUCKETS) + 1), 0.0)
    bounds = (*(f"{bound:g}" for bound in BUCKETS), "+Inf")
    return tuple(zip(bounds, accumulate(counts), strict=True)), total


def _add(values: dict[tuple[str, ...], Value], labels: tuple[str, ...], value: Value) -> None:
    before = values.get(labels)
    if before is None:
        values[labels] = value
    elif isinstance(before, tuple) and isinstance(value, tuple):
        values[labels] = tuple(map(sum, zip(before[0], value[0], strict=True))), before[1] + value[1]
    elif not isinstance(before, tuple) and not isinstance(value, tuple):
        values[labels] = before + value
