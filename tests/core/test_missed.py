"""A miss as it is shown."""

from __future__ import annotations

import pytest

from replayproxy.core.cassette import Cassette
from replayproxy.core.decisions import Miss
from replayproxy.core.differences import ABSENT
from replayproxy.core.journal import Missed, NearMiss, ShownDifference
from replayproxy.core.matching import nearest
from replayproxy.core.messages import FileBody
from replayproxy.core.missed import DIFFERENCES_SHOWN, VALUE_SHOWN, json_text, missed
from tests.builders import interaction, request


def test_the_nearest_are_told_with_both_sides() -> None:
    """Which recording, where it stands, and each path with what was recorded and what came, as JSON."""
    recorded = interaction(request(body={"content": "How does AI work?", "n": 1}), line=17)
    asked = request(body={"content": "How do planes fly?"})
    cassette = Cassette(interactions=(recorded,))
    found = missed(Miss("no_match", asked, nearest(asked, cassette)), cassette.__getitem__)
    content = ShownDifference("body.content", '"How does AI work?"', '"How do planes fly?"')
    assert found == Missed("no_match", (NearMiss(1, 17, (content, ShownDifference("body.n", "1", None))),))


def test_many_differences_are_cut() -> None:
    """Nobody reads a thousand of them."""
    recorded, asked = interaction(request(body=list(range(1000)))), request(body=list(range(1000, 2000)))
    cassette = Cassette(interactions=(recorded,))
    found = missed(Miss("no_match", asked, nearest(asked, cassette)), cassette.__getitem__)
    assert len(found.near[0].differences) <= DIFFERENCES_SHOWN


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (ABSENT, None),
        (None, "null"),
        ("é\ud800", '"é\\udced\\udca0\\udc80"'),
        (b"\xff a", '"\\\\xff a"'),
        (("a", "b"), '["a", "b"]'),
        (FileBody("x.bin", 5, "d"), '{"name": "x.bin", "size": 5, "digest": "d"}'),
        (1 + 2j, '"(1+2j)"'),
    ],
    ids=["absent", "null", "surrogate", "bytes", "repeated", "file", "other"],
)
def test_values_are_told_as_json(value: object, told: str | None) -> None:
    """Whatever kind they are of, and always as text that can be sent."""
    found = json_text(value)
    assert found is None or found.encode()
    if value != "é\ud800":
        assert found == told


def test_a_long_value_is_cut_and_says_so() -> None:
    """Its beginning, and how long it is."""
    found = json_text("x" * 50_000)
    assert found is not None
    assert (len(found) < VALUE_SHOWN + 100, found.endswith("… (50002 characters)")) == (True, True)
