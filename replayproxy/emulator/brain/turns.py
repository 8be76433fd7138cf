"""A turn of a conversation with a model, and the reply to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from replayproxy.core.problem import Problem

__all__ = ["Brain", "Failure", "Finish", "KeptBrain", "Passage", "Reply", "ToolCall", "Turn", "Usage", "run_error"]

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
    0); `limit` how many tokens the answer may have. `options` is what else the request says to a model (temperature,
    stop, seed…), in the fields of chat completions: a live model is given it as it stands.
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
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure(Problem):
    """A problem that comes with headers of its own: `retry-after`, `x-ratelimit-…`."""

    headers: Mapping[str, str] = field(default_factory=dict)


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
    run that asked ends when it does not complete (`failed`, `expired`, `incomplete`, `cancelled`), `reason` why it is
    incomplete (`max_completion_tokens`, `max_prompt_tokens`). `delay` is in seconds. `cut` is how many pieces of
    a streamed answer are sent before it breaks off (None: it does not).
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
    cut: int | None = None
    reason: str = ""


class Brain(Protocol):
    """Replies to turns."""

    async def reply(self, turn: Turn) -> Reply:
        """The reply to a turn; the same turn gets the same reply from one that is deterministic."""
        ...


@runtime_checkable
class KeptBrain(Brain, Protocol):
    """A brain that its owner closes, and that can forget what it has counted."""

    def reset(self) -> None:
        """Forgets what was asked so far."""
        ...

    async def close(self) -> None:
        """Gives back what is held: connections to a model."""
        ...


def run_error(problem: Problem) -> dict[str, str]:
    """A problem as a run tells it in `last_error`, which knows three codes only."""
    known = ("server_error", "rate_limit_exceeded", "invalid_prompt")
    by_status = {429: "rate_limit_exceeded", 400: "invalid_prompt"}.get(problem.status, "server_error")
    return {"code": problem.code if problem.code in known else by_status, "message": problem.message}
