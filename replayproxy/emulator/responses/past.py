"""What a response goes on with: earlier responses or a conversation, and the input that refers to them.

Wording: errors of the real API, quoted in public issues and probes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from replayproxy.core import wording
from replayproxy.core.problem import Problem
from replayproxy.emulator.brain import Usage
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.responses.conversations import conversation_of, gone, items_in
from replayproxy.emulator.responses.items import ID_LENGTH, items_of, new_id, settled, type_of
from replayproxy.emulator.responses.objects import conversation_id, response_json, usage_json
from replayproxy.emulator.shelf import HEX
from replayproxy.emulator.state import State

__all__ = ["RESPONSE", "body_problem", "earlier", "given_items", "unpaired"]

_EXCLUSIVE = (
    "Mutually exclusive parameters. Ensure you are only providing one of: 'previous_response_id' or 'conversation'."
)
_NOTHING = "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation' must be provided."
_NOT_KEPT = (
    "Item with id '{id}' not found. Items are not persisted when `store` is set to false. Try again with `store` set "
    "to true, or remove this item from your input."
)
_SAYS = {"type": "output_text", "text": "Hello! How can I assist you today?", "annotations": []}


def _invent(state: State, record: Record) -> None:
    """A response in the background, for only such a one can be cancelled and streamed again."""
    body = {"model": "gpt-4o", "background": True}
    record.json = response_json(record, body, "completed") | {"usage": usage_json(Usage(8, 9))}
    ids = [new_id(state.settings.seed, record.id, number, "message") for number in (0, 1)]
    said = {"type": "message", "id": ids[1], "status": "completed", "role": "assistant", "content": [dict(_SAYS)]}
    record.json["output"] = [said]
    asked = settled({"role": "user", "content": "Hello"}, ids[0])
    record.hidden = {"input": [asked], "stream": True, "invented": True}


RESPONSE = Kind("response", "resp_", _invent, ID_LENGTH, HEX)


def body_problem(state: State, body: Json) -> Problem | None:
    """What is wrong with a well-formed request for a response: something is missing, or there is no such store."""
    if body.get("previous_response_id") and conversation_id(body):
        return Problem(_EXCLUSIVE, code="mutually_exclusive_parameters")
    if body.get("model") is None and not body.get("prompt"):
        return wording.missing("model")
    if not (body.get("input") or body.get("previous_response_id") or body.get("prompt") or conversation_id(body)):
        nothing = Problem(_NOTHING, code="missing_required_parameter")
        return nothing if "input" in body else wording.missing("input")
    kind = state.kinds["vector store"]
    stores = (id_ for tool in body.get("tools") or () for id_ in tool.get("vector_store_ids") or ())
    return next((gone("Vector store", id_) for id_ in stores if state.get(kind, id_) is None), None)


def earlier(state: State, body: Json) -> list[Json] | Problem:
    """All items that were said before a request, the oldest first."""
    conversation, previous = conversation_id(body), body.get("previous_response_id")
    if conversation:
        found = conversation_of(state, conversation)
        return found if isinstance(found, Problem) else items_in(state, found)
    if not previous:
        return []
    last = state.get(RESPONSE, previous)
    if last is None:
        message = f"Previous response with id '{previous}' not found."
        return Problem(message, "previous_response_id", "previous_response_not_found")
    links = reversed(list(_chain(state, last)))
    return [item for record in links for item in (*record.hidden["input"], *record.json["output"])]


def given_items(state: State, body: Json, past: Sequence[Json]) -> list[Json] | Problem:
    """The input of a request as items; a reference stands for what it refers to, unless that is in the past anyway."""
    items, said = list[Json](), {item["id"] for item in past}
    for item in items_of(body.get("input")):
        if type_of(item) != "item_reference":
            items.append(item)
        elif item["id"] not in said:
            found = next((each for each in _all_items(state) if each["id"] == item["id"]), None)
            if found is None and state.settings.unknown_ids == "404":
                return Problem(_NOT_KEPT.format(id=item["id"]), "input", status=404)
            items += [found] if found else []
    return items


def unpaired(items: Sequence[Json]) -> Problem | None:
    """What is wrong with calls of functions and their outputs: one of the two is not among `items`."""
    calls = {item.get("call_id"): None for item in items if type_of(item) == "function_call"}
    outputs = {item.get("call_id"): None for item in items if type_of(item) == "function_call_output"}
    lonely = next((id_ for id_ in outputs if id_ and id_ not in calls), None)
    if lonely:
        return Problem(f"No tool call found for function call output with call_id {lonely}.", "input")
    waiting = next((id_ for id_ in calls if id_ not in outputs), None)
    return Problem(f"No tool output found for function call {waiting}.", "input") if waiting else None


def _chain(state: State, last: Record) -> Iterator[Record]:
    """A response and those before it, the last first, as far as they are there."""
    record: Record | None = last
    seen = set[str]()
    while record is not None and record.id not in seen:
        seen.add(record.id)
        yield record
        record = state.shelf(RESPONSE).get(record.json["previous_response_id"] or "")


def _all_items(state: State) -> Iterator[Json]:
    """All items of stored responses, the newest response first."""
    for record in reversed(list(state.shelf(RESPONSE))):
        yield from record.json["output"]
        yield from record.hidden["input"]
