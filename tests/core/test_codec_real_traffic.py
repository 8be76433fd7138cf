"""The codec on what the real API answered, as others have recorded it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from replayproxy.core.cassette import Cassette, Head, Interaction
from replayproxy.core.codec import decode, encode, encode_head
from replayproxy.core.media_types import media_type
from replayproxy.core.messages import Headers, Request, Response

RECORDINGS = Path(__file__).parents[2] / ".." / "shared" / "real-traffic" / "ruby-openai"
FILES = sorted(RECORDINGS.glob("*.yml"))


class _RubyLoader(yaml.SafeLoader):
    """Ruby marks bytes with a tag of its own."""


_RubyLoader.add_constructor("!binary", lambda loader, node: base64.b64decode(node.value))


def _bytes(body: Any) -> bytes:
    text = body.get("string", "")
    return text if isinstance(text, bytes) else text.encode()


def _headers(headers: dict[str, list[str]]) -> Headers:
    return Headers(tuple((name, value) for name, values in headers.items() for value in values))


def _interaction(recorded: Any) -> Interaction:
    asked, answered = recorded["request"], recorded["response"]
    target = "/" + asked["uri"].partition("://")[2].partition("/")[2].replace(" ", "%20")
    return Interaction(
        Request(asked["method"].upper(), target, _headers(asked["headers"]), _bytes(asked.get("body", {}))),
        Response(
            answered["status"]["code"],
            answered["status"]["message"] or "",
            _headers(answered["headers"]),
            _bytes(answered.get("body", {})),
        ),
    )


@pytest.mark.skipif(not FILES, reason="the recordings of real traffic are not here")
def test_real_traffic_survives_and_is_readable() -> None:
    """Every recorded exchange comes back byte for byte; what says it is JSON stands in the file as JSON."""
    json_bodies = 0
    for file in FILES:
        recorded = yaml.load(file.read_text("utf-8"), Loader=_RubyLoader)["http_interactions"]
        interactions = tuple(map(_interaction, recorded))
        encoded = [encode(each, number, 2**24) for number, each in enumerate(interactions, 1)]
        text = encode_head(Head()) + "".join(each.text for each in encoded)
        assert not any(each.files for each in encoded)
        assert decode(text, lambda body: body) == Cassette(Head(), interactions)
        for interaction, each in zip(interactions, encoded, strict=True):
            response = interaction.response
            if media_type(response.headers).is_json and response.body:
                json_bodies += 1
                assert "    json:" in each.text.split("\nresponse:\n")[1], file.name
    assert json_bodies > 100
