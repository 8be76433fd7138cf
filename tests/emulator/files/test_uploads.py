"""Uploads: files that come in parts."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from replayproxy.emulator.files import uploads
from replayproxy.emulator.runner import running
from replayproxy.emulator.state import EmulatorSettings
from tests.strict_clients import strict_client


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    """A client that takes nothing wrong."""
    async with strict_client() as started:
        yield started


async def begun(client: AsyncOpenAI, size: int = 6) -> str:
    """The id of an upload that waits for its parts."""
    made = await client.uploads.create(bytes=size, filename="a.txt", mime_type="text/plain", purpose="vision")
    assert (made.status, made.bytes, made.filename, made.file) == ("pending", size, "a.txt", None)
    assert made.expires_at == made.created_at + 3600
    return made.id


async def test_parts_become_a_file_in_the_order_given(client: AsyncOpenAI) -> None:
    """Not in that in which they came."""
    id_ = await begun(client)
    parts = [await client.uploads.parts.create(id_, data=data) for data in (b"def", b"abc")]
    assert parts[0].upload_id == id_
    md5 = hashlib.md5(b"abcdef").hexdigest()
    done = await client.uploads.complete(id_, part_ids=[parts[1].id, parts[0].id], md5=md5)
    assert done.status == "completed"
    assert done.file is not None
    assert done.file == await client.files.retrieve(done.file.id)
    assert (await client.files.content(done.file.id)).content == b"abcdef"


async def test_parts_that_do_not_fit_are_refused(client: AsyncOpenAI) -> None:
    """By their number of bytes, their checksum, or for not being there; the upload stays open."""
    id_ = await begun(client)
    part = (await client.uploads.parts.create(id_, data=b"abcdef")).id
    for part_ids, md5, message in (
        ([part, part], "", "to contain 6 bytes, but the parts have 12"),
        ([part], "0" * 32, "md5 checksum"),
    ):
        with pytest.raises(openai.BadRequestError, match=message):
            await client.uploads.complete(id_, part_ids=part_ids, md5=md5 or openai.omit)
    with pytest.raises(openai.NotFoundError, match="No upload part found with id 'part_none'"):
        await client.uploads.complete(id_, part_ids=["part_none"])
    assert (await client.uploads.complete(id_, part_ids=[part])).status == "completed"


@pytest.mark.parametrize("end", ["completed", "cancelled"])
async def test_what_is_over_takes_nothing(client: AsyncOpenAI, end: str) -> None:
    """Neither parts nor another end; it keeps none of the bytes, either."""
    id_ = await begun(client, 0)
    done = await (client.uploads.complete(id_, part_ids=[]) if end == "completed" else client.uploads.cancel(id_))
    assert done.status == end
    with pytest.raises(openai.BadRequestError, match=f"has status '{end}'"):
        await client.uploads.parts.create(id_, data=b"x")
    with pytest.raises(openai.BadRequestError, match=f"has status '{end}'"):
        await client.uploads.cancel(id_)
    with pytest.raises(openai.BadRequestError, match=f"has status '{end}'"):
        await client.uploads.complete(id_, part_ids=[])


async def test_unknown_uploads_are_not_found(client: AsyncOpenAI) -> None:
    """Whatever is asked of them."""
    with pytest.raises(openai.NotFoundError, match="No upload found with id 'upload_none'"):
        await client.uploads.cancel("upload_none")
    with pytest.raises(openai.BadRequestError, match="'data' is a required property"):
        await client.post(
            f"/uploads/{await begun(client)}/parts",
            cast_to=object,
            body={"data": "text"},
            options={"headers": {"Content-Type": "multipart/form-data"}},
            files=[("other", ("a.txt", b"a"))],
        )


async def test_uploads_are_limited() -> None:
    """By what the emulator keeps in all, which parts count to until they are a file; and part by part."""
    async with strict_client(settings=EmulatorSettings(upload_limit=8)) as client:
        with pytest.raises(openai.APIStatusError, match="too large") as caught:
            await begun(client, 9)
        assert caught.value.status_code == 413
        id_ = await begun(client)
        await client.uploads.parts.create(id_, data=b"abcdef")
        with pytest.raises(openai.APIStatusError, match="6 are taken"):
            await client.uploads.parts.create(id_, data=b"abcdef")
        await client.uploads.cancel(id_)
        await client.files.create(file=("a.txt", b"abcdefgh"), purpose="vision")


async def test_client_cuts_a_file_into_parts(client: AsyncOpenAI, tmp_path: Path) -> None:
    """With its own helper, from memory and from a file."""
    done = await client.uploads.upload_file_chunked(
        file=b"x" * 100, filename="x.txt", bytes=100, mime_type="text/plain", purpose="vision", part_size=40
    )
    assert done.file is not None
    assert (await client.files.content(done.file.id)).content == b"x" * 100
    path = tmp_path / "y.txt"
    path.write_bytes(b"y" * 10)
    done = await client.uploads.upload_file_chunked(file=path, mime_type="text/plain", purpose="vision", part_size=3)
    assert done.file is not None
    assert done.file.filename == "y.txt"


async def test_uploads_that_were_never_made_can_be_taken() -> None:
    """With parts of any id, whatever has been done to them."""
    async with strict_client(settings=EmulatorSettings(unknown_ids="create")) as client:
        assert (await client.uploads.cancel("upload_old")).status == "cancelled"
        assert (await client.uploads.complete("upload_old", part_ids=["part_old"])).status == "completed"


async def test_synchronous_client() -> None:
    """The same with a client that blocks."""

    def use(url: str) -> str:
        with OpenAI(base_url=f"{url}/v1", api_key="sk-test", _strict_response_validation=True) as client:
            done = client.uploads.upload_file_chunked(
                file=b"abc", filename="x.txt", bytes=3, mime_type="text/plain", purpose="batch", part_size=2
            )
            return done.status

    async with running() as emulator:
        assert await asyncio.to_thread(use, emulator.url) == "completed"


def test_parts_are_as_large_as_the_api_has_them() -> None:
    """At most 64 MiB."""
    assert uploads.PART_BYTES == 64 * 1024**2
