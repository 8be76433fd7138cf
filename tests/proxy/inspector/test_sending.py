"""Requests that somebody writes in the inspector: sent through the proxy, and checked while they are written."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from replayproxy.core.messages import Headers, Request
from replayproxy.proxy.app import Proxy
from replayproxy.proxy.inspector.sending import send_through
from tests.processes import KEY
from tests.proxies import admin_headers, documents, proxied
from tests.servers import Visit, answering, raw_upstream

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_JSON = [["content-type", "application/json"]]
_CHAT = '{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}'


async def _post(proxy: Proxy, path: str, given: Any) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession(headers=admin_headers(proxy)) as http,
        http.post(proxy.admin_url + path, data=io.BytesIO(json.dumps(given).encode())) as answer,
    ):
        return answer.status, await answer.json()


async def _exchange(proxy: Proxy, number: int) -> Any:
    async with aiohttp.ClientSession() as http, http.get(f"{proxy.admin_url}/exchanges/{number}") as answer:
        return await answer.json()


def _asked(**more: Any) -> dict[str, Any]:
    return {"method": "POST", "target": "/v1/chat/completions", "headers": _JSON, "body": {"text": _CHAT}} | more


# --- sending


async def test_a_request_goes_the_way_of_all_and_names_its_exchange(tmp_path: Path) -> None:
    """It is forwarded and saved; neither its key nor what it was sent with is stored."""
    async with proxied(tmp_path / "c.yaml", mode="auto") as proxy:
        status, sent = await _post(proxy, "/send", _asked(key=KEY))
        assert (status, sent["number"], sent["status"], sent["outcome"]) == (200, 1, 200, "saved")
        assert (sent["received"] > 0, sent["why"], sent["notes"]) == (True, None, [])
        detail = await _exchange(proxy, 1)
        assert dict(detail["request"]["headers"])["Authorization"] == "Bearer redacted.authorization"
        assert "x-replayproxy-correlation" not in str(detail)
        again = await _post(proxy, "/send", _asked(key=KEY))
        assert (again[1]["number"], again[1]["outcome"]) == (
            2,
            "repeated" if again[1]["outcome"] == "repeated" else "saved",
        )
    stored = (tmp_path / "c.yaml").read_text()
    assert KEY not in stored
    assert "x-replayproxy" not in stored


async def test_only_what_was_written_reaches_the_upstream(tmp_path: Path) -> None:
    """Headers of ours are made anew; none is added but those that a request needs."""
    async with raw_upstream(answering(OK)) as upstream:
        async with proxied(tmp_path / "c.yaml", upstream.url, mode="passthrough") as proxy:
            headers = [["X-A", "1"], ["x-a", "2"], ["Host", "evil.example"], ["Content-Length", "9"]]
            _, sent = await _post(
                proxy, "/send", {"method": "PUT", "target": "/v1/x?y=1", "headers": headers, "body": {"text": "hi"}}
            )
            assert (sent["status"], sent["outcome"], sent["received"]) == (200, "forwarded", 2)
        head, _, body = upstream.received.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        assert lines[0] == b"put /v1/x?y=1 http/1.1"
        assert [line for line in lines if line.startswith(b"x-")] == [b"x-a: 1", b"x-a: 2"]
        assert (b"evil" in head, body) == (False, b"hi")
        assert {line.partition(b":")[0] for line in lines[1:]} == {b"host", b"x-a", b"content-length"}


async def test_what_was_redacted_is_not_sent(tmp_path: Path) -> None:
    """A note tells of each header that was left out, and of what else stands for something."""
    async with raw_upstream(answering(OK)) as upstream:
        async with proxied(tmp_path / "c.yaml", upstream.url, mode="passthrough") as proxy:
            headers = [["Authorization", "Bearer redacted.authorization"], ["Cookie", "redacted.cookie"]]
            _, sent = await _post(proxy, "/send", _asked(headers=headers, body={"text": "redacted.openai-key"}))
        assert [note.partition(" ")[0] for note in sent["notes"]] == ["Authorization", "Cookie", "values"]
        assert b"cookie" not in upstream.received.lower()
        assert upstream.received.endswith(b"redacted.openai-key")


async def test_a_key_takes_the_place_of_the_one_that_was_redacted(tmp_path: Path) -> None:
    """Without a note: that is what it is for."""
    async with raw_upstream(answering(OK)) as upstream:
        async with proxied(tmp_path / "c.yaml", upstream.url, mode="passthrough") as proxy:
            headers = [["authorization", "Bearer redacted.authorization"]]
            _, sent = await _post(proxy, "/send", _asked(headers=headers, key=f" {KEY} "))
        assert sent["notes"] == []
        assert f"Authorization: Bearer {KEY}\r\n".encode() in upstream.received


async def test_bytes_are_sent_as_they_are(tmp_path: Path) -> None:
    """A body need not be text."""
    body = bytes(range(256))
    async with raw_upstream(answering(OK)) as upstream:
        async with proxied(tmp_path / "c.yaml", upstream.url, mode="passthrough") as proxy:
            await _post(proxy, "/send", _asked(body={"base64": base64.b64encode(body).decode()}))
        assert upstream.received.endswith(b"\r\n\r\n" + body)


async def test_a_body_may_be_longer_than_what_the_admin_port_takes_else(tmp_path: Path) -> None:
    """Images are sent again, too."""
    async with (
        raw_upstream(answering(OK)) as upstream,
        proxied(tmp_path / "c.yaml", upstream.url, mode="passthrough") as proxy,
    ):
        status, sent = await _post(proxy, "/send", _asked(body={"text": "x" * 3_000_000}))
        assert (status, sent["status"]) == (200, 200)


async def test_a_request_is_sent_in_its_session(tmp_path: Path) -> None:
    """Which is opened when it is not there."""
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
        _, sent = await _post(proxy, "/send", _asked(session="mine"))
        assert (sent["status"], sent["outcome"]) == (424, "missed")
        assert (await _exchange(proxy, sent["number"]))["session"] == "mine"


async def test_an_answer_given_again_is_nobody_elses(tmp_path: Path) -> None:
    """Requests of others that are answered in short do not get what named the exchange of this one."""
    async with (
        proxied(tmp_path / "c.yaml", mode="record") as proxy,
        aiohttp.ClientSession() as http,
        http.get(f"{proxy.url}/v1/models", headers={"authorization": "Bearer any"}) as answer,
    ):
        assert answer.status == 200
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, aiohttp.ClientSession() as http:
        for number in (1, 3, 5):
            _, sent = await _post(proxy, "/send", {"method": "GET", "target": "/v1/models"})
            assert (sent["number"], sent["status"]) == (number, 200)
            async with http.get(f"{proxy.url}/v1/models") as answer:
                assert "x-replayproxy-exchange" not in answer.headers


async def test_a_stream_is_read_to_its_end(tmp_path: Path) -> None:
    """Its body is counted and not given back."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    stream = head + b"9\r\ndata: a\n\n\r\n9\r\ndata: b\n\n\r\n0\r\n\r\n"
    async with (
        raw_upstream(answering(stream)) as upstream,
        proxied(tmp_path / "c.yaml", upstream.url, mode="auto") as proxy,
    ):
        _, sent = await _post(proxy, "/send", _asked())
        assert (sent["received"], sent["outcome"], sent["why"]) == (18, "saved", None)


