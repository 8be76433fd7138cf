"""The emulator beside recordings of the real API: same status, headers, order of keys and types of values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
import yaml
from aiohttp.test_utils import TestClient

from replayproxy.emulator.app import create_app
from replayproxy.openai_api import catalog

FOLDER = Path(__file__).parents[2] / ".." / "shared" / "real-traffic" / "ruby-openai"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no recordings of the real API in {FOLDER}")
Start = Callable[..., Awaitable[TestClient[Any, Any]]]
HEADERS = {"Authorization": "Bearer sk-test", "OpenAI-Beta": "assistants=v2", "Content-Type": "application/json"}
#: Made anew on the way, or not told by an emulator.
TRANSPORT = {
    *("date", "transfer-encoding", "connection", "content-length", "server", "alt-svc", "strict-transport-security"),
    *("cf-ray", "cf-cache-status", "set-cookie", "openai-organization", "x-content-type-options"),
}


def interactions() -> Iterator[Any]:
    """The recorded exchanges on threads and messages, without objects of the first version (they have `file_ids`)."""
    for path in sorted([*FOLDER.glob("messages_*.yml"), *FOLDER.glob("threads_*.yml")]):
        for number, one in enumerate(yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)["http_interactions"]):
            beta = {name.lower(): value for name, value in one["request"]["headers"].items()}.get("openai-beta")
            thread_of_old = '"object": "thread",' in one["response"]["body"]["string"] and (
                "tool_resources" not in one["response"]["body"]["string"]
            )
            old = '"file_ids": [],' in one["response"]["body"]["string"] or thread_of_old
            if beta == ["assistants=v2"] and not old:
                yield pytest.param(one, id=f"{path.stem}-{number}")


def shape(value: Any) -> Any:
    """A value with its scalars replaced by their types, the order of keys kept."""
    if isinstance(value, dict):
        return [(key, shape(inner)) for key, inner in value.items()]
    return [shape(inner) for inner in value] if isinstance(value, list) else type(value).__name__


@pytest.mark.parametrize("one", list(interactions()))
async def test_answer_has_the_shape_of_the_real_one(aiohttp_client: Start, one: dict[str, Any]) -> None:
    """The same request, put to a thread and a message of the emulator's, is answered alike; an error to the byte."""
    client = await aiohttp_client(create_app())
    target, method = urlsplit(one["request"]["uri"]), one["request"]["method"].upper()
    resolved = catalog().resolve(method, target.path)
    assert resolved is not None
    path = await own_path(client, resolved.operation.template, list(resolved.params))
    body = one["request"]["body"]["string"] or None
    real, text = one["response"], one["response"]["body"]["string"]
    response = await client.request(method, f"{path}?{target.query}", data=body, headers=HEADERS)
    mine = await response.text()
    assert response.status == real["status"]["code"]
    assert {name.lower() for name in real["headers"]} - TRANSPORT <= {name.lower() for name in response.headers}
    assert response.headers["Content-Type"] == real["headers"]["Content-Type"][0]
    assert shape(orjson.loads(mine)) == shape(orjson.loads(text))
    if response.status != 200:
        assert mine == text
    if resolved.operation.id in ("createThread", "createMessage", "listMessages"):
        assert len(mine.splitlines()) == len(text.splitlines())


async def own_path(client: TestClient[Any, Any], template: str, params: list[str]) -> str:
    """The path of an operation for objects made just now; a list gets a thread without messages."""
    ids = {}
    if "thread_id" in params:
        thread = orjson.loads(await (await client.post("/v1/threads", headers=HEADERS, data="{}")).read())
        ids["thread_id"] = thread["id"]
    if "message_id" in params:
        url = f"/v1/threads/{thread['id']}/messages"
        made = await client.post(url, headers=HEADERS, data='{"role": "user", "content": "Hello"}')
        ids["message_id"] = orjson.loads(await made.read())["id"]
    return "/v1" + template.format(**ids)
