"""What the inspector changes in cassettes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from replayproxy.proxy.app import Proxy
from replayproxy.stores import FileStore
from tests.processes import KEY
from tests.proxies import admin_headers, proxied, settings_for
from tests.servers import Visit, answering, raw_upstream

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


class _Client:
    def __init__(self, http: aiohttp.ClientSession, proxy: Proxy) -> None:
        self._http, self._proxy = http, proxy

    async def ask(self, path: str = "/v1/models", **more: Any) -> int:
        async with self._http.get(self._proxy.url + path, headers={"authorization": f"Bearer {KEY}"}, **more) as answer:
            await answer.read()
            return answer.status

    async def admin(self, method: str, path: str, given: Any = None) -> tuple[int, Any]:
        headers = admin_headers(self._proxy)
        async with self._http.request(method, self._proxy.admin_url + path, json=given, headers=headers) as answer:
            return answer.status, await answer.json()


@asynccontextmanager
async def _client(cassette: Path, upstream: str = "", mode: str = "playback", **more: Any) -> AsyncIterator[_Client]:
    async with proxied(cassette, upstream, mode, **more) as proxy, aiohttp.ClientSession() as http:
        yield _Client(http, proxy)


def _targets(path: Path) -> list[str]:
    return [each.request.target for each in FileStore(path).load().interactions]


@pytest.fixture
async def recorded(tmp_path: Path) -> Path:
    """A cassette of three interactions."""
    path = tmp_path / "c.yaml"
    async with _client(path, mode="record") as client:
        for number in (1, 2, 3):
            assert await client.ask(f"/v1/models?n={number}") == 200
    return path


# --- saving


async def test_an_exchange_becomes_an_interaction_of_a_new_cassette(tmp_path: Path) -> None:
    """Redacted as it is shown, and it plays."""
    async with _client(tmp_path / "c.yaml", mode="passthrough") as client:
        await client.ask()
        assert await client.admin("POST", "/exchanges/1/save", {"cassette": "api/new.yaml"}) == (
            200,
            {"cassette": "api/new.yaml", "interaction": 1, "stale_sessions": []},
        )
    path = tmp_path / "api" / "new.yaml"
    assert KEY not in path.read_text()
    loaded = FileStore(path).load()
    assert (loaded.head.upstream, loaded.interactions[0].operation) == ("emulator", "listModels")
    async with _client(path) as client:
        assert await client.ask() == 200


async def test_it_goes_to_the_end_and_sessions_that_play_the_cassette_are_named(recorded: Path) -> None:
    """They go on when they are reset."""
    async with _client(recorded) as client:
        assert await client.ask("/v1/models?n=1") == 200
        status, saved = await client.admin("POST", "/exchanges/1/save", {})
        assert (status, saved) == (200, {"cassette": "c.yaml", "interaction": 4, "stale_sessions": ["default"]})
        assert await client.ask("/v1/models?n=2") == 424
        assert (await client.admin("POST", "/sessions/default/reset"))[0] == 200
        assert await client.ask("/v1/models?n=2") == 200
    assert _targets(recorded)[3] == "/v1/models?n=1"


async def test_an_exchange_goes_into_a_recording_that_adds_to_its_cassette(tmp_path: Path) -> None:
    """What was only passed on, as failures are, is saved by the session's own recorder."""
    busy = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 4\r\n\r\nbusy"
    async with (
        raw_upstream(answering(OK, busy, OK)) as upstream,
        _client(tmp_path / "c.yaml", upstream.url, "auto") as client,
    ):
        assert [await client.ask(f"/v1/{each}") for each in "abc"] == [200, 429, 200]
        status, saved = await client.admin("POST", "/exchanges/2/save")
        assert (status, saved) == (200, {"cassette": "c.yaml", "interaction": 3, "stale_sessions": ["default"]})
        assert await client.ask("/v1/d") == 200
    loaded = FileStore(tmp_path / "c.yaml").load().interactions
    assert sorted(each.request.target for each in loaded) == ["/v1/a", "/v1/b", "/v1/c", "/v1/d"]
    assert {each.response.body for each in loaded} == {b"ok", b"busy"}


async def test_a_recording_that_replaces_its_cassette_is_not_disturbed(recorded: Path) -> None:
    """The refusal names the session, and what to do."""
    async with _client(recorded, mode="record") as client:
        await client.ask()
        status, refused = await client.admin("POST", "/exchanges/1/save")
        assert (status, refused["error"]["code"]) == (409, "cassette_recorded")
        assert "session default records over c.yaml: switch it to playback first" in refused["error"]["message"]


async def test_there_has_to_be_a_whole_answer(tmp_path: Path) -> None:
    """A miss, a failure and an answer that broke off have none."""

    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        visit.reset()

    async with _client(tmp_path / "c.yaml") as client:
        assert await client.ask() == 424
        status, refused = await client.admin("POST", "/exchanges/1/save", {"cassette": "x.yaml"})
        assert (status, refused["error"]["code"]) == (409, "nothing_to_save")
        assert "missed" in refused["error"]["message"]
    async with raw_upstream(script) as upstream, _client(tmp_path / "c.yaml", upstream.url, "auto") as client:
        with pytest.raises(aiohttp.ClientError):
            await client.ask()
        status, refused = await client.admin("POST", "/exchanges/1/save", {"cassette": "x.yaml"})
        assert (status, refused["error"]["code"]) == (409, "nothing_to_save")
    assert not (tmp_path / "x.yaml").exists()


