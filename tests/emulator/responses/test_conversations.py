"""Conversations and their items through the official client, strict; and beside recordings of the real API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import openai
import orjson
import pytest
import yaml
from aiohttp.test_utils import TestClient
from openai import AsyncOpenAI, OpenAI

from replayproxy.emulator.app import create_app
from replayproxy.emulator.runner import running
from replayproxy.emulator.state import EmulatorSettings
from tests.e2e.background import in_background
from tests.strict_clients import strict_client

FOLDER = Path(__file__).parents[3] / ".." / "shared" / "real-traffic" / "ruby-openai"
Start = Callable[..., Awaitable[TestClient[Any, Any]]]
#: Items of every kind that an application may put in, with the type of their ids.
ITEMS: list[tuple[dict[str, Any], str]] = [
    ({"role": "user", "content": "Hello"}, "msg_"),
    ({"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Be brief"}]}, "msg_"),
    ({"role": "assistant", "content": "Hi", "phase": "final_answer"}, "msg_"),
    (
        {"role": "user", "content": [{"type": "input_image", "detail": "auto", "image_url": "https://x.test/a.png"}]},
        "msg_",
    ),
    ({"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}, "msg_"),
    ({"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}, "fc_"),
    ({"type": "function_call_output", "call_id": "call_1", "output": "1", "status": None}, "fco_"),
    ({"type": "custom_tool_call", "call_id": "call_2", "name": "c", "input": "x"}, "ctc_"),
    ({"type": "custom_tool_call_output", "call_id": "call_2", "output": "y"}, "ctco_"),
    ({"type": "shell_call", "call_id": "call_3", "action": {"commands": ["ls"]}}, "sh_"),
    ({"type": "compaction", "encrypted_content": "abc"}, "cmp_"),
    ({"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True}, "mcpa_"),
]


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    """A strict client on an emulator of its own."""
    async with strict_client() as started:
        yield started


async def test_life_of_a_conversation(client: AsyncOpenAI) -> None:
    """Made, retrieved, changed, deleted, and then not found."""
    made = await client.conversations.create(metadata={"a": "b"})
    assert made.id.startswith("conv_")
    assert len(made.id) == len("conv_") + 48
    assert await client.conversations.retrieve(made.id) == made
    changed = await client.conversations.update(made.id, metadata={"c": "d"})
    assert changed.metadata == {"c": "d"}
    assert (await client.conversations.retrieve(made.id)).metadata == {"c": "d"}
    assert (await client.conversations.delete(made.id)).deleted
    for call in (
        client.conversations.retrieve(made.id),
        client.conversations.update(made.id, metadata={}),
        client.conversations.delete(made.id),
        client.conversations.items.create(made.id, items=[]),
        client.conversations.items.retrieve("msg_1", conversation_id=made.id),
        client.conversations.items.delete("msg_1", conversation_id=made.id),
    ):
        with pytest.raises(openai.NotFoundError, match=f"Conversation with id '{made.id}' not found."):
            await call
    with pytest.raises(openai.NotFoundError):
        await client.conversations.items.list(made.id)


async def test_life_of_an_item(client: AsyncOpenAI) -> None:
    """Put in, retrieved, deleted, and then not found; deleting answers the conversation."""
    conversation = await client.conversations.create(items=[{"role": "user", "content": "One"}])
    made = await client.conversations.items.create(conversation.id, items=[{"role": "user", "content": "Two"}])
    assert [made.first_id, made.last_id, made.has_more] == [made.data[0].id, made.data[0].id, False]
    item = await client.conversations.items.retrieve(made.data[0].id or "", conversation_id=conversation.id)
    assert item == made.data[0]
    assert await client.conversations.items.delete(item.id or "", conversation_id=conversation.id) == conversation
    with pytest.raises(openai.NotFoundError, match=f"Item with id '{item.id}' not found."):
        await client.conversations.items.retrieve(item.id or "", conversation_id=conversation.id)
    assert len([each async for each in client.conversations.items.list(conversation.id)]) == 1


async def test_items_are_listed_page_by_page(client: AsyncOpenAI) -> None:
    """The newest first, or the other way round, behind a cursor; one that is no id is not found."""
    items: Any = [{"role": "user", "content": str(number)} for number in range(5)]
    conversation = await client.conversations.create(items=items)
    listed = [item.id async for item in client.conversations.items.list(conversation.id, limit=2)]
    assert len(listed) == 5
    back = client.conversations.items.list(conversation.id, limit=2, order="asc")
    assert [item.id async for item in back] == listed[::-1]
    page = await client.conversations.items.list(conversation.id, after=listed[2] or "")
    assert [item.id for item in page.data] == listed[3:]
    with pytest.raises(openai.NotFoundError):
        await client.conversations.items.list(conversation.id, after="msg_none")


@pytest.mark.parametrize(("item", "prefix"), ITEMS, ids=lambda each: each.get("type") if isinstance(each, dict) else "")
async def test_item_of_every_kind_is_answered_in_its_long_form(
    client: AsyncOpenAI, item: dict[str, Any], prefix: str
) -> None:
    """With an id of its kind; one that brings an id keeps it."""
    conversation = await client.conversations.create()
    given: Any = [item, item | {"id": f"{prefix}own"}]
    made = await client.conversations.items.create(conversation.id, items=given)
    first, second = made.data
    assert (first.id or "").startswith(prefix)
    assert second.id == f"{prefix}own"
    if first.type == "message":
        assert first.status == "completed"


async def test_reference_to_what_is_there_puts_nothing_in(client: AsyncOpenAI) -> None:
    """A reference names an item of the conversation."""
    conversation = await client.conversations.create(items=[{"role": "user", "content": "One"}])
    (item,) = [each async for each in client.conversations.items.list(conversation.id)]
    made = await client.conversations.items.create(
        conversation.id, items=[{"type": "item_reference", "id": item.id or ""}]
    )
    assert made.data == []


async def test_some_fields_are_there_for_those_who_ask(client: AsyncOpenAI) -> None:
    """What a file search found is answered when it is to be included."""
    found = [{"file_id": "file-1", "filename": "a.txt", "text": "A", "score": 0.5, "attributes": {}}]
    item: Any = {"type": "file_search_call", "id": "fs_1", "status": "completed", "queries": ["a"], "results": found}
    conversation = await client.conversations.create(items=[item])
    plain: Any = await client.conversations.items.retrieve("fs_1", conversation_id=conversation.id)
    assert plain.results is None
    whole: Any = await client.conversations.items.retrieve(
        "fs_1", conversation_id=conversation.id, include=["file_search_call.results"]
    )
    assert whole.results[0].text == "A"


async def test_unknown_ids_are_made_when_asked_for() -> None:
    """A conversation of last year, and an item in it."""
    async with strict_client(settings=EmulatorSettings(unknown_ids="create")) as client:
        item: Any = await client.conversations.items.retrieve("msg_old", conversation_id="conv_old")
        assert [item.id, item.content[0].text] == ["msg_old", "Hello"]
        assert (await client.conversations.retrieve("conv_old")).metadata == {}


def test_synchronous_and_raw_client() -> None:
    """The other faces of the client."""
    with (
        in_background(running()) as emulator,
        OpenAI(base_url=f"{emulator.url}/v1", api_key="sk-test", _strict_response_validation=True) as client,
    ):
        made = client.conversations.with_raw_response.create(metadata={"a": "b"})
        assert made.status_code == 200
        assert client.conversations.retrieve(made.parse().id).metadata == {"a": "b"}


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no recordings of the real API in {FOLDER}")
@pytest.mark.parametrize("name", ["create", "create_setup", "modify", "retrieve", "delete"])
async def test_conversation_looks_like_a_recorded_one(aiohttp_client: Start, name: str) -> None:
    """Same keys in the same order, same types. Recordings of items do not fit the description of the API: no test."""
    recorded = yaml.safe_load((FOLDER / f"conversations_{name}.yml").read_text("utf-8"))["http_interactions"][0]
    client, headers = await aiohttp_client(create_app()), {"Authorization": "Bearer sk-test"}
    made = orjson.loads(await (await client.post("/v1/conversations", json={}, headers=headers)).read())
    path = "/v1/conversations" if name.startswith("create") else f"/v1/conversations/{made['id']}"
    body = orjson.loads(recorded["request"]["body"]["string"] or "null")
    mine = await client.request(recorded["request"]["method"].upper(), path, json=body, headers=headers)
    answer, real = orjson.loads(await mine.read()), orjson.loads(recorded["response"]["body"]["string"])
    assert mine.status == recorded["response"]["status"]["code"]
    assert [(key, type(value)) for key, value in answer.items()] == [(key, type(value)) for key, value in real.items()]
