"""The JSON of a chat completion, whole. Keys and their order: recordings of the real API."""

from __future__ import annotations

from replayproxy.emulator.brain import Reply, ToolCall, Usage
from replayproxy.emulator.brain.words import cut
from replayproxy.emulator.chat.logprobs import logprobs_of
from replayproxy.emulator.chat.models import fingerprint
from replayproxy.emulator.chat.moderation import moderated
from replayproxy.emulator.chat.replies import Completion
from replayproxy.emulator.chat.speech import spoken
from replayproxy.emulator.records import Json
from replayproxy.emulator.shelf import mint

__all__ = ["call_id", "completion_json", "finish_of", "function_json", "tier_of", "usage_json"]


def completion_json(completion: Completion) -> Json:
    """The answer to a request that asked for no stream."""
    moderation = moderated(completion)
    return {
        "id": completion.id,
        "object": "chat.completion",
        "created": completion.created,
        "model": completion.model,
        "choices": [_choice(completion, index, reply) for index, reply in enumerate(completion.replies)],
        "usage": usage_json(completion.usage),
        "service_tier": tier_of(completion.body),
        "system_fingerprint": fingerprint(completion.model),
        **({} if moderation is None else {"moderation": moderation}),
    }


def _choice(completion: Completion, index: int, reply: Reply) -> Json:
    return {
        "index": index,
        "message": _message(completion, index, reply),
        "logprobs": logprobs_of(completion.body, cut(reply.text)),
        "finish_reason": finish_of(completion, reply),
    }


def _message(completion: Completion, index: int, reply: Reply) -> Json:
    message: Json = {"role": "assistant", "content": reply.text or None}
    if reply.tool_calls and completion.legacy:
        message["function_call"] = function_json(reply.tool_calls[0])
    elif reply.tool_calls:
        message["tool_calls"] = [
            _tool_call(call, call_id(completion, index, place)) for place, call in enumerate(reply.tool_calls)
        ]
    elif reply.refusal is None:
        message["content"] = reply.text
    speech = spoken(completion, index, reply)
    if speech is not None:
        return {"role": "assistant", "content": None, "refusal": None, "annotations": [], "audio": speech}
    return message | {"refusal": reply.refusal, "annotations": []}


def _tool_call(call: ToolCall, id_: str) -> Json:
    if call.kind == "custom":
        return {"id": id_, "type": "custom", "custom": {"name": call.name, "input": call.arguments}}
    return {"id": id_, "type": "function", "function": function_json(call)}


def function_json(call: ToolCall) -> Json:
    """Which function is called, and with what."""
    return {"name": call.name, "arguments": call.arguments}


def call_id(completion: Completion, choice: int, place: int) -> str:
    """The id of a tool call by its place among those of a choice."""
    return mint("call_", completion.seed, completion.id, choice, place)


def finish_of(completion: Completion, reply: Reply) -> str:
    """Why a choice ends. It ends in "stop" after the call of a tool that was asked for by name."""
    if not reply.tool_calls:
        return reply.finish
    if completion.legacy:
        return "stop" if isinstance(completion.body.get("function_call"), dict) else "function_call"
    chosen = completion.body.get("tool_choice")
    named = isinstance(chosen, dict) and chosen.get("type") in ("function", "custom")
    return "stop" if named else reply.finish


def tier_of(body: Json) -> str:
    """The tier that served a request: the one asked for, where it asks for one."""
    tier = body.get("service_tier")
    return "default" if tier in (None, "auto") else str(tier)


def usage_json(usage: Usage) -> Json:
    """Tokens with their details."""
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.total,
        "prompt_tokens_details": {"cached_tokens": usage.cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
