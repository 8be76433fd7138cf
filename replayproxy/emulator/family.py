"""What the module of a family is made of: handlers, and the answers they share.

A handler gets the state and a call that was found valid, and gives the JSON to answer with or a problem. It does not
wait for anything, so a request is served whole before the next one is looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from replayproxy.core.problem import Call, Problem
from replayproxy.emulator.shelf import Shelf
from replayproxy.emulator.state import Json, State
from replayproxy.openai_api.lists import PageQuery

__all__ = ["Answer", "Handler", "Routes", "body_of", "deleted", "metadata_of", "not_found", "page_answer"]

T = TypeVar("T")

Answer = Json | Problem
Handler = Callable[[State, Call], Answer]
#: The ids of operations, with what each does; a family exports them as `ROUTES`.
Routes = tuple[tuple[str, Handler], ...]


def not_found(kind: str, id_: str) -> Problem:
    """Nothing of this kind ("thread") has the id."""
    return Problem(f"No {kind} found with id '{id_}'.", status=404)


def deleted(id_: str, object_: str) -> Json:
    """The answer to a deletion."""
    return {"id": id_, "object": object_, "deleted": True}


def body_of(call: Call) -> Json:
    """The body of a call whose body was found to be an object."""
    return call.body if isinstance(call.body, dict) else {}


def metadata_of(body: Json, otherwise: dict[str, str]) -> dict[str, str]:
    """The metadata that a valid body gives, `otherwise` when it gives none."""
    given = body.get("metadata")
    return {str(key): str(value) for key, value in given.items()} if isinstance(given, dict) else otherwise


def page_answer(
    shelf: Shelf[T], kind: str, call: Call, render: Callable[[T], Json], wanted: Callable[[T], bool] | None = None
) -> Answer:
    """The page of `shelf` that the call's query asks for, each item as `render` shows it.

    A cursor that was never an id here is not found (inferred: what the API says to one is not known).
    """
    query = PageQuery.parse(call.query)
    page = query if isinstance(query, Problem) else shelf.page(query, wanted)
    if isinstance(page, Problem):
        return page
    if isinstance(page, str):
        return not_found(kind, page)
    return {
        "object": "list",
        "data": [render(item) for _, item in page.items],
        "first_id": page.items[0][0] if page.items else None,
        "last_id": page.items[-1][0] if page.items else None,
        "has_more": page.has_more,
    }
