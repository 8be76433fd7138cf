"""The emulator and the official client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI, omit

from replayproxy.emulator.runner import RunningEmulator, running
from replayproxy.emulator.state import EmulatorSettings
from replayproxy.errors import StartError
from tests.bad_calls import ROWS, body_of

pytestmark = pytest.mark.filterwarnings("ignore:The Assistants API is deprecated:DeprecationWarning")
#: What the client itself can be made to send: it writes the JSON, the path and the method.
BODIES = [row for row in ROWS if "body" in row and not row.get("headers") and "method" not in row]
BODIES = [row for row in BODIES if row.get("path", "/v1/threads/x/messages").count("/messages") == 1]
BODIES = [row for row in BODIES if "//" not in row.get("path", "")]


@pytest.fixture
async def emulator() -> AsyncIterator[RunningEmulator]:
    """A running emulator."""
    async with running() as started:
        yield started


@pytest.fixture
async def client(emulator: RunningEmulator) -> AsyncIterator[AsyncOpenAI]:
    """The official client, set on the emulator."""
    async with AsyncOpenAI(base_url=f"{emulator.url}/v1", api_key="sk-test", max_retries=0) as started:
        yield started


@pytest.mark.parametrize("row", BODIES, ids=lambda row: str(row["name"]))
async def test_client_raises_what_the_real_api_makes_it_raise(client: AsyncOpenAI, row: dict[str, Any]) -> None:
    """Status, message, type, param and code arrive in the client's own exception."""
    body = body_of(row)
    thread = row["path"].split("/")[3] if "path" in row else (await client.beta.threads.create()).id
    role, content = body.pop("role", omit), body.pop("content", omit)
    with pytest.raises(openai.APIStatusError) as caught:
        await client.beta.threads.messages.create(thread, role=role, content=content, extra_body=body)
    expected = {"status": 400, "type": "invalid_request_error"} | row["error"]
    error = caught.value
    assert isinstance(error.body, dict)
    told = {"status": error.status_code, "message": error.body["message"]}
    assert told | {"type": error.type, "param": error.param, "code": error.code} == expected


async def test_client_works_as_with_the_real_api(client: AsyncOpenAI) -> None:
    """A thread with messages of every kind, listed page by page, changed and deleted."""
    threads = client.beta.threads
    thread = await threads.create(metadata={"a": "b"})
    await threads.messages.create(thread.id, role="user", content="One")
    await threads.messages.create(
        thread.id,
        role="user",
        content=[{"type": "text", "text": "Two"}, {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}],
    )
    third = await threads.messages.create(
        thread.id,
        role="assistant",
        content="Three",
        attachments=[{"file_id": "file-1", "tools": [{"type": "code_interpreter"}]}],
        metadata={"k": "v"},
    )
    listed = [message async for message in threads.messages.list(thread.id, limit=1)]
    assert [message.role for message in listed] == ["assistant", "user", "user"]
    assert listed[0] == third
    assert (await threads.messages.update(third.id, thread_id=thread.id, metadata={})).metadata == {}
    assert (await threads.messages.delete(third.id, thread_id=thread.id)).deleted
    with pytest.raises(openai.NotFoundError, match=f"No message found with id '{third.id}'"):
        await threads.messages.retrieve(third.id, thread_id=thread.id)
    assert (await threads.update(thread.id, metadata={"c": "d"})).metadata == {"c": "d"}
    assert (await threads.delete(thread.id)).deleted
    with pytest.raises(openai.NotFoundError, match="No thread found with id"):
        await threads.retrieve(thread.id)


async def test_client_without_beta_header_or_key(emulator: RunningEmulator) -> None:
    """The client turns both refusals into its own kinds of error."""
    async with AsyncOpenAI(base_url=f"{emulator.url}/v1", api_key="sk-test", max_retries=0) as client:
        with pytest.raises(openai.BadRequestError) as caught:
            await client.beta.threads.create(extra_headers={"OpenAI-Beta": "assistants=v1"})
        assert caught.value.code == "invalid_beta"
        with pytest.raises(openai.AuthenticationError, match="You didn't provide an API key"):
            await client.beta.threads.create(extra_headers={"Authorization": "none"})


async def test_emulators_run_beside_each_other() -> None:
    """Each has a port and a memory of its own; a port that is taken is told."""
    async with running(EmulatorSettings(seed=1)) as one, running(EmulatorSettings(seed=2)) as two:
        assert one.port != two.port
        assert one.url == f"http://127.0.0.1:{one.port}"
        with pytest.raises(StartError, match=f"127.0.0.1:{one.port}"):
            async with running(port=one.port):
                pass  # pragma: no cover
    assert RunningEmulator("::1", 80).url == "http://[::1]:80"


async def test_port_is_free_again_afterwards() -> None:
    """Leaving the block stops the emulator."""
    async with running() as first:
        pass
    async with running(port=first.port) as second:
        assert second.port == first.port


async def test_synchronous_client_in_a_thread(emulator: RunningEmulator) -> None:
    """The emulator answers a client that blocks its own thread."""
    import asyncio

    def create() -> str:
        with OpenAI(base_url=f"{emulator.url}/v1", api_key="sk-test", max_retries=0) as client:
            return client.beta.threads.create().id

    assert (await asyncio.to_thread(create)).startswith("thread_")
