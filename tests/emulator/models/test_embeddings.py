"""Embeddings, by the official client."""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import AsyncIterator, Sequence
from typing import Any

import openai
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import AsyncOpenAI

from replayproxy.emulator.models.embeddings import embed
from tests.real_traffic import NEEDS_RECORDINGS, recordings
from tests.strict_clients import strict_clients

SMALL, LARGE, OLD = "text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002"


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    """A client of an emulator.

    It is not strict: it asks for base64 of its own, which its types do not know. What numbers look like is checked.
    """
    async with strict_clients() as start:
        yield await start(strict=False)


def similarity(one: Sequence[float], other: Sequence[float]) -> float:
    """The cosine of two vectors of length 1."""
    return sum(left * right for left, right in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("model", "dimensions", "length"),
    [(SMALL, None, 1536), (OLD, None, 1536), (LARGE, None, 3072), (LARGE, 256, 256), (SMALL, 1, 1), ("mine", 7, 7)],
)
async def test_vectors_have_the_length_of_the_model(
    client: AsyncOpenAI, model: str, dimensions: int | None, length: int
) -> None:
    """As many numbers as the model has dimensions, or as are asked for, and length 1."""
    more: Any = {} if dimensions is None else {"dimensions": dimensions}
    answer = await client.embeddings.create(model=model, input="The food was delicious", **more)
    (embedding,) = answer.data
    assert len(embedding.embedding) == length
    assert math.isclose(similarity(embedding.embedding, embedding.embedding), 1, rel_tol=1e-5)
    assert answer.model == model


@pytest.mark.parametrize(("given", "count"), [("One two", 1), (["One", "Two"], 2), ([1, 2, 3], 1), ([[1, 2], [3]], 2)])
async def test_inputs(client: AsyncOpenAI, given: Any, count: int) -> None:
    """A text, texts, tokens or lists of them: a vector for each, in order; tokens are counted."""
    answer = await client.embeddings.create(model=SMALL, input=given)
    assert [each.index for each in answer.data] == list(range(count))
    assert answer.usage.prompt_tokens == answer.usage.total_tokens >= count


async def test_numbers_are_what_the_client_knows() -> None:
    """When it asks for them."""
    async with strict_clients() as start:
        answer = await (await start()).embeddings.create(model=SMALL, input=["One", "Two"], encoding_format="float")
    assert [each.object for each in answer.data] == ["embedding"] * 2


async def test_numbers_and_base64_are_the_same(client: AsyncOpenAI) -> None:
    """The client asks for base64 (32 bits, little-endian) of its own; who asks for numbers gets numbers."""
    given = await client.embeddings.create(model=SMALL, input="One")
    numbers = await client.embeddings.create(model=SMALL, input="One", encoding_format="float")
    packed = await client.embeddings.create(model=SMALL, input="One", encoding_format="base64")
    text: Any = packed.data[0].embedding
    raw = struct.unpack("<1536f", base64.b64decode(text))
    assert given.data[0].embedding == pytest.approx(numbers.data[0].embedding, rel=1e-6)
    assert list(raw) == pytest.approx(numbers.data[0].embedding, rel=1e-6)


@pytest.mark.parametrize("model", [SMALL, LARGE])
@pytest.mark.parametrize("dimensions", [None, 256])
def test_similar_texts_are_nearer_than_others(model: str, dimensions: int | None) -> None:
    """The more of its words a text shares with another, the nearer it is."""
    cat, cats, dog, tax = [
        embed(text, model, dimensions)
        for text in (
            "The cat sleeps on the warm sofa",
            "Two cats are sleeping on a sofa",
            "The dog sleeps on the floor",
            "Quarterly revenue exceeded tax forecasts",
        )
    ]
    assert similarity(cat, cats) > similarity(cat, dog) + 0.1
    assert similarity(cat, dog) > similarity(cat, tax) + 0.1
    assert similarity(embed([1, 2, 3], model), embed([2, 3, 4], model)) > 0.4


@given(st.text(min_size=1, max_size=50))
@settings(max_examples=25)
def test_any_text_has_one_vector(text: str) -> None:
    """Always the same one, of length 1, with no number that is zero."""
    one = embed(text, SMALL, 64)
    assert one == embed(text, SMALL, 64)
    assert math.isclose(similarity(one, one), 1, rel_tol=1e-5)
    assert all(one)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"input": ""}, "'$.input' is invalid."),
        ({"input": ["One", ""]}, "'$.input' is invalid."),
        ({"input": "word " * 9000}, "Invalid 'input': maximum input length is 8192 tokens."),
        ({"input": [[1], [1] * 8193]}, "Invalid 'input[1]': maximum input length is 8192 tokens."),
        ({"model": OLD, "dimensions": 256}, "This model does not support specifying dimensions."),
        ({"dimensions": 1537}, "Invalid value for 'dimensions' = 1537. Must be less than or equal to 1536."),
    ],
)
async def test_what_the_api_refuses(client: AsyncOpenAI, given: Any, message: str) -> None:
    """In its words."""
    with pytest.raises(openai.BadRequestError) as caught:
        await client.embeddings.create(**{"model": SMALL, "input": "One", **given})
    assert message in caught.value.message


@NEEDS_RECORDINGS
async def test_answer_has_the_shape_of_the_real_one(client: AsyncOpenAI) -> None:
    """The same request is answered with the same keys in their order, and as many numbers."""
    (one,) = [one for one in recordings() if one.request.path == "/v1/embeddings"]
    assert isinstance(one.request.body, bytes)
    assert isinstance(one.response.body, bytes)
    raw = await client.embeddings.with_raw_response.create(**orjson.loads(one.request.body), encoding_format="float")
    mine, real = orjson.loads(raw.content), orjson.loads(one.response.body)
    assert list(mine) == list(real)
    assert list(mine["data"][0]) == list(real["data"][0])
    assert len(mine["data"][0]["embedding"]) == len(real["data"][0]["embedding"])
    assert list(mine["usage"]) == list(real["usage"])
    headers = {name.lower() for name, _ in one.response.headers}
    assert {name for name in headers if name.startswith(("x-ratelimit", "openai"))} <= set(raw.headers)
