"""What the module of a family is made of: kinds, handlers, and the answers they share.

A handler gets the state and what is asked, found valid, and gives an answer. One that waits for nothing is a plain
function, so a request is served whole before the next one is looked at; one that asks a model is a coroutine.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.shelf import Shelf
from replayproxy.emulator.state import State

__all__ = ["Handler", "Observer", "Routes", "deleted", "find", "listed", "metadata_of", "not_found", "page_answer"]

Handler = Callable[[State, Asked], Answer | Awaitable[Answer]]
#: Is told of a request and its answer (no problem), once it has been answered.
Observer = Callable[[State, Asked, Answer], None]
#: The ids of operations, with what each does; a family exports them as `ROUTES`, and its kinds as `KINDS`.
Routes = tuple[tuple[str, Handler], ...]


def not_found(kind: str, id_: str) -> Problem:
    """Nothing of this kind ("thread") has the id."""
    return Problem(f"No {kind} found with id '{id_}'.", status=404)


def find(state: State, kind: Kind, id_: str, parent: str = "") -> Record | Problem:
    """The record with that id, or that there is none."""
    return state.get(kind, id_, parent) or not_found(kind.name, id_)


def deleted(id_: str, object_: str) -> Json:
    """The answer to a deletion."""
    return {"id": id_, "object": object_, "deleted": True}


def metadata_of(body: Json, otherwise: dict[str, str]) -> dict[str, str]:
    """The metadata that a valid body gives, `otherwise` when it gives none."""
    given = body.get("metadata")
    return {str(key): str(value) for key, value in given.items()} if isinstance(given, dict) else otherwise


def page_answer(
    shelf: Shelf[Record],
    kind: Kind,
    asked: Asked,
    wanted: Callable[[Record], bool] | None = None,
    render: Callable[[Record], Json] = lambda record: record.json,
) -> Answer:
    """The page of `shelf` that the query asks for, each item as `render` shows it.

    A cursor that was never an id here is not found (inferred: what the API says to one is not known).
    """
    query = asked.page()
    page = query if isinstance(query, Problem) else shelf.page(query, wanted)
    if isinstance(page, Problem):
        return page
    if isinstance(page, str):
        return not_found(kind.name, page)
    return listed([render(record) for _, record in page.items], has_more=page.has_more)


def listed(items: list[Json], *, has_more: bool = False) -> Json:
    """A list as most families answer it; the ids of an empty one are null."""
    return {
        "object": "list",
        "data": items,
        "first_id": items[0]["id"] if items else None,
        "last_id": items[-1]["id"] if items else None,
        "has_more": has_more,
    }
