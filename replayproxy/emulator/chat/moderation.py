"""What the moderation that a chat completion was asked with says of the messages and of the answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from replayproxy.emulator.chat.replies import Completion
from replayproxy.emulator.models.moderations import is_omni, judged
from replayproxy.emulator.records import Json

__all__ = ["moderated"]


def moderated(completion: Completion) -> Json | None:
    """The `moderation` of an answer; None when it was not asked for. Nothing is ever blocked."""
    asked = completion.body.get("moderation")
    if not asked:
        return None
    given = "\n".join(_texts(completion.body["messages"]))
    said = [reply.text for reply in completion.replies]
    return {"input": _results(asked["model"], [given]), "output": _results(asked["model"], said)}


def _results(model: str, texts: Sequence[str]) -> Json:
    results = [{"type": "moderation_result", "model": model, **judged(text, omni=is_omni(model))} for text in texts]
    return {"type": "moderation_results", "model": model, "results": results}


def _texts(messages: Sequence[Json]) -> Iterator[str]:
    for message in messages:
        content = message.get("content") or ""
        if isinstance(content, str):
            yield content
        else:
            yield from (part["text"] for part in content if part["type"] == "text")
