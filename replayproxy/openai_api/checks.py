"""Checks of bodies by models, where these say more than schemas can: in words, in order, about white space and URLs.

Models are imported when a body is first checked: pydantic costs a start-up more than all the rest of this package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from replayproxy.core.problem import UNREAD, Call, Check, Problem

if TYPE_CHECKING:
    from replayproxy.openai_api.models.objects import ApiObject

__all__ = ["CHECKS"]


def _check_body(model: Callable[[], type[ApiObject]]) -> Check:
    """A check of the body by the model that `model` imports."""

    def check(call: Call) -> Problem | None:
        if call.body is UNREAD:
            return None
        if not isinstance(call.body, dict):
            from replayproxy.core import wording

            return wording.invalid_body(call.body)
        from replayproxy.openai_api.translation import first_problem

        return first_problem(model(), call.body)

    return check


def _create_thread() -> type[ApiObject]:
    from replayproxy.openai_api.models.threads import CreateThreadRequest

    return CreateThreadRequest


def _modify_thread() -> type[ApiObject]:
    from replayproxy.openai_api.models.threads import ModifyThreadRequest

    return ModifyThreadRequest


def _create_message() -> type[ApiObject]:
    from replayproxy.openai_api.models.messages import CreateMessageRequest

    return CreateMessageRequest


def _modify_message() -> type[ApiObject]:
    from replayproxy.openai_api.models.messages import ModifyMessageRequest

    return ModifyMessageRequest


#: The checks of bodies, by the id of their operation.
CHECKS: Mapping[str, Check] = {
    "createThread": _check_body(_create_thread),
    "modifyThread": _check_body(_modify_thread),
    "createMessage": _check_body(_create_message),
    "modifyMessage": _check_body(_modify_message),
}
