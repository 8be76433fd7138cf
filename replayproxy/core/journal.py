"""The journal: what went through the proxy lately, redacted and bounded."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from replayproxy.core.messages import FileBody, Request
from replayproxy.core.problem import Problem

__all__ = ["Entry", "Journal", "Noted"]


# What a header field, and a problem, takes beside its characters.
_FIELD, _PROBLEM = 160, 250


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
        heads = sum(len(name) + len(value) + _FIELD for name, value in self.request.headers)
        problems = sum(len(each.message) + _PROBLEM for each in self.problems)
        return 500 + body + heads + problems + len(self.request.target) + len(self.note)

    def entry(self) -> Entry:
        """Itself."""
        return self


class Noted(Protocol):
    """What an entry is made of when somebody reads it; an `Entry` is one kind."""

    @property
    def session(self) -> str:
        """The session's name."""

    @property
    def outcome(self) -> str:
        """What became of the exchange."""

    @property
    def size(self) -> int:
        """About how many bytes it holds."""

    def entry(self) -> Entry:
        """The entry."""


class Journal:
    """The latest entries, no more than `entries` of them and no more than `size` bytes.

    `next_number` gives the number of the next entry.
    """

    def __init__(
        self, entries: int = 10_000, size: int = 16 * 1024 * 1024, *, next_number: Callable[[], int] | None = None
    ) -> None:
        self._limit, self._budget = entries, size
        self._entries: deque[Noted] = deque()
        self._size = 0
        self.next_number = next_number or partial(next, itertools.count(1))

    def add(self, entry: Noted) -> None:
        """Takes an entry in; the oldest ones go when there is no more room. One that is too large alone still stays."""
        self._entries.append(entry)
        self._size += entry.size
        while len(self._entries) > 1 and (len(self._entries) > self._limit or self._size > self._budget):
            self._size -= self._entries.popleft().size

    def entries(self, session: str = "", outcome: str = "") -> Iterator[Noted]:
        """The entries from the oldest on, of one session or outcome only when that is given."""
        for entry in self._entries:
            if session in ("", entry.session) and outcome in ("", entry.outcome):
                yield entry

    def __len__(self) -> int:
        return len(self._entries)
