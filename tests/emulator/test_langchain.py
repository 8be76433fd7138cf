"""LangChain's model and embeddings on the emulator, unchanged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from pydantic import BaseModel, SecretStr

from replayproxy.emulator.runner import RunningEmulator, running

langchain = pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")  # its own affair


class Answer(BaseModel):
    """What an answer is to look like."""

    city: str
    degrees: int


def get_weather(city: str) -> str:
    """Tells the weather of a city."""
    return f"Sunny in {city}."


@pytest.fixture
async def emulator() -> AsyncIterator[RunningEmulator]:
    """A running emulator."""
    async with running() as started:
        yield started


@pytest.fixture
async def told(emulator: RunningEmulator) -> AsyncIterator[dict[str, Any]]:
    """What LangChain's classes are told; connections of their own they would never close."""
    with openai.DefaultHttpxClient() as http:
        async with openai.DefaultAsyncHttpxClient() as http_async:
            yield {
                "base_url": f"{emulator.url}/v1",
                "api_key": SecretStr("sk-test"),
                "http_client": http,
                "http_async_client": http_async,
            }


@pytest.fixture
def model(told: dict[str, Any]) -> Any:
    """A chat model on the emulator."""
    return langchain.ChatOpenAI(model="gpt-4o", **told)


async def test_answers_and_streams(model: Any) -> None:
    """The same words both ways, with their tokens counted."""
    whole = await model.ainvoke("Hello")
    chunks = [chunk async for chunk in model.astream("Hello", stream_usage=True)]
    assert "".join(chunk.content for chunk in chunks) == whole.content
    assert len(chunks) > 3
    assert whole.response_metadata["finish_reason"] == "stop"
    assert whole.usage_metadata["total_tokens"] > 0
    assert whole.id


async def test_tools(model: Any) -> None:
    """A tool that must be called is called, whole and streamed, and its result is answered."""
    bound = model.bind_tools([get_weather], tool_choice="required")
    called = await bound.ainvoke("What is the weather in Paris?")
    (call,) = called.tool_calls
    assert (call["name"], list(call["args"])) == ("get_weather", ["city"])
    full = None
    async for chunk in bound.astream("What is the weather in Paris?"):
        full = chunk if full is None else full + chunk
    assert full is not None
    assert [each["name"] for each in full.tool_calls] == ["get_weather"]
    assert full.tool_calls[0]["args"] == call["args"]
    question = {"role": "user", "content": "What is the weather in Paris?"}
    result = {"role": "tool", "tool_call_id": call["id"], "content": get_weather("Paris")}
    assert (await model.ainvoke([question, called, result])).content


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
async def test_structured_output(model: Any, method: str) -> None:
    """Fits its class, by either way of asking for it."""
    answer = await model.with_structured_output(Answer, method=method).ainvoke("How warm is Paris?")
    assert isinstance(answer, Answer)


async def test_embeddings(told: dict[str, Any]) -> None:
    """Vectors for documents and queries; equal ones for equal texts."""
    embeddings = langchain.OpenAIEmbeddings(
        model="text-embedding-3-small",
        **told,
        check_embedding_ctx_length=False,  # its tokenizer would fetch a vocabulary
    )
    one, two = await embeddings.aembed_documents(["One", "Two"])
    assert len(one) == len(two) == 1536
    assert await embeddings.aembed_query("One") == one
