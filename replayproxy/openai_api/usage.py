"""The tokens that an answer says were used, and the model that was asked.

Rules:
1. Nothing here raises, and no body is read as a whole: a list of exchanges asks it once for every row. The key is
   searched for, and stands at the top of the object (or of an event's `response`) if what follows it makes that whole.
2. A body kept in a file is not looked into.

Facts: chat completions, completions and runs count `prompt_tokens` and `completion_tokens`; responses, images,
transcriptions and batches `input_tokens` and `output_tokens`; embeddings only the former. Cached and reasoning tokens
are part of these two. In a stream the last count holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeGuard
from urllib.parse import unquote

import orjson

from replayproxy.core.media_types import media_type
from replayproxy.core.messages import Body, Headers, Request, Response

__all__ = ["Usage", "made_id", "model_of", "usage_of"]

#: So often a key is looked for in one body; a list of runs has it in each.
_TRIES = 8
#: Bytes of a body in which most clients have named the model.
_BEGINNING = 2048

_COUNTED = re.compile(rb'"usage"\s*:\s*\{')
_MODEL = re.compile(rb'"model"\s*:\s*("(?:[^"\\]|\\.){1,200}")')
#: The ids of things that tell their tokens each time they are read: `"id": "run_…"`.
_MADE = re.compile(rb'"id"\s*:\s*"((?:run|resp|batch|chatcmpl)[_-][\w-]{1,120})"')
_FIELD = re.compile(rb'name="?model"?[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n([^\r\n]{1,200})\r\n')
_DEPLOYMENT = re.compile(r"/deployments/([^/]{1,200})/")
_LINE_END = re.compile(rb"[\r\n]")


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens: those of the `input`, of these the `cached` ones; those of the `output`, of these the `reasoning`."""

    input: int = 0
    cached: int = 0
    output: int = 0
    reasoning: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.input + self.output

    def counts(self) -> dict[str, int]:
        """The counts by name, and their `total`."""
        return {
            "input": self.input,
            "cached": self.cached,
            "output": self.output,
            "reasoning": self.reasoning,
            "total": self.total,
        }

    def plus(self, other: Usage) -> Usage:
        """Both together."""
        return Usage(
            self.input + other.input,
            self.cached + other.cached,
            self.output + other.output,
            self.reasoning + other.reasoning,
        )

    @classmethod
    def read(cls, told: object) -> Usage | None:
        """What a `usage` object of the API says, None when it counts no tokens."""
        if not isinstance(told, dict):
            return None
        names = ("input_tokens", "prompt_tokens"), ("output_tokens", "completion_tokens")
        entered, given = (next((told[name] for name in each if _is_count(told.get(name))), None) for each in names)
        if entered is None and given is None:
            return None
        cached = _detail(told, "cached_tokens", "input_tokens_details", "prompt_tokens_details", "prompt_token_details")
        reasoning = _detail(told, "reasoning_tokens", "output_tokens_details", "completion_tokens_details")
        return cls(entered or 0, cached, given or 0, reasoning)


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _detail(told: dict[str, Any], name: str, *places: str) -> int:
    """Of runs, the details' name has no `s` in `token`."""
    for place in places:
        details = told.get(place)
        if isinstance(details, dict) and _is_count(count := details.get(name)):
            return count
    return 0


def usage_of(response: Response) -> Usage | None:
    """The tokens that an answer of the API says were used, in a stream the last ones. None when it says nothing."""
    body = response.body
    if not isinstance(body, bytes):
        return None
    stream = _is_stream(response.headers)
    at = len(body)
    for _ in range(_TRIES):
        at = body.rfind(b'"usage"', 0, at)
        if at < 0:
            return None
        if _COUNTED.match(body, at) and (found := Usage.read(_rest(body, at, stream).get("usage"))):
            return found
    return None


def _rest(body: bytes, at: int, stream: bool) -> dict[str, Any]:
    """The object, or the `response` in it, from the key at `at` on; nothing when the key stands deeper."""
    end = ended.start() if stream and (ended := _LINE_END.search(body, at)) else len(body)
    behind = body[at:end]
    if (found := _object(b"{" + behind)) is not None:
        return found
    return (_object(b'{"response":{' + behind) or {}).get("response", {})  # type: ignore[no-any-return]


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        return orjson.loads(text)  # type: ignore[no-any-return]
    except orjson.JSONDecodeError:
        return None


def model_of(request: Request, response: Response | None) -> str:
    """The model that was asked: as the request's body or path says, else the answer; "" when neither does."""
    found = _model(request.headers, request.body)
    if not found and "/deployments/" in request.target and (deployment := _DEPLOYMENT.search(request.path)):
        found = unquote(deployment[1])
    if not found and response is not None:
        found = _model(response.headers, response.body)
    return found


def _model(headers: Headers, body: Body) -> str:
    if not isinstance(body, bytes) or not body:
        return ""
    if media_type(headers).is_multipart:
        field = _FIELD.search(body)
        return field[1].decode("utf-8", "replace") if field else ""
    stream = _is_stream(headers)
    for at in _places(body):
        found = _MODEL.match(body, at)
        if found and _is_at_top(body, at, stream):
            return _text(found[1])
    return ""


def _places(body: bytes) -> Iterator[int]:
    """Where a body says `"model"`: its beginning first, then from its end on."""
    yield from (at for at in [body.find(b'"model"', 0, _BEGINNING)] if at >= 0)
    at = len(body)
    for _ in range(_TRIES):
        at = body.rfind(b'"model"', 0, at)
        if at < 0:
            return
        yield at


def _text(quoted: bytes) -> str:
    try:
        return str(orjson.loads(quoted))
    except orjson.JSONDecodeError:
        return ""


def _is_at_top(body: bytes, start: int, stream: bool) -> bool:
    """Whether a member of an object belongs to the outermost one (or an event's `response`): clients write it first or
    behind megabytes of messages, so the shorter side is read."""
    if stream or start > len(body) // 2:
        return bool(_rest(body, start, stream))
    return _object(body[:start] + b'"":0}') is not None


def made_id(response: Response) -> str:
    """The id of the run, response, batch or completion that an answer is or, as a stream, is about; "" for none."""
    body = response.body
    found = _MADE.search(body, 0, _BEGINNING) if isinstance(body, bytes) else None
    return found[1].decode() if found else ""


def _is_stream(headers: Headers) -> bool:
    return media_type(headers).essence == "text/event-stream"
