"""Chat completions, by the official client."""

from __future__ import annotations

import asyncio
import base64
import io
import wave
from collections.abc import AsyncIterator
from typing import Any

import httpx
import openai
import orjson
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from replayproxy.core.messages import Headers, Request
from replayproxy.core.problem import Call, Problem
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.brain import Reply, ToolCall, Usage
from replayproxy.emulator.brain.words import pieces
from replayproxy.emulator.chat import chat
from replayproxy.emulator.records import Record
from replayproxy.emulator.runner import RunningEmulator, running
from replayproxy.emulator.state import EmulatorSettings, State
from replayproxy.openai_api import catalog
from tests.real_traffic import NEEDS_RECORDINGS, Recorded, recordings
from tests.strict_clients import Said, Start, strict_clients

HELLO: Any = [{"role": "user", "content": "Hello"}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}
CALLED: Any = {
    "role": "assistant",
    "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}],
}
USAGE = Usage(10, 5)


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
    """The chunks of a streamed answer to Hello."""
    stream = await client.chat.completions.create(**{"model": "gpt-4o", "messages": HELLO, "stream": True, **more})
    return [chunk async for chunk in stream]


async def test_answer_is_whole(client: AsyncOpenAI) -> None:
    """Every field that the API answers, in its order, and the headers of a model's answer."""
    raw = await client.chat.completions.with_raw_response.create(model="gpt-4o", messages=HELLO)
    body = orjson.loads(raw.content)
    assert list(body) == [
        *("id", "object", "created", "model", "choices", "usage", "service_tier", "system_fingerprint"),
    ]
    (choice,) = body["choices"]
    assert list(choice) == ["index", "message", "logprobs", "finish_reason"]
    assert list(choice["message"]) == ["role", "content", "refusal", "annotations"]
    assert body["id"].startswith("chatcmpl-")
    assert len(body["id"]) == len("chatcmpl-C31IySwlUa8hdaSKKxS7JazofVfCy")
    assert body["model"] == raw.headers["openai-model"] == "gpt-4o-2024-08-06"
    assert body["usage"]["total_tokens"] == body["usage"]["prompt_tokens"] + body["usage"]["completion_tokens"]
    assert raw.headers["x-ratelimit-limit-requests"] == "10000"
    assert int(raw.headers["x-ratelimit-remaining-tokens"]) < int(raw.headers["x-ratelimit-limit-tokens"])


async def test_model_of_any_name(client: AsyncOpenAI) -> None:
    """Is served; what cannot stand in a header is not repeated there. Many tokens take time to be given back."""
    odd = "mödel\n" + "x" * 10_000
    raw = await client.chat.completions.with_raw_response.create(model=odd, messages=HELLO)
    assert raw.headers["openai-model"] == "m?del?" + "x" * 250
    assert raw.parse().model == odd
    assert raw.headers["x-ratelimit-reset-tokens"] == "0s"
    long: Any = [{"role": "user", "content": "word " * 2000}]
    raw = await client.chat.completions.with_raw_response.create(model="gpt-4o", messages=long)
    assert raw.headers["x-ratelimit-reset-tokens"] == "2ms"


async def test_same_question_is_answered_under_another_id(start: Start) -> None:
    """The id follows from what is asked and how often, so that others' requests do not change it."""

    async def ids(words: str) -> list[str]:
        client = await start()
        asked = [
            client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": word}])
            for word in words
        ]
        return [(await each).id for each in asked]

    one, two = await ids("aab"), await ids("baa")
    assert len(set(one)) == 3
    assert sorted(one) == sorted(two)
    assert one[0] == two[1]


async def test_streamed_chunks(client: AsyncOpenAI) -> None:
    """The role first, then pieces, then an empty delta with the reason; the words are those of the whole answer."""
    whole = await client.chat.completions.create(model="gpt-4o", messages=HELLO)
    chunks = await chunks_of(client)
    first, *middle, last = [chunk.choices[0] for chunk in chunks]
    assert first.delta.model_dump(exclude_unset=True) == {"role": "assistant", "content": "", "refusal": None}
    assert len(middle) > 1
    assert "".join(choice.delta.content for choice in middle) == whole.choices[0].message.content
    assert (last.delta.model_dump(exclude_unset=True), last.finish_reason) == ({}, "stop")
    assert {choice.finish_reason for choice in (first, *middle)} == {None}
    assert len({chunk.id for chunk in chunks}) == 1
    assert all("usage" not in chunk.model_fields_set for chunk in chunks)


