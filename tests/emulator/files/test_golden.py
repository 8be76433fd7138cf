"""Files, vector stores, batches and fine-tuning beside recordings of the real API.

`as_today` holds all differences that are left, each with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
import yaml
from aiohttp import FormData
from aiohttp.test_utils import TestClient

from replayproxy.emulator.app import create_app
from replayproxy.openai_api import catalog

FOLDER = Path(__file__).parents[3] / ".." / "shared" / "real-traffic" / "ruby-openai"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no recordings of the real API in {FOLDER}")
Client = TestClient[Any, Any]
Start = Callable[..., Awaitable[Client]]
HEADERS = {"Authorization": "Bearer sk-test", "OpenAI-Beta": "assistants=v2"}
JSON = {**HEADERS, "Content-Type": "application/json"}
TRANSPORT = {
    *("date", "transfer-encoding", "connection", "content-length", "server", "alt-svc", "strict-transport-security"),
    *("cf-ray", "cf-cache-status", "set-cookie", "openai-organization", "x-content-type-options", "openai-project"),
    # Another edge of the API sends these; they tell nothing of the answer.
    *("x-request-id", "via", "x-envoy-upstream-service-time", "x-openai-proxy-wasm", "content-encoding", "vary"),
    *("openai-version", "openai-processing-ms", "access-control-expose-headers"),
}
#: Made by hand, with objects that the API does not have, and a fault of the server's.
ODD = {"vector_stores_search", "vector_stores_search_setup"}


class _Loader(yaml.CSafeLoader):
    """Reads the recordings' own tag for bytes."""


_Loader.add_constructor("!binary", lambda _loader, node: __import__("base64").b64decode(node.value))


def interactions() -> Iterator[Any]:
    """The recorded exchanges of these families."""
    for family in ("files", "vector_store", "batches", "finetunes"):
        for path in sorted(FOLDER.glob(f"{family}*.yml")):
            for number, one in enumerate(yaml.load(path.read_text("utf-8"), _Loader)["http_interactions"]):
                if path.stem not in ODD and one["response"]["status"]["code"] < 500:
                    yield pytest.param(one, id=f"{path.stem}-{number}")


def shape(value: Any) -> Any:
    """A value with its scalars replaced by their types, the order of keys kept; of a list the first item."""
    if isinstance(value, dict):
        return [(key, shape(inner)) for key, inner in value.items()]
    return [shape(inner) for inner in value[:1]] if isinstance(value, list) else type(value).__name__


def as_today(value: Any) -> Any:
    """A recorded answer as the API would give it now, and as its own client can read it."""
    if isinstance(value, list):
        return [as_today(each) for each in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("object")
    if kind == "file" and "filename" in value:  # recordings from before March 2025 do not know it
        status = {key: value.pop(key) for key in ("status", "status_details")}
        value.setdefault("expires_at", None)
        value |= status
    if kind == "vector_store.file":  # fields of 2024 and 2025; lists of batches left one of the older out
        value = {"id": value["id"], "object": kind, "usage_bytes": 0} | value
        value |= {"chunking_strategy": STRATEGY, "attributes": {}}
    if kind == "vector_store":  # the client's type knows no null for it
        value["name"] = value["name"] or ""
    if kind == "fine_tuning.job":
        return _job_today(value)
    return {key: as_today(inner) for key, inner in value.items()}


LINE = b'{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "gpt-4o"}}'
STRATEGY = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}
HYPER = dict.fromkeys(("n_epochs", "batch_size", "learning_rate_multiplier"), "auto")


def _job_today(job: Any) -> Any:
    """The error of a job without one is `{}` in the real one, which its description and its client do not know."""
    newer: Any = {"user_provided_suffix": None, "seed": 1, "estimated_finish": None, "integrations": []}
    method = {"method": {"type": "supervised", "supervised": {"hyperparameters": HYPER}}, "metadata": None}
    return job | {"error": None} | {key: job.get(key, value) for key, value in newer.items()} | method


