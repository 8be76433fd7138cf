"""Any two messages side by side, over the admin API."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
import yaml

from replayproxy.config.match_kinds import match_rules
from replayproxy.proxy.app import Proxy
from tests.proxies import proxied

_CHAT: dict[str, Any] = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}


async def _ask(http: aiohttp.ClientSession, proxy: Proxy, **more: Any) -> None:
    async with http.post(f"{proxy.url}/v1/chat/completions", json=_CHAT | more) as answer:
        await answer.read()


async def _diff(http: aiohttp.ClientSession, proxy: Proxy, left: str, right: str) -> tuple[int, Any]:
    async with http.get(f"{proxy.admin_url}/diff?left={quote(left)}&right={quote(right)}") as answer:
        return answer.status, await answer.json()


async def test_exchanges_and_interactions_are_compared_in_any_combination(tmp_path: Path) -> None:
    """What differs is told by path, both sides as JSON text, and what differs each time says so."""
    async with (
        proxied(tmp_path / "c.yaml", mode="auto") as proxy,
        aiohttp.ClientSession(headers={"authorization": "Bearer any"}) as http,
    ):
        await _ask(http, proxy, seed=1)
        await _ask(http, proxy, seed=2)
        for left, right in (("exchange:1", "exchange:2"), ("c.yaml#1", "exchange:2"), ("c.yaml#1", "c.yaml#2")):
            status, found = await _diff(http, proxy, left, right)
            assert status == 200
            assert found["request"] == [{"path": "body.seed", "left": "1", "right": "2", "counted": True}]
            assert {"path": "body.id", "volatile": False} in [
                {"path": each["path"], "volatile": each["volatile"]} for each in found["response"]
            ]
            assert all(each["volatile"] for each in found["response"] if each["path"] == "header.x-request-id")
            assert (found["left"]["ref"], found["right"]["ref"]) == (left, right)
            assert (found["left"]["method"], found["left"]["status"], found["more"]) == ("POST", 200, False)
            assert len(match_rules(yaml.safe_load(found["rule"])["match"], "test").rules) == 1


async def test_the_same_message_does_not_differ(tmp_path: Path) -> None:
    """There is nothing to tell, and no rule."""
    async with (
        proxied(tmp_path / "c.yaml", mode="auto") as proxy,
        aiohttp.ClientSession(headers={"authorization": "Bearer any"}) as http,
    ):
        await _ask(http, proxy)
        _, found = await _diff(http, proxy, "exchange:1", "c.yaml#1")
        assert (found["request"], found["rule"]) == ([], None)
        assert [each for each in found["response"] if not each["volatile"]] == []


async def test_no_rule_brings_different_paths_together(tmp_path: Path) -> None:
    """`rule` is null then."""
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, aiohttp.ClientSession() as http:
        for path in ("/v1/models", "/v1/files"):
            async with http.get(proxy.url + path) as answer:
                assert answer.status == 424
        _, found = await _diff(http, proxy, "exchange:1", "exchange:2")
        assert [each["path"] for each in found["request"]] == ["path"]
        assert found["rule"] is None


async def test_a_session_is_named_where_it_is_not_the_default_one(tmp_path: Path) -> None:
    """Exchanges of several sessions look alike otherwise."""
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, aiohttp.ClientSession() as http:
        for prefix in ("", "/@other"):
            async with http.get(f"{proxy.url}{prefix}/v1/models") as answer:
                assert answer.status == 424
        _, found = await _diff(http, proxy, "exchange:1", "exchange:2")
        assert [found[side]["title"] for side in ("left", "right")] == ["Exchange 1", "Exchange 2 (other)"]


@pytest.mark.parametrize(
    ("left", "right", "status"),
    [
        pytest.param("", "exchange:1", 400, id="none"),
        pytest.param("exchange:x", "exchange:1", 400, id="no number"),
        pytest.param("exchange:1", "c.yaml#0", 400, id="no interaction"),
        pytest.param("exchange:1", "c.yaml", 400, id="no number behind a path"),
        pytest.param("exchange:99", "exchange:1", 404, id="no such exchange"),
        pytest.param("../c.yaml#1", "exchange:1", 404, id="no exchange, and a path that leads out"),
        pytest.param("exchange:1", "c.yaml#1", 404, id="no such cassette"),
    ],
)
async def test_what_cannot_be_compared_is_refused(tmp_path: Path, left: str, right: str, status: int) -> None:
    """By status, and with the parameter where it is no name at all."""
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, aiohttp.ClientSession() as http:
        found, body = await _diff(http, proxy, left, right)
        assert found in (status, 400)
        if status == 400:
            assert {each["field"] for each in body["error"]["problems"]} <= {"left", "right"}
