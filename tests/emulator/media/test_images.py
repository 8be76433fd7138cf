"""Images, by the official client."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.request import urlopen

import openai
import pytest
from openai import AsyncOpenAI

from replayproxy.emulator.media.image_files import LARGEST, picture
from tests.strict_clients import strict_clients

pytestmark = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
FILE = ("a.png", picture("png", 8, 8, "cat"), "image/png")


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    """A strict client of an emulator."""
    async with strict_clients() as start:
        yield await start()


def size_of(content: bytes) -> tuple[int, int]:
    """The width and height of a picture, by its head."""
    if content.startswith(b"\x89PNG"):
        return struct.unpack(">II", content[16:24])
    if content.startswith(b"\xff\xd8"):
        frame = content.index(b"\xff\xc0")
        height, width = struct.unpack(">HH", content[frame + 5 : frame + 9])
        return width, height
    if content.startswith(b"GIF89a"):
        return struct.unpack("<HH", content[6:10])
    bits = int.from_bytes(content[21:25], "little")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def pixels_of(content: bytes) -> bytes:
    """The rows of a PNG with a checked sum for each chunk."""
    place, data = 8, b""
    while place < len(content):
        (length,) = struct.unpack(">I", content[place : place + 4])
        name, inside = content[place + 4 : place + 8], content[place + 8 : place + 8 + length]
        assert zlib.crc32(name + inside) == struct.unpack(">I", content[place + 8 + length : place + 12 + length])[0]
        data += inside if name == b"IDAT" else b""
        place += 12 + length
    assert content.endswith(b"IEND\xaeB`\x82")
    return zlib.decompress(data)


@pytest.mark.parametrize("format_", ["png", "jpeg", "webp", "gif"])
@pytest.mark.parametrize("size", [(1024, 1536), (1, 1), (77, 3)])
def test_pictures_have_the_size_asked_for(format_: str, size: tuple[int, int]) -> None:
    """In every format; they are small."""
    content = picture(format_, *size, "cat")
    assert size_of(content) == size
    assert len(content) < 8000
    if format_ == "png":
        assert len(pixels_of(content)) == (1 + -(-size[0] // 8)) * size[1]
    if format_ == "webp":
        assert len(content) == struct.unpack("<I", content[4:8])[0] + 8


def test_pictures_differ_by_what_they_are_about() -> None:
    """And are the same for the same."""
    for format_ in ("png", "webp", "gif", "svg"):
        assert picture(format_, 64, 64, "cat") == picture(format_, 64, 64, "cat") != picture(format_, 64, 64, "dog")
    assert b'width="64" height="32"' in picture("svg", 64, 32, "cat")


async def test_older_models_answer_urls(client: AsyncOpenAI) -> None:
    """That hold the picture themselves, or base64 when it is asked for; one of them rewords the prompt."""
    answer = await client.images.generate(prompt="A cat", n=2, size="256x256")
    assert answer.to_dict().keys() == {"created", "data"}
    assert answer.data
    for image in answer.data:
        assert image.url
        with urlopen(image.url) as opened:
            assert size_of(opened.read()) == (256, 256)
    assert answer.data[0].url != answer.data[1].url
    packed = await client.images.generate(model="dall-e-3", prompt="A cat", response_format="b64_json")
    assert packed.data
    assert packed.data[0].b64_json
    assert size_of(base64.b64decode(packed.data[0].b64_json)) == (1024, 1024)
    assert (packed.data[0].revised_prompt, packed.data[0].url) == ("A cat", None)


async def test_newer_models_answer_base64(client: AsyncOpenAI) -> None:
    """With what they made of the wish, and the tokens."""
    answer = await client.images.generate(
        model="gpt-image-1",
        prompt="A cat",
        size="1536x1024",
        quality="low",
        output_format="webp",
        background="transparent",
    )
    assert answer.data
    assert answer.data[0].b64_json
    assert size_of(base64.b64decode(answer.data[0].b64_json)) == (1536, 1024)
    assert (answer.size, answer.quality, answer.output_format, answer.background) == (
        *("1536x1024", "low", "webp", "transparent"),
    )
    assert answer.usage
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    usual = await client.images.generate(model="gpt-image-1", prompt="A cat", size="auto")
    assert (usual.size, usual.quality, usual.output_format, usual.background) == (
        *("1024x1024", "high", "png", "opaque"),
    )


@pytest.mark.parametrize(
    ("size", "made"), [("99999x99999", (1024, 1024)), ("9999x1", (LARGEST, 1)), ("x", (1024, 1024))]
)
async def test_odd_sizes_do_no_harm(size: str, made: tuple[int, int]) -> None:
    """A size that is none, or too large, is answered with a picture all the same."""
    async with strict_clients() as start:
        client = await start(strict=False)
        answer = await client.images.generate(
            model="gpt-image-2", prompt="A cat", size=size, output_format="webp", quality="standard"
        )
    assert answer.data
    assert answer.data[0].b64_json
    assert size_of(base64.b64decode(answer.data[0].b64_json)) == made


async def test_edits_and_variations(client: AsyncOpenAI) -> None:
    """Of one picture or several; what came in counts as input."""
    edited = await client.images.edit(model="gpt-image-1", image=[FILE, FILE], prompt="A dog", mask=FILE)
    assert edited.usage
    assert edited.usage.input_tokens_details.image_tokens == 2 * 194
    older = await client.images.edit(model="dall-e-2", image=FILE, prompt="A dog", size="512x512", n=2)
    assert [bool(image.url) for image in older.data or ()] == [True, True]
    varied = await client.images.create_variation(image=FILE, size="256x256", response_format="b64_json")
    assert varied.data
    assert varied.data[0].b64_json
    assert size_of(base64.b64decode(varied.data[0].b64_json)) == (256, 256)
    with pytest.raises(openai.BadRequestError):
        await client.images.edit(model="gpt-image-1", image=FILE, prompt="x", n=11)


async def test_edit_in_json(client: AsyncOpenAI) -> None:
    """Names pictures in the place of sending them."""
    body = {"model": "gpt-image-1", "prompt": "A dog", "images": [{"file_id": "file-1"}]}
    answer: Any = await client.post("/images/edits", body=body, cast_to=object)
    assert answer["usage"]["input_tokens_details"]["image_tokens"] == 194


async def test_partial_images(client: AsyncOpenAI) -> None:
    """As many stages as are asked for, each another picture, then the whole one, the same as without a stream."""
    options: Any = {"model": "gpt-image-1", "prompt": "A cat"}
    whole = await client.images.generate(**options)
    stream = await client.images.generate(**options, stream=True, partial_images=2)
    *partial, done = [event async for event in stream]
    assert [event.type for event in partial] == ["image_generation.partial_image"] * 2
    assert [event.partial_image_index for event in partial if event.type != "image_generation.completed"] == [0, 1]
    assert done.type == "image_generation.completed"
    assert whole.data
    assert done.b64_json == whole.data[0].b64_json
    assert len({event.b64_json for event in (*partial, done)}) == 3
    edits = await client.images.edit(image=FILE, **options, stream=True, partial_images=1)
    assert [event.type async for event in edits] == ["image_edit.partial_image", "image_edit.completed"]