@pytest.mark.parametrize("one", list(interactions()))
async def test_answer_has_the_shape_of_the_real_one(aiohttp_client: Start, one: dict[str, Any]) -> None:
    """The same request, put to the emulator's own objects, is answered alike; an error to the byte."""
    client = await aiohttp_client(create_app())
    request, real = one["request"], one["response"]
    target, method = urlsplit(request["uri"]), request["method"].upper()
    resolved = catalog().resolve(method, target.path)
    assert resolved is not None
    own = await made(client, resolved.operation.id)
    params = {name: own.get(name, value) for name, value in resolved.params.items()}
    if real["status"]["code"] == 404:
        params = dict(resolved.params)
    url = "/v1" + resolved.operation.template.format(**params)
    query = re.sub("batch_[0-9a-f]+", own.get("batch_id", ""), target.query)
    response = await client.request(method, f"{url}?{query}", **sent(request, own))
    mine, text = await response.read(), real["body"]["string"]
    assert response.status == real["status"]["code"], mine
    assert {name.lower() for name in real["headers"]} - TRANSPORT <= {name.lower() for name in response.headers}
    assert response.headers["Content-Type"] == real["headers"]["Content-Type"][0]
    if response.headers["Content-Type"] != "application/json":
        return
    if response.status != 200:
        assert mine.decode() == text
        return
    answer, recorded = orjson.loads(mine), as_today(orjson.loads(text))
    if resolved.operation.id == "retrieveBatch":  # it moves on when it is looked at, and not by itself
        recorded["in_progress_at"] = recorded["created_at"]
    if resolved.operation.id == "listPaginatedFineTuningJobs":  # the recorded ones are done, and those two are not
        for each in (answer, recorded):
            each["data"] = [list(job) for job in each["data"]][:1]
    assert shape(answer) == shape(recorded)


def sent(request: Any, own: dict[str, str]) -> dict[str, Any]:
    """The recorded body, with the emulator's ids in the place of the recorded ones."""
    body = request["body"]["string"] or None
    content_type = request["headers"].get("Content-Type", ["application/json"])[0]
    if content_type.startswith("multipart"):
        raw = body if isinstance(body, bytes) else str(body).encode().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        return {"data": raw, "headers": {**HEADERS, "Content-Type": content_type}}
    if body:
        body = re.sub(r"file-\w+", own.get("file_id", ""), body)
    return {"data": body, "headers": JSON}


async def made(client: Client, operation: str) -> dict[str, str]:
    """Things for an operation to work on, by the names of its parameters."""

    async def post(path: str, body: Any) -> str:
        response = await client.post(f"/v1{path}", data=orjson.dumps(body), headers=JSON)
        return str(orjson.loads(await response.read())["id"])

    form = FormData({"purpose": "batch" if "atch" in operation else "vision"})
    form.add_field("file", LINE, filename="a.jsonl")
    answer = await client.post("/v1/files", data=form, headers=HEADERS)
    own = {"file_id": orjson.loads(await answer.read())["id"]}
    if "VectorStore" in operation:
        own["vector_store_id"] = store = await post("/vector_stores", {})
        if operation not in ("createVectorStoreFile", "createVectorStoreFileBatch", "createVectorStore"):
            files = {"file_ids": [own["file_id"]]}
            own["batch_id"] = batch = await post(f"/vector_stores/{store}/file_batches", files)
            await client.get(f"/v1/vector_stores/{store}/file_batches/{batch}", headers=HEADERS)
    elif "Batch" in operation and operation != "createBatch":
        body = {"input_file_id": own["file_id"], "endpoint": "/v1/chat/completions", "completion_window": "24h"}
        await post("/batches", body)
        own["batch_id"] = await post("/batches", body)
    elif operation == "listPaginatedFineTuningJobs":
        await post("/fine_tuning/jobs", {"training_file": own["file_id"], "model": "gpt-4o"})
    return own
