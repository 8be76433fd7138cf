"""Completions, by the official client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import openai
import orjson
import pytest
from openai import AsyncOpenAI

from replayproxy.core.problem import Problem
from replayproxy.emulator.brain import Reply, Usage
from tests.real_traffic import NEEDS_RECORDINGS, recordings
from tests.strict_clients import Said, Start, strict_clients

MODEL = "gpt-3.5-turbo-instruct"


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts emulators and gives strict clients for them."""
    async with strict_clients() as starting:
        yield starting


@pytest.fixture
async def client(start: Start) -> AsyncOpenAI:
    """A strict client of an emulator with its usual brain."""
    return await start()


async def chunks_of(client: AsyncOpenAI, **more: Any) -> list[Any]:
    """The chunks of a streamed answer."""
    stream = await client.completions.create(**{"model": MODEL, "prompt": "One", "stream": True, **more})
    return [chunk async for chunk in stream]


async def test_answer_is_short_unless_told_otherwise(client: AsyncOpenAI) -> None:
    """Sixteen tokens are all that a model says of its own; the headers of a model's answer come along."""
    raw = await client.completions.with_raw_response.create(model=MODEL, prompt="Tell me " * 20)
    answer = raw.parse()
    assert answer.usage
    assert answer.usage.completion_tokens <= 16
    assert answer.choices[0].finish_reason == "length"
    assert answer.id.startswith("cmpl-")
    assert raw.headers["openai-model"] == MODEL
    longer = await client.completions.create(model=MODEL, prompt="Tell me " * 20, max_tokens=500)
    assert longer.choices[0].finish_reason == "stop"
    assert longer.choices[0].text.startswith(answer.choices[0].text)


@pytest.mark.parametrize(
    ("prompt", "count"),
    [("One", 1), (["One", "Two"], 2), ([1, 2, 3], 1), ([[1, 2], [3]], 2), (None, 1), ("", 1)],
)
async def test_prompts(client: AsyncOpenAI, prompt: Any, count: int) -> None:
    """A text, several, tokens, several of them, or nothing: a choice for each, `n` times."""
    answer = await client.completions.create(model=MODEL, prompt=prompt)
    assert [choice.index for choice in answer.choices] == list(range(count))
    twice = await client.completions.create(model=MODEL, prompt=prompt, n=2)
    assert len(twice.choices) == 2 * count
    assert answer.usage
    assert twice.usage
    assert twice.usage.prompt_tokens == answer.usage.prompt_tokens


async def test_echo_and_log_probabilities(client: AsyncOpenAI) -> None:
    """The echo stands before the text, and its tokens count; the offsets lie in what is answered."""
    answer = await client.completions.create(model=MODEL, prompt="One two", echo=True, logprobs=2)
    choice = answer.choices[0]
    assert choice.text.startswith("One two")
    assert choice.logprobs
    assert choice.logprobs.tokens
    assert choice.logprobs.text_offset
    assert "".join(choice.logprobs.tokens) == choice.text
    for token, offset in zip(choice.logprobs.tokens, choice.logprobs.text_offset, strict=True):
        assert choice.text[offset:].startswith(token)
    assert {len(top) for top in choice.logprobs.top_logprobs or ()} == {2}
    assert len(choice.logprobs.token_logprobs or ()) == len(choice.logprobs.tokens)


async def test_streamed_chunks(start: Start) -> None:
    """Piece by piece, then an empty one with the reason, then the usage when it is asked for.

    The client's types do not know that a chunk has no reason yet, so that it is not strict.
    """
    client = await start(strict=False)
    options: Any = {"prompt": ["One", "Two"], "logprobs": 1, "echo": True}
    whole = await client.completions.create(**{"model": MODEL, **options})
    chunks = await chunks_of(client, **options)
    for choice in whole.choices:
        own = [chunk.choices[0] for chunk in chunks if chunk.choices[0].index == choice.index]
        assert "".join(each.text for each in own) == choice.text
        assert (own[-1].text, own[-1].finish_reason) == ("", choice.finish_reason)
        assert choice.logprobs
        offsets = [offset for each in own if each.logprobs for offset in each.logprobs.text_offset]
        assert offsets == choice.logprobs.text_offset
    *counted, last = await chunks_of(client, **options, stream_options={"include_usage": True})
    assert (last.choices, last.usage, {chunk.usage for chunk in counted}) == ([], whole.usage, {None})


async def test_stream_ends_in_its_marker(client: AsyncOpenAI) -> None:
    """`[DONE]`, as that of chat completions."""
    async with client.completions.with_streaming_response.create(model=MODEL, prompt="One", stream=True) as raw:
        lines = [line async for line in raw.iter_lines() if line]
    assert lines[-1] == "data: [DONE]"


async def test_turn_has_what_a_model_needs(start: Start) -> None:
    """The prompt as the user's message, what is to follow it as the system's, and the options."""
    brain = Said(Reply("One two three", finish="tool_calls", usage=Usage(1, 1)))
    client = await start(brain)
    answer = await client.completions.create(model=MODEL, prompt="One", suffix="End", stop=" three", temperature=0.1)
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == ("One two", "stop")
    (turn,) = brain.turns
    assert turn.messages == (
        {"role": "system", "content": "What you write is followed by: End"},
        {"role": "user", "content": "One"},
    )
    assert (turn.family, turn.limit, turn.options) == ("completions", 16, {"stop": " three", "temperature": 0.1})


async def test_model_that_fails(start: Start) -> None:
    """The problem is the answer."""
    client = await start(Said(Reply(error=Problem("Slow down.", status=429))))
    with pytest.raises(openai.RateLimitError, match="Slow down"):
        await client.completions.create(model=MODEL, prompt="One")


async def test_stream_that_breaks_off(start: Start) -> None:
    """After so many pieces."""
    client = await start(Said(Reply("One two three", usage=Usage(1, 1), cut=2)), strict=False)
    stream = await client.completions.create(model=MODEL, prompt="One", stream=True)
    seen: list[str] = []

    async def read() -> None:
        async for chunk in stream:
            seen.append(chunk.choices[0].text)  # noqa: PERF401 -- what came before the end counts

    with pytest.raises(openai.APIConnectionError):
        await read()
    assert seen == ["One", " two"]


@NEEDS_RECORDINGS
async def test_answer_has_the_shape_of_the_real_one(client: AsyncOpenAI) -> None:
    """The same request is answered with the same keys in their order, and ends for the same reason."""
    (one,) = [one for one in recordings() if one.request.path == "/v1/completions"]
    assert isinstance(one.request.body, bytes)
    assert isinstance(one.response.body, bytes)
    raw = await client.completions.with_raw_response.create(**orjson.loads(one.request.body))
    mine, real = orjson.loads(raw.content), orjson.loads(one.response.body)
    assert [list(mine), list(mine["choices"][0])] == [list(real), list(real["choices"][0])]
    assert list(mine["usage"]) == list(real["usage"])
    assert mine["choices"][0]["finish_reason"] == real["choices"][0]["finish_reason"] == "length"
