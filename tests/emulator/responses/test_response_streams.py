"""Streams of responses: the order of events, streamed again, the client's helpers; and beside recordings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import orjson
import pytest
import yaml
from aiohttp.test_utils import TestClient
from openai import AsyncOpenAI
from pydantic import BaseModel

from replayproxy.core.answer_checks import answer_check
from replayproxy.core.messages import Headers
from replayproxy.core.problem import Problem
from replayproxy.emulator.app import create_app
from replayproxy.emulator.brain import Reply, ToolCall
from replayproxy.emulator.keeping import FileKeeper
from replayproxy.emulator.runner import running
from replayproxy.openai_api import catalog
from tests.strict_clients import WEATHER, Scripted, strict_client

FOLDER = Path(__file__).parents[3] / ".." / "shared" / "real-traffic" / "ruby-openai"
Start = Callable[..., Awaitable[TestClient[Any, Any]]]
KEY = {"Authorization": "Bearer sk-test"}
#: What came to answers since they were recorded (March 2025), by where it stands.
SINCE = {
    "sequence_number": "events are counted since May 2025; clients need it",
    "logprobs": "openai-python 3.54 needs it in events of text",
    "cache_write_tokens": "openai-python 3.54 needs it in usage",
}


class Answer(BaseModel):
    """What is parsed out of a stream."""

    value: int


def recorded() -> Iterator[Any]:
    """The recorded exchanges on responses, those that begin with a new one."""
    for path in sorted(FOLDER.glob("responses_*.yml")):
        for number, one in enumerate(yaml.safe_load(path.read_text("utf-8"))["http_interactions"]):
            yield pytest.param(one, id=f"{path.stem}-{number}")


def events_of(text: str) -> list[tuple[str, Any]]:
    """Name and data of the events in a stream."""
    blocks = [dict(line.split(": ", 1) for line in block.splitlines()) for block in text.strip().split("\n\n")]
    return [(block["event"], orjson.loads(block["data"])) for block in blocks]


def shape(value: Any) -> Any:
    """A value with its scalars replaced by their types, the order of keys kept, without what came since."""
    if isinstance(value, dict):
        return [(key, shape(inner)) for key, inner in value.items() if key not in SINCE]
    return [shape(inner) for inner in value] if isinstance(value, list) else type(value).__name__


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no recordings of the real API in {FOLDER}")
@pytest.mark.parametrize("one", list(recorded()))
async def test_answer_has_the_shape_of_the_real_one(aiohttp_client: Start, one: dict[str, Any]) -> None:
    """The same request is answered with the same status, order of keys, types of values and order of events."""
    client, request, real = await aiohttp_client(create_app()), one["request"], one["response"]
    first = await client.post("/v1/responses", json={"model": "gpt-4o", "input": "Hello"}, headers=KEY)
    id_ = orjson.loads(await first.read())["id"]
    path = request["uri"].removeprefix("https://api.openai.com")
    path = "/".join(id_ if part.startswith("resp_") else part for part in path.split("/"))
    body = orjson.loads(request["body"]["string"] or "null")
    if body and "previous_response_id" in body:
        body["previous_response_id"] = id_
    response = await client.request(request["method"].upper(), path, json=body, headers=KEY)
    assert response.status == real["status"]["code"]
    assert response.headers["Content-Type"] == real["headers"]["Content-Type"][0]
    mine, text = await response.text(), real["body"]["string"]
    if text.startswith("event: "):
        assert squeezed(events_of(mine)) == squeezed(events_of(text))
    else:
        assert shape(orjson.loads(mine)) == shape(orjson.loads(text))


def squeezed(events: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The shapes of events, the pieces of a text as one."""
    shapes = [(name, shape(data)) for name, data in events]
    return [each for place, each in enumerate(shapes) if place == 0 or shapes[place - 1] != each]


async def test_events_of_a_text(aiohttp_client: Start) -> None:
    """Named, counted, checked against the catalog, without [DONE]."""
    client = await aiohttp_client(create_app())
    body = {"model": "gpt-4o", "input": "Hello there", "stream": True}
    response = await client.post("/v1/responses", json=body, headers=KEY)
    text = await response.text()
    assert "[DONE]" not in text
    events = events_of(text)
    assert [data["sequence_number"] for _, data in events] == list(range(len(events)))
    assert all(name == data["type"] for name, data in events)
    assert [name.removeprefix("response.") for name, _ in squeezed(events)] == [
        *("created", "in_progress", "output_item.added", "content_part.added", "output_text.delta"),
        *("output_text.done", "content_part.done", "output_item.done", "completed"),
    ]
    deltas = [data["delta"] for name, data in events if name == "response.output_text.delta"]
    assert "".join(deltas) == events[-1][1]["response"]["output"][0]["content"][0]["text"]
    resolved = catalog().resolve("POST", "/v1/responses")
    assert resolved is not None
    check = answer_check(resolved.operation, 200, Headers((("content-type", "text/event-stream"),)))
    assert check is not None
    check.feed(text.encode())
    assert check.finish() == ()


