"""What was asked for in a session, by operation."""

from __future__ import annotations

from collections.abc import Iterable

from replayproxy.core.catalog import Operation
from replayproxy.core.problem import Problem
from replayproxy.core.receipt import Asked
from replayproxy.core.tally import Counter, Tally

__all__ = ["Census"]

# What is counted, as the first word of a counter's name; the operation's id and its family follow.
_ASKED, _WRONG, _DOUBTFUL = "asked", "wrong", "doubtful"


class Census:
    """Counts requests, and those with problems, by operation; there are no more rows than operations, and one."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._counters: dict[tuple[str, str], Counter] = {}

    def arrived(self, operation: Operation | None) -> None:
        """Counts a request."""
        self._counter(_ASKED, operation).count()

    def found(self, operation: Operation | None, problems: Iterable[Problem]) -> None:
        """Counts a message by the gravest of its problems."""
        warnings = [problem.warning for problem in problems]
        if warnings:
            self._counter(_DOUBTFUL if all(warnings) else _WRONG, operation).count()

    def rows(self) -> tuple[Asked, ...]:
        """The counts, in the order in which the operations were first asked for."""
        found: dict[str, dict[str, int]] = {}
        for name, value in self._tally.names().items():
            kind, _, operation = name.partition("\t")
            if kind in (_ASKED, _WRONG, _DOUBTFUL):
                found.setdefault(operation, {})[kind] = value
        return tuple(_row(operation, counts) for operation, counts in found.items())

    def _counter(self, kind: str, operation: Operation | None) -> Counter:
        place = (kind, operation.id if operation else "")
        counter = self._counters.get(place)
        if counter is None:
            family = operation.family if operation else ""
            counter = self._counters[place] = self._tally.named(f"{kind}\t{place[1]}\t{family}")
        return counter


def _row(operation: str, counts: dict[str, int]) -> Asked:
    name, _, family = operation.partition("\t")
    return Asked(name, family, counts.get(_ASKED, 0), counts.get(_WRONG, 0), counts.get(_DOUBTFUL, 0))
