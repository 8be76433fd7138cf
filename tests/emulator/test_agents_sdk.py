"""The OpenAI Agents SDK, where it is installed, runs agents on the emulator as on the real API."""

from __future__ import annotations

from typing import Any

import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel

from replayproxy.emulator.runner import running

agents = pytest.importorskip("agents", reason="the OpenAI Agents SDK (openai-agents) is not installed")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Report(BaseModel):
    """What an agent hands in."""

    city: str
    degrees: int


def agent_on(client: AsyncOpenAI, kind: str, **more: Any) -> Any:
    """An agent with a function tool, on responses or on chat completions."""

    @agents.function_tool  # type: ignore[untyped-decorator, unused-ignore]
    def get_weather(city: str) -> str:
        """The weather of a city."""
        return f"It has 22 degrees in {city or 'town'}."

    model = {"responses": agents.OpenAIResponsesModel, "chat": agents.OpenAIChatCompletionsModel}[kind]
    settings = agents.ModelSettings(tool_choice="required")
    return agents.Agent(
        name="Forecaster",
        instructions="Tell the weather.",
        tools=[get_weather],
        model=model(model="gpt-4o", openai_client=client),
        model_settings=settings,
        **more,
    )


@pytest.mark.parametrize("kind", ["responses", "chat"])
@pytest.mark.parametrize("streamed", [False, True])
async def test_agent_runs_with_a_tool(kind: str, streamed: bool) -> None:
    """It calls its tool, and its last words are what the tool gave."""
    agents.set_tracing_disabled(True)
    async with running() as emulator, AsyncOpenAI(base_url=f"{emulator.url}/v1", api_key="sk-test") as client:
        agent = agent_on(client, kind)
        if streamed:
            result = agents.Runner.run_streamed(agent, "Weather in Paris?")
            kinds = [event.type async for event in result.stream_events()]
            assert "raw_response_event" in kinds
        else:
            result = await agents.Runner.run(agent, "Weather in Paris?")
        assert "22 degrees" in result.final_output
        kinds = [item.type for item in result.new_items]
        assert kinds == ["tool_call_item", "tool_call_output_item", "message_output_item"]


@pytest.mark.parametrize("kind", ["responses", "chat"])
async def test_agent_hands_in_a_form(kind: str) -> None:
    """Its output type is filled in."""
    agents.set_tracing_disabled(True)
    async with running() as emulator, AsyncOpenAI(base_url=f"{emulator.url}/v1", api_key="sk-test") as client:
        result = await agents.Runner.run(agent_on(client, kind, output_type=Report), "Weather in Paris?")
        assert isinstance(result.final_output, Report)


async def test_agent_goes_on_with_a_conversation() -> None:
    """With the id of the last response, and with a session on the conversations of the API."""
    agents.set_tracing_disabled(True)
    async with running() as emulator, AsyncOpenAI(base_url=f"{emulator.url}/v1", api_key="sk-test") as client:
        agent = agent_on(client, "responses")
        first = await agents.Runner.run(agent, "Weather in Paris?")
        second = await agents.Runner.run(agent, "And in Rome?", previous_response_id=first.last_response_id)
        assert second.final_output
        session = agents.OpenAIConversationsSession(openai_client=client)
        await agents.Runner.run(agent, "Weather in Paris?", session=session)
        await agents.Runner.run(agent, "And in Rome?", session=session)
        items = await session.get_items()
        assert [item["content"] for item in items if item.get("role") == "user"]
        assert len(items) == 8
