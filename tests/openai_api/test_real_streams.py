"""Event streams of the real API, from recordings of it, checked by the catalog that ships."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from replayproxy.core.answer_checks import answer_check
from replayproxy.core.messages import Headers
from replayproxy.core.stream_checks import StreamCheck
from replayproxy.openai_api import catalog

FOLDER = Path(__file__).parents[2] / ".." / "shared" / "real-traffic" / "ruby-openai"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no recordings of the real API in {FOLDER}")


class Loader(yaml.CSafeLoader):
    """Reads what the recorder of these files writes."""


def read_binary(loader: Loader, node: yaml.ScalarNode) -> bytes:
    """A body that is no text."""
    return loader.construct_yaml_binary(node)


Loader.add_constructor("!binary", read_binary)


def streams() -> Iterator[tuple[str, str, str, Headers, bytes]]:
    """Name, method, path, head and body of each recorded event stream."""
    for path in sorted(FOLDER.glob("*.yml")):
        text = path.read_text("utf-8")
        if "text/event-stream" not in text:
            continue
        for number, one in enumerate(yaml.load(text, Loader=Loader)["http_interactions"]):
            asked: dict[str, Any] = one["request"]
            answered: dict[str, Any] = one["response"]
            pairs = ((name, value) for name, values in answered["headers"].items() for value in values)
            headers, body = Headers(tuple(pairs)), answered.get("body", {}).get("string", "")
            if (headers.get("content-type") or "").startswith("text/event-stream"):
                target = urlsplit(asked["uri"]).path.removeprefix("/openai")  # where one of these hosts has the API
                body = body if isinstance(body, bytes) else body.encode()
                yield f"{path.stem}-{number}", asked["method"].upper(), target, headers, body


STREAMS = list(streams()) if FOLDER.is_dir() else []


@pytest.mark.parametrize("piece", [7, 1 << 20])
@pytest.mark.parametrize(
    ("method", "target", "headers", "body"), [pytest.param(*row[1:], id=row[0]) for row in STREAMS]
)
def test_a_real_stream_has_no_problems(method: str, target: str, headers: Headers, body: bytes, piece: int) -> None:
    """Names, data, order and end of what the API sent are what the catalog says, however it arrived."""
    resolved = catalog().resolve(method, target)
    assert resolved is not None
    check = answer_check(resolved.operation, 200, headers)
    assert isinstance(check, StreamCheck)
    for start in range(0, len(body), piece):
        check.feed(body[start : start + piece])
    assert [problem.message for problem in check.finish()] == []


def test_there_are_recordings_of_each_kind() -> None:
    """Chat, Responses and the Assistants: streams without names, named by their data, named by the event line."""
    kinds = {row[2].rpartition("/")[2] for row in STREAMS}
    assert kinds == {"completions", "responses", "runs"}
