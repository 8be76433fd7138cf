"""Shelves: ids, places and pages."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.emulator.shelf import HEX, Page, Shelf, mint
from replayproxy.openai_api.lists import PageQuery


def shelf_of(count: int, removed: frozenset[int] = frozenset()) -> tuple[Shelf[int], list[str]]:
    """A shelf with the numbers up to `count`, less those removed, and the ids of all."""
    shelf: Shelf[int] = Shelf(lambda place: mint("msg_", place))
    ids: list[str] = []
    for number in range(count):
        shelf.add(lambda id_, _, number=number: ids.append(id_) or number)  # type: ignore[misc,func-returns-value]
    for number in removed:
        shelf.remove(ids[number])
    return shelf, ids


def page_of(shelf: Shelf[int], query: PageQuery) -> Page[int]:
    """The page, which must be one."""
    page = shelf.page(query)
    assert isinstance(page, Page)
    return page


def test_id_has_the_shape_of_the_real_ones() -> None:
    """A prefix and so many letters and digits, another for anything that differs."""
    ids = {mint("msg_", *parts) for parts in [(0, "a", 0), (0, "a", 1), (1, "a", 0), (0, "b", 0), ("", "0a", 0)]}
    assert len(ids) == 5
    assert all(re.fullmatch("msg_[0-9A-Za-z]{24}", id_) for id_ in ids)
    assert re.fullmatch("resp_[0-9a-f]{48}", mint("resp_", 0, length=48, digits=HEX))


def test_a_place_is_used_once() -> None:
    """What is deleted leaves a gap."""
    shelf: Shelf[int] = Shelf(lambda place: f"x_{place}")
    assert [shelf.add(lambda _, place: place) for _ in range(2)] == [0, 1]
    shelf.remove("x_1")
    assert shelf.add(lambda _, place: place) == 2
    assert list(shelf) == [0, 2]


def test_an_id_of_somebody_elses_choice() -> None:
    """It takes the next place; given again, what is there is replaced."""
    shelf: Shelf[str] = Shelf(lambda place: f"x_{place}")
    shelf.add(lambda id_, _: id_)
    shelf.add(lambda id_, place: f"{id_} at {place}", "mine")
    shelf.add(lambda id_, place: f"{id_} again at {place}", "mine")
    assert list(shelf) == ["x_0", "mine again at 1"]
    assert shelf.was_there("mine")
    assert not shelf.was_there("x_1")


def test_things_come_back_to_their_places() -> None:
    """From where they were kept, in any order; what was deleted keeps its place used, and its id a cursor."""
    shelf: Shelf[str] = Shelf(lambda place: f"x_{place}")
    shelf.put_at(2, "c", "c")
    shelf.put_at(0, "a", "a")
    shelf.used(4, "e")
    assert list(shelf) == ["a", "c"]
    assert shelf.add(lambda id_, _: id_) == "x_5"
    assert shelf.was_there("e")
    assert shelf.get("e") is None


def test_what_is_removed_is_gone() -> None:
    """It is not found, replaced, removed or counted again."""
    shelf, ids = shelf_of(2, frozenset({0}))
    assert (len(shelf), shelf.get(ids[0]), shelf.get(ids[1]), shelf.get("x")) == (1, None, 1, None)
    assert shelf.remove(ids[0]) is None
    assert shelf.remove("x") is None


shelves = st.integers(0, 40).flatmap(
    lambda count: st.tuples(
        st.just(count), st.frozensets(st.sampled_from(range(count))) if count else st.just(frozenset())
    )
)


@given(shelves, st.integers(1, 12), st.sampled_from(["asc", "desc"]))
def test_pages_one_after_the_other_give_everything_once(
    contents: tuple[int, frozenset[int]], limit: int, order: str
) -> None:
    """Walking by `after` in either order, and by `before` from the last item back, misses and repeats nothing."""
    shelf, _ = shelf_of(*contents)
    expected = sorted(set(range(contents[0])) - contents[1], reverse=order == "desc")
    forward = walked(shelf, PageQuery(limit, order), "after")  # type: ignore[arg-type]
    assert [number for page in forward for _, number in page.items] == expected
    if expected:
        last = forward[-1].items[-1][0]
        back = walked(shelf, PageQuery(limit, order, before=last), "before")  # type: ignore[arg-type]
        assert [number for page in reversed(back) for _, number in page.items] == expected[:-1]


def walked(shelf: Shelf[int], query: PageQuery, by: str) -> list[Page[int]]:
    """All pages from `query` on; all but the last are full and say that there is more."""
    pages = [page_of(shelf, query)]
    while pages[-1].has_more:
        assert len(pages[-1].items) == query.limit
        cursor = pages[-1].items[-1 if by == "after" else 0][0]
        after, before = (cursor, None) if by == "after" else (None, cursor)
        pages.append(page_of(shelf, PageQuery(query.limit, query.order, after, before)))
    return pages


@pytest.mark.parametrize(("order", "after", "before"), [("asc", 2, 6), ("desc", 6, 2)])
def test_both_cursors_bound_a_page(order: str, after: int, before: int) -> None:
    """What stands strictly between them is given, from `after` on."""
    shelf, ids = shelf_of(9)
    query = PageQuery(2, order, ids[after], ids[before])  # type: ignore[arg-type]
    page = page_of(shelf, query)
    assert ([number for _, number in page.items], page.has_more) == ([3, 4] if order == "asc" else [5, 4], True)


def test_deleted_id_is_still_a_cursor() -> None:
    """A client that deletes what it lists can go on listing; an id that never was is named."""
    shelf, ids = shelf_of(5, frozenset({2}))
    assert [number for _, number in page_of(shelf, PageQuery(9, "asc", after=ids[2])).items] == [3, 4]
    assert shelf.page(PageQuery(after="msg_never")) == "msg_never"


def test_page_of_chosen_items() -> None:
    """A filter counts what it lets through only."""
    shelf, _ = shelf_of(10)
    page = shelf.page(PageQuery(2, "asc"), lambda number: number % 3 == 0)
    assert isinstance(page, Page)
    assert ([number for _, number in page.items], page.has_more) == ([0, 3], True)
