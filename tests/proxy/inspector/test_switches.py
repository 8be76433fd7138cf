"""Sessions are switched to other modes over the admin port."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from replayproxy.config import EmulatorSettings
from replayproxy.core.faults import FaultPlan, parse_faults
from replayproxy.proxy.app import Proxy
from replayproxy.proxy.inspector.switches import faults_json
from tests.proxies import admin_headers, documents, proxied
from tests.servers import answering, raw_upstream

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def asked(proxy: Proxy, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
    """What the admin API answers."""
    url, headers = f"{proxy.admin_url}{path}", admin_headers(proxy)
    async with (
        aiohttp.ClientSession() as client,
        client.request(method, url, **({"json": body, "headers": headers} | more)) as answer,
    ):
        return answer.status, await answer.json()


async def get(url: str) -> tuple[int, bytes]:
    """What a client gets."""
    async with aiohttp.ClientSession() as client, client.get(url, headers={"Authorization": "Bearer any"}) as answer:
        return answer.status, await answer.read()


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_session_records_then_plays_then_records_again(tmp_path: Path, workers: int) -> None:
    """However many processes serve it; what was under the old mode is in a receipt of its own."""
    async with (
        raw_upstream(answering(OK)) as upstream,
        proxied(tmp_path / "c.yaml", upstream.url, workers=workers) as proxy,
    ):
        base = proxy.base_url("s")
        assert [(await get(f"{base}/v1/{name}"))[0] for name in "ab"] == [200, 200]
        status, told = await asked(proxy, "PUT", "/sessions/s/mode", {"mode": "playback"})
        assert (status, told["mode"], told["counts"]["played"], told["counts"]["unplayed"]) == (200, "playback", 0, 2)
        assert [(await get(f"{base}/v1/{name}"))[0] for name in "aac"] == [200, 200, 424]
        _, shown = await asked(proxy, "GET", "/sessions/s")
        assert told.keys() == shown.keys()
        assert [shown["counts"][name] for name in ("played", "repeated", "missed", "unplayed")] == [1, 1, 1, 1]
        _, told = await asked(proxy, "PUT", "/sessions/s/mode", {"mode": "auto"})
        assert told["mode"] == "auto"
        assert [(await get(f"{base}/v1/{name}"))[0] for name in "ac"] == [200, 200]
    found = [(each.mode, each.saved, each.played) for name, each in proxy.sessions.receipts() if name == "s"]
    assert found == [("record", 2, 0), ("playback", 0, 1), ("auto", 1, 1)]
    recorded = [each["request"]["target"] for each in documents(tmp_path / "s.yaml")[1:]]
    assert recorded == ["/v1/a", "/v1/b", "/v1/c"]


@pytest.mark.parametrize("workers", [1, 2])
async def test_the_emulator_starts_when_playback_ends(tmp_path: Path, workers: int) -> None:
    """There was none before: nothing that plays has an upstream."""
    async with proxied(tmp_path / "c.yaml", mode="playback", workers=workers) as proxy:
        assert proxy.upstream == ""
        assert (await get(f"{proxy.url}/v1/models"))[0] == 424
        status, _ = await asked(proxy, "PUT", "/sessions/default/mode", {"mode": "auto"})
        assert status == 200
        assert (await get(f"{proxy.url}/v1/models"))[0] == 200


@pytest.mark.parametrize(
    ("body", "field", "told"),
    [
        (b"{", "", "not JSON"),
        (b'"playback"', "", 'expected {"mode"'),
        (b'{"mode": "auto", "speed": 1}', "", 'expected {"mode"'),
        (b'{"mode": null}', "mode", "expected one of playback, auto, record, passthrough"),
        (b'{"mode": "play"}', "mode", "playback, auto, record, passthrough; did you mean `playback`?"),
    ],
)
async def test_what_is_no_mode_is_told(tmp_path: Path, body: bytes, field: str, told: str) -> None:
    """With the modes there are; nothing happens."""
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
        status, answer = await asked(
            proxy, "PUT", "/sessions/default/mode", data=body, json=None, headers=admin_headers(proxy)
        )
        assert (status, answer["error"]["code"]) == (400, "invalid")
        assert answer["error"]["problems"][0]["field"] == field
        assert told in answer["error"]["problems"][0]["message"]


async def test_no_such_session_and_no_token(tmp_path: Path) -> None:
    """The nearest name is told; who shows no token changes nothing."""
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
        status, answer = await asked(proxy, "PUT", "/sessions/defalt/mode", {"mode": "auto"})
        assert (status, answer["error"]["code"]) == (404, "no_session")
        assert "did you mean `default`" in answer["error"]["message"]
        status, answer = await asked(proxy, "PUT", "/sessions/default/mode", {"mode": "auto"}, headers={})
        assert (status, answer["error"]["code"]) == (401, "token_required")
        assert proxy.sessions.receipt("default").mode == "playback"


async def test_a_cassette_that_somebody_else_records_is_told(tmp_path: Path) -> None:
    """As it is when a session is declared, without where it lies; the session has the mode that it had."""
    async with raw_upstream(answering(OK)) as upstream, proxied(tmp_path / "c.yaml", upstream.url) as proxy:
        body = {"name": "s", "cassette": "c.yaml", "mode": "playback"}
        assert (await asked(proxy, "POST", "/sessions", body))[0] == 201
        status, answer = await asked(proxy, "PUT", "/sessions/s/mode", {"mode": "auto"})
        assert (status, answer["error"]["code"]) == (400, "cassette_unusable")
        assert "c.yaml" in answer["error"]["message"]
        assert str(tmp_path) not in answer["error"]["message"]
        assert (await asked(proxy, "GET", "/sessions/s"))[1]["mode"] == "playback"


async def test_an_upstream_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """It is not looked at before it is needed; the session has the mode that it had."""
    emulator = EmulatorSettings(fixtures=tmp_path / "nowhere.yaml")
    async with proxied(tmp_path / "c.yaml", mode="playback", emulator=emulator) as proxy:
        status, answer = await asked(proxy, "PUT", "/sessions/default/mode", {"mode": "auto"})
        assert (status, answer["error"]["code"]) == (400, "invalid")
        assert "nowhere.yaml" in answer["error"]["problems"][0]["message"]
        assert proxy.sessions.receipt("default").mode == "playback"


@pytest.mark.parametrize(
    "faults",
    [
        [],
        [{"kind": "reset", "times": 1}],
        [
            {"operation": "createRun", "kind": "status", "status": 503, "retry_after": 0.05, "times": 2},
            {"family": "chat", "method": "POST", "path": "/v1/chat/**", "kind": "truncate", "after": 0, "times": 1},
            {"kind": "truncate", "after_events": 3, "times": "always"},
            {"kind": "timeout", "for": 1.5, "times": 1},
        ],
    ],
)
def test_a_plan_is_told_as_it_is_given(faults: list[dict[str, Any]]) -> None:
    """What is told can be set again, and is the same plan."""
    plan = parse_faults({"faults": faults})
    assert isinstance(plan, FaultPlan)
    told = json.loads(json.dumps(faults_json(plan)))
    assert told == faults
    assert parse_faults({"faults": told}) == plan
