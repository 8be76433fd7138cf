"""Containers, and the files in them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from replayproxy.emulator.runner import running
from replayproxy.emulator.state import EmulatorSettings
from tests.strict_clients import strict_client


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    """A client that takes nothing wrong."""
    async with strict_client() as started:
        yield started


async def test_container_lives_from_creation_to_deletion(client: AsyncOpenAI) -> None:
    """Created with files, told, listed by name, and gone; domains are told, their secrets are not."""
    file = await client.files.create(file=("a.txt", b"abc"), purpose="user_data")
    policy: Any = {
        "type": "allowlist",
        "allowed_domains": ["a.test"],
        "domain_secrets": [{"domain": "a.test", "name": "n", "value": "secret"}],
    }
    made = await client.containers.create(
        name="One",
        file_ids=[file.id],
        memory_limit="4g",
        expires_after={"anchor": "last_active_at", "minutes": 5},
        network_policy=policy,
    )
    assert (made.name, made.status, made.memory_limit) == ("One", "running", "4g")
    assert made.network_policy is not None
    assert made.network_policy.to_dict() == {"type": "allowlist", "allowed_domains": ["a.test"]}
    assert (await client.containers.retrieve(made.id)).to_dict() == made.to_dict()
    assert [each.bytes async for each in client.containers.files.list(made.id)] == [3]
    other = await client.containers.create(name="Two")
    assert [each.id async for each in client.containers.list(limit=1)] == [other.id, made.id]
    assert [each.id async for each in client.containers.list(name="One")] == [made.id]
    await client.containers.delete(made.id)
    calls = (
        client.containers.retrieve(made.id),
        client.containers.delete(made.id),
        client.containers.files.list(made.id),
        client.containers.files.create(made.id, file_id=file.id),
        client.containers.files.retrieve("cfile_x", container_id=made.id),
    )
    for call in calls:
        with pytest.raises(openai.NotFoundError, match=f"No container found with id '{made.id}'"):
            await call


async def test_files_are_put_into_a_container(client: AsyncOpenAI) -> None:
    """Sent along, or named; downloaded, and deleted."""
    container = (await client.containers.create(name="One")).id
    files = client.containers.files
    sent = await files.create(container, file=("a.txt", b"abc"))
    assert (sent.bytes, sent.source, sent.container_id) == (3, "user", container)
    assert sent.path.startswith("/mnt/data/")
    assert sent.path.endswith("-a.txt")
    stored = await client.files.create(file=("b.txt", b"defg"), purpose="user_data")
    named = await files.create(container, file_id=stored.id)
    assert (await files.retrieve(named.id, container_id=container)).to_dict() == named.to_dict()
    assert [each.id async for each in files.list(container, order="asc")] == [sent.id, named.id]
    content = await files.content.retrieve(named.id, container_id=container)
    assert content.content == b"defg"
    assert content.response.headers["content-disposition"] == 'attachment; filename="b.txt"'
    await files.delete(sent.id, container_id=container)
    calls = (
        files.retrieve(sent.id, container_id=container),
        files.delete(sent.id, container_id=container),
        files.content.retrieve(sent.id, container_id=container),
    )
    for call in calls:
        with pytest.raises(openai.NotFoundError, match=f"No container file found with id '{sent.id}'"):
            await call


async def test_files_must_be_there(client: AsyncOpenAI) -> None:
    """When a container is made, or later."""
    container = (await client.containers.create(name="One")).id
    for call in (
        client.containers.create(name="Two", file_ids=["file-none"]),
        client.containers.files.create(container, file_id="file-none"),
    ):
        with pytest.raises(openai.NotFoundError, match=r"Files \[file-none\] were not found"):
            await call
    with pytest.raises(openai.BadRequestError, match="Either 'file' or 'file_id' is required"):
        await client.containers.files.create(container)


async def test_files_are_limited() -> None:
    """With all other uploads; what is deleted makes room."""
    async with strict_client(settings=EmulatorSettings(upload_limit=4)) as client:
        container = (await client.containers.create(name="One")).id
        made = await client.containers.files.create(container, file=("a.txt", b"abc"))
        with pytest.raises(openai.APIStatusError, match="3 are taken"):
            await client.containers.files.create(container, file=("a.txt", b"abc"))
        await client.containers.files.delete(made.id, container_id=container)
        await client.containers.files.create(container, file=("a.txt", b"abc"))


async def test_containers_that_were_never_made_can_be_taken() -> None:
    """With files, even one that nothing is said of."""
    async with strict_client(settings=EmulatorSettings(unknown_ids="create")) as client:
        assert (await client.containers.files.retrieve("cfile_x", container_id="cntr_x")).container_id == "cntr_x"
        assert (await client.containers.files.create("cntr_x")).bytes > 0
        made = await client.containers.create(name="x", file_ids=["file-x"])
        assert [each.container_id async for each in client.containers.files.list(made.id)] == [made.id]


async def test_synchronous_client() -> None:
    """The same with a client that blocks."""

    def use(url: str) -> bytes:
        with OpenAI(base_url=f"{url}/v1", api_key="sk-test", _strict_response_validation=True) as client:
            container = client.containers.create(name="a")
            file = client.containers.files.create(container.id, file=("a.txt", b"abc"))
            content = client.containers.files.content.retrieve(file.id, container_id=container.id).content
            client.containers.delete(container.id)
            return content

    async with running() as emulator:
        assert await asyncio.to_thread(use, emulator.url) == b"abc"
