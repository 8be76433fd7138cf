"""What a request used: read from what was asked and what was answered, streams included as far as they are known.

A stream is read when its events are known (a list); where it does not tell its usage, the tokens are counted. Runs,
and responses in the background, tell theirs only when they are done: what was asked again later completes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from replayproxy.emulator.answers import Answer, Events, Told
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.brain.tokens import count, count_messages
from replayproxy.emulator.records import Json

__all__ = ["Reading", "readings"]

#: Bytes of a second of sound of which nothing is known: 16 bits, 16 kHz, one channel.
_BYTES_PER_SECOND = 32_000
#: What the requests of a batch have beside the headers of who made it.
_BATCH_HEADER = "x-replayproxy-batch"


@dataclass(frozen=True, slots=True)
class Reading:
    """Amounts of one surface (`completions`, `embeddings`, …), by the name that the usage of it has for them.

    `labels` tell the model and the like; `time` is None when the answer does not tell it. `object_id` is set where
    more may become known later: `open` while it has not, and `later` when that is what this is.
    """

    surface: str
    amounts: Mapping[str, int]
    labels: Mapping[str, str | bool | None] = field(default_factory=dict)
    time: int | None = None
    object_id: str = ""
    open: bool = False
    later: bool = False


def readings(asked: Asked, answer: Answer) -> tuple[Reading, ...]:
    """What a request used; nothing for most of them."""
    reader = _READERS.get(asked.operation.id)
    return tuple(reader(asked, _told(answer))) if reader else ()


def _told(answer: Answer) -> Json:
    """The JSON that an answer comes to: of a stream its last object, of anything else that is no JSON {}."""
    if isinstance(answer, Events):
        events = answer.events if isinstance(answer.events, list | tuple) else ()
        return _streamed([data for _, data in events if isinstance(data, dict)])
    told = answer.json if isinstance(answer, Told) else answer
    return told if isinstance(told, dict) else {}


def _streamed(events: list[Json]) -> Json:
    """The object that a stream was about: a response, a run, or what chunks of a completion add up to."""
    for data in reversed(events):
        found = data.get("response", data)
        if isinstance(found, dict) and found.get("object") in ("response", "thread.run"):
            return found
    chunks = [data for data in events if data.get("object") in ("chat.completion.chunk", "text_completion")]
    if not chunks:
        return events[-1] if events else {}
    usage = next((data["usage"] for data in reversed(chunks) if data.get("usage")), None)
    return chunks[0] | {"usage": usage, "choices": [], "said": "".join(map(_said, chunks))}


def _said(chunk: Json) -> str:
    """The text that a chunk adds."""
    parts = [choice.get("delta", {}).get("content") or choice.get("text") or "" for choice in chunk["choices"]]
    return "".join(parts)


def _labels(asked: Asked, told: Json) -> dict[str, str | bool | None]:
    return {
        "model": told.get("model") or asked.body.get("model"),
        "batch": _BATCH_HEADER in asked.headers,
        "service_tier": told.get("service_tier") or "default",
    }


def _time(told: Json) -> int | None:
    time = told.get("created_at", told.get("created"))
    return int(time) if isinstance(time, int | float) else None


def _tokens(usage: Json) -> dict[str, int]:
    """The tokens of a completion, whichever of the two forms tells them."""
    before = usage.get("prompt_tokens_details") or usage.get("input_tokens_details") or {}
    after = usage.get("completion_tokens_details") or usage.get("output_tokens_details") or {}
    return {
        "input_tokens": usage.get("prompt_tokens", usage.get("input_tokens")) or 0,
        "output_tokens": usage.get("completion_tokens", usage.get("output_tokens")) or 0,
        "input_cached_tokens": before.get("cached_tokens") or 0,
        "input_audio_tokens": before.get("audio_tokens") or 0,
        "output_audio_tokens": after.get("audio_tokens") or 0,
    }


def _completion(asked: Asked, told: Json) -> Iterator[Reading]:
    """Chat completions and completions, which are done when they are answered."""
    body = asked.body
    usage = told.get("usage")
    if not usage:
        messages = body.get("messages") or [{"role": "user", "content": str(body.get("prompt", ""))}]
        usage = {"prompt_tokens": count_messages(messages), "completion_tokens": count(told.get("said") or "")}
    yield Reading("completions", {"num_model_requests": 1, **_tokens(usage)}, _labels(asked, told), _time(told))


def _created(asked: Asked, told: Json) -> Iterator[Reading]:
    """A response or a run, which may not be done yet."""
    usage, labels, time = told.get("usage"), _labels(asked, told), _time(told)
    amounts = {"num_model_requests": 1, **_tokens(usage or {})}
    yield Reading("completions", amounts, labels, time, str(told.get("id") or ""), open=not usage)
    if usage:
        yield from _tools(told, labels, time)


def _continued(asked: Asked, told: Json) -> Iterator[Reading]:
    """A response or a run that is asked for again: now it may be done."""
    if told.get("usage"):
        labels, time, id_ = _labels(asked, told), _time(told), str(told.get("id"))
        yield Reading("completions", _tokens(told["usage"]), labels, time, id_, later=True)
        for reading in _tools(told, labels, time):
            yield Reading(reading.surface, reading.amounts, reading.labels, time, id_, later=True)


def _tools(told: Json, labels: Mapping[str, str | bool | None], time: int | None) -> Iterator[Reading]:
    """The hosted tools that a response called."""
    items = [item for item in told.get("output") or () if isinstance(item, dict)]
    tools = {tool.get("type"): tool for tool in told.get("tools") or ()}
    web = sum(item.get("type") == "web_search_call" for item in items)
    if web:
        tool: Json = tools.get("web_search") or tools.get("web_search_preview") or {}
        level = {"model": labels["model"], "context_level": tool.get("search_context_size") or "medium"}
        yield Reading("web_search_calls", {"num_model_requests": 1, "num_requests": web}, level, time)
    files = sum(item.get("type") == "file_search_call" for item in items)
    if files:
        stores = (tools.get("file_search") or {}).get("vector_store_ids") or [None]
        yield Reading("file_search_calls", {"num_requests": files}, {"vector_store_id": stores[0]}, time)
    sessions = {item.get("container_id") for item in items if item.get("type") == "code_interpreter_call"}
    if sessions:
        yield Reading("code_interpreter_sessions", {"num_sessions": len(sessions)}, {}, time)


def _container(_: Asked, told: Json) -> Iterator[Reading]:
    yield Reading("code_interpreter_sessions", {"num_sessions": 1}, {}, _time(told))


def _embedding(asked: Asked, told: Json) -> Iterator[Reading]:
    tokens = _tokens(told.get("usage") or {})["input_tokens"]
    model = {"model": told.get("model") or asked.body.get("model")}
    yield Reading("embeddings", {"input_tokens": tokens, "num_model_requests": 1}, model, _time(told))


def _moderation(asked: Asked, told: Json) -> Iterator[Reading]:
    given = asked.body.get("input")
    parts = given if isinstance(given, list) else [given]
    texts = [part.get("text") or "" if isinstance(part, dict) else str(part) for part in parts]
    amounts = {"input_tokens": sum(map(count, texts)), "num_model_requests": 1}
    yield Reading("moderations", amounts, {"model": told.get("model")}, _time(told))


def _images(source: str) -> Callable[[Asked, Json], Iterator[Reading]]:
    def read(asked: Asked, told: Json) -> Iterator[Reading]:
        labels = {
            "model": asked.body.get("model") or "dall-e-2",
            "size": told.get("size") or asked.body.get("size") or "1024x1024",
            "source": source,
        }
        amounts = {"images": len(told.get("data") or ()) or 1, "num_model_requests": 1}
        yield Reading("images", amounts, labels, _time(told))

    return read


def _speech(asked: Asked, _: Json) -> Iterator[Reading]:
    amounts = {"num_model_requests": 1, "characters": len(str(asked.body.get("input", "")))}
    yield Reading("audio_speeches", amounts, {"model": asked.body.get("model")})


def _transcription(asked: Asked, told: Json) -> Iterator[Reading]:
    """Sound is as long as the answer says, else as its bytes make likely."""
    seconds: Any = told.get("duration") or (told.get("usage") or {}).get("seconds")
    if seconds is None:
        seconds = sum(len(upload.content) for upload in asked.uploads("file")) / _BYTES_PER_SECOND
    amounts = {"num_model_requests": 1, "seconds": max(1, round(float(seconds)))}
    yield Reading("audio_transcriptions", amounts, {"model": asked.body.get("model")})


_READERS: Mapping[str, Callable[[Asked, Json], Iterator[Reading]]] = {
    "createChatCompletion": _completion,
    "createCompletion": _completion,
    "createResponse": _created,
    "Compactconversation": _created,
    "getResponse": _continued,
    "cancelResponse": _continued,
    "createRun": _created,
    "createThreadAndRun": _created,
    "submitToolOuputsToRun": _continued,
    "getRun": _continued,
    "cancelRun": _continued,
    "createEmbedding": _embedding,
    "createModeration": _moderation,
    "createImage": _images("image.generation"),
    "createImageEdit": _images("image.edit"),
    "createImageVariation": _images("image.variation"),
    "createSpeech": _speech,
    "createTranscription": _transcription,
    "createTranslation": _transcription,
    "CreateContainer": _container,
}
