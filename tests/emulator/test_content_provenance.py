"""Content provenance: what a file says of who made it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from openai import AsyncOpenAI

from replayproxy.emulator.app import STATE, create_app
from replayproxy.emulator.content_provenance import CHECK
from replayproxy.emulator.fixtures import add_fixtures
from tests.strict_clients import strict_client


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    """A client that takes nothing wrong."""
    async with strict_client() as started:
        yield started


@pytest.mark.parametrize(
    ("content", "c2pa"),
    [
        (b"pixels", ("not_detected", "not_present", None)),
        (b"...c2pa...Somebody else", ("not_detected", "not_present", None)),
        (b"...c2pa...OpenAI...", ("detected", "valid", "OpenAI")),
    ],
)
async def test_manifest_is_found_and_no_watermark(
    client: AsyncOpenAI, content: bytes, c2pa: tuple[str, str, str | None]
) -> None:
    """One result for each kind of signal."""
    check = await client.content_provenance_checks.create(file=("a.png", content))
    assert (check.object, check.created_at) == ("content_provenance_check", 1_704_067_200)
    manifest, watermark = (each.to_dict() for each in check.results)
    assert (manifest["type"], manifest["outcome"], manifest["validation_state"], manifest["issuer"]) == ("c2pa", *c2pa)
    assert watermark == {"type": "synthid", "outcome": "not_detected", "model": None, "generated_at": None}


async def test_file_has_to_be_sent(aiohttp_client: Any) -> None:
    """Text in its place is none."""
    api = await aiohttp_client(create_app())
    body = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\ntext\r\n--b--\r\n'
    headers = {"Authorization": "Bearer any", "Content-Type": "multipart/form-data; boundary=b"}
    response = await api.post("/v1/content_provenance_checks", data=body, headers=headers)
    assert response.status == 400
    assert (await response.json())["error"]["message"] == "Missing required parameter: 'file'."


def test_check_may_come_of_fixtures() -> None:
    """It found nothing."""
    app = create_app()
    add_fixtures(app[STATE], {CHECK.name: [{"id": "prov_1"}]})
    (record,) = app[STATE].records()
    assert [each["outcome"] for each in record.json["results"]] == ["not_detected", "not_detected"]