async def test_stream_ends_in_its_marker(client: AsyncOpenAI) -> None:
    """No event has a name, and the last data is `[DONE]`."""
    async with client.chat.completions.with_streaming_response.create(
        model="gpt-4o", messages=HELLO, stream=True
    ) as raw:
        lines = [line async for line in raw.iter_lines() if line]
    assert raw.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert lines[-1] == "data: [DONE]"
    assert all(line.startswith("data: ") for line in lines)


async def test_usage_of_a_stream(client: AsyncOpenAI) -> None:
    """Null in each chunk, and in one more without choices the tokens of the whole answer."""
    whole = await client.chat.completions.create(model="gpt-4o", messages=HELLO)
    *chunks, last = await chunks_of(client, stream_options={"include_usage": True, "include_obfuscation": True})
    assert {chunk.usage for chunk in chunks} == {None}
    assert all("usage" in chunk.model_fields_set for chunk in chunks)
    assert (last.choices, last.usage) == ([], whole.usage)
    assert {chunk.obfuscation for chunk in chunks} == {""}


async def test_several_choices(client: AsyncOpenAI) -> None:
    """Each with its index; their tokens are added up, the prompt's but once. Streamed, they take turns."""
    one = await client.chat.completions.create(model="gpt-4o", messages=HELLO)
    three = await client.chat.completions.create(model="gpt-4o", messages=HELLO, n=3)
    assert [choice.index for choice in three.choices] == [0, 1, 2]
    assert one.usage
    assert three.usage
    assert three.usage.prompt_tokens == one.usage.prompt_tokens
    assert three.usage.completion_tokens > 2 * one.usage.completion_tokens
    said = dict.fromkeys(range(3), "")
    chunks = await chunks_of(client, n=3)
    assert [chunk.choices[0].index for chunk in chunks[:4]] == [0, 1, 2, 0]
    for chunk in chunks:
        said[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert list(said.values()) == [choice.message.content for choice in three.choices]


async def test_log_probabilities(client: AsyncOpenAI) -> None:
    """Of each token, with the likeliest others when asked; streamed, the same piece by piece."""
    options: Any = {"logprobs": True, "top_logprobs": 3}
    whole = await client.chat.completions.create(model="gpt-4o", messages=HELLO, **options)
    assert whole.choices[0].logprobs
    tokens = whole.choices[0].logprobs.content
    assert tokens
    assert "".join(token.token for token in tokens) == whole.choices[0].message.content
    for token in tokens:
        assert token.logprob <= 0
        assert len(token.top_logprobs) == 3
        assert token.top_logprobs[0].token == token.token
        assert token.bytes == list(token.token.encode())
    chunks = await chunks_of(client, **options)
    given = [each.choices[0].logprobs.content for each in chunks if each.choices[0].logprobs]
    assert [token for piece in given for token in piece] == tokens
    plain = await client.chat.completions.create(model="gpt-4o", messages=HELLO, logprobs=True)
    assert plain.choices[0].logprobs
    assert plain.choices[0].logprobs.content
    assert plain.choices[0].logprobs.content[0].top_logprobs == []


async def test_tool_calls(start: Start) -> None:
    """Several calls stand side by side; streamed, each begins with its id and name and goes on with pieces."""
    calls = (ToolCall("get_weather", '{"city":"Paris"}'), ToolCall("get_weather", '{"city":"Rome"}'))
    client = await start(Said(Reply(tool_calls=calls, finish="tool_calls", usage=USAGE)))
    whole = await client.chat.completions.create(model="gpt-4o", messages=HELLO, tools=[WEATHER])
    (choice,) = whole.choices
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    assert [call.function.arguments for call in choice.message.tool_calls] == [call.arguments for call in calls]
    assert len({call.id for call in choice.message.tool_calls}) == 2
    chunks = await chunks_of(client, tools=[WEATHER])
    first, second, *_, last = chunks
    assert first.choices[0].delta.to_dict() == {"role": "assistant", "content": None, "refusal": None}
    (begun,) = second.choices[0].delta.tool_calls
    assert begun.to_dict() == {
        "index": 0,
        "id": begun.id,
        "type": "function",
        "function": {"name": "get_weather", "arguments": ""},
    }
    said = ["", ""]
    for chunk in chunks:
        for call in chunk.choices[0].delta.tool_calls or ():
            said[call.index] += call.function.arguments
    assert said == [call.arguments for call in calls]
    assert last.choices[0].finish_reason == "tool_calls"


async def test_single_tool_call_comes_with_the_role(client: AsyncOpenAI) -> None:
    """As with the real API; a tool that is asked for by name ends the answer in "stop"."""
    chosen = {"type": "function", "function": {"name": "get_weather"}}
    first, *_, last = await chunks_of(client, tools=[WEATHER], tool_choice=chosen)
    (call,) = first.choices[0].delta.tool_calls
    assert (first.choices[0].delta.role, call.function.name) == ("assistant", "get_weather")
    assert last.choices[0].finish_reason == "stop"
    required = await client.chat.completions.create(
        model="gpt-4o", messages=HELLO, tools=[WEATHER], tool_choice="required"
    )
    assert required.choices[0].finish_reason == "tool_calls"


async def test_custom_tools(start: Start) -> None:
    """The input of a custom tool is free text. The API's description knows no such chunk, so it is not checked."""
    brain = Said(Reply(tool_calls=(ToolCall("shout", "HELLO you", "custom"),), finish="tool_calls", usage=USAGE))
    tool: Any = {"type": "custom", "custom": {"name": "shout"}}
    whole = await (await start(brain)).chat.completions.create(model="gpt-5", messages=HELLO, tools=[tool])
    (call,) = whole.choices[0].message.tool_calls
    assert (call.type, call.custom.name, call.custom.input) == ("custom", "shout", "HELLO you")
    chunks = await chunks_of(await start(brain, strict=False), tools=[tool])
    given = [each.to_dict() for chunk in chunks for each in chunk.choices[0].delta.tool_calls or ()]
    assert given[0] == {"index": 0, "id": given[0]["id"], "type": "custom", "custom": {"name": "shout", "input": ""}}
    assert "".join(each["custom"]["input"] for each in given) == "HELLO you"


async def test_functions_that_came_before_tools(start: Start) -> None:
    """Are called in the older form, and asked for in the newer one."""
    brain = Said(Reply(tool_calls=(ToolCall("get_weather", '{"city":"Paris"}'),), finish="tool_calls", usage=USAGE))
    client = await start(brain)
    functions: Any = [WEATHER["function"]]
    whole = await client.chat.completions.create(model="gpt-4o", messages=HELLO, functions=functions)
    assert whole.choices[0].message.function_call.arguments == '{"city":"Paris"}'
    assert whole.choices[0].finish_reason == "function_call"
    assert brain.turns[0].tools == ({"type": "function", "function": functions[0]},)
    chunks = await chunks_of(client, functions=functions, function_call={"name": "get_weather"})
    assert "".join(
        chunk.choices[0].delta.function_call.arguments for chunk in chunks if chunk.choices[0].delta.function_call
    )
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert brain.turns[1].tool_choice == {"type": "function", "function": {"name": "get_weather"}}


async def test_text_and_tool_calls_together(start: Start) -> None:
    """The text is streamed before the call."""
    reply = Reply("Let me see.", (ToolCall("get_weather", "{}"),), finish="tool_calls", usage=USAGE)
    client = await start(Said(reply))
    whole = await client.chat.completions.create(model="gpt-4o", messages=HELLO, tools=[WEATHER])
    assert whole.choices[0].message.content == "Let me see."
    deltas = [chunk.choices[0].delta for chunk in await chunks_of(client, tools=[WEATHER])]
    assert "".join(delta.content or "" for delta in deltas) == "Let me see."
    assert [bool(delta.tool_calls) for delta in deltas][-4:-1] == [False, True, True]


async def test_refusal(start: Start) -> None:
    """Stands in the place of the content, whole and streamed."""
    client = await start(Said(Reply(refusal="I can't help with that.", usage=USAGE)))
    message = (await client.chat.completions.create(model="gpt-4o", messages=HELLO)).choices[0].message
    assert (message.content, message.refusal) == (None, "I can't help with that.")
    chunks = await chunks_of(client)
    assert "".join(chunk.choices[0].delta.refusal or "" for chunk in chunks) == "I can't help with that."


async def test_reply_that_was_cut_short(start: Start) -> None:
    """Its reason is told; a stop text ends it before itself; pieces are streamed as the reply cuts them."""
    reply = Reply("One two three", finish="length", usage=USAGE, pieces=("One two", " three"), delay=0.001)
    client = await start(Said(reply))
    assert (await client.chat.completions.create(model="m", messages=HELLO)).choices[0].finish_reason == "length"
    for stop in (" three", [" three", "x"]):
        (choice,) = (await client.chat.completions.create(model="m", messages=HELLO, stop=stop)).choices
        assert (choice.message.content, choice.finish_reason) == ("One two", "stop")
    deltas = [chunk.choices[0].delta.content for chunk in await chunks_of(client)]
    assert deltas == ["", "One two", " three", None]


async def test_model_that_fails(start: Start) -> None:
    """The problem is the answer, streamed or not."""
    problem = Problem("Slow down.", code="rate_limit_exceeded", status=429, type="requests")
    client = await start(Said(Reply(error=problem)))
    with pytest.raises(openai.RateLimitError, match="Slow down"):
        await client.chat.completions.create(model="m", messages=HELLO)
    with pytest.raises(openai.RateLimitError, match="Slow down"):
        await chunks_of(client)


@pytest.mark.parametrize("cut", [0, 2, 99])
async def test_stream_that_breaks_off(start: Start, cut: int) -> None:
    """After so many pieces, or at the latest before the reason."""
    reply = Reply("One two three", usage=USAGE, cut=cut)
    client = await start(Said(reply), strict=False)
    seen: list[str] = []
    stream = await client.chat.completions.create(model="m", messages=HELLO, stream=True)

    async def read() -> None:
        async for chunk in stream:
            seen.append(chunk.choices[0].delta.content)  # noqa: PERF401 -- what came before the end counts

    with pytest.raises(openai.APIConnectionError):
        await read()
    assert seen == ["", *pieces(reply)[:cut]]


async def test_turn_has_what_a_model_needs(start: Start) -> None:
    """Limits, tools and the other options of a request are told to the brain; what is for the API is not."""
    brain = Said(Reply("Yes", usage=USAGE))
    client = await start(brain)
    await client.chat.completions.create(
        model="gpt-4o",
        messages=HELLO,
        n=2,
        tools=[WEATHER],
        parallel_tool_calls=False,
        max_completion_tokens=9,
        temperature=0.5,
        stop="x",
        store=True,
    )
    one, two = brain.turns
    assert (one.choice, two.choice, one.limit, one.parallel) == (0, 1, 9, False)
    assert (one.model, one.family, list(one.messages)) == ("gpt-4o", "chat", HELLO)
    assert one.options == {"temperature": 0.5, "stop": "x"}


class Event(BaseModel):
    """What a response format asks for."""

    name: str
    participants: list[str]


async def test_parsed_answers(client: AsyncOpenAI) -> None:
    """A response format made of a class is filled with data that fits it; so are the arguments of strict tools."""
    parsed = await client.chat.completions.parse(model="gpt-4o", messages=HELLO, response_format=Event)
    assert isinstance(parsed.choices[0].message.parsed, Event)
    tool = openai.pydantic_function_tool(Event)
    called = await client.chat.completions.parse(model="gpt-4o", messages=HELLO, tools=[tool], tool_choice="required")
    (call,) = called.choices[0].message.tool_calls or ()
    assert isinstance(call.function.parsed_arguments, Event)


async def test_streaming_helper(client: AsyncOpenAI) -> None:
    """Collects the chunks of text, parsed answers, tools, several choices and log probabilities."""
    completions = client.chat.completions
    async with completions.stream(
        model="gpt-4o", messages=HELLO, response_format=Event, logprobs=True, stream_options={"include_usage": True}
    ) as stream:
        kinds = {event.type async for event in stream}
        final = await stream.get_final_completion()
    assert kinds == {"chunk", "content.delta", "content.done", "logprobs.content.delta", "logprobs.content.done"}
    assert isinstance(final.choices[0].message.parsed, Event)
    assert final.usage
    tool = openai.pydantic_function_tool(Event)
    async with completions.stream(model="gpt-4o", messages=HELLO, tools=[tool], tool_choice="required") as tools:
        kinds = {event.type async for event in tools}
        (call,) = (await tools.get_final_completion()).choices[0].message.tool_calls or ()
    assert {"tool_calls.function.arguments.delta", "tool_calls.function.arguments.done"} <= kinds
    assert isinstance(call.function.parsed_arguments, Event)
    async with completions.stream(model="gpt-4o", messages=HELLO, n=2) as several:
        assert [choice.index for choice in (await several.get_final_completion()).choices] == [0, 1]


async def test_spoken_answer(client: AsyncOpenAI) -> None:
    """The words are the transcript of a recording that can be played, whole and streamed."""
    options: Any = {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}}
    message = (await client.chat.completions.create(model="gpt-4o", messages=HELLO, **options)).choices[0].message
    assert message.audio
    assert message.content is None
    with wave.open(io.BytesIO(base64.b64decode(message.audio.data))) as file:
        assert file.getnframes() > 0
    given = [chunk.choices[0].delta.to_dict().get("audio", {}) for chunk in await chunks_of(client, **options)]
    assert "".join(each.get("transcript", "") for each in given) == message.audio.transcript
    assert "".join(each.get("data", "") for each in given) == message.audio.data
    assert given[-2]["expires_at"] == message.audio.expires_at


