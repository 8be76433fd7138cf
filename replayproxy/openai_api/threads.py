"""The family of threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replayproxy.core.catalog import Family, Operation
from replayproxy.openai_api.assistants import BETA
from replayproxy.openai_api.checks import check_body, check_call, check_ids

if TYPE_CHECKING:
    from replayproxy.openai_api.models.objects import ApiObject

__all__ = ["FAMILY"]

_JSON = "application/json"
_ALL, _ONE = "/threads", "/threads/{thread_id}"


def _create() -> type[ApiObject]:
    from replayproxy.openai_api.models.threads import CreateThreadRequest

    return CreateThreadRequest


def _modify() -> type[ApiObject]:
    from replayproxy.openai_api.models.threads import ModifyThreadRequest

    return ModifyThreadRequest


FAMILY = Family(
    "threads",
    (
        Operation("createThread", "POST", _ALL, "threads", _JSON, BETA, check_body(_create)),
        Operation("getThread", "GET", _ONE, "threads", "", BETA, check_ids),
        Operation("modifyThread", "POST", _ONE, "threads", _JSON, BETA, check_call(check_ids, check_body(_modify))),
        Operation("deleteThread", "DELETE", _ONE, "threads", "", BETA, check_ids),
    ),
)