async def test_pieces_of_a_reply_are_its_own() -> None:
    """When it brings some, and they are its text."""
    async with strict_client(Scripted(Reply("Hello", pieces=("He", "llo")), Reply("Hi", pieces=("x",)))) as client:
        for expected in (["He", "llo"], ["Hi"]):
            stream = await client.responses.create(model="gpt-4o", input="Hi", stream=True)
            assert [event.delta async for event in stream if event.type == "response.output_text.delta"] == expected


async def test_stream_helper_of_the_client() -> None:
    """Accumulates the text, parses it, and gives the response that ends it."""
    async with (
        strict_client(Scripted(Reply('{"value":1}'))) as client,
        client.responses.stream(model="gpt-4o", input="One", text_format=Answer) as stream,
    ):
        texts = [event.snapshot async for event in stream if event.type == "response.output_text.delta"]
        assert texts[-1] == '{"value":1}'
        assert (await stream.get_final_response()).output_parsed == Answer(value=1)


async def test_refusal_and_calls_are_streamed() -> None:
    """Piece by piece, like text."""
    calls = (ToolCall("get_weather", '{"city":"Paris"}'), ToolCall("note", "free text", "custom"))
    async with strict_client(Scripted(Reply(refusal="I will not"), Reply("Let me see", tool_calls=calls))) as client:
        stream = await client.responses.create(model="gpt-4o", input="Do it", stream=True)
        refused = "".join([event.delta async for event in stream if event.type == "response.refusal.delta"])
        assert refused == "I will not"
        tools: Any = [WEATHER, {"type": "custom", "name": "note"}]
        stream = await client.responses.create(model="gpt-4o", input="Weather?", tools=tools, stream=True)
        events = [event async for event in stream]
        arguments = [event.delta for event in events if event.type == "response.function_call_arguments.delta"]
        inputs = [event.delta for event in events if event.type == "response.custom_tool_call_input.delta"]
        assert ["".join(arguments), "".join(inputs)] == ['{"city":"Paris"}', "free text"]
        last: Any = events[-1]
        assert [item.type for item in last.response.output] == ["message", "function_call", "custom_tool_call"]


async def test_stream_that_does_not_complete() -> None:
    """The last event says how the response ended."""
    async with strict_client(Scripted(Reply("Cut", finish="length"), Reply(run="failed"))) as client:
        for expected in ("response.incomplete", "response.failed"):
            stream = await client.responses.create(model="gpt-4o", input="Hi", stream=True)
            assert [event.type async for event in stream][-1] == expected


async def test_reasoning_comes_first() -> None:
    """An item of its own, with a summary for who asks, and its content encrypted for who asks."""
    async with strict_client() as client:
        plain = await client.responses.create(model="o3", input="Hi")
        assert [item.type for item in plain.output] == ["reasoning", "message"]
        assert "encrypted_content" not in plain.output[0].to_dict()
        stream = await client.responses.create(
            model="gpt-5",
            input="Hi",
            reasoning={"summary": "auto"},
            include=["reasoning.encrypted_content"],
            stream=True,
        )
        events = [event async for event in stream]
        told = [event.delta for event in events if event.type == "response.reasoning_summary_text.delta"]
        last: Any = events[-1]
        thought = last.response.output[0]
        assert "".join(told) == thought.summary[0].text
        assert thought.encrypted_content.startswith("gAAAA")


async def test_log_probabilities_are_there_for_who_asks() -> None:
    """One for each piece of the text, in the stream too."""
    async with strict_client() as client:
        asked: Any = {"model": "gpt-4o", "input": "Hi", "include": ["message.output_text.logprobs"], "top_logprobs": 2}
        made: Any = await client.responses.create(**asked)
        told = made.output[0].content[0].logprobs
        assert "".join(each.token for each in told) == made.output_text
        assert len(told[0].top_logprobs) == 2
        stream = await client.responses.create(**asked, stream=True)
        deltas = [event async for event in stream if event.type == "response.output_text.delta"]
        assert [event.logprobs[0].token for event in deltas] == [each.token for each in told]
        plain: Any = await client.responses.retrieve(made.id)
        assert plain.output[0].content[0].logprobs


async def test_background_is_polled() -> None:
    """Queued, in progress when it is retrieved, done when it is retrieved again; the client may come back at once."""
    async with strict_client() as client:
        conversation = await client.conversations.create()
        made = await client.responses.create(
            model="gpt-4o", input="Hi", background=True, store=False, conversation=conversation.id
        )
        assert [made.status, made.background, made.output] == ["queued", True, []]
        assert (await client.conversations.items.list(conversation.id)).data == []
        raw = await client.responses.with_raw_response.retrieve(made.id)
        assert raw.headers["openai-poll-after-ms"] == "10"
        assert raw.parse().status == "in_progress"
        done = await client.responses.retrieve(made.id)
        assert done.status == "completed"
        assert done.output_text
        assert await client.responses.retrieve(made.id) == done
        assert len((await client.conversations.items.list(conversation.id)).data) == 2