async def test_moderated_answer(client: AsyncOpenAI) -> None:
    """With `moderation`, the verdicts on the question and on the answer come along."""
    asked: Any = [{"role": "user", "content": [{"type": "text", "text": "I will kill you"}]}]
    options: Any = {"moderation": {"model": "omni-moderation-latest"}}
    raw = await client.chat.completions.create(model="gpt-4o", messages=[*asked, *HELLO], **options)
    assert raw.moderation
    assert raw.moderation.input.to_dict()["results"][0]["flagged"]
    last = (await chunks_of(client, **options))[-1]
    assert last.choices == []
    assert not last.moderation.output.results[0].flagged


@pytest.mark.parametrize(
    ("given", "param", "message"),
    [
        ({"stream_options": {"include_usage": True}}, "stream_options", "only allowed when 'stream' is enabled"),
        ({"top_logprobs": 2}, "top_logprobs", "only allowed when 'logprobs' is enabled"),
        ({"metadata": {"a": "b"}}, "metadata", "only allowed when 'store' is enabled"),
        ({"tool_choice": "auto"}, "tool_choice", "only allowed when 'tools' are specified"),
        ({"parallel_tool_calls": True}, "parallel_tool_calls", "only allowed when 'tools' are specified"),
        ({"response_format": {"type": "json_object"}}, "messages", "must contain the word 'json'"),
        (
            {"messages": [*HELLO, {"role": "tool", "tool_call_id": "call_1", "content": "x"}]},
            "messages.[1].role",
            "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'",
        ),
        ({"messages": [CALLED, *HELLO]}, "messages.[1].role", "did not have response messages: call_1"),
        ({"messages": [*HELLO, CALLED]}, "messages.[2].role", "did not have response messages: call_1"),
    ],
)
async def test_what_the_api_refuses(client: AsyncOpenAI, given: Any, param: str, message: str) -> None:
    """In its words, though the form is right."""
    with pytest.raises(openai.BadRequestError) as caught:
        await client.chat.completions.create(**{"model": "gpt-4o", "messages": HELLO, **given})
    assert caught.value.param == param
    assert message in caught.value.message