@pytest.mark.parametrize(
    "cassette",
    [
        "../x.yaml",
        "/tmp/x.yaml",
        ".x.yaml",
        "a//b.yaml",
        "a\\b.yaml",
        "x",
        "x.json",
        "",
        1,
        ["x.yaml"],
        "a" * 300 + ".yaml",
    ],
)
async def test_nothing_is_saved_outside_of_the_folder(tmp_path: Path, cassette: object) -> None:
    """Nor under a name that no cassette has."""
    folder = tmp_path / "folder"
    async with _client(folder / "c.yaml", mode="passthrough") as client:
        await client.ask()
        status, refused = await client.admin("POST", "/exchanges/1/save", {"cassette": cassette})
        assert (status, [each["field"] for each in refused["error"]["problems"]]) == (400, ["cassette"])
    assert not list(tmp_path.rglob("*.yaml"))


async def test_an_exchange_that_is_not_there_cannot_be_saved(tmp_path: Path) -> None:
    """Nor what is no number."""
    async with _client(tmp_path / "c.yaml") as client:
        assert (await client.admin("POST", "/exchanges/9/save"))[0] == 404
        assert (await client.admin("POST", "/exchanges/x/save"))[0] == 400


# --- editing, deleting


async def test_an_interaction_is_edited(recorded: Path) -> None:
    """It reads as it was written from the next reset on, and what the file was is kept."""
    before = recorded.read_bytes()
    async with _client(recorded) as client:
        text = FileStore(recorded).load().interactions[1].text.replace("n=2", "n=20")
        status, edited = await client.admin("PUT", "/cassettes/c.yaml/interactions/2", {"yaml": text})
        assert (status, edited) == (
            200,
            {"cassette": "c.yaml", "interaction": 2, "redacted": 0, "stale_sessions": ["default"]},
        )
        assert (await client.admin("POST", "/sessions/default/reset"))[0] == 200
        assert await client.ask("/v1/models?n=20") == 200
    assert recorded.with_name("c.yaml~").read_bytes() == before


async def test_a_document_that_cannot_be_loaded_is_refused_with_its_line(recorded: Path) -> None:
    """The file stays as it was."""
    before = recorded.read_bytes()
    async with _client(recorded) as client:
        text = FileStore(recorded).load().interactions[1].text.replace("status: 200", "status: ok")
        status, refused = await client.admin("PUT", "/cassettes/c.yaml/interactions/2", {"yaml": text})
        assert status == 400
        (problem,) = refused["error"]["problems"]
        line = next(at for at, each in enumerate(text.split("\n"), 1) if "status: ok" in each)
        assert (problem["field"], problem["message"].startswith(f"line {line}: ")) == ("yaml", True)
        for given in ({}, {"yaml": " "}, {"yaml": 1}, {"text": text}):
            assert (await client.admin("PUT", "/cassettes/c.yaml/interactions/2", given))[0] == 400
    assert recorded.read_bytes() == before


async def test_an_interaction_is_deleted(recorded: Path) -> None:
    """How many are left is told."""
    async with _client(recorded) as client:
        status, deleted = await client.admin("DELETE", "/cassettes/c.yaml/interactions/1")
        assert (status, deleted) == (200, {"cassette": "c.yaml", "interactions": 2, "stale_sessions": ["default"]})
    assert _targets(recorded) == ["/v1/models?n=2", "/v1/models?n=3"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("c.yaml/interactions/9", 404, id="no such interaction"),
        pytest.param("c.yaml/interactions/x", 400, id="no number"),
        pytest.param("d.yaml/interactions/1", 404, id="no such cassette"),
        pytest.param("%2e%2e%2fc.yaml/interactions/1", 400, id="elsewhere"),
    ],
)
async def test_what_is_not_there_cannot_be_changed(recorded: Path, path: str, status: int) -> None:
    """Neither edited nor deleted."""
    before = recorded.read_bytes()
    async with _client(recorded) as client:
        text = FileStore(recorded).load().interactions[0].text
        assert (await client.admin("DELETE", f"/cassettes/{path}"))[0] == status
        assert (await client.admin("PUT", f"/cassettes/{path}", {"yaml": text}))[0] == status
    assert recorded.read_bytes() == before


@pytest.mark.parametrize("mode", ["auto", "record"])
async def test_a_cassette_that_is_recorded_is_not_changed(recorded: Path, mode: str) -> None:
    """The refusal names the session."""
    before = recorded.read_bytes()
    async with _client(recorded, mode=mode) as client:
        for method, given in (("DELETE", None), ("PUT", {"yaml": "a: 1"})):
            status, refused = await client.admin(method, "/cassettes/c.yaml/interactions/1", given)
            assert (status, refused["error"]["code"]) == (409, "cassette_recorded")
            assert "session default records into c.yaml" in refused["error"]["message"]
    assert recorded.read_bytes() == before


async def test_changes_take_the_token(recorded: Path) -> None:
    """Whoever has none changes nothing."""
    async with (
        proxied(recorded, mode="playback") as proxy,
        aiohttp.ClientSession() as http,
        http.delete(f"{proxy.admin_url}/cassettes/c.yaml/interactions/1") as answer,
    ):
        assert answer.status == 401
    assert settings_for(recorded).default_cassette == recorded
    assert len(_targets(recorded)) == 3
