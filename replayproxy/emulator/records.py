"""What the emulator remembers of one thing, and the kinds of things there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from replayproxy.emulator.shelf import BASE_62, mint

if TYPE_CHECKING:
    from replayproxy.emulator.state import State

__all__ = ["Json", "Kind", "Record"]

#: A JSON object of an answer, its keys in the order of the API's.
Json = dict[str, Any]


@dataclass(slots=True, eq=False)
class Record:
    """One thing: what the API tells of it (`json`, its keys in the API's order), and what only the emulator knows.

    `parent` is the id of the thing it hangs from, "" for none; `place` its place among the parent's children of its
    kind, which its id and time follow from. `hidden` is JSON, too; `blob` bytes (the content of a file). Whoever
    changes a record tells `State.keep`.
    """

    kind: str
    id: str
    parent: str
    place: int
    created_at: int
    json: Json = field(default_factory=dict)
    hidden: Json = field(default_factory=dict)
    blob: bytes = b""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing.

    `name` is what the API calls it in an error ("No thread found with id …"), and its name in a fixtures file; an id is
    `prefix` and so many `digits`. `invent` fills a new record of an id that the emulator never made (a thing of last
    year) with sensible defaults; it gets the state and the record, whose id and parent are set.
    """

    name: str
    prefix: str
    invent: Callable[[State, Record], None]
    length: int = 24
    digits: str = BASE_62

    def id_at(self, seed: str | int, parent: str, place: int) -> str:
        """The id of the child at a place of a parent."""
        return mint(self.prefix, seed, parent, place, length=self.length, digits=self.digits)
