"""Videos, by the official client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types import Video

from tests.strict_clients import strict_clients

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
CLIP = ("a.mp4", b"clip", "video/mp4")


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    """A strict client of an emulator."""
    async with strict_clients() as start:
        yield await start()


async def test_video_is_made_step_by_step(client: AsyncOpenAI) -> None:
    """One step each time it is retrieved, and none when it is listed; the client is told to ask again soon."""
    made = await client.videos.create(prompt="A calm sea", seconds="8", size="1280x720")
    assert (made.status, made.progress, made.seconds, made.size, made.model) == (
        *("queued", 0, "8", "1280x720", "sora-2"),
    )
    with pytest.raises(openai.NotFoundError, match="not ready yet"):
        await client.videos.download_content(made.id)
    assert [each.status async for each in client.videos.list()] == ["queued"]
    told = []
    for _ in range(3):
        raw = await client.videos.with_raw_response.retrieve(made.id)
        video = raw.parse()
        told.append((video.status, video.progress, raw.headers.get("openai-poll-after-ms")))
    assert told == [("in_progress", 50, "10"), ("completed", 100, None), ("completed", 100, None)]
    assert video.completed_at
    assert video.expires_at
    assert video.created_at < video.completed_at < video.expires_at


async def test_content(client: AsyncOpenAI) -> None:
    """A file of the right kind, its thumbnail, and its sheet of pictures."""
    video = await client.videos.create_and_poll(prompt="A calm sea")
    assert video.status == "completed"
    content = await client.videos.download_content(video.id)
    assert content.response.headers["content-type"] == "video/mp4"
    assert content.content[4:12] == b"ftypisom"
    assert b"moov" in content.content
    for variant in ("thumbnail", "spritesheet"):
        seen = await client.videos.download_content(video.id, variant=variant)
        assert seen.response.headers["content-type"] == "image/webp"
        assert seen.content[8:12] == b"WEBP"


async def test_videos_made_from_others(client: AsyncOpenAI) -> None:
    """Remixed, edited and lengthened ones take over what is not said; a file that comes along has nothing to say."""
    first = await client.videos.create(prompt="A calm sea", seconds="12", size="1280x720", model="sora-2-pro")
    remix = await client.videos.remix(first.id, prompt="A wild sea")
    edit = await made_from(client, "edits", {"video": {"id": first.id}, "prompt": "A wild sea"})
    longer = await made_from(client, "extensions", {"video": {"id": first.id}, "prompt": "A wild sea", "seconds": "4"})
    for each, seconds in ((remix, "12"), (edit, "12"), (longer, "4")):
        assert (each.prompt, each.size, each.model) == ("A wild sea", "1280x720", "sora-2-pro")
        assert (each.seconds, each.remixed_from_video_id, each.status) == (seconds, first.id, "queued")
    sent = await client.videos.edit(video=CLIP, prompt="A wild sea")
    assert (sent.remixed_from_video_id, sent.size) == (None, "720x1280")
    listed = [each.id async for each in client.videos.list(limit=2)]
    assert listed == [each.id for each in (sent, longer, edit, remix, first)]


async def made_from(client: AsyncOpenAI, way: str, body: Any) -> Video:
    """A video made from one that is named, which the client's own methods cannot do."""
    return await client.post(f"/videos/{way}", body=body, cast_to=Video)


async def test_deleted_video_is_gone(client: AsyncOpenAI) -> None:
    """For everything that could be done with it."""
    video = await client.videos.create(prompt="A calm sea")
    gone = await client.videos.delete(video.id)
    assert (gone.id, gone.deleted, gone.object) == (video.id, True, "video.deleted")
    calls: list[Any] = [
        client.videos.retrieve(video.id),
        client.videos.delete(video.id),
        client.videos.download_content(video.id),
        client.videos.remix(video.id, prompt="x"),
        made_from(client, "edits", {"video": {"id": video.id}, "prompt": "x"}),
    ]
    for call in calls:
        with pytest.raises(openai.NotFoundError, match=f"No video found with id '{video.id}'"):
            await call


async def test_characters(client: AsyncOpenAI) -> None:
    """Made from a clip, and retrieved; none that was not made."""
    made = await client.videos.create_character(name="Ada", video=CLIP)
    assert made.id
    assert (await client.videos.get_character(made.id)).to_dict() == made.to_dict()
    with pytest.raises(openai.NotFoundError):
        await client.videos.get_character("char_none")


async def test_unknown_ids() -> None:
    """Are made on the spot when the emulator may: a video that is done, a character."""
    async with strict_clients() as start:
        client = await start(unknown_ids="create")
        assert (await client.videos.retrieve("video_mine")).status == "completed"
        assert (await client.videos.download_content("video_other")).content
        assert (await client.videos.get_character("char_mine")).name