async def test_results_of_tools_are_taken(client: AsyncOpenAI) -> None:
    """One message for each call, and then more."""
    messages = [*HELLO, CALLED, {"role": "tool", "tool_call_id": "call_1", "content": "Sunny"}, *HELLO]
    assert (await client.chat.completions.create(model="gpt-4o", messages=messages)).choices


async def test_stored_completions(start: Start) -> None:
    """Only what was made with `store` is kept: listed, filtered, retrieved, changed, deleted, and then gone."""
    client = await start()
    completions = client.chat.completions
    await completions.create(model="gpt-4o", messages=HELLO)
    made = [
        await completions.create(model=model, messages=HELLO, store=True, metadata={"n": str(place)})
        for place, model in enumerate(("gpt-4o", "gpt-5", "gpt-4o"))
    ]
    ids = [each.id for each in made]
    assert [each.id async for each in completions.list()] == ids
    assert [each.id async for each in completions.list(limit=1, order="desc")] == ids[::-1]
    assert [each.id async for each in completions.list(model="gpt-5")] == [ids[1]]
    assert [each.id async for each in completions.list(model="gpt-4o-2024-08-06", metadata={"n": "2"})] == [ids[2]]
    assert [each.id async for each in completions.list(after=ids[0])] == ids[1:]
    kept = await completions.retrieve(ids[0])
    assert (kept.choices, kept.created, kept.usage) == (made[0].choices, made[0].created, made[0].usage)
    changed = await completions.update(ids[0], metadata={"a": "b"})
    assert changed.to_dict()["metadata"] == {"a": "b"}
    assert await completions.retrieve(ids[0]) == changed
    gone = await completions.delete(ids[0])
    assert (gone.id, gone.object, gone.deleted) == (ids[0], "chat.completion.deleted", True)
    for call in (completions.retrieve, completions.delete, completions.messages.list):
        with pytest.raises(openai.NotFoundError) as caught:
            await call(ids[0])
        assert (caught.value.param, caught.value.code) == ("completion_id", "not_found")
    with pytest.raises(openai.NotFoundError):
        await completions.update(ids[0], metadata=None)
    with pytest.raises(openai.BadRequestError):
        await completions.list(limit=-1)
    with pytest.raises(openai.NotFoundError):
        await completions.list(after="chatcmpl-never")


