"""The chunks of a chat completion that is streamed.

Rules:
1. A choice begins with its role, goes on with pieces, ends with an empty delta and why it ends; choices take turns.
2. With `include_usage`, each chunk has `"usage": null`, and one without choices has the usage; then `[DONE]`. What
   moderation says comes in a chunk without choices, too.
3. `obfuscation` (padding of random length) is there only when a request asks for it, and empty then: it would be noise
   in every recording.
4. A reply that is to be cut off (`cut`) breaks the stream off after so many pieces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest

from replayproxy.emulator.answers import DONE, Event
from replayproxy.emulator.brain import Reply, ToolCall
from replayproxy.emulator.brain.words import StreamCut, pieces
from replayproxy.emulator.chat.answers import call_id, finish_of, tier_of, usage_json
from replayproxy.emulator.chat.logprobs import logprobs_of
from replayproxy.emulator.chat.models import fingerprint
from replayproxy.emulator.chat.moderation import moderated
from replayproxy.emulator.chat.replies import Completion
from replayproxy.emulator.chat.speech import speech_deltas, spoken
from replayproxy.emulator.records import Json

__all__ = ["chunks"]

#: Arguments come in pieces of about a token.
_ARGUMENTS = re.compile(r"[^\S\n]?\w{1,12}|\W{1,3}")


def chunks(completion: Completion) -> Iterator[Event]:
    """The events of the stream, the end marker included."""
    options = completion.body.get("stream_options") or {}
    head = _head(completion)
    tail: Json = {"usage": None} if options.get("include_usage") else {}
    if options.get("include_obfuscation"):
        tail["obfuscation"] = ""
    walks = [_choice(completion, index, reply) for index, reply in enumerate(completion.replies)]
    for choices in zip_longest(*walks):
        for choice in filter(None, choices):
            yield "", head | {"choices": [choice]} | tail
    moderation = moderated(completion)
    if moderation is not None:
        yield "", head | {"choices": []} | tail | {"moderation": moderation}
    if options.get("include_usage"):
        yield "", head | {"choices": []} | tail | {"usage": usage_json(completion.usage)}
    yield "", DONE


def _head(completion: Completion) -> Json:
    return {
        "id": completion.id,
        "object": "chat.completion.chunk",
        "created": completion.created,
        "model": completion.model,
        "service_tier": tier_of(completion.body),
        "system_fingerprint": fingerprint(completion.model),
    }


def _choice(completion: Completion, index: int, reply: Reply) -> Iterator[Json]:
    said: list[str] = []
    for place, delta in enumerate(_deltas(completion, index, reply)):
        if reply.cut is not None and place > reply.cut:
            raise StreamCut
        chances = None
        if delta.get("content"):
            said.append(delta["content"])
            chances = logprobs_of(completion.body, said, len(said) - 1)
        yield {"index": index, "delta": delta, "logprobs": chances, "finish_reason": None}
    if reply.cut is not None:
        raise StreamCut
    yield {"index": index, "delta": {}, "logprobs": None, "finish_reason": finish_of(completion, reply)}


def _deltas(completion: Completion, index: int, reply: Reply) -> Iterator[Json]:
    """What a choice says, piece by piece; the role comes along with the call of a tool that is the only one."""
    calls = [
        _call_deltas(place, call, call_id(completion, index, place)) for place, call in enumerate(reply.tool_calls)
    ]
    audio = spoken(completion, index, reply)
    start: Json = {"role": "assistant", "content": None if calls and not reply.text else ""}
    if completion.legacy and reply.tool_calls:
        yield from _function_deltas(start, reply.tool_calls[0])
        return
    if audio is not None:
        yield start | {"content": None, "refusal": None}
        yield from speech_deltas(audio, reply)
        return
    if len(calls) == 1 and not reply.text:
        yield start | next(calls[0]) | {"refusal": None}
    else:
        yield start | {"refusal": None}
    yield from ({"content": piece} for piece in (pieces(reply) if reply.text else ()))
    yield from ({"refusal": piece} for piece in _ARGUMENTS.findall(reply.refusal or ""))
    for call in calls:
        yield from call


def _call_deltas(place: int, call: ToolCall, id_: str) -> Iterator[Json]:
    key = "input" if call.kind == "custom" else "arguments"
    first = {"index": place, "id": id_, "type": call.kind, call.kind: {"name": call.name, key: ""}}
    yield {"tool_calls": [first]}
    for piece in _ARGUMENTS.findall(call.arguments):
        yield {"tool_calls": [{"index": place, call.kind: {key: piece}}]}


def _function_deltas(start: Json, call: ToolCall) -> Iterator[Json]:
    yield start | {"function_call": {"name": call.name, "arguments": ""}, "refusal": None}
    for piece in _ARGUMENTS.findall(call.arguments):
        yield {"function_call": {"arguments": piece}}
