"""Vector stores, their files, and batches of these."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from replayproxy.emulator.runner import running
from replayproxy.emulator.state import EmulatorSettings
from replayproxy.emulator.vector_stores.chunks import chunk_spans, strategy_of
from tests.strict_clients import strict_client

HELLO = b"Hello world!"


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    """A client that takes nothing wrong."""
    async with strict_client() as started:
        yield started


async def uploaded(client: AsyncOpenAI, content: bytes = HELLO, name: str = "text.txt") -> str:
    """The id of a file."""
    return (await client.files.create(file=(name, content), purpose="assistants")).id


def counts(thing: Any) -> dict[str, int]:
    """The counts that are not 0."""
    return {name: count for name, count in thing.file_counts.to_dict().items() if count}


async def test_store_lives_from_creation_to_deletion(client: AsyncOpenAI) -> None:
    """Created, told, listed, changed, and gone."""
    made = await client.vector_stores.create(
        name="Mine", metadata={"a": "b"}, expires_after={"anchor": "last_active_at", "days": 2}
    )
    assert (made.name, made.metadata, made.status, counts(made)) == ("Mine", {"a": "b"}, "completed", {})
    assert made.expires_at == made.created_at + 2 * 86_400
    assert await client.vector_stores.retrieve(made.id) == made
    other = await client.vector_stores.create()
    assert [each.id async for each in client.vector_stores.list(limit=1)] == [other.id, made.id]
    changed = await client.vector_stores.update(made.id, name="Yours", metadata={}, expires_after=None)
    assert (changed.name, changed.metadata, changed.expires_at) == ("Yours", {}, None)
    assert (await client.vector_stores.update(made.id, metadata={"c": "d"})).name == "Yours"
    assert (await client.vector_stores.delete(made.id)).object == "vector_store.deleted"
    calls = (
        client.vector_stores.retrieve(made.id),
        client.vector_stores.update(made.id, name="x"),
        client.vector_stores.delete(made.id),
        client.vector_stores.search(made.id, query="x"),
        client.vector_stores.files.list(made.id),
        client.vector_stores.files.create(made.id, file_id="file-x"),
        client.vector_stores.files.retrieve("file-x", vector_store_id=made.id),
        client.vector_stores.file_batches.create(made.id, file_ids=["file-x"]),
        client.vector_stores.file_batches.cancel("vsfb_x", vector_store_id=made.id),
    )
    for call in calls:
        with pytest.raises(openai.NotFoundError, match=f"No vector store found with id '{made.id}'"):
            await call


async def test_file_is_processed_when_it_is_looked_at(client: AsyncOpenAI) -> None:
    """It uses as much as a real one does; the store counts it the whole way."""
    store, file = await client.vector_stores.create(), await uploaded(client)
    files = client.vector_stores.files
    made = await files.create(store.id, file_id=file, attributes={"year": 2024})
    assert (made.id, made.status, made.usage_bytes) == (file, "in_progress", 0)
    assert [each.status async for each in files.list(store.id)] == ["in_progress"]
    done = await files.retrieve(file, vector_store_id=store.id)
    assert (done.status, done.usage_bytes, done.attributes) == ("completed", 1036, {"year": 2024})
    assert done.to_dict()["chunking_strategy"] == strategy_of(None)
    told = await client.vector_stores.retrieve(store.id)
    assert (counts(told), told.usage_bytes, told.status) == ({"completed": 1, "total": 1}, 1036, "completed")
    assert [part.text async for part in files.content(file, vector_store_id=store.id)] == ["Hello world!"]
    changed = await files.update(file, vector_store_id=store.id, attributes={"a": True})
    assert changed.attributes == {"a": True}
    assert (await files.update(file, vector_store_id=store.id, attributes=None)).attributes == {}
    assert (await files.delete(file, vector_store_id=store.id)).object == "vector_store.file.deleted"
    told = await client.vector_stores.retrieve(store.id)
    assert (counts(told), told.usage_bytes) == ({}, 0)
    message = f"No file found with id '{file}' in vector store '{store.id}'."
    calls = (
        files.retrieve(file, vector_store_id=store.id),
        files.update(file, vector_store_id=store.id, attributes={}),
        files.delete(file, vector_store_id=store.id),
        files.content(file, vector_store_id=store.id),
    )
    for call in calls:
        with pytest.raises(openai.NotFoundError, match=message):
            await call


async def test_store_with_files_is_ready_when_it_is_looked_at(client: AsyncOpenAI) -> None:
    """And a file that is deleted is gone from all stores."""
    file, other = await uploaded(client), await uploaded(client, b"More")
    made = await client.vector_stores.create(file_ids=[file, other])
    assert (made.status, counts(made)) == ("in_progress", {"in_progress": 2, "total": 2})
    made = await client.vector_stores.retrieve(made.id)
    assert (made.status, counts(made)) == ("completed", {"completed": 2, "total": 2})
    await client.files.delete(file)
    assert counts(await client.vector_stores.retrieve(made.id)) == {"completed": 1, "total": 1}
    assert [each.id async for each in client.vector_stores.files.list(made.id)] == [other]


async def test_file_that_is_put_in_again_counts_once(client: AsyncOpenAI) -> None:
    """With what was said of it last."""
    store, file = await client.vector_stores.create(), await uploaded(client)
    for year in (1, 2):
        done = await client.vector_stores.files.create_and_poll(
            vector_store_id=store.id, file_id=file, attributes={"year": year}
        )
        assert done.attributes == {"year": year}
    assert counts(await client.vector_stores.retrieve(store.id)) == {"completed": 1, "total": 1}


@pytest.mark.parametrize(
    ("content", "code"), [(b"\0\1\2\xff", "unsupported_file"), (b"  \n", "invalid_file"), (b"", "invalid_file")]
)
async def test_file_without_text_fails(client: AsyncOpenAI, content: bytes, code: str) -> None:
    """With the API's code; the filter of the list finds it."""
    store = await client.vector_stores.create()
    failed = await client.vector_stores.files.upload_and_poll(vector_store_id=store.id, file=("a.bin", content))
    assert failed.status == "failed"
    assert failed.last_error is not None
    assert failed.last_error.code == code
    files = client.vector_stores.files
    assert [each.id async for each in files.list(store.id, filter="failed")] == [failed.id]
    assert [each async for each in files.list(store.id, filter="completed")] == []
    assert counts(await client.vector_stores.retrieve(store.id)) == {"failed": 1, "total": 1}
    assert [each async for each in files.content(failed.id, vector_store_id=store.id)] == []


