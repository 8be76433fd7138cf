"""What a conversation is made of, as values."""

from __future__ import annotations

from dataclasses import dataclass

from replayproxy.openai_api.usage import Usage

__all__ = ["Call", "Conversation", "Run", "RunState", "Step", "Turn"]


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call: `arguments` as they came (JSON text mostly), `output` None until one came."""

    id: str
    name: str
    arguments: str = ""
    output: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What somebody said, or the tools that were called.

    `role` is the API's, or `reasoning` for a model's summary of its thoughts, or `error` for a refusal of the API.
    `images` and `files` count what came beside the text. `exchange` is the number of the one that told it first, `at`
    when that arrived (ISO 8601). `run` is the id of the run it belongs to, "" for none; `branch` the exchange after
    which it goes on when that is not the one before it, else 0. `id` is the message's own, "" when none is known.
    """

    role: str
    text: str = ""
    images: int = 0
    files: int = 0
    calls: tuple[Call, ...] = ()
    exchange: int = 0
    at: str = ""
    run: str = ""
    branch: int = 0
    id: str = ""


@dataclass(frozen=True, slots=True)
class RunState:
    """A status that a run came into: `at` seconds after its first one, as `exchange` told.

    `implied`: nobody saw it, but the run's own times say so.
    """

    status: str
    at: float
    exchange: int
    implied: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a run: `type` is `message_creation` or `tool_calls`, `message` the id of what the former made."""

    id: str
    type: str
    status: str
    calls: tuple[Call, ...] = ()
    message: str = ""
    usage: Usage | None = None
    exchange: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """A run: its states in their order, its steps, and what the API says of its times (Unix seconds, by their names).

    `seconds` is how long it was watched, `polls` how often it was asked for; `error` is why it failed.
    """

    id: str
    status: str
    model: str = ""
    states: tuple[RunState, ...] = ()
    steps: tuple[Step, ...] = ()
    times: tuple[tuple[str, float], ...] = ()
    seconds: float = 0.0
    polls: int = 0
    usage: Usage | None = None
    error: str = ""
    exchange: int = 0


@dataclass(frozen=True, slots=True)
class Conversation:
    """What belongs together. `kind` is `thread`, `chat`, `responses` or `conversation`; `exchanges` are the numbers of
    all that took part; `first` and `last` tell when the first and the last of them arrived."""

    id: str
    kind: str
    title: str
    session: str
    first: str
    last: str
    exchanges: tuple[int, ...]
    turns: tuple[Turn, ...]
    runs: tuple[Run, ...] = ()
    usage: Usage | None = None
