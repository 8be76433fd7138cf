"""The family of responses. The twins of its operations behind `?beta=true` do the same.

A response in the background is queued, in progress when it is first retrieved, and done when it is retrieved again.
"""

from __future__ import annotations

from collections.abc import Collection

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer, Events, Told
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.brain import Usage
from replayproxy.emulator.brain.tokens import count
from replayproxy.emulator.chat.headers import model_headers
from replayproxy.emulator.chat.ids import numbered
from replayproxy.emulator.family import Routes, deleted, listed
from replayproxy.emulator.records import Json, Record
from replayproxy.emulator.responses.answers import Outcome, advance, answered, failed, finish, input_tokens
from replayproxy.emulator.responses.conversations import gone, included
from replayproxy.emulator.responses.events import cut_off, response_events
from replayproxy.emulator.responses.items import new_id, settled, shown, slice_of, type_of
from replayproxy.emulator.responses.objects import response_json, usage_json
from replayproxy.emulator.responses.past import RESPONSE, body_problem, earlier, given_items, unpaired
from replayproxy.emulator.responses.turns import compacted
from replayproxy.emulator.state import State

__all__ = ["KINDS", "ROUTES"]

KINDS = (RESPONSE,)
#: Tells the client's own loops when to ask again.
_POLL = {"openai-poll-after-ms": "10"}
_UNSTREAMED = "This response cannot be streamed because it was not created with {mode}=true."
_DONE = ("completed", "failed", "incomplete")


async def _create(state: State, asked: Asked) -> Answer:
    body = asked.body
    items = _said(state, body)
    if isinstance(items, Problem):
        return items
    past, given = items
    record = _begun(state, body, given)
    outcome = await answered(state, record.id, body, [*past, *record.hidden["input"]])
    if isinstance(outcome, Problem):
        if not body.get("background"):
            return outcome
        outcome = failed(outcome)
    return _answer(state, record, body, outcome)


def _said(state: State, body: Json) -> tuple[list[Json], list[Json]] | Problem:
    """What was said before a request, and what it says itself; or what is wrong with it."""
    problem = body_problem(state, body)
    if problem:
        return problem
    past = earlier(state, body)
    if isinstance(past, Problem):
        return past
    given = given_items(state, body, past)
    if isinstance(given, Problem):
        return given
    # Calls of a response that the emulator never made cannot be known.
    problem = unpaired([*past, *given]) if state.settings.unknown_ids == "404" else None
    return problem or (past, given)


def _all_said(state: State, body: Json) -> list[Json] | Problem:
    """All that was said, where nothing is to be answered."""
    past = earlier(state, body)
    if isinstance(past, Problem):
        return past
    given = given_items(state, body, past)
    return given if isinstance(given, Problem) else [*past, *given]


def _begun(state: State, body: Json, given: list[Json]) -> Record:
    """A response before its answer, on no shelf yet. Its id follows from the request: see ids.py."""
    record = numbered(state, RESPONSE, body)
    while state.shelf(RESPONSE).was_there(record.id):
        record = numbered(state, RESPONSE, body)
    previous = state.shelf(RESPONSE).get(body.get("previous_response_id") or "")
    record.created_at = max(record.created_at, previous.created_at + 1 if previous else 0)
    record.json = response_json(record, body, "queued" if body.get("background") else "in_progress")
    record.hidden = {
        "input": [
            settled(item, new_id(state.settings.seed, record.id, place, type_of(item)))
            for place, item in enumerate(given)
        ],
        "include": list(body.get("include") or ()),
        "stream": bool(body.get("stream")),
    }
    return record


def _answer(state: State, record: Record, body: Json, outcome: Outcome) -> Answer:
    if body.get("background") and not body.get("stream"):
        record.hidden["outcome"] = outcome.fields
        _store(state, record)
        return Told(record.json, headers=_POLL)
    finish(state, record, outcome.fields)
    if body.get("background"):
        record.hidden["pieces"] = list(outcome.pieces)
    if body.get("background") or body.get("store") is not False:
        _store(state, record)
    tokens = (record.json["usage"] or usage_json(Usage()))["input_tokens"]
    headers = model_headers(record.json["model"], tokens)
    final = _shown(record, body.get("include") or ())
    if body.get("stream"):
        return Events(cut_off(response_events(final, outcome.pieces), outcome.cut), headers)
    return Told(final, headers=headers)