async def test_files_must_be_there(client: AsyncOpenAI) -> None:
    """In a store, a batch, or a new store."""
    store = await client.vector_stores.create()
    calls = (
        client.vector_stores.create(file_ids=["file-none"]),
        client.vector_stores.files.create(store.id, file_id="file-none"),
        client.vector_stores.file_batches.create(store.id, file_ids=["file-none"]),
    )
    for call in calls:
        with pytest.raises(openai.NotFoundError, match=r"Files \[file-none\] were not found"):
            await call


async def test_batch_puts_files_in_together(client: AsyncOpenAI) -> None:
    """Done when it is looked at, with a count for each way in which it can end."""
    store = await client.vector_stores.create()
    ids = [await uploaded(client), await uploaded(client, b"\0\1\2\xff")]
    batches = client.vector_stores.file_batches
    made = await batches.create(store.id, file_ids=ids, attributes={"a": "b"})
    assert (made.status, counts(made)) == ("in_progress", {"in_progress": 2, "total": 2})
    done = await batches.retrieve(made.id, vector_store_id=store.id)
    assert (done.status, counts(done)) == ("completed", {"completed": 1, "failed": 1, "total": 2})
    listed = [each async for each in batches.list_files(made.id, vector_store_id=store.id)]
    assert {each.id: each.status for each in listed} == dict(zip(ids, ["completed", "failed"], strict=True))
    assert listed[0].attributes == {"a": "b"}
    failed = [each.id async for each in batches.list_files(made.id, vector_store_id=store.id, filter="failed")]
    assert failed == ids[1:]
    assert (await batches.cancel(made.id, vector_store_id=store.id)).status == "completed"


async def test_batch_can_be_cancelled(client: AsyncOpenAI) -> None:
    """As long as it is in progress; what is done already stays."""
    store = await client.vector_stores.create()
    ids = [await uploaded(client), await uploaded(client)]
    batches = client.vector_stores.file_batches
    made = await batches.create(store.id, files=[{"file_id": each, "attributes": {"n": each}} for each in ids])
    first = await client.vector_stores.files.retrieve(ids[0], vector_store_id=store.id)
    assert (first.status, first.attributes) == ("completed", {"n": ids[0]})
    gone = await batches.cancel(made.id, vector_store_id=store.id)
    assert (gone.status, counts(gone)) == ("cancelled", {"completed": 1, "cancelled": 1, "total": 2})
    assert await batches.retrieve(made.id, vector_store_id=store.id) == gone
    assert counts(await client.vector_stores.retrieve(store.id)) == {"completed": 1, "cancelled": 1, "total": 2}


