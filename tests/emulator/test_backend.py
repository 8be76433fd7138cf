"""A run whose model is somewhere else: the emulator's own chat endpoint, behind another emulator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from replayproxy.emulator.brain.making import make_brain
from replayproxy.emulator.runner import running

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tells the weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
ASKED = "What does the manual say about the key? And use get_weather for Paris."


@pytest.fixture
async def client() -> AsyncIterator[openai.AsyncOpenAI]:
    """A client of an emulator that asks another emulator's chat completions."""
    async with running() as models:
        brain = make_brain(None, f"{models.url}/v1", "sk-test", None)
        async with (
            running(brain=brain) as emulator,
            openai.AsyncOpenAI(
                base_url=f"{emulator.url}/v1", api_key="sk-test", max_retries=0, _strict_response_validation=True
            ) as client,
        ):
            yield client
        await brain.close()


async def prepared(client: openai.AsyncOpenAI) -> tuple[str, str]:
    """An assistant with a function and a manual to search, and a thread with a question for both."""
    manual = await client.files.create(file=("manual.md", b"# Manual\nTurn the key to start."), purpose="assistants")
    store = await client.vector_stores.create(name="Docs", file_ids=[manual.id])
    assistant = await client.beta.assistants.create(
        model="gpt-4o",
        tools=[TOOL, {"type": "file_search"}],  # type: ignore[list-item]
        tool_resources={"file_search": {"vector_store_ids": [store.id]}},
    )
    thread = await client.beta.threads.create(messages=[{"role": "user", "content": ASKED}])
    return assistant.id, thread.id


def outputs(run: Any) -> list[Any]:
    """What the tools that a run waits for gave."""
    calls = run.required_action.submit_tool_outputs.tool_calls
    assert [call.function.name for call in calls] == ["get_weather"]
    return [{"tool_call_id": call.id, "output": "22 degrees"} for call in calls]


async def judged(client: openai.AsyncOpenAI, thread: str, run: Any) -> None:
    """The run is complete, what it found was searched for, and the answer is the model's."""
    assert run.status == "completed"
    assert run.usage.total_tokens > 0
    steps = (await client.beta.threads.runs.steps.list(run.id, thread_id=thread, order="asc")).data
    kinds = [call.type for step in steps if step.type == "tool_calls" for call in step.step_details.tool_calls]  # type: ignore[union-attr]
    assert sorted(kinds) == ["file_search", "function"]
    last = (await client.beta.threads.messages.list(thread)).data[0]
    assert "22 degrees" in last.content[0].text.value  # type: ignore[union-attr]


async def test_a_polled_run(client: openai.AsyncOpenAI) -> None:
    """With a function and file search, by the client's poll helpers."""
    assistant, thread = await prepared(client)
    runs = client.beta.threads.runs
    run = await runs.create_and_poll(thread_id=thread, assistant_id=assistant)
    assert run.status == "requires_action"
    run = await runs.submit_tool_outputs_and_poll(run_id=run.id, thread_id=thread, tool_outputs=outputs(run))
    await judged(client, thread, run)


async def test_a_streamed_run(client: openai.AsyncOpenAI) -> None:
    """The same by the client's stream helpers."""
    assistant, thread = await prepared(client)
    runs = client.beta.threads.runs
    async with runs.stream(thread_id=thread, assistant_id=assistant) as stream:
        await stream.until_done()
        run = stream.current_run
    assert run is not None
    async with runs.submit_tool_outputs_stream(run_id=run.id, thread_id=thread, tool_outputs=outputs(run)) as stream:
        await stream.until_done()
        run = stream.current_run
    await judged(client, thread, run)


async def test_what_goes_wrong_there_is_the_runs_last_error() -> None:
    """Nobody listens."""
    brain = make_brain(None, "http://127.0.0.1:9/v1", None, None)
    async with (
        running(brain=brain) as emulator,
        openai.AsyncOpenAI(base_url=f"{emulator.url}/v1", api_key="sk-test", max_retries=0) as client,
    ):
        assistant = await client.beta.assistants.create(model="gpt-4o")
        thread = await client.beta.threads.create(messages=[{"role": "user", "content": "Hello"}])
        run = await client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
        assert run.status == "failed"
        assert run.last_error is not None
        assert run.last_error.code == "server_error"
    await brain.close()