async def test_background_goes_on_after_a_restart(tmp_path: Path) -> None:
    """What is kept in a file is as it was; a repeated request gets an id of its own."""
    ids = []
    for expected in ("in_progress", "completed"):
        keeper = FileKeeper(tmp_path / "state.sqlite")
        async with (
            running(keeper=keeper) as emulator,
            AsyncOpenAI(base_url=f"{emulator.url}/v1", api_key="sk-test") as client,
        ):
            ids.append((await client.responses.create(model="gpt-4o", input="Hi", background=True)).id)
            assert (await client.responses.retrieve(ids[0])).status == expected
        keeper.close()
    assert ids[0] != ids[1]


async def test_conversation_deleted_meanwhile_hinders_nothing() -> None:
    """The response in the background ends all the same."""
    async with strict_client() as client:
        conversation = await client.conversations.create()
        made = await client.responses.create(model="gpt-4o", input="Hi", background=True, conversation=conversation.id)
        await client.conversations.delete(conversation.id)
        await client.responses.retrieve(made.id)
        assert (await client.responses.retrieve(made.id)).status == "completed"


async def test_error_of_the_model_fails_the_background() -> None:
    """Nobody waits for the error itself."""
    error = Problem("Slow down", status=429, type="requests")
    async with strict_client(Scripted(Reply(error=error, delay=60))) as client:
        made = await client.responses.create(model="gpt-4o", input="Hi", background=True)
        await client.responses.retrieve(made.id)
        failed = await client.responses.retrieve(made.id)
        assert failed.error is not None
        assert [failed.status, failed.error.code, failed.error.message] == [
            "failed",
            "rate_limit_exceeded",
            "Slow down",
        ]
        with pytest.raises(openai.BadRequestError, match=r"Cannot cancel a failed response\."):
            await client.responses.cancel(made.id)


async def test_background_is_cancelled() -> None:
    """While it is going on; more than once; not when it is over, and not where it was waited for."""
    cut = Reply("Cut", finish="length")
    async with strict_client(Scripted(Reply("One"), Reply("Two"), cut, Reply("Three"))) as client:
        made = await client.responses.create(model="gpt-4o", input="Hi", background=True)
        for _ in range(2):
            cancelled = await client.responses.cancel(made.id)
            assert [cancelled.status, cancelled.output] == ["cancelled", []]
        assert (await client.responses.retrieve(made.id)).status == "cancelled"
        for expected in ("a completed", "an incomplete"):
            made = await client.responses.create(model="gpt-4o", input="Hi", background=True, stream=False)
            for _ in range(2):
                await client.responses.retrieve(made.id)
            with pytest.raises(openai.BadRequestError, match=f"Cannot cancel {expected} response."):
                await client.responses.cancel(made.id)
        made = await client.responses.create(model="gpt-4o", input="Hi")
        with pytest.raises(openai.BadRequestError, match=r"Cannot cancel a synchronous response\."):
            await client.responses.cancel(made.id)


async def test_background_is_streamed_again() -> None:
    """From any event on; what was made otherwise is not."""
    async with strict_client(Scripted(Reply("Hello", pieces=("He", "llo")))) as client:
        stream = await client.responses.create(model="gpt-4o", input="Hi", background=True, stream=True)
        events = [event async for event in stream]
        assert [event.type for event in events[:3]] == ["response.created", "response.queued", "response.in_progress"]
        first: Any = events[0]
        assert first.response.status == "queued"
        again = await client.responses.retrieve(first.response.id, stream=True)
        assert [event async for event in again] == events
        rest = await client.responses.retrieve(first.response.id, stream=True, starting_after=4)
        assert [event async for event in rest] == events[5:]
        for mode, made in (
            ("background", await client.responses.create(model="gpt-4o", input="Hi")),
            ("stream", await client.responses.create(model="gpt-4o", input="Hi", background=True)),
        ):
            with pytest.raises(openai.BadRequestError, match=f"it was not created with {mode}=true.") as caught:
                await client.responses.retrieve(made.id, stream=True)
            assert caught.value.param == "stream"


async def test_a_stream_that_is_to_break_off_does() -> None:
    """Behind so many pieces of text."""
    brain = Scripted(Reply("One two three four", cut=2))
    seen: list[str] = []
    async with (
        running(brain=brain) as emulator,
        AsyncOpenAI(base_url=f"{emulator.url}/v1", api_key="sk-test", max_retries=0) as client,
    ):
        stream = await client.responses.create(model="gpt-4o", input="Hello", stream=True)
        with pytest.raises(openai.APIConnectionError):
            _ = [event async for event in noted(stream, seen)]
    assert seen.count("response.output_text.delta") == 2
    assert "response.completed" not in seen


async def noted(stream: Any, seen: list[str]) -> AsyncIterator[Any]:
    """The events of a stream, each noted before it is given."""
    async for event in stream:
        seen.append(event.type)
        yield event