def _store(state: State, made: Record) -> None:
    def fill(record: Record) -> None:
        record.created_at, record.json, record.hidden = made.created_at, made.json, made.hidden

    state.add(RESPONSE, fill, id_=made.id)


def _shown(record: Record, include: Collection[str]) -> Json:
    return record.json | {"output": [shown(item, include) for item in record.json["output"]]}


def _get(state: State, asked: Asked) -> Answer:
    record = _response_of(state, asked)
    if isinstance(record, Problem):
        return record
    include = (*record.hidden.get("include", ()), *included(asked))
    if asked.query.get("stream") == "true":
        return _streamed_again(record, asked, include)
    advance(state, record)
    waiting = record.json["status"] in ("queued", "in_progress")
    return Told(_shown(record, include), headers=_POLL if waiting else {})


def _streamed_again(record: Record, asked: Asked, include: Collection[str]) -> Answer:
    modes = {"background": record.json.get("background"), "stream": record.hidden.get("stream")}
    lacking = next((mode for mode, there in modes.items() if not there), None)
    if lacking:
        return Problem(_UNSTREAMED.format(mode=lacking), "stream")
    after = int(asked.query.get("starting_after") or -1)
    return Events(response_events(_shown(record, include), record.hidden.get("pieces", ()), max(after, -1)))


def _delete(state: State, asked: Asked) -> Answer:
    record = _response_of(state, asked)
    if isinstance(record, Problem):
        return record
    state.remove(RESPONSE, record.id)
    return deleted(record.id, "response.deleted")


def _cancel(state: State, asked: Asked) -> Answer:
    record = _response_of(state, asked)
    if isinstance(record, Problem):
        return record
    status = record.json["status"]
    if not record.json.get("background"):
        return Problem("Cannot cancel a synchronous response.")
    if status in _DONE and not record.hidden.get("invented"):
        which = "an incomplete" if status == "incomplete" else f"a {status}"
        return Problem(f"Cannot cancel {which} response.")
    record.json |= {"status": "cancelled", "output": []}
    record.hidden.pop("outcome", None)
    state.keep(record)
    return record.json


def _list_input_items(state: State, asked: Asked) -> Answer:
    """The input of a response is all that was said before it, too."""
    record = _response_of(state, asked)
    query = asked.page()
    if isinstance(record, Problem):
        return record
    if isinstance(query, Problem):
        return query
    past = earlier(state, {"previous_response_id": record.json["previous_response_id"]})
    before = [] if isinstance(past, Problem) else past
    page = slice_of([*before, *record.hidden["input"]], query)
    if isinstance(page, str):
        return gone("Item", page)
    items, more = page
    return listed([shown(item, included(asked)) for item in items], has_more=more)


def _count(state: State, asked: Asked) -> Answer:
    items = _all_said(state, asked.body)
    if isinstance(items, Problem):
        return items
    return {"object": "response.input_tokens", "input_tokens": input_tokens(asked.body, items)}


def _compact(state: State, asked: Asked) -> Answer:
    """All goes into one item, which the emulator can read again.

    The real API keeps the user's messages beside it; the official client (openai-python 3.54, `CompactedResponse`)
    knows of none there, and would refuse them when it is strict.
    """
    body = asked.body
    items = _all_said(state, body)
    if isinstance(items, Problem):
        return items
    record = numbered(state, RESPONSE, {"compact": body})
    packed = compacted(items)
    compaction = {"type": "compaction", "id": new_id(state.settings.seed, record.id, 0, "compaction")}
    usage = Usage(input_tokens(body, items), count(packed, body["model"]))
    return {
        "id": record.id,
        "object": "response.compaction",
        "created_at": record.created_at,
        "output": [compaction | {"encrypted_content": packed}],
        "usage": usage_json(usage),
    }


def _response_of(state: State, asked: Asked) -> Record | Problem:
    id_ = asked.params["response_id"]
    return state.get(RESPONSE, id_) or gone("Response", id_)


_OWN: Routes = (
    ("createResponse", _create),
    ("getResponse", _get),
    ("deleteResponse", _delete),
    ("cancelResponse", _cancel),
    ("listInputItems", _list_input_items),
    ("Getinputtokencounts", _count),
    ("Compactconversation", _compact),
)
ROUTES: Routes = (*_OWN, *((f"beta_{name}", handler) for name, handler in _OWN))
