"""The journal: what went through the proxy lately, redacted and bounded."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import NamedTuple, Protocol

from replayproxy.core.messages import Body, FileBody, Request, Response, body_length
from replayproxy.core.meter import Meter
from replayproxy.core.problem import Problem

__all__ = ["UNDER_WAY", "Allowance", "Entry", "Glance", "Journal", "Missed", "NearMiss", "Noted", "ShownDifference"]

#: The outcome of an exchange that has not ended yet.
UNDER_WAY = "under_way"


# What a header field, and a problem, takes beside its characters.
_FIELD, _PROBLEM = 160, 250


@dataclass(frozen=True, slots=True)
class ShownDifference:
    """A difference as it is shown: its path, and both sides as JSON text (None: not there), the long ones cut."""

    path: str
    recorded: str | None
    received: str | None


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A recording that came near to a request: the interaction's number, its line in the cassette, how it differs."""

    interaction: int
    line: int
    differences: tuple[ShownDifference, ...] = ()


@dataclass(frozen=True, slots=True)
class Missed:
    """Why nothing recorded answered: `no_cassette`, `no_match` or `already_played`, and what came nearest."""

    reason: str
    near: tuple[NearMiss, ...] = ()


class Glance(NamedTuple):
    """What of an exchange is known without any work: an entry (see there) without its messages.

    `sent` counts the bytes of the request's body, `problems` and `warnings` what was found wrong; `note` is the first
    line. `response` gives the redacted answer, or None when none is known; `source` is equal for those whose answers
    are (None: nobody knows).
    """

    number: int
    session: str
    arrived: str
    method: str
    target: str
    status: int
    outcome: str
    operation: str
    family: str
    interaction: int
    seconds: float
    first_byte: float
    sent: int
    problems: int
    warnings: int
    note: str
    request: Request | None
    response: Callable[[], Response | None]
    source: tuple[object, int] | None = None
    cassette: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One exchange, as it ended, or as far as it has come.

    `number` counts the exchanges of the proxy from 1; `arrived` is ISO 8601 in UTC, `seconds` how long it took and
    `first_byte` how long until the answer's head was there. `operation` and `family` are the catalog's names for what
    was asked; `interaction` is the one that answered (0: none) out of `cassette`, `note` why it went wrong; `request`
    is the redacted twin, `response` the redacted answer, None when none is known. `cut`: of the answer's body only the
    beginning is here. `miss` tells why nothing recorded answered.
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
    first_byte: float = 0.0
    response: Response | None = None
    cut: bool = False
    miss: Missed | None = None
    cassette: str = ""

    @property
    def size(self) -> int:
        """About how many bytes it holds."""
        body = _size(self.request.body) + (_size(self.response.body) if self.response is not None else 0)
        heads = sum(len(name) + len(value) + _FIELD for name, value in self.request.headers)
        problems = sum(len(each.message) + _PROBLEM for each in self.problems)
        return 500 + body + heads + problems + len(self.request.target) + len(self.note)

    def entry(self) -> Entry:
        """Itself."""
        return self

    def glance(self) -> Glance:
        """What of it is known without any work."""
        return Glance(
            number=self.number,
            session=self.session,
            arrived=self.arrived,
            method=self.request.method,
            target=self.request.target,
            status=self.status,
            outcome=self.outcome,
            operation=self.operation,
            family=self.family,
            interaction=self.interaction,
            seconds=self.seconds,
            first_byte=self.first_byte,
            sent=body_length(self.request.body),
            problems=sum(not each.warning for each in self.problems),
            warnings=sum(each.warning for each in self.problems),
            note=self.note.partition("\n")[0],
            request=self.request,
            response=lambda: self.response,
            cassette=self.cassette,
        )


def _size(body: Body) -> int:
    return 0 if isinstance(body, FileBody) else len(body)


class Noted(Protocol):
    """What an entry is made of when somebody reads it; an `Entry` is one kind."""

    @property
    def number(self) -> int:
        """The number of the exchange."""

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

    def glance(self) -> Glance:
        """What of the entry is known without any work."""


class Allowance:
    """So many bytes may be kept in all of what is under way; who keeps something takes from it and gives it back."""

    __slots__ = ("left",)

    def __init__(self, size: int) -> None:
        self.left = size

    def take(self, wanted: int) -> int:
        """Takes so many bytes, or as many as there are; how many that is."""
        taken = min(wanted, self.left)
        self.left -= taken
        return taken

    def give(self, size: int) -> None:
        """Gives bytes back."""
        self.left += size


class Journal:
    """The latest entries, no more than `entries` of them and no more than `size` bytes.

    `next_number` gives the number of the next entry; `added` counts all that were ever taken in, `meter` what became of
    them.
    """

    def __init__(
        self, entries: int = 10_000, size: int = 16 * 1024 * 1024, *, next_number: Callable[[], int] | None = None
    ) -> None:
        self._limit, self._budget = entries, size
        self.allowance = Allowance(size)
        self._entries: deque[Noted] = deque()
        #: What each of them weighed when it was taken in: what is read of one later may weigh something else.
        self._weights: deque[int] = deque()
        self._under_way: dict[int, Callable[[], Noted]] = {}
        self._size = self.added = 0
        self.meter = Meter()
        self.next_number = next_number or partial(next, itertools.count(1))

    def begin(self, number: int, so_far: Callable[[], Noted]) -> None:
        """Takes note of an exchange that has begun; `so_far` gives it as far as it has come, until it is added."""
        self._under_way[number] = so_far

    def under_way(self) -> list[Noted]:
        """The exchanges that have begun and not ended, as far as they have come."""
        return [so_far() for so_far in list(self._under_way.values())]

    def add(self, entry: Noted) -> None:
        """Takes an entry in; the oldest ones go when there is no more room. One that is too large alone still stays."""
        if self._under_way:
            self._under_way.pop(entry.number, None)
        self._entries.append(entry)
        self.added += 1
        weight = entry.size
        self._weights.append(weight)
        self._size += weight
        while len(self._entries) > 1 and (len(self._entries) > self._limit or self._size > self._budget):
            self._entries.popleft()
            self._size -= self._weights.popleft()

    def entries(self, session: str = "", outcome: str = "") -> Iterator[Noted]:
        """The entries from the oldest on, of one session or outcome only when that is given."""
        for entry in self._entries:
            if session in ("", entry.session) and outcome in ("", entry.outcome):
                yield entry

    def since(self, added: int) -> list[Noted]:
        """What was taken in since so many had been, and is still here, the oldest first."""
        return list(islice(reversed(self._entries), max(0, self.added - added)))[::-1]

    @property
    def size(self) -> int:
        """About how many bytes it holds."""
        return self._size

    @property
    def oldest(self) -> int:
        """No exchange with a smaller number is held. (They end in another order than they begin in: so many of the
        first ones are looked at.)"""
        return min((each.number for each in islice(self._entries, 64)), default=0)

    def find(self, number: int) -> Entry | None:
        """The entry with that number, as far as it has come; None when it is not there (any more)."""
        if (so_far := self._under_way.get(number)) is not None:
            return so_far().entry()
        return next((each.entry() for each in reversed(self._entries) if each.number == number), None)

    def latest(self, session: str = "", limit: int = 10_000) -> list[Entry]:
        """The latest entries, of one session when that is given, the oldest first."""
        found = [each for each in self._entries if session in ("", each.session)]
        return [each.entry() for each in found[-limit:]]

    def __len__(self) -> int:
        return len(self._entries)
