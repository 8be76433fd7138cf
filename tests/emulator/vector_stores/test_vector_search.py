"""File search: a lexical ranking of chunks, filtered by attributes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import AsyncOpenAI

from replayproxy.emulator.brain.default import DefaultBrain
from replayproxy.emulator.families import KINDS
from replayproxy.emulator.files.files import add_file
from replayproxy.emulator.state import EmulatorSettings, State
from replayproxy.emulator.vector_stores.filters import matches
from replayproxy.emulator.vector_stores.ranking import rewritten, scores, words
from replayproxy.emulator.vector_stores.search import search
from replayproxy.emulator.vector_stores.vector_stores import add_store
from tests.strict_clients import strict_client

TEXTS = {
    "refunds.md": "# Refunds\nA refund is granted within 30 days of the purchase.",
    "shipping.txt": "Parcels are shipped to Zürich and the rest of Europe in two weeks.",
    "penguins.html": "<h1>Penguins</h1><p>Penguins live in <b>Antarctica</b>, and eat fish.</p>",
    "prices.csv": "item,price\nfish,3\nparcel,5\n",
}


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    """A client that takes nothing wrong."""
    async with strict_client() as started:
        yield started


@pytest.fixture
async def store(client: AsyncOpenAI) -> str:
    """A store of the texts above, each with its place and its ending as attributes."""
    made = await client.vector_stores.create()
    for place, (name, text) in enumerate(TEXTS.items()):
        file = await client.files.create(file=(name, text.encode()), purpose="assistants")
        attributes: dict[str, str | float | bool] = {"place": place, "kind": name.partition(".")[2]}
        await client.vector_stores.files.create(made.id, file_id=file.id, attributes=attributes)
    return made.id


async def names(client: AsyncOpenAI, store: str, query: Any, **more: Any) -> list[str]:
    """The names of the files that are found."""
    return [each.filename async for each in client.vector_stores.search(store, query=query, **more)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("What is the policy for refunds?", ["refunds.md"]),
        ("zurich", ["shipping.txt"]),
        ("SHIPPING parcels", ["shipping.txt", "prices.csv"]),
        ("fish", ["prices.csv", "penguins.html"]),
        (["antarctica", "refund"], ["refunds.md", "penguins.html"]),
        ("quantum", []),
        ("", []),
    ],
)
async def test_best_answer_comes_first(client: AsyncOpenAI, store: str, query: Any, found: list[str]) -> None:
    """By folded words, of any of the queries; what has none of them is not found."""
    assert await names(client, store, query) == found


async def test_results_are_told_as_the_api_does(client: AsyncOpenAI, store: str) -> None:
    """With text, attributes and a score between 0 and 1."""
    page = await client.vector_stores.search(store, query="When do I get a refund?", rewrite_query=True)
    assert page.to_dict()["search_query"] == ["get refund"]
    (found,) = page.data
    assert 0 < found.score < 1
    assert found.attributes == {"place": 0, "kind": "md"}
    assert [part.text for part in found.content] == [TEXTS["refunds.md"]]


async def test_results_are_limited(client: AsyncOpenAI, store: str) -> None:
    """In number, by score, and by the attributes of the files."""
    assert await names(client, store, "fish", max_num_results=1) == ["prices.csv"]
    assert await names(client, store, "fish", ranking_options={"score_threshold": 0.99}) == []
    assert await names(client, store, "fish", filters={"type": "eq", "key": "kind", "value": "html"}) == [
        "penguins.html"
    ]


LIKE: Any = {"n": 3, "s": "b", "t": True}


@pytest.mark.parametrize(
    ("kind", "key", "value", "passes"),
    [
        ("eq", "n", 3.0, True),
        ("eq", "t", 1, False),
        ("eq", "x", "b", False),
        ("ne", "s", "a", True),
        ("ne", "x", "a", True),
        ("gt", "n", 2, True),
        ("gt", "n", 3, False),
        ("gte", "n", 3, True),
        ("lt", "s", "c", True),
        ("lt", "s", 5, False),
        ("lt", "x", 5, False),
        ("lte", "n", 2, False),
        ("in", "s", ["a", "b"], True),
        ("in", "n", ["3"], False),
        ("nin", "s", ["a", "b"], False),
        ("nin", "x", ["a"], True),
        ("in", "s", "b", True),
    ],
)
def test_comparisons(kind: str, key: str, value: Any, passes: bool) -> None:
    """Values of different kinds are unlike, and none is greater."""
    assert matches(LIKE, {"type": kind, "key": key, "value": value}) is passes


YES, NO = ({"type": kind, "key": "n", "value": 3} for kind in ("eq", "ne"))


@pytest.mark.parametrize(
    ("kind", "filters", "passes"),
    [
        ("and", [YES, YES], True),
        ("and", [YES, NO], False),
        ("or", [NO, YES], True),
        ("or", [NO, NO], False),
        ("and", [YES, {"type": "or", "filters": [NO, YES]}], True),
    ],
)
def test_comparisons_are_joined(kind: str, filters: list[Any], passes: bool) -> None:
    """Also within each other, however deep."""
    assert matches(LIKE, {"type": kind, "filters": filters}) is passes
    assert matches(None, None)
    deep: Any = YES
    for _ in range(400):
        deep = {"type": "and", "filters": [deep]}
    assert matches(LIKE, deep)


def test_search_is_at_hand_for_other_families() -> None:
    """Over several stores, each chunk once; stores that are not there are passed over."""
    state = State(EmulatorSettings(), KINDS, DefaultBrain())
    files = [add_file(state, name, text.encode(), "assistants").id for name, text in TEXTS.items()]
    both, one = add_store(state, {"file_ids": [*files, "file-none"]}), add_store(state, {"file_ids": files[:1]})
    found = search(state, [both.id, "vs_none", one.id], "fish refund", limit=3)
    assert [each.filename for each in found] == ["refunds.md", "prices.csv", "penguins.html"]
    assert (found[0].file_id, found[0].text, found[0].start) == (files[0], TEXTS["refunds.md"], 0)
    assert found == search(state, [both.id, one.id], ["fish refund"], limit=3)
    assert search(state, [both.id], "fish", threshold=0.9) == []
    assert search(state, [], "fish") == []


def test_words_are_folded() -> None:
    """Without case, accents, and the commonest endings; scripts without blanks by their characters."""
    assert words("Cities' CAFÉS, running tests") == ["city", "cafe", "runn", "test"]
    assert words("東京 tower is glass") == ["東", "京", "tower", "is", "glass"]
    assert rewritten("What is the price?") == "price"
    assert rewritten("who are you") == "who are you"
    assert scores("the", ["the cat", "a dog"])[0] > 0


@given(st.text(max_size=40), st.lists(st.text(max_size=80), max_size=5))
def test_scores_are_shares(query: str, texts: list[str]) -> None:
    """One for each text, from 0 to below 1, the same each time."""
    found = scores(query, texts)
    assert len(found) == len(texts)
    assert all(0 <= each < 1 for each in found)
    assert found == scores(query, texts)
