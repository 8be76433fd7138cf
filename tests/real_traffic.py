"""Recordings of the real OpenAI API, made by VCR for the tests of ruby-openai; they lie beside this repository."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from replayproxy.core.messages import Headers, Request, Response

__all__ = ["NEEDS_RECORDINGS", "Recorded", "recordings"]

_FOLDER = Path(__file__).parents[1] / ".." / "shared" / "real-traffic" / "ruby-openai"
#: Marks tests that cannot run without the recordings.
NEEDS_RECORDINGS = pytest.mark.skipif(not _FOLDER.is_dir(), reason=f"no recordings of the real API in {_FOLDER}")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request to the real API, how it was answered, and the file and place where that is recorded."""

    name: str
    request: Request
    response: Response

    def __str__(self) -> str:
        return self.name

    @property
    def is_success(self) -> bool:
        """Whether the API did what it was asked to."""
        return 200 <= self.response.status < 300


class _Loader(yaml.CSafeLoader):
    """Reads what the recorder of these files writes."""


def _read_binary(loader: _Loader, node: yaml.ScalarNode) -> bytes:
    return loader.construct_yaml_binary(node)


_Loader.add_constructor("!binary", _read_binary)


def recordings() -> Iterator[Recorded]:
    """All of them, in the order of their files; none where there are none."""
    for path in sorted(_FOLDER.glob("*.yml")):
        held = yaml.load(path.read_text("utf-8"), Loader=_Loader)["http_interactions"]
        for number, one in enumerate(held):
            asked, answered = one["request"], one["response"]
            url = urlsplit(asked["uri"])
            if url.hostname == "api.openai.com":
                target = f"{url.path}?{url.query}" if url.query else url.path
                request = Request(asked["method"].upper(), target, _headers(asked), _body(asked))
                response = Response(answered["status"]["code"], "", _headers(answered), _body(answered))
                yield Recorded(f"{path.stem}-{number}", request, response)


def _headers(message: dict[str, Any]) -> Headers:
    return Headers(tuple((name, value) for name, values in message["headers"].items() for value in values))


def _body(message: dict[str, Any]) -> bytes:
    text: str | bytes = message.get("body", {}).get("string", "")
    return text if isinstance(text, bytes) else text.encode()
