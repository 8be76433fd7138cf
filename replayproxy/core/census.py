"""What was asked for in a session, by operation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from replayproxy.core.catalog import Operation
from replayproxy.core.problem import Problem
from replayproxy.core.receipt import Asked

__all__ = ["Census"]


class Census:
    """Counts requests, and those with problems, by operation; there are no more rows than operations, and one."""

    def __init__(self) -> None:
        self._rows: dict[str, Asked] = {}

    def arrived(self, operation: Operation | None) -> None:
        """Counts a request."""
        row = self._row(operation)
        self._rows[row.operation] = replace(row, requests=row.requests + 1)

    def found(self, operation: Operation | None, problems: Iterable[Problem]) -> None:
        """Counts a message by the gravest of its problems."""
        warnings = [problem.warning for problem in problems]
        if not warnings:
            return
        row = self._row(operation)
        if all(warnings):
            self._rows[row.operation] = replace(row, warnings=row.warnings + 1)
        else:
            self._rows[row.operation] = replace(row, problems=row.problems + 1)

    def rows(self) -> tuple[Asked, ...]:
        """The counts, in the order in which the operations were first asked for."""
        return tuple(self._rows.values())

    def _row(self, operation: Operation | None) -> Asked:
        empty = Asked(operation.id, operation.family) if operation else Asked()
        return self._rows.setdefault(empty.operation, empty)
