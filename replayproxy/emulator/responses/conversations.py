"""The family of conversations and their items.

What is put in is stored in the form that the API's description gives it. Recordings of the family exist, but do not
fit the description, nor the official client: they look written by hand, and count for the conversation itself only.
The items of a response that goes on with a conversation come in here as well.
"""

from __future__ import annotations

from collections.abc import Iterable

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes, deleted, listed, metadata_of, page_answer
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.responses.items import ID_LENGTH, items_of, new_id, settled, shown, type_of
from replayproxy.emulator.shelf import HEX
from replayproxy.emulator.state import State

__all__ = [
    "CONVERSATION",
    "CONVERSATION_ITEM",
    "KINDS",
    "ROUTES",
    "append_items",
    "conversation_of",
    "gone",
    "included",
    "items_in",
]


def _invent(_: State, record: Record) -> None:
    record.json = _conversation(record, {})


def _invent_item(_: State, record: Record) -> None:
    record.json = settled({"role": "user", "content": "Hello"}, record.id)


CONVERSATION = Kind("conversation", "conv_", _invent, ID_LENGTH, HEX)
CONVERSATION_ITEM = Kind("conversation item", "msg_", _invent_item, ID_LENGTH, HEX)
KINDS = (CONVERSATION, CONVERSATION_ITEM)


def gone(what: str, id_: str) -> Problem:
    """Nothing of this kind has the id, in the words of these two families (github.com, errors quoted in issues)."""
    return Problem(f"{what} with id '{id_}' not found.", status=404)


def conversation_of(state: State, id_: str) -> Record | Problem:
    """The conversation with that id."""
    return state.get(CONVERSATION, id_) or gone("Conversation", id_)


def items_in(state: State, conversation: Record) -> list[Json]:
    """All items of a conversation, the oldest first."""
    return [record.json for record in state.shelf(CONVERSATION_ITEM, conversation.id)]


def append_items(state: State, conversation: Record, items: Iterable[Json]) -> list[Record]:
    """Puts items at the end of a conversation. One that brings the id of one that is there takes its place."""
    return [_append(state, conversation, item) for item in items]


def included(asked: Asked) -> tuple[str, ...]:
    """What the query asks to `include`."""
    return tuple(value for name, value in asked.call.query if name.partition("[")[0] == "include")


def _append(state: State, conversation: Record, item: Json) -> Record:
    made = conversation.hidden["made"] = conversation.hidden.get("made", 0) + 1
    stored = settled(item, new_id(state.settings.seed, conversation.id, made, type_of(item)))
    state.keep(conversation)

    def fill(record: Record) -> None:
        record.json = stored

    return state.add(CONVERSATION_ITEM, fill, conversation, id_=stored["id"])


def _conversation(record: Record, metadata: dict[str, str]) -> Json:
    return {"id": record.id, "object": "conversation", "created_at": record.created_at, "metadata": metadata}


def _create(state: State, asked: Asked) -> Answer:
    def fill(record: Record) -> None:
        record.json = _conversation(record, metadata_of(asked.body, otherwise={}))

    conversation = state.add(CONVERSATION, fill)
    append_items(state, conversation, _without_references(items_of(asked.body.get("items"))))
    return conversation.json


def _get(state: State, asked: Asked) -> Answer:
    conversation = _asked_for(state, asked)
    return conversation if isinstance(conversation, Problem) else conversation.json


def _update(state: State, asked: Asked) -> Answer:
    conversation = _asked_for(state, asked)
    if isinstance(conversation, Problem):
        return conversation
    conversation.json["metadata"] = metadata_of(asked.body, otherwise={})
    state.keep(conversation)
    return conversation.json


def _delete(state: State, asked: Asked) -> Answer:
    conversation = _asked_for(state, asked)
    if isinstance(conversation, Problem):
        return conversation
    state.remove(CONVERSATION, conversation.id)
    return deleted(conversation.id, "conversation.deleted")


def _create_items(state: State, asked: Asked) -> Answer:
    conversation = _asked_for(state, asked)
    if isinstance(conversation, Problem):
        return conversation
    made = append_items(state, conversation, _without_references(asked.body["items"]))
    answer = listed([shown(record.json, included(asked)) for record in made])
    # The official client takes no null here (openai-python 3.54, `ConversationItemList`), as it does in other lists.
    return answer if made else answer | {"first_id": "", "last_id": ""}


def _list_items(state: State, asked: Asked) -> Answer:
    conversation = _asked_for(state, asked)
    if isinstance(conversation, Problem):
        return conversation
    shelf, include = state.shelf(CONVERSATION_ITEM, conversation.id), included(asked)
    return page_answer(shelf, CONVERSATION_ITEM, asked, render=lambda record: shown(record.json, include))


def _get_item(state: State, asked: Asked) -> Answer:
    item = _item_of(state, asked)
    return item if isinstance(item, Problem) else shown(item.json, included(asked))


def _delete_item(state: State, asked: Asked) -> Answer:
    """The conversation is answered, as the description has it."""
    item = _item_of(state, asked)
    if isinstance(item, Problem):
        return item
    state.remove(CONVERSATION_ITEM, item.id, item.parent)
    return _get(state, asked)


def _asked_for(state: State, asked: Asked) -> Record | Problem:
    return conversation_of(state, asked.params["conversation_id"])


def _item_of(state: State, asked: Asked) -> Record | Problem:
    conversation, id_ = _asked_for(state, asked), asked.params["item_id"]
    if isinstance(conversation, Problem):
        return conversation
    return state.get(CONVERSATION_ITEM, id_, conversation.id) or gone("Item", id_)


def _without_references(items: list[Json]) -> list[Json]:
    """A reference names what is there already."""
    return [item for item in items if type_of(item) != "item_reference"]


ROUTES: Routes = (
    ("createConversation", _create),
    ("getConversation", _get),
    ("updateConversation", _update),
    ("deleteConversation", _delete),
    ("createConversationItems", _create_items),
    ("listConversationItems", _list_items),
    ("getConversationItem", _get_item),
    ("deleteConversationItem", _delete_item),
)
