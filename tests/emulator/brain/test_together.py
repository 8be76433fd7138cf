"""Brains at work in the emulator, seen through the official client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletion

from replayproxy.emulator.brain.backend import ModelBackend
from replayproxy.emulator.brain.default import DefaultBrain
from replayproxy.emulator.brain.replies_form import replies_of
from replayproxy.emulator.brain.scripted import ScriptedBrain
from replayproxy.emulator.brain.turns import KeptBrain
from replayproxy.emulator.runner import running

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the Assistants API, in the client

_PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
_TOOL: Any = {"type": "function", "function": {"name": "get_weather", "parameters": _PARAMETERS}}


@asynccontextmanager
async def talking(brain: KeptBrain, retries: int = 0) -> AsyncIterator[AsyncOpenAI]:
    """The client of an emulator that has that brain."""
    async with (
        running(brain=brain) as emulator,
        AsyncOpenAI(
            base_url=f"{emulator.url}/v1",
            api_key="sk-test",
            max_retries=retries,
            _strict_response_validation=True,
        ) as client,
    ):
        yield client
    await brain.close()


def scripted(text: str) -> ScriptedBrain:
    """A brain that answers by the text of a file."""
    return ScriptedBrain(replies_of(text), DefaultBrain())


async def _chat(client: AsyncOpenAI, said: str) -> ChatCompletion:
    return await client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": said}])


async def test_rate_limit_reaches_the_client() -> None:
    """It raises RateLimitError with the API's words, and answers again afterwards."""
    async with talking(scripted("limits: [{requests: 1, refuses: 1, retry_after: 0.02}]")) as client:
        await _chat(client, "Hi")
        with pytest.raises(openai.RateLimitError, match="Rate limit reached for gpt-4o") as caught:
            await _chat(client, "Hi")
        assert (caught.value.code, caught.value.type) == ("rate_limit_exceeded", "requests")
        assert (await _chat(client, "Hi")).choices[0].finish_reason == "stop"


async def test_errors_in_sequence_make_the_client_try_again() -> None:
    """Two failures are overcome by two tries more."""
    errors = ", ".join(f"{{error: {{status: {status}, retry_after: 0.01}}}}" for status in (503, 500))
    text = f"replies: [{{sequence: [{errors}], then: end}}]"
    async with talking(scripted(text), retries=2) as client:
        assert (await _chat(client, "Hi")).choices[0].finish_reason == "stop"


async def test_run_ends_as_the_file_says() -> None:
    """A run fails with its last error, expires, or is incomplete."""
    text = """
replies:
  - {when: {user: fail}, run: failed, last_error: {code: rate_limit_exceeded, message: Enough.}}
  - {when: {user: expire}, run: expired}
  - {when: {user: short}, run: incomplete, text: It was}
  - {when: {user: error}, error: 500}
"""
    async with talking(scripted(text)) as client:
        assistant = await client.beta.assistants.create(model="gpt-4o")
        ends = []
        for said in ("fail", "expire", "short", "error"):
            run = await client.beta.threads.create_and_run_poll(
                assistant_id=assistant.id, thread={"messages": [{"role": "user", "content": said}]}
            )
            ends.append((run.status, run.last_error.code if run.last_error else None))
        assert ends == [
            ("failed", "rate_limit_exceeded"),
            ("expired", None),
            ("incomplete", None),
            ("failed", "server_error"),
        ]


async def test_run_on_another_emulator_as_its_model() -> None:
    """With a backend, a run with a tool waits for its output, and completes with what the backend makes of it."""
    async with running() as model, talking(ModelBackend(f"{model.url}/v1", "sk-any")) as client:
        assistant = await client.beta.assistants.create(model="gpt-4o", tools=[_TOOL])
        thread = await client.beta.threads.create(messages=[{"role": "user", "content": "The weather in Rome?"}])
        run = await client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
        assert run.status == "requires_action"
        assert run.required_action is not None
        [call] = run.required_action.submit_tool_outputs.tool_calls
        assert (call.function.name, call.function.arguments) == ("get_weather", '{"city":"Rome"}')
        run = await client.beta.threads.runs.submit_tool_outputs_and_poll(
            run_id=run.id, thread_id=thread.id, tool_outputs=[{"tool_call_id": call.id, "output": "21 degrees"}]
        )
        assert run.status == "completed"
        [answer] = [each async for each in await client.beta.threads.messages.list(thread.id, limit=1)][:1]
        assert answer.content[0].type == "text"
        assert answer.content[0].text.value == "get_weather gave: 21 degrees"


async def test_backend_that_is_not_there_fails_the_run() -> None:
    """What is wrong with the backend is the run's last error."""
    async with talking(ModelBackend("http://127.0.0.1:9")) as client:
        assistant = await client.beta.assistants.create(model="gpt-4o")
        run = await client.beta.threads.create_and_run_poll(
            assistant_id=assistant.id, thread={"messages": [{"role": "user", "content": "Hi"}]}
        )
        assert run.status == "failed"
        assert run.last_error is not None
        assert "cannot be reached" in run.last_error.message
