"""Models, by the official client."""

from __future__ import annotations

from collections.abc import AsyncIterator

import openai
import orjson
import pytest
from aiohttp import web
from openai import AsyncOpenAI

from replayproxy.emulator.app import STATE, create_app
from replayproxy.emulator.models.models import add_model
from replayproxy.emulator.runner import emulator_runner
from tests.real_traffic import NEEDS_RECORDINGS, Recorded, recordings
from tests.strict_clients import Start, strict_clients

TUNED = "ft:gpt-4o-mini-2024-07-18:acme::ABC123"


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts emulators and gives strict clients for them."""
    async with strict_clients() as starting:
        yield starting


@pytest.fixture
async def client(start: Start) -> AsyncOpenAI:
    """A strict client of an emulator."""
    return await start()


async def test_models_of_everybody(client: AsyncOpenAI) -> None:
    """Each that is listed can be retrieved, and none be deleted."""
    listed = [model async for model in client.models.list()]
    assert {"gpt-4o", "gpt-4o-mini", "text-embedding-3-small", "whisper-1", "dall-e-3"} <= {each.id for each in listed}
    assert len({each.id for each in listed}) == len(listed)
    for model in listed:
        assert await client.models.retrieve(model.id) == model
    with pytest.raises(openai.PermissionDeniedError, match=r"Missing scopes: api\.delete"):
        await client.models.delete("gpt-4o")


async def test_unknown_model(client: AsyncOpenAI) -> None:
    """Is not found, in the words of the real API."""
    for call in (client.models.retrieve, client.models.delete):
        with pytest.raises(openai.NotFoundError) as caught:
            await call("ft:123")
        assert caught.value.body == {
            "message": "The model 'ft:123' does not exist",
            "type": "invalid_request_error",
            "param": "model",
            "code": "model_not_found",
        }


async def test_life_of_a_model_that_was_tuned() -> None:
    """Listed, retrieved, deleted, gone."""
    app = create_app()
    runner = emulator_runner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made = add_model(app[STATE], TUNED, "org-acme")
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    async with AsyncOpenAI(base_url=url, api_key="x", max_retries=0, _strict_response_validation=True) as client:
        assert TUNED in [model.id async for model in client.models.list()]
        assert (await client.models.retrieve(TUNED)).to_dict() == made.json
        assert (await client.models.delete(TUNED)).to_dict() == {"id": TUNED, "object": "model", "deleted": True}
        assert TUNED not in [model.id async for model in client.models.list()]
        with pytest.raises(openai.NotFoundError):
            await client.models.retrieve(TUNED)
    await runner.cleanup()


async def test_model_of_an_unknown_name(start: Start) -> None:
    """Is there when the emulator may make things up."""
    client = await start(unknown_ids="create")
    assert (await client.models.retrieve("ft:mine")).id == "ft:mine"
    assert (await client.models.delete("ft:mine")).deleted


def shape(value: object) -> object:
    """A value with its scalars replaced by their types, the order of keys kept; of a list its first element."""
    if isinstance(value, dict):
        return [(key, shape(inner)) for key, inner in value.items()]
    return [shape(inner) for inner in value[:1]] if isinstance(value, list) else type(value).__name__


@NEEDS_RECORDINGS
@pytest.mark.parametrize(
    "one",
    [one for one in recordings() if one.request.path.startswith("/v1/models") and "text-ada" not in one.request.path],
    ids=str,
)
async def test_answer_has_the_shape_of_the_real_one(client: AsyncOpenAI, one: Recorded) -> None:
    """Keys in their order, types, status; errors to the word."""
    path = one.request.path.removeprefix("/v1")
    response = await client._client.request(
        one.request.method, f"{str(client.base_url).rstrip('/')}{path}", headers={"Authorization": "Bearer x"}
    )
    assert isinstance(one.response.body, bytes)
    assert response.status_code == one.response.status
    assert shape(response.json()) == shape(orjson.loads(one.response.body))
    if response.status_code != 200 or path.count("/") > 1:
        assert response.json() == orjson.loads(one.response.body)
