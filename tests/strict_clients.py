"""Emulators, and clients for them that take nothing but what their types say; the catalog looks at the answers, too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Protocol

from openai import AsyncOpenAI, DefaultAsyncHttpxClient

from replayproxy.core.answer_checks import answer_check
from replayproxy.core.messages import Headers
from replayproxy.emulator.brain import Brain, Reply, Turn
from replayproxy.emulator.brain.default import DefaultBrain
from replayproxy.emulator.runner import running
from replayproxy.emulator.state import EmulatorSettings
from replayproxy.openai_api import catalog

__all__ = ["WEATHER", "Said", "Scripted", "Start", "findings", "strict_client", "strict_clients"]

#: A function tool, as responses take it.
WEATHER: dict[str, Any] = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}


class Scripted:
    """A brain that gives the replies it was made with, then thinks for itself; it keeps the turns it was asked."""

    def __init__(self, *replies: Reply) -> None:
        self._replies = list(replies)
        self._default = DefaultBrain()
        self.turns: list[Turn] = []

    async def reply(self, turn: Turn) -> Reply:
        """The next reply."""
        self.turns.append(turn)
        return self._replies.pop(0) if self._replies else await self._default.reply(turn)


class Said:
    """A brain that always gives the same reply, and keeps what it was asked."""

    def __init__(self, reply: Reply) -> None:
        self.given = reply
        self.turns: list[Turn] = []

    async def reply(self, turn: Turn) -> Reply:
        """The reply."""
        self.turns.append(turn)
        return self.given


class Start(Protocol):
    """Starts an emulator with a brain and settings, and gives a client for it."""

    def __call__(
        self, brain: Brain | None = None, *, strict: bool = True, **settings: Any
    ) -> Awaitable[AsyncOpenAI]: ...


@asynccontextmanager
async def strict_clients() -> AsyncIterator[Start]:
    """Starts as many emulators as are wanted; all of them stop behind the block.

    AssertionError there when a strict client was given an answer that is not as the catalog says.
    """
    async with AsyncExitStack() as stack:

        async def start(brain: Brain | None = None, *, strict: bool = True, **settings: Any) -> AsyncOpenAI:
            made = strict_client(brain, EmulatorSettings(**settings), strict=strict)
            return await stack.enter_async_context(made)

        yield start


@asynccontextmanager
async def strict_client(
    brain: Brain | None = None, settings: EmulatorSettings | None = None, *, strict: bool = True
) -> AsyncIterator[AsyncOpenAI]:
    """A client that believes nothing, on an emulator of its own.

    AssertionError behind the block when an answer was not as the catalog says; with `strict` false nobody looks.
    """
    found: list[str] = []

    async def look(response: Any) -> None:
        found.extend(await findings(response))

    async with (
        running(settings, brain=brain) as emulator,
        DefaultAsyncHttpxClient(event_hooks={"response": [look]} if strict else {}) as http,
        AsyncOpenAI(
            base_url=f"{emulator.url}/v1",
            api_key="sk-test",
            admin_api_key="sk-admin-test",
            max_retries=0,
            http_client=http,
            _strict_response_validation=strict,
        ) as client,
    ):
        yield client
    assert not found


async def findings(response: Any) -> list[str]:
    """What the catalog finds wrong with an answer, streamed or not; of errors and sound it says too little."""
    if response.status_code >= 400 or response.headers.get("content-type", "").startswith("audio/"):
        return []
    await response.aread()
    resolved = catalog().resolve(response.request.method, response.request.url.raw_path.decode())
    assert resolved is not None
    check = answer_check(resolved.operation, response.status_code, Headers(tuple(response.headers.multi_items())))
    if check is None:
        return []
    check.feed(response.content)
    return [f"{resolved.operation.id}: {problem.message}" for problem in check.finish()]
