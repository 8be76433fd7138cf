"""A stage for runs: an emulator whose model says what a test tells it, the official client, and calls over the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
from aiohttp.test_utils import TestServer
from openai import AsyncOpenAI

from replayproxy.core.answer_checks import answer_check
from replayproxy.core.messages import Headers
from replayproxy.core.sse import EventParser
from replayproxy.emulator.app import STATE, create_app
from replayproxy.emulator.brain import Reply, Turn, Usage
from replayproxy.emulator.state import EmulatorSettings, State
from replayproxy.openai_api import catalog

__all__ = ["HEADERS", "USAGE", "Event", "Scripted", "Stage", "path_of", "staged"]

HEADERS = {"Authorization": "Bearer sk-test", "OpenAI-Beta": "assistants=v2"}
USAGE = Usage(7, 3)
Event = tuple[str, Any]


class Scripted:
    """Replies with what it was given, one after the other, then always with the same; keeps what it was asked."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.turns: list[Turn] = []
        self.before: Callable[[], Any] = lambda: None

    async def reply(self, turn: Turn) -> Reply:
        self.turns.append(turn)
        waiting = self.before()
        if waiting is not None:
            await waiting
        return self.replies.pop(0) if self.replies else Reply("Hello there, friend.", usage=USAGE)


@dataclass
class Stage:
    """Where an emulator answers, who plays the model, and a strict client."""

    url: str
    brain: Scripted
    client: AsyncOpenAI
    state: State
    session: aiohttp.ClientSession

    async def call(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        """The answer to a call, found to be what the catalog says: JSON, or the events of a stream."""
        async with self.session.request(method, self.url + path, json=body, headers=HEADERS) as response:
            content = await response.read()
            assert response.status == status, content
            headers = Headers.of(*response.headers.items())
            resolved = catalog().resolve(method, f"/v1{path}")
            assert resolved is not None
            check = answer_check(resolved.operation, status, headers)
            if check is not None:
                check.feed(content)
                assert check.finish() == ()
            if response.content_type == "text/event-stream":
                parser = EventParser()
                found = [*parser.feed(content), *parser.finish()]
                return [(each.event, each.data if each.data == "[DONE]" else orjson.loads(each.data)) for each in found]
            return orjson.loads(content)

    async def get(self, path: str, status: int = 200) -> Any:
        """The answer to a GET."""
        return await self.call("GET", path, None, status)

    async def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        """The answer to a POST."""
        return await self.call("POST", path, {} if body is None else body, status)

    async def refused(self, path: str, body: Any = None, status: int = 400) -> str:
        """What a POST that is refused is told."""
        return str((await self.post(path, body, status))["error"]["message"])

    async def assistant(self, **fields: Any) -> str:
        """The id of a new assistant."""
        return str((await self.post("/assistants", {"model": "gpt-4o", "instructions": "Be brief.", **fields}))["id"])

    async def thread(self, text: str = "Hi", **fields: Any) -> str:
        """The path of a new thread with one message of the user's."""
        made = await self.post("/threads", {"messages": [{"role": "user", "content": text}], **fields})
        return f"/threads/{made['id']}"

    async def run(self, text: str = "Hi", assistant: dict[str, Any] | None = None, **fields: Any) -> Any:
        """A new run of a new assistant on a new thread, queued; or, with `stream=True`, its events."""
        id_ = await self.assistant(**(assistant or {}))
        return await self.post(f"{await self.thread(text)}/runs", {"assistant_id": id_, **fields})

    async def finished(self, run: Any) -> Any:
        """A run that is retrieved until nothing moves any more."""
        for _ in range(5):
            run = await self.get(path_of(run))
        return run


def path_of(run: Any) -> str:
    """The path of a run."""
    return f"/threads/{run['thread_id']}/runs/{run['id']}"


@asynccontextmanager
async def staged(*replies: Reply, settings: EmulatorSettings | None = None) -> AsyncIterator[Stage]:
    """A stage with a model that replies so."""
    brain = Scripted(*replies)
    app = create_app(settings, brain)
    server = TestServer(app)
    await server.start_server()
    url = str(server.make_url("/v1"))
    client = AsyncOpenAI(base_url=url, api_key="sk-test", max_retries=0, _strict_response_validation=True)
    try:
        async with aiohttp.ClientSession() as session, client:
            yield Stage(url, brain, client, app[STATE], session)
    finally:
        await server.close()
