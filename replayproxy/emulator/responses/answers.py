"""How a response comes to its answer, and what happens to it then."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from replayproxy.core.problem import Problem
from replayproxy.emulator.brain import Reply, Usage
from replayproxy.emulator.brain.tokens import count_messages
from replayproxy.emulator.records import Json, Record
from replayproxy.emulator.responses.conversations import append_items, conversation_of
from replayproxy.emulator.responses.hosted import hosted_calls
from replayproxy.emulator.responses.items import new_id
from replayproxy.emulator.responses.objects import usage_json
from replayproxy.emulator.responses.output import ending, reasoning_items, reply_items
from replayproxy.emulator.responses.turns import turn_of
from replayproxy.emulator.shelf import mint
from replayproxy.emulator.state import State

__all__ = ["Outcome", "advance", "answered", "failed", "finish", "input_tokens"]

#: What a response in the background goes through, one step each time it is retrieved.
_NEXT = {"queued": "in_progress", "in_progress": "ended"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a response ends: the fields that change, and the pieces in which its text is streamed.

    `cut`: the stream breaks off after so many of them (None: it does not).
    """

    fields: Json
    pieces: tuple[str, ...] = ()
    cut: int | None = None


async def answered(state: State, id_: str, body: Json, items: Sequence[Json]) -> Outcome | Problem:
    """What is answered by the response `id_` to a request of which `items` is all that was said."""
    hosted = hosted_calls(state, body, items, id_)
    if hosted.waits:
        reply, said = Reply(usage=Usage(input_tokens(body, items))), list[Json]()
    else:
        reply = await state.brain.reply(turn_of(body, items, hosted.passages))
        if reply.delay and not body.get("background"):
            await asyncio.sleep(reply.delay)
        if reply.error is not None:
            return reply.error
        ids = [mint("call_", state.settings.seed, id_, place) for place, _ in enumerate(reply.tool_calls)]
        said = reply_items(reply, body, ids)
    made, owner = [*reasoning_items(body, id_), *hosted.items, *said], f"{id_} output"
    output = [
        {"type": item["type"], "id": new_id(state.settings.seed, owner, place, item["type"]), **item}
        for place, item in enumerate(made)
    ]
    return Outcome({**ending(reply), "output": output, "usage": usage_json(reply.usage)}, reply.pieces, reply.cut)


def failed(problem: Problem) -> Outcome:
    """The outcome of a response in the background whose model was at fault: nobody waits for the problem itself."""
    code = {429: "rate_limit_exceeded", 400: "invalid_prompt"}.get(problem.status, "server_error")
    return Outcome({"status": "failed", "error": {"code": code, "message": problem.message}})


def input_tokens(body: Json, items: Sequence[Json]) -> int:
    """How many tokens a request has."""
    turn = turn_of(body, items)
    return count_messages(turn.messages, turn.tools, turn.model)


def finish(state: State, record: Record, fields: Json) -> None:
    """Gives a response its outcome, and the conversation that it goes on with all that is new."""
    record.json |= fields
    conversation = (record.json.get("conversation") or {}).get("id")
    if conversation:
        found = conversation_of(state, conversation)
        if not isinstance(found, Problem):
            append_items(state, found, [*record.hidden["input"], *record.json["output"]])


def advance(state: State, record: Record) -> None:
    """Moves a response in the background on by one step."""
    following = _NEXT.get(record.json["status"])
    if following is None:
        return
    if following == "ended":
        finish(state, record, record.hidden.pop("outcome", {"status": "completed"}))
    else:
        record.json["status"] = following
    state.keep(record)
