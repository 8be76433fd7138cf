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
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from replayproxy.openai_api.lists import PageQuery

__all__ = ["BASE_62", "HEX", "Page", "Shelf", "mint"]

T = TypeVar("T")

BASE_62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
HEX = "0123456789abcdef"


def mint(prefix: str, *parts: str | int, length: int = 24, digits: str = BASE_62) -> str:
    """An id: `prefix` and so many `digits`, which depend on the prefix and on `parts` alone."""
    text = "\0".join((prefix, *map(str, parts))).encode("utf-8", "surrogatepass")
    number = int.from_bytes(hashlib.blake2b(text, digest_size=64).digest())
    characters = []
    for _ in range(length):
        number, digit = divmod(number, len(digits))
        characters.append(digits[digit])
    return prefix + "".join(characters)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items of a shelf in the order asked for, and whether there are more that way."""

    items: tuple[tuple[str, T], ...]
    has_more: bool


class Shelf(Generic[T]):
    """The children of one kind of one parent; `name` gives the id of the child at a place."""

    def __init__(self, name: Callable[[int], str]) -> None:
        self._name = name
        self._count = 0
        self._place_of: dict[str, int] = {}  # of the deleted too: their ids still serve as cursors
        self._items: dict[int, tuple[str, T]] = {}
        self._places: list[int] = []  # of what is there, ascending

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[T]:
        """What is there, in the order of creation."""
        return (self._items[place][1] for place in list(self._places))

    def add(self, make: Callable[[str, int], T], id_: str | None = None) -> T:
        """Put in what `make` gives for an id (a new one, unless it is given) and its place.

        A given id that is there already has its item replaced.
        """
        if id_ is not None and id_ in self._place_of:
            return self.put_at(self._place_of[id_], id_, make(id_, self._place_of[id_]))
        place = self._count
        id_ = id_ or self._name(place)
        return self.put_at(place, id_, make(id_, place))

    def put_at(self, place: int, id_: str, item: T) -> T:
        """Put an item where it was, when it comes back from where it was kept."""
        self._count = max(self._count, place + 1)
        self._place_of[id_] = place
        if place not in self._items:
            self._places.insert(bisect_left(self._places, place), place)
        self._items[place] = (id_, item)
        return item

    def used(self, place: int, id_: str) -> None:
        """Marks a place as used by what has been deleted since."""
        self._count = max(self._count, place + 1)
        self._place_of[id_] = place

    def was_there(self, id_: str) -> bool:
        """Whether something has, or had, the id."""
        return id_ in self._place_of

    def get(self, id_: str) -> T | None:
        """What has the id, or None."""
        found = self._items.get(self._place_of.get(id_, -1))
        return found[1] if found else None

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
