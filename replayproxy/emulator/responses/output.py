"""What a model's reply is in a response: its output items, without ids."""

from __future__ import annotations

from collections.abc import Sequence

from replayproxy.emulator.brain import Reply, ToolCall
from replayproxy.emulator.brain.words import cut
from replayproxy.emulator.chat.logprobs import logprobs_of
from replayproxy.emulator.records import Json
from replayproxy.emulator.responses.items import LOGPROBS
from replayproxy.emulator.responses.objects import reasons
from replayproxy.emulator.responses.turns import DEFAULT_MODEL, namespaces
from replayproxy.emulator.shelf import mint

__all__ = ["ending", "reasoning_items", "reply_items"]

_THOUGHT = "**Thinking about the answer**\n\nThe request is clear, so I answer it directly."
#: Why an answer is incomplete, by how the reply ended.
_REASONS = {"length": "max_output_tokens", "content_filter": "content_filter"}


def ending(reply: Reply) -> Json:
    """The fields of a response that say how it ended."""
    if reply.run in ("failed", "expired"):
        error = {"code": "server_error", "message": "The model failed to generate a response."}
        return {"status": "failed", "error": error}
    reason = _REASONS.get(reply.finish, "max_output_tokens" if reply.run == "incomplete" else None)
    return {"status": "incomplete", "incomplete_details": {"reason": reason}} if reason else {"status": "completed"}


def reasoning_items(body: Json, owner: str) -> list[Json]:
    """What a model that reasons begins with, in the response `owner`; nothing of one that does not."""
    if not reasons(body.get("model") or DEFAULT_MODEL):
        return []
    asked = body.get("reasoning") or {}
    told = asked.get("summary") or asked.get("generate_summary")
    summary = [{"type": "summary_text", "text": _THOUGHT}] if told else []
    return [{"type": "reasoning", "summary": summary, "encrypted_content": mint("gAAAAAB", owner, length=160)}]


def reply_items(reply: Reply, body: Json, call_ids: Sequence[str]) -> list[Json]:
    """A message, where the reply says something or does nothing else, and its calls of tools; an id for each call."""
    status = "incomplete" if reply.finish in _REASONS else "completed"
    calls = [_call(call, id_, body) for call, id_ in zip(reply.tool_calls, call_ids, strict=True)]
    if calls and not reply.text and reply.refusal is None:
        return calls
    part = _refusal(reply.refusal) if reply.refusal is not None else _text_part(reply, body)
    return [{"type": "message", "status": status, "role": "assistant", "content": [part]}, *calls]


def _call(call: ToolCall, id_: str, body: Json) -> Json:
    within = namespaces(body.get("tools") or ()).get(call.name)
    name = {"name": call.name} | ({"namespace": within} if within else {})
    if call.kind == "custom":
        return {"type": "custom_tool_call", "status": "completed", "call_id": id_, "input": call.arguments, **name}
    return {"type": "function_call", "call_id": id_, **name, "arguments": call.arguments, "status": "completed"}


def _refusal(text: str) -> Json:
    return {"type": "refusal", "refusal": text}


def _text_part(reply: Reply, body: Json) -> Json:
    text, annotations = _cited(reply)
    part = {"type": "output_text", "text": text, "annotations": annotations}
    if LOGPROBS in (body.get("include") or ()):
        told = logprobs_of({"logprobs": True, "top_logprobs": body.get("top_logprobs")}, cut(text)) or {}
        part["logprobs"] = told.get("content") or []
    return part


def _cited(reply: Reply) -> tuple[str, list[Json]]:
    """The text without the markers of what it cites, and where each stood."""
    text, found = reply.text, list[Json]()
    for marker, passage in reply.cited:
        place = text.find(marker)
        if place >= 0:
            text = text[:place] + text[place + len(marker) :]
            cited = {"file_id": passage.file_id, "filename": passage.filename}
            found.append({"type": "file_citation", "index": place, **cited})
    return text, found
