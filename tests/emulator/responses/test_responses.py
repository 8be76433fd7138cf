"""Responses through the official client, strict: made, chained, kept, counted, cancelled, and refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from replayproxy.core.problem import Problem
from replayproxy.emulator.brain import Reply, Usage
from replayproxy.emulator.responses.objects import usage_json
from replayproxy.emulator.runner import running
from replayproxy.emulator.state import EmulatorSettings
from tests.e2e.background import in_background
from tests.strict_clients import WEATHER, Scripted, strict_client


class Event(BaseModel):
    """What is parsed out of a reply."""

    name: str
    guests: list[str]


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    """A strict client on an emulator of its own."""
    async with strict_client() as started:
        yield started


async def test_life_of_a_response(client: AsyncOpenAI) -> None:
    """Made, retrieved, deleted, and then not found."""
    made = await client.responses.create(model="gpt-4o", input="Hello!", metadata={"a": "b"}, user="u")
    assert made.id.startswith("resp_")
    assert len(made.id) == len("resp_") + 48
    assert "Hello!" in made.output_text
    assert [made.model, made.status, made.metadata, made.user] == ["gpt-4o-2024-08-06", "completed", {"a": "b"}, "u"]
    assert made.usage is not None
    assert made.usage.total_tokens == made.usage.input_tokens + made.usage.output_tokens
    assert await client.responses.retrieve(made.id) == made
    await client.responses.delete(made.id)
    for call in (client.responses.retrieve, client.responses.delete, client.responses.cancel):
        with pytest.raises(openai.NotFoundError, match=f"Response with id '{made.id}' not found."):
            await call(made.id)  # type: ignore[operator]
    with pytest.raises(openai.NotFoundError):
        await client.responses.input_items.list(made.id)
    with pytest.raises(openai.BadRequestError) as caught:
        await client.responses.create(model="gpt-4o", input="And?", previous_response_id=made.id)
    assert [caught.value.code, caught.value.param] == ["previous_response_not_found", "previous_response_id"]


async def test_response_repeats_what_was_asked(client: AsyncOpenAI) -> None:
    """Every field of the request that the object has."""
    given: Any = {
        "instructions": "Be brief",
        "max_output_tokens": 1000,
        "max_tool_calls": 3,
        "parallel_tool_calls": False,
        "prompt_cache_key": "k",
        "safety_identifier": "s",
        "service_tier": "flex",
        "store": True,
        "temperature": 0,
        "tool_choice": "auto",
        "top_p": 0.5,
        "truncation": "auto",
    }
    made = await client.responses.create(
        model="gpt-4o",
        input="Hello",
        reasoning={"effort": "low", "summary": "auto"},
        text={"verbosity": "low"},
        **given,
    )
    assert {name: getattr(made, name) for name in given} == given
    assert made.reasoning is not None
    assert [made.reasoning.effort, made.reasoning.summary] == ["low", "auto"]
    assert made.text is not None
    assert made.text.verbosity == "low"
    auto = await client.responses.create(model="gpt-4o", input="Hello", service_tier="auto")
    assert auto.service_tier == "default"


async def test_previous_response_is_remembered_with_all_before_it() -> None:
    """The model is told the whole chain; the instructions are those of the last request alone."""
    brain = Scripted(Reply("Hello, Ann"), Reply("Yes"))
    async with strict_client(brain) as client:
        first = await client.responses.create(model="gpt-4o", input="I am Ann", instructions="Be kind")
        second = await client.responses.create(model="gpt-4o", input="Sure?", previous_response_id=first.id)
        await client.responses.create(model="gpt-4o", input="Who am I?", previous_response_id=second.id)
        assert second.created_at > first.created_at
        said = [(message["role"], message["content"]) for message in brain.turns[2].messages]
        assert said == [
            ("user", "I am Ann"),
            ("assistant", "Hello, Ann"),
            ("user", "Sure?"),
            ("assistant", "Yes"),
            ("user", "Who am I?"),
        ]
        await client.responses.delete(first.id)
        await client.responses.create(model="gpt-4o", input="Still?", previous_response_id=second.id)
        assert [message["content"] for message in brain.turns[3].messages] == ["Sure?", "Yes", "Still?"]


async def test_conversation_grows_by_input_and_output() -> None:
    """Named by its id or as an object; the model is told all of it."""
    brain = Scripted(Reply("One"), Reply("Two"))
    async with strict_client(brain) as client:
        conversation = await client.conversations.create(items=[{"role": "developer", "content": "Count"}])
        first = await client.responses.create(model="gpt-4o", input="Go", conversation=conversation.id)
        assert first.conversation is not None
        assert first.conversation.id == conversation.id
        await client.responses.create(
            model="gpt-4o", input="On", conversation={"id": conversation.id}, store=False, stream=False
        )
        assert [message["content"] for message in brain.turns[1].messages] == ["Count", "Go", "One", "On"]
        items: list[Any] = [each async for each in client.conversations.items.list(conversation.id, order="asc")]
        assert [item.content[0].text for item in items] == ["Count", "Go", "One", "On", "Two"]
        assert items[2].id == first.output[0].id
        with pytest.raises(openai.NotFoundError, match="Conversation with id 'conv_none'"):
            await client.responses.create(model="gpt-4o", input="Go", conversation="conv_none")


async def test_input_items_are_listed_page_by_page(client: AsyncOpenAI) -> None:
    """The newest first; those of the responses before are among them."""
    first = await client.responses.create(
        model="gpt-4o", input=[{"role": "developer", "content": "Be brief"}, {"role": "user", "content": "One"}]
    )
    second = await client.responses.create(model="gpt-4o", input="Two", previous_response_id=first.id)
    listed: list[Any] = [item async for item in client.responses.input_items.list(second.id, limit=1)]
    assert [item.content[0].text for item in listed] == ["Two", first.output_text, "One", "Be brief"]
    ids = [item.id for item in listed]
    back = client.responses.input_items.list(second.id, order="asc", limit=3)
    assert [item.id async for item in back] == ids[::-1]
    page = await client.responses.input_items.list(second.id, extra_query={"before": ids[3], "limit": 2})
    assert [[item.id for item in page.data], page.has_more] == [ids[1:3], True]
    with pytest.raises(openai.NotFoundError):
        await client.responses.input_items.list(second.id, after="msg_none")
    with pytest.raises(openai.BadRequestError):
        await client.responses.input_items.list(second.id, limit=0)
    await client.responses.delete(first.id)
    assert [each.id async for each in client.responses.input_items.list(second.id)] == ids[:1]


async def test_what_is_not_stored_is_not_found(client: AsyncOpenAI) -> None:
    """Neither as itself nor as what goes before."""
    made = await client.responses.create(model="gpt-4o", input="Hello", store=False)
    assert made.store is False
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(made.id)


async def test_reference_stands_for_an_item() -> None:
    """Of any stored response; in a chain it adds nothing; an unknown one is refused, or passed over."""
    brain = Scripted(Reply("Hello"))
    async with strict_client(brain) as client:
        first = await client.responses.create(model="gpt-4o", input="Hi")
        reference: Any = {"type": "item_reference", "id": first.output[0].id}
        await client.responses.create(model="gpt-4o", input=[reference, {"role": "user", "content": "What?"}])
        assert [message["content"] for message in brain.turns[1].messages] == ["Hello", "What?"]
        await client.responses.create(
            model="gpt-4o", input=[reference, {"role": "user", "content": "What?"}], previous_response_id=first.id
        )
        assert [message["content"] for message in brain.turns[2].messages] == ["Hi", "Hello", "What?"]
        unknown: Any = {"type": "item_reference", "id": "rs_none"}
        with pytest.raises(openai.NotFoundError, match="Items are not persisted when `store` is set to false"):
            await client.responses.create(model="gpt-4o", input=[unknown])
    async with strict_client(settings=EmulatorSettings(unknown_ids="create")) as client:
        await client.responses.create(model="gpt-4o", input=[unknown, {"role": "user", "content": "What?"}])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"input": "Hi"}, "Missing required parameter: 'model'."),
        ({"model": "m"}, "Missing required parameter: 'input'."),
        ({"model": "m", "input": []}, 'One of "input" or "previous_response_id" or \'prompt\' or'),
        ({"model": "m", "input": "Hi", "previous_response_id": "r", "conversation": "c"}, "Mutually exclusive"),
        ({"model": "m", "input": "Hi", "previous_response_id": "r"}, "Previous response with id 'r' not found."),
        (
            {"model": "m", "input": [{"type": "function_call_output", "call_id": "call_1", "output": "x"}]},
            "No tool call found for function call output with call_id call_1.",
        ),
        (
            {"model": "m", "input": [{"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}]},
            "No tool output found for function call call_1.",
        ),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
async def test_wrong_request_is_refused_in_the_words_of_the_api(
    client: AsyncOpenAI, body: dict[str, Any], message: str
) -> None:
    """What the schema of the API does not say."""
    with pytest.raises(openai.BadRequestError) as caught:
        await client.responses.create(**body)
    assert message in str(caught.value)


async def test_vector_store_must_be_there(client: AsyncOpenAI) -> None:
    """A file search in a store that nobody made."""
    with pytest.raises(openai.NotFoundError, match="Vector store with id 'vs_none'"):
        await client.responses.create(
            model="gpt-4o", input="Hi", tools=[{"type": "file_search", "vector_store_ids": ["vs_none"]}]
        )


async def test_parsed_reply(client: AsyncOpenAI) -> None:
    """The client's parse finds an object of the class."""
    parsed = await client.responses.parse(model="gpt-4o", input="A party", text_format=Event)
    assert isinstance(parsed.output_parsed, Event)
    plain = await client.responses.create(model="gpt-4o", input="JSON!", text={"format": {"type": "json_object"}})
    assert plain.output_text.startswith("{")


