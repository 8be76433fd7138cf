"""The journal: what went through the proxy lately, redacted and bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from replayproxy.core.messages import FileBody, Request
from replayproxy.core.problem import Problem

__all__ = ["Entry", "Journal"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One exchange, as it ended.

    `number` counts the exchanges of the proxy from 1; `arrived` is ISO 8601 in UTC, `seconds` how long it took.
    `operation` and `family` are the catalog's names for what was asked; `interaction` is the one that answered (0:
    none), `note` why it went wrong; `request` is the redacted twin.
    """

    number: int
    session: str
    arrived: str
    request: Request
    status: int
    outcome: str
    operation: str = ""
    family: str = ""
    interaction: int = 0
    seconds: float = 0.0
    problems: tuple[Problem, ...] = ()
    note: str = ""

    @property
    def size(self) -> int:
        """About how many bytes it holds."""
        body = 0 if isinstance(self.request.body, FileBody) else len(self.request.body)
        heads = sum(len(name) + len(value) for name, value in self.request.headers)
        return 500 + body + heads + len(self.request.target) + len(self.note)


class Journal:
    """The latest entries, no more than `entries` of them and no more than `size` bytes."""

    def __init__(self, entries: int = 10_000, size: int = 32 * 1024 * 1024) -> None:
        self._limit, self._budget = entries, size
        self._entries: deque[Entry] = deque()
        self._size = self._count = 0

    def next_number(self) -> int:
        """The number of the next entry."""
        self._count += 1
        return self._count

    def add(self, entry: Entry) -> None:
        """Takes an entry in; the oldest ones go when there is no more room. One that is too large alone still stays."""
        self._entries.append(entry)
        self._size += entry.size
        while len(self._entries) > 1 and (len(self._entries) > self._limit or self._size > self._budget):
            self._size -= self._entries.popleft().size

    def entries(self, session: str = "", outcome: str = "") -> Iterator[Entry]:
        """The entries from the oldest on, of one session or outcome only when that is given."""
        for entry in self._entries:
            if session in ("", entry.session) and outcome in ("", entry.outcome):
                yield entry

    def __len__(self) -> int:
        return len(self._entries)
