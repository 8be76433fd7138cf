"""What is measured with: requests as the official client sends them, and streams as the API sends them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from replayproxy.core.messages import Headers, Request

__all__ = ["CHAT", "CHAT_LARGE", "CREATE_MESSAGE", "EVENTS", "STREAMS"]

_TEXT = "How does AI work? Explain it in simple terms, in a few sentences, and name an example from daily life."
_CLIENT = (
    ("Host", "localhost:8080"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Connection", "keep-alive"),
    ("Accept", "application/json"),
    ("Content-Type", "application/json"),
    ("User-Agent", "OpenAI/Python 2.8.1"),
    ("X-Stainless-Lang", "python"),
    ("X-Stainless-Package-Version", "2.8.1"),
    ("X-Stainless-OS", "Linux"),
    ("X-Stainless-Arch", "x64"),
    ("X-Stainless-Runtime", "CPython"),
    ("X-Stainless-Runtime-Version", "3.11.7"),
    ("Authorization", "Bearer any"),
    ("X-Stainless-Async", "false"),
    ("x-stainless-retry-count", "0"),
    ("x-stainless-read-timeout", "600"),
)
_IDS = {"assistant_id": "asst_abc123", "thread_id": "thread_abc123"}


def _request(target: str, body: object, *headers: tuple[str, str]) -> Request:
    return Request("POST", target, Headers((*_CLIENT, *headers)), json.dumps(body, separators=(",", ":")).encode())


def _tool(name: str) -> dict[str, Any]:
    """A function that a model may call, with as much prose as such things have."""
    what = "Look up what is known of a customer's order, by its number, and tell when it will arrive."
    fields = {
        "order_id": {"type": "string", "description": "The number that stands on the confirmation of the order."},
        "language": {"type": "string", "enum": ["en", "fr", "de"]},
    }
    parameters = {"type": "object", "properties": fields, "required": ["order_id"], "additionalProperties": False}
    return {"type": "function", "function": {"name": name, "description": what, "parameters": parameters}}


def _said(role: str, times: int = 1) -> dict[str, Any]:
    return {"role": role, "content": " ".join([_TEXT] * times)}


#: POST of a message of 0.2 KB.
CREATE_MESSAGE = _request(
    "/v1/threads/thread_abc123/messages",
    {"role": "user", "content": _TEXT, "metadata": {"channel": "web", "customer": "4711"}},
    ("OpenAI-Beta", "assistants=v2"),
)
_CHAT: dict[str, Any] = {"model": "gpt-4o-mini", "messages": [_said("system", 2), _said("user")], "temperature": 0.2}
#: A question of 0.4 KB.
CHAT = _request("/v1/chat/completions", _CHAT)
#: A conversation of 3 KB with three functions.
CHAT_LARGE = _request(
    "/v1/chat/completions",
    {
        "model": "gpt-4o-mini",
        "messages": [_said("system", 4), *(_said(role, 3) for role in ("user", "assistant", "user")), _said("user", 2)],
        "tools": [_tool(name) for name in ("find_order", "find_invoice", "find_parcel")],
        "tool_choice": "auto",
        "temperature": 0.2,
        "max_completion_tokens": 500,
        "stream": True,
    },
)


def _event(data: object, name: str = "") -> bytes:
    line = f"event: {name}\n" if name else ""
    text = data if isinstance(data, str) else json.dumps(data, separators=(",", ":"))
    return f"{line}data: {text}\n\n".encode()


def _chat_stream(events: int) -> list[bytes]:
    """So many events of an answer to a chat request, the end mark included."""

    def chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        head = {"id": "chatcmpl-abc123", "object": "chat.completion.chunk", "created": 1_700_000_000}
        return _event(head | {"model": "gpt-4o-mini", "system_fingerprint": "fp_1", "choices": [choice]})

    words = [chunk({"content": f" word{number}"}) for number in range(events - 3)]
    return [chunk({"role": "assistant", "content": ""}), *words, chunk({}, "stop"), _event("[DONE]")]


def _assistant_stream(events: int) -> list[bytes]:
    """So many events of a run, the end mark included."""
    run, step, message = _run, _step, _message
    before = [
        *(_event(run("queued"), f"thread.run.{name}") for name in ("created", "queued")),
        _event(run("in_progress"), "thread.run.in_progress"),
        *(_event(step("in_progress"), f"thread.run.step.{name}") for name in ("created", "in_progress")),
        *(_event(message("in_progress"), f"thread.message.{name}") for name in ("created", "in_progress")),
    ]
    after = [
        _event(message("completed"), "thread.message.completed"),
        _event(step("completed"), "thread.run.step.completed"),
        _event(run("completed"), "thread.run.completed"),
        _event("[DONE]", "done"),
    ]
    words = [_event(_delta(f" word{number}"), "thread.message.delta") for number in range(events - len(before + after))]
    return [*before, *words, *after]


def _run(status: str) -> dict[str, Any]:
    empty = ("required_action", "last_error", "started_at", "cancelled_at", "failed_at", "completed_at", "usage")
    unset = ("instructions", "incomplete_details", "max_prompt_tokens", "max_completion_tokens")
    return {
        "id": "run_abc123",
        "object": "thread.run",
        "created_at": 1_700_000_000,
        **_IDS,
        "status": status,
        "expires_at": 1_700_000_600,
        **dict.fromkeys((*empty, *unset)),
        "model": "gpt-4o-mini",
        "tools": [],
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "truncation_strategy": {"type": "auto", "last_messages": None},
        "tool_choice": "auto",
        "response_format": "auto",
        "parallel_tool_calls": True,
    }


def _step(status: str) -> dict[str, Any]:
    return {
        "id": "step_abc123",
        "object": "thread.run.step",
        "created_at": 1_700_000_001,
        "run_id": "run_abc123",
        **_IDS,
        "type": "message_creation",
        "status": status,
        "step_details": {"type": "message_creation", "message_creation": {"message_id": "msg_abc123"}},
        **dict.fromkeys(("cancelled_at", "completed_at", "failed_at", "last_error", "usage")),
        "expires_at": 1_700_000_600,
    }


def _message(status: str) -> dict[str, Any]:
    return {
        "id": "msg_abc123",
        "object": "thread.message",
        "created_at": 1_700_000_001,
        "run_id": "run_abc123",
        **_IDS,
        "status": status,
        **dict.fromkeys(("incomplete_details", "incomplete_at", "completed_at")),
        "role": "assistant",
        "content": [],
        "attachments": [],
        "metadata": {},
    }


def _delta(text: str) -> dict[str, Any]:
    content = [{"index": 0, "type": "text", "text": {"value": text}}]
    return {"id": "msg_abc123", "object": "thread.message.delta", "delta": {"content": content}}


#: How many events a stream has, the end mark included.
EVENTS = 200
#: What is streamed: the path that is asked, the body that is sent there, the events of the answer.
STREAMS: Mapping[str, tuple[str, object, list[bytes]]] = {
    "chat": ("/v1/chat/completions", _CHAT | {"stream": True}, _chat_stream(EVENTS)),
    "assistants": (
        "/v1/threads/thread_abc123/runs",
        {"assistant_id": "asst_abc123", "stream": True},
        _assistant_stream(EVENTS),
    ),
}