@pytest.mark.parametrize(
    ("reply", "status", "reason"),
    [
        (Reply("Cut", finish="length"), "incomplete", "max_output_tokens"),
        (Reply("Cut", finish="content_filter"), "incomplete", "content_filter"),
        (Reply("Cut", run="incomplete"), "incomplete", "max_output_tokens"),
        (Reply("", run="failed"), "failed", None),
    ],
    ids=lambda value: str(value) if not isinstance(value, Reply) else value.finish,
)
async def test_response_that_does_not_complete(reply: Reply, status: str, reason: str | None) -> None:
    """Cut off, or failed."""
    async with strict_client(Scripted(reply)) as client:
        made = await client.responses.create(model="gpt-4o", input="Hi")
        assert made.status == status
        assert (made.incomplete_details and made.incomplete_details.reason) == reason
        assert (made.error is not None) == (status == "failed")


async def test_limit_of_tokens_cuts_the_answer(client: AsyncOpenAI) -> None:
    """The emulator's own answers keep to it, too."""
    made = await client.responses.create(model="gpt-4o", input="word " * 100, max_output_tokens=16)
    assert made.status == "incomplete"


async def test_refusal_and_error_of_the_model() -> None:
    """A refusal is a part of the message; an error is the answer, and nothing is stored."""
    error = Problem("Slow down", status=429, type="requests", code="rate_limit_exceeded")
    async with strict_client(Scripted(Reply(refusal="I will not", delay=0.001), Reply(error=error))) as client:
        made = await client.responses.create(model="gpt-4o", input="Do it")
        message: Any = made.output[0]
        assert message.content[0].refusal == "I will not"
        with pytest.raises(openai.RateLimitError, match="Slow down"):
            await client.responses.create(model="gpt-4o", input="Hi")