async def test_streamed_completion_is_stored_as_it_was_streamed(client: AsyncOpenAI) -> None:
    """Under the same id and time."""
    chunk, *_ = await chunks_of(client, store=True)
    kept = await client.chat.completions.retrieve(chunk.id)
    assert (kept.id, kept.created) == (chunk.id, chunk.created)


async def test_messages_of_a_stored_completion(start: Start) -> None:
    """All that were given, page by page. The client's types, and the catalog, know the role assistant only."""
    client = await start(strict=False)
    parts = [{"type": "text", "text": "See"}, {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}]
    result = {"role": "tool", "tool_call_id": "call_1", "content": "Sunny"}
    messages = [*HELLO, CALLED, result, {"role": "user", "content": parts}]
    made = await client.chat.completions.create(model="gpt-4o", messages=messages, store=True)
    listed = [each.to_dict() async for each in client.chat.completions.messages.list(made.id, limit=2)]
    assert [each["id"] for each in listed] == [f"{made.id}-{place}" for place in range(4)]
    assert [each["role"] for each in listed] == ["user", "assistant", "tool", "user"]
    assert listed[0] == {
        "id": f"{made.id}-0",
        "role": "user",
        "content": "Hello",
        "name": None,
        "content_parts": None,
    }
    assert listed[1]["tool_calls"] == CALLED["tool_calls"]
    assert listed[2]["tool_call_id"] == "call_1"
    assert (listed[3]["content"], listed[3]["content_parts"]) == ("See", parts)
    backwards = [each.id async for each in client.chat.completions.messages.list(made.id, order="desc")]
    assert backwards == [each["id"] for each in listed][::-1]
    await client.chat.completions.delete(made.id)


