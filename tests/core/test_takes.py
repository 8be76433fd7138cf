"""What of an earlier take is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from replayproxy.core.cassette import Head, Interaction, exchange_key
from replayproxy.core.codec import encode, renumber
from replayproxy.core.messages import Request, Response
from replayproxy.core.takes import EarlierTake, same_head


def exchange(target: str, recorded: str = "") -> Interaction:
    """An interaction with its document."""
    interaction = Interaction(Request("GET", target), Response(200), recorded=recorded)
    return replace(interaction, text=encode(interaction, 1).text)


A, A_LATER, B, C = exchange("/a"), exchange("/a", "later"), exchange("/b"), exchange("/c")
KEYS = {name: exchange_key(each) for name, each in (("a", A), ("b", B), ("c", C))}


def test_the_place_decides_between_equal_exchanges_then_the_order() -> None:
    """Each document is given out once, under its new number."""
    take = EarlierTake([A, B, A_LATER])
    assert take.take(KEYS["a"], 3) == renumber(A_LATER.text, 3)
    assert take.take(KEYS["a"], 2) == renumber(A.text, 2)
    assert take.take(KEYS["a"], 1) is None
    assert take.take(KEYS["c"], 1) is None


def test_a_whole_take_is_rearranged_by_place_first() -> None:
    """What stands where it stood keeps its document; new exchanges have their own text, renumbered."""
    take = EarlierTake([B, A, A_LATER])
    texts = [A.text, A.text, C.text, A.text]
    assert take.rearranged([KEYS["a"], KEYS["a"], KEYS["c"], KEYS["a"]], texts) == [
        renumber(A_LATER.text, 1),
        renumber(A.text, 2),
        renumber(C.text, 3),
        renumber(A.text, 4),
    ]


def test_the_same_take_is_recognised() -> None:
    """By all of its documents, in their order."""
    take = EarlierTake([A, B])
    assert take.is_same(take.rearranged([KEYS["a"], KEYS["b"]], ["", ""]))
    assert not take.is_same([A.text])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Head("https://a", "then", "replayproxy 1"), Head("https://a", "now", "replayproxy 2"), True),
        (Head("http://127.0.0.1:8080/v1"), Head("http://127.0.0.1:9000/v1"), True),
        (Head("http://localhost:1"), Head("http://localhost"), True),
        (Head("http://[::1]:1"), Head("http://[::1]:2"), True),
        (Head("http://127.0.0.1:1/v1"), Head("http://127.0.0.1:1/v2"), False),
        (Head("https://a:1"), Head("https://a:2"), False),
        (Head("https://a:x"), Head("https://a:y"), False),
        (Head("https://a"), Head("https://a", redaction="x"), False),
    ],
)
def test_heads_are_alike_but_for_volatile_facts(one: Head, other: Head, same: bool) -> None:
    """When, by what and on which loopback port do not count."""
    assert same_head(one, other) is same
