"""Which of many requests may be like another one, told from cheap signs: method, path and size of the body.

Rules:
1. The method and the path count most: the same path, then paths of the same shape (with other ids), then others by the
   number of segments that differ. Then the size counts, and of equals the earlier comes first.
2. However many requests there are, a look-up goes over their methods and the shapes of their paths only.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, groupby, zip_longest
from operator import itemgetter
from typing import NamedTuple

from replayproxy.core.messages import Body, FileBody, Request, decode, encode
from replayproxy.core.url_paths import normal_path

__all__ = ["Directory", "Look", "Places", "Rank", "look_of", "ranking"]

_SEGMENTS = 32
_ID_SEGMENT = re.compile(r"[0-9]+|(?=.*[0-9A-Z]).{8,}")

#: How far from the one that is looked for something with this method and path is; 0 when it is there.
Rank = Callable[[str, str], int]
_Shape = tuple[str, ...]


class Look(NamedTuple):
    """What a body looks like: its size, and what can be seen of it, which is its beginning and its end at least."""

    size: int
    seen: bytes


def look_of(body: Body) -> Look:
    """The look of a body; one in a file cannot be seen."""
    return Look(body.size, b"") if isinstance(body, FileBody) else Look(len(body), body)


def ranking(received: Request, path_of: Callable[[Request], str]) -> Rank:
    """The ranks of places for a request; `path_of` gives what the path of a request is compared by."""
    wanted, path, known = _shape(received.path), path_of(received), dict[tuple[str, str], int]()

    def rank(method: str, other: str) -> int:
        place = (method, other)
        if place not in known:
            same = path_of(Request(method, other)) == path
            far = 0 if same else 1 + _distance(_shape(other), wanted)
            known[place] = far + 2 * (method != received.method)
        return known[place]

    return rank


class Places:
    """Methods and paths, numbered from 1 as they come; 0 is that of requests of which neither is known."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self._escaped: list[tuple[bytes, int]] = []
        self._shape_numbers: dict[tuple[str, _Shape], int] = {("", ()): 0}
        self.shape_of = array("I", [0])

    @property
    def shapes(self) -> Iterable[tuple[str, _Shape]]:
        """Methods with shapes of paths, in the order in which `shape_of` numbers them for the places."""
        return self._shape_numbers

    def number(self, name: bytes) -> int:
        """The number of a place called `METHOD PATH`."""
        found = self._numbers.get(name)
        if found is None:
            found = self._numbers[name] = len(self.shape_of)
            method, _, path = decode(name).partition(" ")
            self.shape_of.append(self._shape_numbers.setdefault((method, _shape(path)), len(self._shape_numbers)))
            if "%" in path:
                self._escaped.append((encode(f"{method} {normal_path(path)}"), found))
        return found

    def at(self, method: str, path: str) -> frozenset[int]:
        """The numbers of the places with this method and this normal path."""
        name = encode(f"{method} {path}")
        return frozenset(
            found for known, found in ((name, self._numbers.get(name)), *self._escaped) if known == name and found
        )

    def __iter__(self) -> Iterator[tuple[int, Request]]:
        """The places with their numbers, as requests that go there."""
        for name, number in self._numbers.items():
            method, _, path = decode(name).partition(" ")
            yield number, Request(method, path)


class Directory:
    """Requests, as indexes, by where they go and how large their bodies are."""

    def __init__(self, places: Places, placed: Sequence[int], sizes: Sequence[int]) -> None:
        """`placed` gives the number of each request's place, and `sizes` the size of its body."""
        self._places, self._placed, self._sizes = places, placed, sizes
        self._shelves: dict[object, _Shelf] = {}

    def nearest(
        self, received: Request, size: int, count: int, path_of: Callable[[Request], str], *, is_plain: bool
    ) -> list[tuple[int, int]]:
        """The `count` requests that may be like `received`, whose body has that size: (rank, index), best first.

        `is_plain` says that `path_of` makes nothing of a path but its normal form.
        """
        found = list[tuple[int, int]]()
        seen = set[int]()
        for rank, group in groupby(self._ranked(received, path_of, is_plain), key=itemgetter(0)):
            shelves = [self._shelf(shape, places) for _, shape, places in group]
            near = sorted(chain.from_iterable(shelf.nearest(size, count + len(seen)) for shelf in shelves))
            new = [index for _, index in near if index not in seen][: count - len(found)]
            found += [(rank, index) for index in new]
            seen.update(new)
            if len(found) >= count:
                break
        return found

    def _ranked(
        self, received: Request, path_of: Callable[[Request], str], is_plain: bool
    ) -> list[tuple[int, int, frozenset[int]]]:
        """The shelves by rank: the number of a shape, or places.

        What stands on the shelf of its place stands on that of its place's shape again.
        """
        wanted, path = _shape(received.path), path_of(received)
        found = list[tuple[int, int, frozenset[int]]]()
        matched = [] if is_plain else [each for each in self._places if path_of(each[1]) == path]
        for number, (method, shape) in enumerate(self._places.shapes):
            rank = 2 * (method != received.method)
            found.append((rank + 1 + _distance(shape, wanted), number, frozenset()))
        for method in dict.fromkeys(method for method, _ in self._places.shapes):
            rank = 2 * (method != received.method)
            same = frozenset(number for number, request in matched if request.method == method)
            found.append((rank, -1, self._places.at(method, path) if is_plain else same))
        return sorted(found, key=itemgetter(0))

    def _shelf(self, shape: int, places: frozenset[int]) -> _Shelf:
        shelf = self._shelves.get((shape, places))
        if shelf is None:
            shape_of, placed = self._places.shape_of, enumerate(self._placed)
            if shape >= 0:
                indexes = [index for index, place in placed if shape_of[place] == shape]
            else:
                indexes = [index for index, place in placed if place in places]
            shelf = self._shelves[shape, places] = _Shelf(indexes, self._sizes)
        return shelf


class _Shelf:
    """Requests in order of size."""

    def __init__(self, indexes: Iterable[int], sizes: Sequence[int]) -> None:
        self._by_size: dict[int, list[int]] = {}
        for index in indexes:
            self._by_size.setdefault(sizes[index], []).append(index)
        self._sizes = sorted(self._by_size)

    def nearest(self, size: int, count: int) -> Iterator[tuple[int, int]]:
        """The `count` nearest by size, as (how far, index), best first."""
        at = bisect_left(self._sizes, size)
        close = sorted((abs(each - size), each) for each in self._sizes[max(0, at - count) : at + count])
        for far, group in groupby(close, key=itemgetter(0)):
            indexes = sorted(chain.from_iterable(self._by_size[each][:count] for _, each in group))[:count]
            yield from ((far, index) for index in indexes)
            count -= len(indexes)
            if not count:
                break


def _shape(path: str) -> _Shape:
    return tuple(map(_segment, normal_path(path).split("/", _SEGMENTS)))


@lru_cache(maxsize=1024)
def _segment(text: str) -> str:
    return "{id}" if _ID_SEGMENT.fullmatch(text) else text


def _distance(one: _Shape, other: _Shape) -> int:
    return sum(old != new for old, new in zip_longest(one, other))