async def test_tokens_are_counted_beforehand(client: AsyncOpenAI) -> None:
    """As many as the response will say; of nothing there are few."""
    counted = await client.responses.input_tokens.count(model="gpt-4o", input="Hello", tools=[WEATHER])
    made = await client.responses.create(model="gpt-4o", input="Hello", tools=[WEATHER])
    assert made.usage is not None
    assert counted.input_tokens == made.usage.input_tokens
    assert (await client.responses.input_tokens.count()).input_tokens < counted.input_tokens
    with pytest.raises(openai.BadRequestError, match="Previous response"):
        await client.responses.input_tokens.count(previous_response_id="resp_none")


async def test_compacted_conversation_is_remembered() -> None:
    """One item stands for all that was said; only this emulator can read it."""
    brain = Scripted(Reply("Nice to meet you, Ann"))
    async with strict_client(brain) as client:
        first = await client.responses.create(model="gpt-4o", input="I am Ann")
        compacted: Any = await client.responses.compact(model="gpt-4o", previous_response_id=first.id, input="Well?")
        (item,) = compacted.output
        assert [compacted.object, item.type] == ["response.compaction", "compaction"]
        await client.responses.create(
            model="gpt-4o",
            input=[
                {"type": "compaction", "encrypted_content": item.encrypted_content},
                {"type": "compaction", "encrypted_content": "no base64"},
                {"role": "user", "content": "Who am I?"},
            ],
        )
        assert brain.turns[1].messages[0]["content"].splitlines() == [
            "What was said before:",
            "user: I am Ann",
            "assistant: Nice to meet you, Ann",
            "user: Well?",
        ]
        with pytest.raises(openai.BadRequestError, match="Previous response"):
            await client.responses.compact(model="gpt-4o", previous_response_id="resp_none")
        with pytest.raises(openai.NotFoundError, match="rs_none"):
            await client.responses.compact(model="gpt-4o", input=[{"type": "item_reference", "id": "rs_none"}])