async def test_an_upstream_that_breaks_off_is_told(tmp_path: Path) -> None:
    """With the exchange, and why it was not whole."""

    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        visit.reset()

    async with raw_upstream(script) as upstream, proxied(tmp_path / "c.yaml", upstream.url, mode="auto") as proxy:
        status, sent = await _post(proxy, "/send", _asked())
        assert (status, sent["number"], sent["outcome"]) == (200, 1, "failed")
        assert "broke" in sent["why"]


async def test_an_exchange_is_found_though_no_answer_came(tmp_path: Path) -> None:
    """A fault that breaks the connection leaves nothing that could name it."""
    async with proxied(tmp_path / "c.yaml", mode="auto") as proxy:
        async with aiohttp.ClientSession(headers=admin_headers(proxy)) as http:
            faults = {"faults": [{"kind": "reset", "times": "always"}]}
            async with http.put(f"{proxy.admin_url}/sessions/default/faults", json=faults) as answer:
                assert answer.status == 200, await answer.text()
        status, sent = await _post(proxy, "/send", _asked())
        assert (status, sent["number"]) == (200, 1)
        assert "broke" in sent["why"]


async def test_nobody_waits_for_ever(tmp_path: Path) -> None:
    """Who is not answered in time gives up, and says so."""

    async def script(visit: Visit) -> None:
        await visit.request()
        await asyncio.Event().wait()

    message = Request("POST", "/v1/x", Headers(), b"hi")
    async with raw_upstream(script) as upstream:
        sent = await send_through(upstream.url, "default", message, 0.2)
    assert (sent.status, sent.why) == (0, "it was not over after 0.2 s, and was given up")


