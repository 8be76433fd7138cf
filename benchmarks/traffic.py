"""Interaction number N of each kind: what is asked, and what is answered. Cassettes, floors and load agree on it.

Every answer names its number (`msg_00000012`), so that whoever gets it can tell whether it is the right one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["GAP", "HEADERS", "KINDS", "STREAM_EVENTS", "Kind", "answer_id", "event", "raw_request", "stream_body"]

#: What the client sends, besides the length of its body.
HEADERS = (
    ("Host", "127.0.0.1"),
    ("Accept", "application/json"),
    ("Content-Type", "application/json"),
    ("Authorization", "Bearer any"),
    ("User-Agent", "OpenAI/Python 2.8.1"),
    ("OpenAI-Beta", "assistants=v2"),
)
_MESSAGES = "/v1/threads/thread_abc123/messages"
_CHAT = "/v1/chat/completions"

#: The recorded stream: how many events, and the seconds from one to the next.
STREAM_EVENTS, GAP = 50, 0.02


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of traffic: bodies and answers by number; `operation` and `family` as the catalog calls it.

    `nonce` numbers the request itself, for kinds whose requests are never the same bytes twice.
    """

    method: str
    operation: str
    family: str
    target: Callable[[int], str]
    body: Callable[[int, int], bytes]
    answer: Callable[[int], bytes]


def answer_id(number: int) -> bytes:
    """What stands at the beginning of the answer with that number."""
    return b'{"id":"msg_%08d"' % number


def raw_request(kind: Kind, number: int, nonce: int = 0) -> bytes:
    """The bytes of a request."""
    body = kind.body(number, nonce)
    lines = [f"{kind.method} {kind.target(number)} HTTP/1.1", *(f"{name}: {value}" for name, value in HEADERS)]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode() + body


def _answer(number: int, size: int = 600) -> bytes:
    """A message of so many bytes."""
    head = (
        b'%b,"object":"thread.message","created_at":1700000001,"thread_id":"thread_abc123","role":"user",'
        b'"status":"completed","incomplete_details":null,"completed_at":1700000002,"incomplete_at":null,'
        b'"assistant_id":null,"run_id":null,"attachments":[],"metadata":{},'
        b'"content":[{"type":"text","text":{"annotations":[],"value":"' % answer_id(number)
    )
    text = b"It works by looking at what came before. " * (size // 40 + 1)
    return head + text[: size - len(head) - 5] + b'"}}]}'


def _asked(number: int, nonce: int = 0, role: bytes = b"user") -> bytes:
    """A request for a message: 120 bytes."""
    head = b'{"role":"%b","content":"Question %08d: ' % (role, number)
    end = b'","metadata":{"channel":"web"}}'
    return head + b"How does AI work? Explain it, please, in a few words."[: 120 - len(head) - len(end)] + end


def _varied(number: int, nonce: int) -> bytes:
    return _asked(number)[:-2] + b',"run_id":"%012d"}}' % nonce


def _posted(
    body: Callable[[int, int], bytes] = _asked, answer: Callable[[int], bytes] = _answer, target: str = _MESSAGES
) -> Kind:
    return Kind("POST", "createMessage", "messages", lambda _: target, body, answer)


def event(text: str) -> bytes:
    """An event of a chat stream with that content."""
    return (
        b'data: {"id":"chatcmpl-abc123","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini",'
        b'"system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":"%b"},"logprobs":null,'
        b'"finish_reason":null}]}\n\n' % text.encode()
    )


def stream_body(events: int, gap_ms: int, nonce: int = 0) -> bytes:
    """A chat request that asks the direct upstream for so many events at that pace."""
    return (
        b'{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"events=%d gap=%d nonce=%d"}]}'
        % (events, gap_ms, nonce)
    )


def _recorded_stream(_: int) -> bytes:
    return b"".join(event(f"t={number}.") for number in range(STREAM_EVENTS)) + b"data: [DONE]\n\n"


#: What is asked of the servers, by name.
KINDS = {
    "message": _posted(),
    "large": _posted(answer=lambda number: _answer(number, 20_000)),
    "varied": _posted(body=_varied),
    "missing": _posted(body=lambda number, nonce: _asked(number, nonce, b"assistant")),
    "sequence": _posted(body=lambda number, nonce: _asked(0)),
    "get": Kind(
        "GET",
        "getMessage",
        "messages",
        lambda number: f"{_MESSAGES}/msg_{number:08d}",
        lambda number, nonce: b"",
        _answer,
    ),
    "stream": Kind(
        "POST",
        "createChatCompletion",
        "chat",
        lambda _: _CHAT,
        lambda number, nonce: stream_body(STREAM_EVENTS, round(GAP * 1e3)),
        _recorded_stream,
    ),
}