async def test_completion_of_an_unknown_id(start: Start) -> None:
    """Is made on the spot when the emulator may, with everything that hangs from it."""
    client = await start(unknown_ids="create")
    assert (await client.chat.completions.retrieve("chatcmpl-mine")).choices[0].message.content
    assert (await client.chat.completions.messages.list("chatcmpl-mine")).data == []
    assert (await client.chat.completions.delete("chatcmpl-other")).deleted


async def test_completion_that_is_kept_keeps_its_id() -> None:
    """An emulator that was started again, and so begins to count anew, does not give a kept completion's id again."""
    body = {"model": "gpt-4o", "messages": HELLO, "store": True}
    resolved = catalog().resolve("POST", "/v1/chat/completions")
    assert resolved is not None
    asked = Asked(Request("POST", "/v1/chat/completions", Headers(()), b""), resolved, Call({}, (), body))
    create: Any = dict(chat.ROUTES)["createChatCompletion"]
    first, again = [State(EmulatorSettings(), chat.KINDS, Said(Reply("Yes", usage=USAGE))) for _ in range(2)]
    kept = (await create(first, asked)).json["id"]
    (kind, _) = chat.KINDS
    again.shelf(kind).put_at(0, kept, Record(kind.name, kept, "", 0, 5))
    assert (await create(again, asked)).json["id"] != kept


