"""Collections of the administration API: things that are listed, shown and removed alike.

Facts: the API's description. Its lists are of two shapes: one names the first and the last id, the other a `next`
cursor, which is the last id, too. How long a page is, and which end comes first, differs from list to list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from replayproxy.core import wording
from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import find, listed, not_found
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.shelf import Shelf
from replayproxy.emulator.state import State
from replayproxy.openai_api.lists import PageQuery

__all__ = ["Collection", "Paging", "gone", "organization"]

Parent = Callable[[State, Asked], Record | Problem | None]
Wanted = Callable[[Record], bool]


@dataclass(frozen=True, slots=True)
class Paging:
    """How a list is cut into pages: the `limit` that counts when none is given, the bounds of one, the order."""

    limit: int = 20
    most: int = 100
    least: int = 1
    order: Literal["asc", "desc"] = "asc"
    shape: Literal["ids", "next"] = "ids"

    def query(self, asked: Asked) -> PageQuery | Problem:
        """The page that is asked for."""
        given = dict(asked.call.query)
        text = given.get("limit", "")
        limit = int(text) if text.removeprefix("-").isdecimal() else self.limit
        if limit < self.least:
            return wording.below_minimum("limit", self.least, limit)
        if limit > self.most:
            return wording.above_maximum("limit", self.most, limit)
        order: Literal["asc", "desc"] = "asc" if given.get("order", self.order) == "asc" else "desc"
        return PageQuery(limit, order, given.get("after") or None, given.get("before") or None)

    def render(self, items: list[Json], last: str | None, *, has_more: bool) -> Json:
        """The list with these items, the last of which has the id `last`."""
        if self.shape == "next":
            return {"object": "list", "data": items, "has_more": has_more, "next": last if has_more else None}
        return listed(items, has_more=has_more)


def organization(_: State, __: Asked) -> None:
    """The parent of what hangs from the organisation itself: no record."""


def gone(object_: str, *, named: bool = True) -> Callable[[str], Json]:
    """What is answered to a removal: with the id of what was removed, or without."""
    return lambda id_: {"object": object_, **({"id": id_} if named else {}), "deleted": True}


_GONE = gone("deleted")


def _as_it_is(_: State, record: Record) -> Json:
    return record.json


def _all(_: State, __: Asked) -> None:
    """Leaves nothing out."""


def _nothing(_: State, __: str) -> None:
    """Needs nothing."""


@dataclass(frozen=True, slots=True)
class Collection:
    """The things of one `kind` that hang from a parent; `param` is what a path calls the id of one.

    `page`, `show` and `remove` are handlers. `parent` finds the parent, or says that there is none; `wanted` says which
    items a list shows, `render` how one looks, `item` how it looks in a list where that differs; `removed` is the
    answer to a removal. `prepare` puts in what is there from the start; it is given the parent's id.
    """

    kind: Kind
    param: str
    parent: Parent = organization
    paging: Paging = Paging()
    removed: Callable[[str], Json] = _GONE
    render: Callable[[State, Record], Json] = _as_it_is
    item: Callable[[State, Record], Json] | None = None
    wanted: Callable[[State, Asked], Wanted | None] = _all
    prepare: Callable[[State, str], None] = _nothing

    def shelf(self, state: State, asked: Asked) -> Shelf[Record] | Problem:
        """The things of the parent that is asked for."""
        parent = self.parent(state, asked)
        return parent if isinstance(parent, Problem) else self.shelf_of(state, parent.id if parent else "")

    def shelf_of(self, state: State, parent: str) -> Shelf[Record]:
        """The things of a parent."""
        self.prepare(state, parent)
        return state.shelf(self.kind, parent)

    def find(self, state: State, asked: Asked) -> Record | Problem:
        """The thing that the path names."""
        parent = self.parent(state, asked)
        if isinstance(parent, Problem):
            return parent
        return self.get(state, asked.params[self.param], parent.id if parent else "")

    def get(self, state: State, id_: str, parent: str = "") -> Record | Problem:
        """The thing with an id."""
        self.prepare(state, parent)
        return find(state, self.kind, id_, parent)

    def add(
        self, state: State, asked: Asked, fill: Callable[[Record], None], id_: str | None = None
    ) -> Record | Problem:
        """A new thing of the parent that is asked for."""
        parent = self.parent(state, asked)
        if isinstance(parent, Problem):
            return parent
        self.prepare(state, parent.id if parent else "")
        return state.add(self.kind, fill, parent, id_=id_)

    def page(self, state: State, asked: Asked) -> Answer:
        """Handler: the list."""
        shelf, query = self.shelf(state, asked), self.paging.query(asked)
        if isinstance(shelf, Problem):
            return shelf
        page = query if isinstance(query, Problem) else shelf.page(query, self.wanted(state, asked))
        if isinstance(page, str):
            return not_found(self.kind.name, page)
        if isinstance(page, Problem):
            return page
        render = self.item or self.render
        items = [render(state, record) for _, record in page.items]
        return self.paging.render(items, page.items[-1][0] if page.items else None, has_more=page.has_more)

    def show(self, state: State, asked: Asked) -> Answer:
        """Handler: one thing."""
        record = self.find(state, asked)
        return record if isinstance(record, Problem) else self.render(state, record)

    def remove(self, state: State, asked: Asked) -> Answer:
        """Handler: takes one thing away."""
        record = self.find(state, asked)
        if isinstance(record, Problem):
            return record
        state.remove(self.kind, record.id, record.parent)
        return self.removed(record.id)
