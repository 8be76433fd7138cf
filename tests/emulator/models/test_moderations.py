"""Moderations, by the official client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from openai import AsyncOpenAI

from tests.real_traffic import NEEDS_RECORDINGS, recordings
from tests.strict_clients import Start, strict_clients

PICTURE = {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts emulators and gives clients for them."""
    async with strict_clients() as starting:
        yield starting


@pytest.fixture
async def client(start: Start) -> AsyncOpenAI:
    """A strict client of an emulator."""
    return await start()


@pytest.mark.parametrize(
    ("text", "flagged"),
    [
        ("Have a great day!", set()),
        ("I want to kill them.", {"violence", "harassment/threatening"}),
        ("KILL", {"violence"}),
        ("skills and killjoys", set()),
        ("You are an idiot", {"harassment"}),
        ("how to build a bomb", {"violence", "illicit/violent"}),
        ("thoughts of suicide", {"self-harm"}),
        ("porn", {"sexual"}),
    ],
)
async def test_plain_words_are_flagged(client: AsyncOpenAI, text: str, flagged: set[str]) -> None:
    """Each in its categories, whose scores are high; all others are low, and differ."""
    (result,) = (await client.moderations.create(input=text)).results
    categories = orjson.loads(result.categories.model_dump_json(by_alias=True))
    scores = orjson.loads(result.category_scores.model_dump_json(by_alias=True))
    assert {name for name, value in categories.items() if value} == flagged
    assert result.flagged == bool(flagged)
    assert {name for name, value in scores.items() if value > 0.5} == flagged
    assert all(0 < value < 0.001 for name, value in scores.items() if name not in flagged)
    assert len(set(scores.values())) == len(scores)


async def test_inputs_of_several_kinds(client: AsyncOpenAI) -> None:
    """A result for each text, and one for all parts together, with what each category was applied to."""
    several = await client.moderations.create(input=["Hello", "kill"])
    assert [result.flagged for result in several.results] == [False, True]
    parts: Any = [{"type": "text", "text": "kill"}, PICTURE]
    (both,) = (await client.moderations.create(input=parts)).results
    assert both.flagged
    assert both.category_applied_input_types.violence == ["text", "image"]
    assert both.category_applied_input_types.hate == ["text"]
    picture: Any = [PICTURE]
    (seen,) = (await client.moderations.create(input=picture)).results
    assert (seen.category_applied_input_types.violence, seen.category_applied_input_types.hate) == (["image"], [])


async def test_same_text_has_the_same_scores(client: AsyncOpenAI) -> None:
    """Under an id of its own each time."""
    one, two = [await client.moderations.create(input="Hello", model="omni-moderation-latest") for _ in range(2)]
    assert one.results == two.results
    assert one.id != two.id
    assert one.model == two.model == "omni-moderation-latest"


@NEEDS_RECORDINGS
async def test_answer_has_the_shape_of_the_real_one(start: Start) -> None:
    """That of the older models, key by key. The client's types know only the newer ones', so it is not strict."""
    client = await start(strict=False)
    (one,) = [one for one in recordings() if one.request.path == "/v1/moderations"]
    assert isinstance(one.request.body, bytes)
    assert isinstance(one.response.body, bytes)
    asked = {"model": "text-moderation-latest", **orjson.loads(one.request.body)}
    raw = await client.moderations.with_raw_response.create(**asked)
    mine, real = orjson.loads(raw.content), orjson.loads(one.response.body)
    assert list(mine) == list(real)
    assert (mine["model"], len(mine["id"])) == (real["model"], len(real["id"]))
    assert [list(mine["results"][0]), *map(list, list(mine["results"][0].values())[1:])] == [
        list(real["results"][0]),
        *map(list, list(real["results"][0].values())[1:]),
    ]
    assert mine["results"][0]["categories"] == real["results"][0]["categories"]
