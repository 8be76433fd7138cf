"""A turn of a conversation with a model, and the reply to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from replayproxy.core.problem import Problem

__all__ = ["Brain", "Finish", "Passage", "Reply", "ToolCall", "Turn", "Usage"]

Json = dict[str, Any]
Finish = Literal["stop", "length", "tool_calls", "content_filter"]


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a file that file search found; `start` is where it begins in the file's text, in characters."""

    file_id: str
    filename: str
    text: str
    score: float = 0.0
    start: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """What a model is asked, in the form of chat completions.

    `messages` have role, content (text or parts), tool_calls, tool_call_id, name; `tools` are `{"type": "function",
    "function": {name, description, parameters, strict}}` (or `{"type": "custom", …}`); `tool_choice` and
    `response_format` as chat completions take them (None: not given). `passages` are what file search found for it.
    `family` says who asks (`chat`, `completions`, `responses`, `runs`); `choice` which of several answers it is (from
    0); `limit` how many tokens the answer may have.
    """

    model: str
    messages: tuple[Json, ...]
    tools: tuple[Json, ...] = ()
    tool_choice: str | Json | None = None
    response_format: Json | None = None
    passages: tuple[Passage, ...] = ()
    family: str = "chat"
    choice: int = 0
    limit: int | None = None
    parallel: bool = True


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of one of the turn's tools; `arguments` is JSON text (free text for a custom tool)."""

    name: str
    arguments: str
    kind: Literal["function", "custom"] = "function"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens."""

    prompt: int = 0
    completion: int = 0
    reasoning: int = 0
    cached: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.prompt + self.completion


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model says: text, or calls of tools, or a refusal; or an `error` in the place of all.

    `cited` are passages that the text refers to, each with the marker that stands for it in the text. `run` says how a
    run that asked ends when it does not complete (`failed`, `expired`, `incomplete`, `cancelled`). `delay` is in
    seconds.
    """

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    refusal: str | None = None
    finish: Finish = "stop"
    usage: Usage = Usage()
    error: Problem | None = None
    cited: tuple[tuple[str, Passage], ...] = ()
    run: str = ""
    delay: float = 0.0
    #: What is sent piece by piece when the reply is streamed; empty: the text cut into words.
    pieces: tuple[str, ...] = field(default=())


class Brain(Protocol):
    """Replies to turns."""

    async def reply(self, turn: Turn) -> Reply:
        """The reply to a turn; the same turn gets the same reply from one that is deterministic."""
        ...
