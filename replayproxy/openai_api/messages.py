"""The family of the messages in a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replayproxy.core.catalog import Family, Operation
from replayproxy.openai_api.assistants import BETA
from replayproxy.openai_api.checks import check_body, check_call, check_ids, check_page

if TYPE_CHECKING:
    from replayproxy.openai_api.models.objects import ApiObject

__all__ = ["FAMILY"]

_JSON = "application/json"
_ALL, _ONE = "/threads/{thread_id}/messages", "/threads/{thread_id}/messages/{message_id}"


def _create() -> type[ApiObject]:
    from replayproxy.openai_api.models.messages import CreateMessageRequest

    return CreateMessageRequest


def _modify() -> type[ApiObject]:
    from replayproxy.openai_api.models.messages import ModifyMessageRequest

    return ModifyMessageRequest


FAMILY = Family(
    "messages",
    (
        Operation("listMessages", "GET", _ALL, "messages", "", BETA, check_call(check_ids, check_page)),
        Operation("createMessage", "POST", _ALL, "messages", _JSON, BETA, check_call(check_ids, check_body(_create))),
        Operation("getMessage", "GET", _ONE, "messages", "", BETA, check_ids),
        Operation("modifyMessage", "POST", _ONE, "messages", _JSON, BETA, check_call(check_ids, check_body(_modify))),
        Operation("deleteMessage", "DELETE", _ONE, "messages", "", BETA, check_ids),
    ),
)
