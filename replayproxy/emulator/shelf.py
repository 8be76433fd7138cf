"""Things with ids in the order of their creation: where the emulator keeps what it was given.

Rules:
1. An id depends on the seed, the parent's id, the kind and the place among the parent's children, so that work going
   on elsewhere at the same time changes nothing. Times are counted by the same places: one second each.
2. A place is used once: what is deleted leaves a gap, and its id still works as a cursor.
3. A page costs what it holds, however long the shelf is; a page of chosen items costs what was looked through.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from replayproxy.openai_api.lists import PageQuery

__all__ = ["Page", "Shelf", "mint"]

T = TypeVar("T")

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_LENGTH = 24


def mint(prefix: str, *parts: str | int) -> str:
    """An id of the API's shape, `prefix` and 24 letters and digits, that depends on `parts` alone."""
    text = "\0".join((prefix, *map(str, parts))).encode("utf-8", "surrogatepass")
    number = int.from_bytes(hashlib.blake2b(text, digest_size=20).digest())
    characters = []
    for _ in range(_ID_LENGTH):
        number, digit = divmod(number, len(_DIGITS))
        characters.append(_DIGITS[digit])
    return f"{prefix}_{''.join(characters)}"


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items of a shelf in the order asked for, and whether there are more that way."""

    items: tuple[tuple[str, T], ...]
    has_more: bool


class Shelf(Generic[T]):
    """The children of one kind of one parent. `start` is the time (in seconds) of the first place."""

    def __init__(self, prefix: str, seed: str | int, parent: str, start: int) -> None:
        self._prefix, self._seed, self._parent, self._start = prefix, seed, parent, start
        self._count = 0
        self._place_of: dict[str, int] = {}  # of the deleted too: their ids still serve as cursors
        self._items: dict[int, tuple[str, T]] = {}
        self._places: list[int] = []  # of what is there, ascending

    def __len__(self) -> int:
        return len(self._places)

    def add(self, make: Callable[[str, int], T]) -> T:
        """Put in what `make` gives for a new id and its time of creation."""
        place, self._count = self._count, self._count + 1
        id_ = mint(self._prefix, self._seed, self._parent, place)
        item = make(id_, self._start + place)
        self._place_of[id_] = place
        self._items[place] = (id_, item)
        self._places.append(place)
        return item

    def get(self, id_: str) -> T | None:
        """What has the id, or None."""
        found = self._items.get(self._place_of.get(id_, -1))
        return found[1] if found else None

    def replace(self, id_: str, item: T) -> T:
        """Put `item` where `id_` is; KeyError when nothing has that id."""
        place = self._place_of[id_]
        if place not in self._items:
            raise KeyError(id_)
        self._items[place] = (id_, item)
        return item

    def remove(self, id_: str) -> T | None:
        """Take out what has the id and give it, or None when nothing has."""
        place = self._place_of.get(id_, -1)
        found = self._items.pop(place, None)
        if found is None:
            return None
        del self._places[bisect_left(self._places, place)]
        return found[1]

    def page(self, query: PageQuery, wanted: Callable[[T], bool] | None = None) -> Page[T] | str:
        """The page that `query` asks for, of what is `wanted` (None: of all), or the cursor that was never an id here.

        `before` alone gives what stands directly before it; with `after`, the page begins behind that one.
        """
        unknown = next((id_ for id_ in (query.after, query.before) if id_ and id_ not in self._place_of), None)
        if unknown is not None:
            return unknown
        window = self._window(query)
        backwards = query.before is not None and query.after is None
        walk = window if (query.order == "asc") != backwards else reversed(window)
        items = self._taken(walk, query.limit + 1, wanted)
        shown = items[: query.limit]
        return Page(tuple(reversed(shown)) if backwards else tuple(shown), len(items) > query.limit)

    def _window(self, query: PageQuery) -> range:
        """The indexes into `_places` between the cursors, ascending."""
        low, high = (query.after, query.before) if query.order == "asc" else (query.before, query.after)
        first = bisect_right(self._places, self._place_of[low]) if low else 0
        last = bisect_left(self._places, self._place_of[high]) if high else len(self._places)
        return range(first, last)

    def _taken(self, walk: Iterable[int], most: int, wanted: Callable[[T], bool] | None) -> list[tuple[str, T]]:
        taken: list[tuple[str, T]] = []
        for index in walk:
            entry = self._items[self._places[index]]
            if wanted is None or wanted(entry[1]):
                taken.append(entry)
                if len(taken) == most:
                    break
        return taken
