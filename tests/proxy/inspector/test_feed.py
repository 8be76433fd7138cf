"""The feed: what was, what is, and what fits a filter."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.proxies import proxied
from tests.proxy.inspector.test_exchanges import CHAT, ask, events


async def first(feed: aiohttp.ClientResponse, name: str) -> Any:
    """The next event of that name."""
    async for found, value in events(feed):
        if found == name:
            return value
    raise AssertionError(f"the feed ended without {name}")


async def until_caught_up(feed: aiohttp.ClientResponse) -> list[dict[str, Any]]:
    """The exchanges that were there already, as they are told: the newest first."""
    told = list[dict[str, Any]]()
    async for name, value in events(feed):
        if name == "caught_up":
            assert value["matched"] == len(told)
            return told
        told += value["exchanges"]
    raise AssertionError("the feed ended")


@pytest.mark.parametrize("workers", [1, 2])
async def test_the_past_comes_first_and_then_what_happens(tmp_path: Path, workers: int) -> None:
    """Whoever opens it later misses nothing, with one process and with several."""
    async with proxied(tmp_path / "c.yaml", workers=workers) as proxy, aiohttp.ClientSession() as http:
        for _ in range(3):
            await ask(http, f"{proxy.url}/v1/models")
        async with http.get(f"{proxy.admin_url}/feed") as feed:
            assert feed.content_type == "text/event-stream"
            assert [each["number"] for each in await until_caught_up(feed)] == [3, 2, 1]
            asking = asyncio.create_task(ask(http, f"{proxy.url}/v1/chat/completions", CHAT))
            told = await first(feed, "exchanges")
            assert told["exchanges"][0]["operation"] == "createChatCompletion"
            await asking


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", [3, 2, 1]),
        ("family:chat", [2]),
        ("status:4xx", [3]),
        ("-status:4xx method:GET", [1]),
        ("Hello", [2]),
        ('body~"goodbye"', []),
    ],
    ids=["all", "family", "status", "both", "full text", "nothing"],
)
async def test_a_filter_chooses(tmp_path: Path, text: str, numbers: list[int]) -> None:
    """Only what fits is told, bodies included."""
    async with proxied(tmp_path / "c.yaml") as proxy, aiohttp.ClientSession() as http:
        await ask(http, f"{proxy.url}/v1/models")
        await ask(http, f"{proxy.url}/v1/chat/completions", CHAT)
        await ask(http, f"{proxy.url}/v1/models/nothing-like-that")
        async with http.get(f"{proxy.admin_url}/feed", params={"filter": text}) as feed:
            assert [each["number"] for each in await until_caught_up(feed)] == numbers


async def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    """A key that is none, and a limit that is none, with what to write."""
    async with proxied(tmp_path / "c.yaml") as proxy, aiohttp.ClientSession() as http:
        for query, field in (("filter=famly:runs", "filter"), ("limit=-1", "limit"), ("limit=100000", "limit")):
            status, text = await ask(http, f"{proxy.admin_url}/feed?{query}")
            error = json.loads(text)["error"]
            assert (status, error["code"], error["problems"][0]["field"]) == (400, "invalid", field)


async def test_it_tells_what_the_journal_dropped(tmp_path: Path) -> None:
    """A journal with little room: through which number it holds nothing any more."""
    from replayproxy.config.settings import LimitSettings

    limits = LimitSettings(journal=20_000)
    async with (
        proxied(tmp_path / "c.yaml", mode="passthrough", limits=limits) as proxy,
        aiohttp.ClientSession() as http,
        http.get(f"{proxy.admin_url}/feed") as feed,
    ):
        await until_caught_up(feed)
        for _ in range(20):
            await ask(http, f"{proxy.url}/v1/models")
        gone = await first(feed, "gone")
        assert 0 < gone["through"] < 20
        status, text = await ask(http, f"{proxy.admin_url}/exchanges/1")
        assert (status, json.loads(text)["error"]["code"]) == (404, "no_exchange")


async def test_the_filter_keys_can_be_asked_for(tmp_path: Path) -> None:
    """For whoever completes what is typed: each key with its meaning and an example that can be read."""
    from replayproxy.core.filters import parse_filter

    async with proxied(tmp_path / "c.yaml") as proxy, aiohttp.ClientSession() as http:
        keys = json.loads((await ask(http, f"{proxy.admin_url}/filters"))[1])["keys"]
        assert {"family", "status", "outcome", "body"} <= {each["key"] for each in keys}
        for each in keys:
            parse_filter(each["example"])


async def test_the_proxy_waits_for_no_watcher(tmp_path: Path) -> None:
    """When it stops, an open feed ends."""
    async with aiohttp.ClientSession() as http:
        async with proxied(tmp_path / "c.yaml") as proxy:
            feed = await http.get(f"{proxy.admin_url}/feed")
            await until_caught_up(feed)
        assert [name async for name, _ in events(feed)] == []