async def test_prompt_stands_for_model_and_input() -> None:
    """Prompts are made in a dashboard, so any id is taken."""
    brain = Scripted()
    async with strict_client(brain) as client:
        made = await client.responses.create(prompt={"id": "pmpt_1", "variables": {"city": "Paris"}})
        assert made.prompt is not None
        assert made.prompt.id == "pmpt_1"
        assert brain.turns[0].messages == ({"role": "system", "content": 'Prompt pmpt_1 with {"city":"Paris"}'},)


async def test_ids_follow_from_the_request() -> None:
    """Not from what else goes on; a request that is repeated gets another id."""
    found = []
    for others in (0, 2):
        async with strict_client() as client:
            for number in range(others):
                await client.responses.create(model="gpt-4o", input=f"Other {number}")
            twice = [await client.responses.create(model="gpt-4o", input="Hello") for _ in range(2)]
            found.append([made.id for made in twice])
    assert found[0] == found[1]
    assert found[0][0] != found[0][1]


async def test_unknown_ids_are_made_when_asked_for() -> None:
    """A response of last year can be retrieved, gone on with, cancelled."""
    async with strict_client(settings=EmulatorSettings(unknown_ids="create")) as client:
        made = await client.responses.retrieve("resp_old")
        assert [made.id, made.status, bool(made.output_text)] == ["resp_old", "completed", True]
        output: Any = {"type": "function_call_output", "call_id": "call_1", "output": "x"}
        await client.responses.create(model="gpt-4o", input=[output], previous_response_id="resp_older")
        assert len((await client.responses.input_items.list("resp_old")).data) == 1
        assert (await client.responses.cancel("resp_old")).status == "cancelled"
        events = [event async for event in await client.responses.retrieve("resp_oldest", stream=True)]
        assert events[-1].type == "response.completed"


async def test_twins_behind_beta_do_the_same(client: AsyncOpenAI) -> None:
    """The client's beta resource parses what they answer."""
    beta = client.beta.responses
    made = await beta.create(model="gpt-4o", input="Hello", background=True)
    assert (await beta.retrieve(made.id)).status == "in_progress"
    assert (await beta.cancel(made.id)).status == "cancelled"
    assert [item.type async for item in beta.input_items.list(made.id)] == ["message"]
    assert (await beta.input_tokens.count(model="gpt-4o", input="Hello")).input_tokens
    assert (await beta.compact(model="gpt-4o", input="Hello")).output
    await beta.delete(made.id)
    events = [event async for event in await beta.create(model="gpt-4o", input="Hello", stream=True)]
    assert events[-1].type == "response.completed"


def test_synchronous_and_raw_client() -> None:
    """The other faces of the client; headers tell of model and limits."""
    with (
        in_background(running()) as emulator,
        OpenAI(base_url=f"{emulator.url}/v1", api_key="sk-test", _strict_response_validation=True) as client,
    ):
        made = client.responses.with_raw_response.create(model="gpt-4o", input="Hello")
        assert made.headers["openai-model"] == "gpt-4o-2024-08-06"
        assert int(made.headers["x-ratelimit-limit-requests"]) > 0
        response = made.parse()
        assert response == client.responses.retrieve(response.id)
        types = [event.type for event in client.responses.create(model="gpt-4o", input="Hello", stream=True)]
        assert [types[0], types[-1]] == ["response.created", "response.completed"]


def test_usage_is_the_replys() -> None:
    """Cached and thought tokens are told of."""
    assert usage_json(Usage(10, 5, 3, 2)) == {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 0},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 15,
    }
