"""The lists of evals: unlike others, they begin with the oldest when nothing is said."""

from __future__ import annotations

from collections.abc import Callable

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import listed, not_found
from replayproxy.emulator.records import Kind, Record
from replayproxy.emulator.shelf import Shelf
from replayproxy.openai_api.lists import PageQuery

__all__ = ["eval_page"]


def eval_page(shelf: Shelf[Record], kind: Kind, asked: Asked, wanted: Callable[[Record], bool] | None = None) -> Answer:
    """The page of `shelf` that the query asks for."""
    query = PageQuery.parse((("order", "asc"), *asked.call.query))
    if isinstance(query, Problem):
        return query
    page = shelf.page(query, wanted)
    if isinstance(page, str):
        return not_found(kind.name, page)
    return listed([record.json for _, record in page.items], has_more=page.has_more)