async def test_batch_in_which_all_fail_fails(client: AsyncOpenAI) -> None:
    """And one that is not there is not found."""
    store = await client.vector_stores.create()
    batches = client.vector_stores.file_batches
    done = await batches.create_and_poll(store.id, file_ids=[await uploaded(client, b"")])
    assert done.status == "failed"
    calls = (
        batches.retrieve("vsfb_x", vector_store_id=store.id),
        batches.cancel("vsfb_x", vector_store_id=store.id),
        batches.list_files("vsfb_x", vector_store_id=store.id),
    )
    for call in calls:
        with pytest.raises(openai.NotFoundError, match="No vector store file batch found with id 'vsfb_x'"):
            await call


async def test_client_uploads_batches(client: AsyncOpenAI) -> None:
    """With its helper that uploads, puts in and waits."""
    store = await client.vector_stores.create()
    done = await client.vector_stores.file_batches.upload_and_poll(
        store.id, files=[("a.txt", b"One"), ("b.txt", b"Two")]
    )
    assert (done.status, counts(done)) == ("completed", {"completed": 2, "total": 2})


@pytest.mark.parametrize("overlap", [51, -1])
async def test_overlap_is_at_most_half_of_a_chunk(client: AsyncOpenAI, overlap: int) -> None:
    """Wherever a strategy is given."""
    chunking: Any = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": overlap}}
    store, file = await client.vector_stores.create(), await uploaded(client)
    calls = (
        client.vector_stores.create(chunking_strategy=chunking),
        client.vector_stores.files.create(store.id, file_id=file, chunking_strategy=chunking),
        client.vector_stores.file_batches.create(store.id, file_ids=[file], chunking_strategy=chunking),
    )
    for call in calls:
        with pytest.raises(openai.BadRequestError, match="chunk_overlap_tokens must be between 0 and half"):
            await call


async def test_chunking_strategy_is_told_and_honoured(client: AsyncOpenAI) -> None:
    """A search gives chunks of that size."""
    chunking: Any = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 20}}
    text = " ".join(f"word{n}" for n in range(200))
    store = await client.vector_stores.create(
        file_ids=[await uploaded(client, text.encode())], chunking_strategy=chunking
    )
    told = [each async for each in client.vector_stores.files.list(store.id)]
    assert told[0].to_dict()["chunking_strategy"] == chunking
    found = [each.content[0].text async for each in client.vector_stores.search(store.id, query="word90")]
    assert [(each.split()[0], each.split()[-1]) for each in found] == [("word0", "word99"), ("word80", "word179")]


def test_chunks_cover_a_text() -> None:
    """Neighbours share their overlap; a text without blanks is cut, too; one without words has no chunks."""
    chunking = {"type": "static", "static": {"max_chunk_size_tokens": 4, "chunk_overlap_tokens": 1}}
    text = "a bb ccc d e f g"
    assert [text[start:end] for start, end in chunk_spans(text, chunking)] == ["a bb ccc d", "d e f g"]
    assert len(chunk_spans("界" * 10, chunking)) == 3
    assert len(chunk_spans("x" * 400, chunking)) == 3
    assert chunk_spans(" \n", chunking) == []
    assert strategy_of({"type": "auto"}) == strategy_of(None)


async def test_ids_that_were_never_made_can_be_taken() -> None:
    """With whatever hangs from them."""
    async with strict_client(settings=EmulatorSettings(unknown_ids="create")) as client:
        file = await client.vector_stores.files.retrieve("file-old", vector_store_id="vs_old")
        assert (file.id, file.vector_store_id, file.status) == ("file-old", "vs_old", "completed")
        assert counts(await client.vector_stores.retrieve("vs_old")) == {"completed": 1, "total": 1}
        batch = await client.vector_stores.file_batches.retrieve("vsfb_old", vector_store_id="vs_old")
        assert batch.status == "completed"
        found = [each.file_id async for each in client.vector_stores.search("vs_old", query="emulator")]
        assert found == ["file-old"]


async def test_synchronous_client() -> None:
    """The same with a client that blocks."""

    def use(url: str) -> Any:
        with OpenAI(base_url=f"{url}/v1", api_key="sk-test", _strict_response_validation=True) as client:
            store = client.vector_stores.create(name="a")
            client.vector_stores.files.upload_and_poll(vector_store_id=store.id, file=("a.txt", b"Hello"))
            batch = client.vector_stores.file_batches.upload_and_poll(store.id, files=[("b.txt", b"Hello")])
            return batch.status, counts(client.vector_stores.retrieve(store.id))

    async with running() as emulator:
        assert await asyncio.to_thread(use, emulator.url) == ("completed", {"completed": 2, "total": 2})