async def test_synchronous_client(start: Start) -> None:
    """Is served as well, streamed and not."""
    url = str((await start()).base_url)

    def ask() -> tuple[str | None, str]:
        with OpenAI(base_url=url, api_key="sk-test", max_retries=0, _strict_response_validation=True) as client:
            whole = client.chat.completions.create(model="gpt-4o", messages=HELLO)
            stream = client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
            return whole.choices[0].message.content, "".join(chunk.choices[0].delta.content or "" for chunk in stream)

    whole, streamed = await asyncio.to_thread(ask)
    assert whole == streamed


async def test_azure_form(start: Start) -> None:
    """The deployment in the path is the model."""
    url = str((await start()).base_url).removesuffix("/v1/")
    async with openai.AsyncAzureOpenAI(
        azure_endpoint=url, api_version="2024-10-21", azure_deployment="gpt-4o", azure_ad_token="t"
    ) as azure:
        assert (await azure.chat.completions.create(model="gpt-4o", messages=HELLO)).model == "gpt-4o-2024-08-06"


#: Headers of the network between, of one's own account, and of old limits.
_OTHER = {
    *("date", "transfer-encoding", "connection", "content-length", "server", "alt-svc", "strict-transport-security"),
    *("cf-ray", "cf-cache-status", "set-cookie", "openai-project", "x-content-type-options", "cache-control"),
    *("access-control-allow-origin", "access-control-expose-headers", "x-envoy-upstream-service-time"),
    *("x-ratelimit-limit-tokens-usage-based", "x-ratelimit-remaining-tokens-usage-based"),
    "x-ratelimit-reset-tokens-usage-based",
}
#: Recorded in 2025; those of 2023 and 2024 lack fields that have come since.
_NEW = "multiple_tool_calls"


def shape(value: Any) -> Any:
    """A value with its scalars replaced by their types, the order of keys kept; of a list its first element."""
    if isinstance(value, dict):
        return [(key, shape(inner)) for key, inner in value.items()]
    return [shape(inner) for inner in value[:1]] if isinstance(value, list) else type(value).__name__


@NEEDS_RECORDINGS
@pytest.mark.parametrize(
    "one", [one for one in recordings() if one.request.path == "/v1/chat/completions" and one.is_success], ids=str
)
async def test_answer_has_the_shape_of_the_real_one(emulator: RunningEmulator, one: Recorded) -> None:
    """The same request has the same status, headers, keys in their order and types; older ones may lack keys."""
    async with httpx.AsyncClient() as http:
        headers = {"Authorization": "Bearer x", "Content-Type": "application/json"}
        assert isinstance(one.request.body, bytes)
        assert isinstance(one.response.body, bytes)
        mine = await http.post(f"{emulator.url}/v1/chat/completions", content=one.request.body, headers=headers)
    assert mine.status_code == one.response.status
    assert {name.lower() for name, _ in one.response.headers} - _OTHER <= set(mine.headers)
    if b'"stream":true' in one.request.body:
        ours, real = [
            [orjson.loads(line[6:]) for line in body.decode().splitlines() if line.startswith("data: {")]
            for body in (mine.content, one.response.body)
        ]
        assert mine.content.rstrip().endswith(b"data: [DONE]")
        pairs = [(ours[0], real[0]), (ours[1], real[1]), (ours[-1], real[-1])]
        assert [chunk["choices"][0]["delta"].keys() >= {"role"} for chunk, _ in pairs] == [True, False, False]
    else:
        pairs = [(mine.json(), orjson.loads(one.response.body))]
    for own, recorded in pairs:
        if _NEW in one.name:
            assert without_calls(shape(own)) == without_calls(shape(recorded))
        else:
            assert recorded.keys() <= own.keys()
            assert recorded["choices"][0].keys() <= own["choices"][0].keys()


def without_calls(shaped: Any) -> Any:
    """Without how often, and whether, tools are called, which is the model's affair."""
    return [(key, value) for key, value in shaped if key != "choices"]


@pytest.fixture
async def emulator() -> AsyncIterator[RunningEmulator]:
    """A running emulator."""
    async with running() as started:
        yield started
