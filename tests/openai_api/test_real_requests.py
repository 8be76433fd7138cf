"""Requests that the real API has answered, from recordings of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
import yaml

from replayproxy.core.messages import Headers, Request
from replayproxy.core.validation import problems
from replayproxy.openai_api import catalog
from replayproxy.openai_api.models.messages import MessageObject
from replayproxy.openai_api.models.threads import ThreadObject

FOLDER = Path(__file__).parents[2] / ".." / "shared" / "real-traffic" / "ruby-openai"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no recordings of the real API in {FOLDER}")
OBJECTS = {"thread": ThreadObject, "thread.message": MessageObject}


def interactions() -> Iterator[tuple[str, Request, int, str]]:
    """Name, request, status and answer of each recorded call to the second version of the Assistants API."""
    for path in sorted(FOLDER.glob("[amrt]*.yml")):  # assistants, messages, runs and steps, threads
        text = path.read_text("utf-8")
        if "assistants=v2" not in text:
            continue
        for number, one in enumerate(yaml.load(text, Loader=yaml.CSafeLoader)["http_interactions"]):
            asked: dict[str, Any] = one["request"]
            url = urlsplit(asked["uri"])
            headers = Headers(tuple((name, value) for name, values in asked["headers"].items() for value in values))
            target = f"{url.path}?{url.query}" if url.query else url.path
            request = Request(asked["method"].upper(), target, headers, asked["body"]["string"].encode())
            if headers.get("openai-beta") == "assistants=v2":
                yield (
                    f"{path.stem}-{number}",
                    request,
                    one["response"]["status"]["code"],
                    one["response"]["body"]["string"],
                )


REAL = list(interactions()) if FOLDER.is_dir() else []


@pytest.mark.parametrize(("request_", "status", "answer"), [pytest.param(*row[1:], id=row[0]) for row in REAL])
def test_what_the_api_took_is_taken(request_: Request, status: int, answer: str) -> None:
    """A request that was answered has no problem, one that had a problem of type has the same here."""
    resolved = catalog().resolve(request_.method, request_.path)
    assert resolved is not None
    told = problems(request_, resolved)
    if status == 200:
        assert told == ()
    elif resolved.operation.check and status == 400:
        assert [problem.message for problem in told] == [orjson.loads(answer)["error"]["message"]]


@pytest.mark.parametrize("answer", [pytest.param(row[3], id=row[0]) for row in REAL if row[2] == 200])
def test_real_objects_have_the_shape_of_their_models(answer: str) -> None:
    """Threads and messages as they were answered are what the models say."""
    if answer.startswith("{"):
        body = orjson.loads(answer)
        model = OBJECTS.get(body["object"])
        assert model is None or model.model_validate(body)
