"""What the emulator remembers: records on shelves, one shelf for each kind and parent.

Rules:
1. Ids and times follow from the seed, the parent and the place (shelf.py): two runs that make the same things make
   the same ids, whatever else happens at the same time.
2. Every change goes through `add`, `keep` and `remove`, which tell the keeper (a file, when there is one).
3. No real clock is looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from replayproxy.core.messages import Request
from replayproxy.emulator.brain import Brain
from replayproxy.emulator.records import Kind, Record
from replayproxy.emulator.shelf import Shelf

__all__ = ["Dispatch", "EmulatorSettings", "Keeper", "State", "UnknownIds"]

UnknownIds = Literal["404", "create"]


@dataclass(frozen=True, slots=True)
class EmulatorSettings:
    """What makes one emulator differ from another.

    `seed` decides the ids, `clock_start` (seconds since 1970, UTC) the time of the first object. `api_keys` are the
    keys that are taken; none means that any is. `unknown_ids` says what becomes of an id that the emulator never
    made. `pace` is how many seconds lie between two events of a stream; `upload_limit` how many bytes of uploads are
    kept in all.
    """

    seed: str | int = 0
    clock_start: int = 1_704_067_200  # 2024-01-01T00:00:00Z
    api_keys: frozenset[str] = frozenset()
    unknown_ids: UnknownIds = "404"
    pace: float = 0.0
    upload_limit: int = 512 * 1024**2


Dispatch = Callable[[Request], Awaitable[Any]]


async def _nobody(request: Request) -> Any:
    raise RuntimeError(f"nobody answers {request.method} {request.path} yet")


class Keeper(Protocol):
    """Where records are kept beyond the life of a process."""

    def put(self, record: Record) -> None:
        """Keeps a record as it is now."""

    def drop(self, record: Record) -> None:
        """Keeps that a record was removed: its place stays used."""

    def load(self) -> Iterator[tuple[Record, bool]]:
        """All that was kept, and whether it is still there, in the order in which it was first put."""

    def clear(self) -> None:
        """Forgets everything."""


class State:
    """All that one emulator remembers. `kinds` are those that it knows, by name; `brain` is asked for models' replies.

    `dispatch` answers a request as if it had come over the network (a batch makes such).
    """

    def __init__(
        self, settings: EmulatorSettings, kinds: tuple[Kind, ...], brain: Brain, keeper: Keeper | None = None
    ) -> None:
        self.settings = settings
        self.brain = brain
        self.dispatch: Dispatch = _nobody
        self.kinds = {kind.name: kind for kind in kinds}
        self._keeper = keeper
        self._shelves: dict[tuple[str, str], Shelf[Record]] = {}
        self._requests = 0
        if keeper is not None:
            for record, there in keeper.load():
                self._restore(record, there=there)

    def shelf(self, kind: Kind, parent: str = "") -> Shelf[Record]:
        """The things of a kind that hang from a parent."""
        key = (kind.name, parent)
        if key not in self._shelves:
            self._shelves[key] = Shelf(lambda place: kind.id_at(self.settings.seed, parent, place))
        return self._shelves[key]

    def add(
        self,
        kind: Kind,
        fill: Callable[[Record], None],
        parent: Record | None = None,
        *,
        id_: str | None = None,
        under: str = "",
    ) -> Record:
        """A new record, once `fill` has given it its `json`. `id_` when it is to have one of somebody else's choice.

        `under` is the parent's id where the parent is no record.
        """
        above = parent.id if parent else under
        start = parent.created_at if parent else self.settings.clock_start

        def make(new: str, place: int) -> Record:
            record = Record(kind.name, new, above, place, start + place)
            fill(record)
            return record

        record = self.shelf(kind, above).add(make, id_)
        self.keep(record)
        return record

    def get(self, kind: Kind, id_: str, parent: str = "") -> Record | None:
        """The record with that id, invented when the settings say so and there is none; None: there is none."""
        found = self.shelf(kind, parent).get(id_)
        if found is None and self.settings.unknown_ids == "create" and self._may_invent(kind, id_, parent):
            return self.add(kind, lambda record: kind.invent(self, record), id_=id_, under=parent)
        return found

    def keep(self, record: Record) -> None:
        """Takes note that a record has changed."""
        if self._keeper is not None:
            self._keeper.put(record)

    def remove(self, kind: Kind, id_: str, parent: str = "") -> Record | None:
        """Takes a record away and gives it; None when there is none."""
        if self.get(kind, id_, parent) is None:
            return None
        record = self.shelf(kind, parent).remove(id_)
        if record is not None and self._keeper is not None:
            self._keeper.drop(record)
        return record

    def reset(self) -> None:
        """Forgets everything."""
        self._shelves.clear()
        self._requests = 0
        if self._keeper is not None:
            self._keeper.clear()

    def counts(self) -> dict[str, int]:
        """How many things there are, by the name of their kind."""
        found: dict[str, int] = {}
        for (kind, _), shelf in self._shelves.items():
            found[kind] = found.get(kind, 0) + len(shelf)
        return {kind: count for kind, count in found.items() if count}

    def records(self) -> Iterator[Record]:
        """Everything, kind by kind."""
        for shelf in list(self._shelves.values()):
            yield from shelf

    def request_id(self) -> str:
        """The id of the next request: by order of arrival, so it is the one thing that concurrency can change."""
        self._requests += 1
        name = f"{self.settings.seed}\0{self._requests}".encode("utf-8", "surrogatepass")
        return f"req_{hashlib.blake2b(name, digest_size=16).hexdigest()}"

    def _may_invent(self, kind: Kind, id_: str, parent: str) -> bool:
        """Whether an id could be somebody's: not empty, and not of something that was deleted here."""
        return bool(id_) and not self.shelf(kind, parent).was_there(id_)

    def _restore(self, record: Record, *, there: bool) -> None:
        kind = self.kinds.get(record.kind)
        if kind is None:
            return
        shelf = self.shelf(kind, record.parent)
        if there:
            shelf.put_at(record.place, record.id, record)
        else:
            shelf.used(record.place, record.id)