@pytest.mark.parametrize(("url", "status"), [("http://127.0.0.1:1", 0), ("http://0.0.0.0:1", 0), ("http://[::]:1", 0)])
async def test_a_port_that_is_gone_is_told(url: str, status: int) -> None:
    """Also one that listened everywhere."""
    sent = await send_through(url, "default", Request("GET", "/"))
    assert (sent.status, "the connection broke" in sent.why) == (status, True)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        pytest.param({"method": "GE T"}, "method", id="method"),
        pytest.param({"method": 1}, "method", id="method that is no text"),
        pytest.param({"target": "v1/models"}, "target", id="no slash"),
        pytest.param({"target": "/a b"}, "target", id="a blank"),
        pytest.param({"target": "/a#b"}, "target", id="a fragment"),
        pytest.param({"headers": [["a"]]}, "headers", id="no pair"),
        pytest.param({"headers": [["a", 1]]}, "headers", id="a number"),
        pytest.param({"headers": {"a": "b"}}, "headers", id="no list"),
        pytest.param({"headers": [["a", "b\r\nc: d"]]}, "headers", id="a line end"),
        pytest.param({"body": "x"}, "body", id="a body that is text"),
        pytest.param({"body": {"base64": "!"}}, "body", id="no base64"),
        pytest.param({"body": {"text": 1}}, "body", id="no text"),
        pytest.param({"session": "../x"}, "session", id="session"),
        pytest.param({"key": "a\nb"}, "key", id="a key with a line end"),
        pytest.param({"key": 1}, "key", id="a key that is no text"),
        pytest.param({"heders": []}, "heders", id="an unknown field"),
    ],
)
async def test_what_cannot_be_sent_is_refused(tmp_path: Path, given: dict[str, Any], field: str) -> None:
    """By the field that is wrong; nothing is sent."""
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
        status, body = await _post(proxy, "/send", _asked(**given))
        assert (status, [each["field"] for each in body["error"]["problems"]]) == (400, [field])
        async with aiohttp.ClientSession() as http, http.get(f"{proxy.admin_url}/exchanges") as answer:
            assert (await answer.json())["exchanges"] == []


@pytest.mark.parametrize("data", [b"{", b"[]", b"\xff"])
async def test_what_is_no_object_is_refused(tmp_path: Path, data: bytes) -> None:
    """Sending as well as checking."""
    async with (
        proxied(tmp_path / "c.yaml", mode="playback") as proxy,
        aiohttp.ClientSession(headers=admin_headers(proxy)) as http,
    ):
        for path in ("/send", "/validate"):
            async with http.post(proxy.admin_url + path, data=data) as answer:
                assert answer.status == 400


async def test_sending_takes_the_token(tmp_path: Path) -> None:
    """A page of somebody else's cannot make the proxy send anything."""
    async with (
        proxied(tmp_path / "c.yaml", mode="playback") as proxy,
        aiohttp.ClientSession() as http,
        http.post(f"{proxy.admin_url}/send", json=_asked()) as answer,
    ):
        assert answer.status == 401


# --- validating


@pytest.mark.parametrize(
    ("given", "operation", "problem"),
    [
        pytest.param({}, "createChatCompletion", None, id="fine"),
        pytest.param(
            {"body": {"text": '{\n "messages": [],\n "model": "x"}'}},
            "createChatCompletion",
            {"param": "messages", "code": "empty_array", "line": 2, "column": None},
            id="a list",
        ),
        pytest.param(
            {"body": {"text": '{"model": "x",\n "messages": [}'}},
            "createChatCompletion",
            {"param": None, "code": "invalid_json", "line": 2, "column": 15},
            id="no JSON",
        ),
        pytest.param(
            {"body": {"base64": base64.b64encode(b'{"a": "\xff"}').decode()}},
            "createChatCompletion",
            {"code": "invalid_json", "line": 1, "column": 1},
            id="no text",
        ),
        pytest.param(
            {"body": {"text": "[" * 100_000}},
            "createChatCompletion",
            {"code": "invalid_json", "line": 1, "column": 1},
            id="too deep",
        ),
        pytest.param({"target": "/v1/chat/completion"}, None, {"code": "unknown_url", "warning": True}, id="a path"),
        pytest.param(
            {"headers": [], "body": {}}, "createChatCompletion", {"param": "messages", "line": None}, id="no body"
        ),
        pytest.param(
            {"headers": [["content-type", "text/plain"]]},
            "createChatCompletion",
            {"code": "unsupported_content_type"},
            id="a media type",
        ),
    ],
)
async def test_a_request_is_checked_while_it_is_written(
    tmp_path: Path, given: dict[str, Any], operation: str | None, problem: dict[str, Any] | None
) -> None:
    """The operation that it calls, and the first thing that is wrong, with its place in the text."""
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
        status, found = await _post(proxy, "/validate", _asked(**given))
    assert (status, found["operation"]) == (200, operation)
    assert len(found["problems"]) == (0 if problem is None else 1)
    for told in found["problems"]:
        assert told | (problem or {}) == told


async def test_checking_sends_nothing(tmp_path: Path) -> None:
    """Neither to the upstream nor into the journal."""
    async with proxied(tmp_path / "c.yaml", mode="auto") as proxy:
        await _post(proxy, "/validate", _asked())
        async with aiohttp.ClientSession() as http, http.get(f"{proxy.admin_url}/exchanges") as answer:
            assert (await answer.json())["exchanges"] == []
    assert not (tmp_path / "c.yaml").exists() or len(documents(tmp_path / "c.yaml")) == 1
