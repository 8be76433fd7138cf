"""Checks for operations, put together from a body's model, ids in the path, and a query.

Models are imported when a body is first checked: pydantic costs a start-up more than all the rest of this package.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from replayproxy.core import wording
from replayproxy.core.validation import UNREAD, Call, Check, Problem
from replayproxy.openai_api.lists import PageQuery

if TYPE_CHECKING:
    from replayproxy.openai_api.models.objects import ApiObject

__all__ = ["ID_PREFIXES", "check_body", "check_call", "check_ids", "check_page"]

#: What an id in a path begins with, by the name of its parameter.
ID_PREFIXES = {
    "assistant_id": "asst",
    "message_id": "msg",
    "run_id": "run",
    "step_id": "step",
    "thread_id": "thread",
}


def check_call(*checks: Check) -> Check:
    """A check that asks `checks` in turn and gives the first problem."""

    def check(call: Call) -> Problem | None:
        return next((problem for check in checks if (problem := check(call))), None)

    return check


def check_ids(call: Call) -> Problem | None:
    """The first path parameter whose id is of the wrong kind."""
    for name, value in call.params.items():
        prefix = ID_PREFIXES.get(name)
        if prefix and not value.startswith(prefix):
            return wording.wrong_id(name, value, prefix)
    return None


def check_page(call: Call) -> Problem | None:
    """What is wrong with the query of a list."""
    page = PageQuery.parse(call.query)
    return page if isinstance(page, Problem) else None


def check_body(model: Callable[[], type[ApiObject]]) -> Check:
    """A check of the body by the model that `model` imports."""

    def check(call: Call) -> Problem | None:
        if call.body is UNREAD:
            return None
        if not isinstance(call.body, dict):
            return wording.invalid_body(call.body)
        from replayproxy.openai_api.translation import first_problem

        return first_problem(model(), call.body)

    return check
