"""One exchange as the admin API tells it: while it is under way and when it has ended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from replayproxy.proxy.app import Proxy
from tests.proxies import admin_headers, proxied
from tests.servers import answering, raw_upstream

KEY = "sk-proj-Zm9vYmFyMTIzNDU2Nzg5MA_T3BlbkFJ-aBcDeFgHiJkLmNoPqRsTuVwXyZ012345678901234567890abcdA"
CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


async def ask(http: aiohttp.ClientSession, url: str, body: Any = None, key: str = "any") -> tuple[int, str]:
    """Status and text of an answer; a body is posted as JSON."""
    method = "GET" if body is None else "POST"
    async with http.request(method, url, json=body, headers={"authorization": f"Bearer {key}"}) as answer:
        return answer.status, await answer.text()


async def told(http: aiohttp.ClientSession, proxy: Proxy, number: int) -> Any:
    """The detail of an exchange."""
    async with http.get(f"{proxy.admin_url}/exchanges/{number}") as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, Any]]:
    """The events of a feed as they come."""
    async for block in blocks(answer):
        name, _, data = block.partition("\n")
        if name.startswith("event: "):
            yield name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


async def blocks(answer: aiohttp.ClientResponse) -> AsyncIterator[str]:
    """The blocks of an event stream."""
    rest = ""
    async for piece in answer.content.iter_any():
        *whole, rest = (rest + piece.decode()).split("\n\n")
        for block in whole:
            yield block


@pytest.mark.parametrize("mode", ["record", "passthrough", "auto"])
async def test_both_messages_are_told_redacted(tmp_path: Path, mode: str) -> None:
    """Whether it was recorded or only passed: what came and what was answered, tokens and model, and no key."""
    async with proxied(tmp_path / "c.yaml", mode=mode) as proxy, aiohttp.ClientSession() as http:
        status, answer = await ask(http, f"{proxy.url}/v1/chat/completions", CHAT, KEY)
        found = await told(http, proxy, 1)
        assert (status, found["status"], found["operation"]) == (200, 200, "createChatCompletion")
        assert json.loads(found["request"]["body"]["text"]) == CHAT
        assert found["response"]["body"]["text"] == answer
        assert found["model"].startswith("gpt-4o")
        assert found["tokens"]["total"] == found["tokens"]["input"] + found["tokens"]["output"] > 0
        assert found["outcome"] == ("forwarded" if mode == "passthrough" else "saved")
        assert KEY not in json.dumps(found)
        assert ["authorization", "Bearer redacted.authorization"] in found["request"]["headers"]


async def test_what_was_played_is_told_from_the_cassette(tmp_path: Path) -> None:
    """The first time and when it comes again, which takes another way through the proxy."""
    async with proxied(tmp_path / "c.yaml") as proxy, aiohttp.ClientSession() as http:
        await ask(http, f"{proxy.url}/v1/models")
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, aiohttp.ClientSession() as http:
        answers = [await ask(http, f"{proxy.url}/v1/models") for _ in range(3)]
        for number, outcome in ((1, "played"), (2, "repeated"), (3, "repeated")):
            found = await told(http, proxy, number)
            assert (found["outcome"], found["interaction"]) == (outcome, 1)
            assert found["response"]["body"]["text"] == answers[number - 1][1]
            assert found["received"] == len(answers[number - 1][1].encode())


async def test_a_miss_tells_what_came_nearest(tmp_path: Path) -> None:
    """The recording, the paths that differ with both values, the rule that would accept it, and our own answer."""
    async with proxied(tmp_path / "c.yaml") as proxy, aiohttp.ClientSession() as http:
        await ask(http, f"{proxy.url}/v1/chat/completions", CHAT)
    changed = CHAT | {"messages": [{"role": "user", "content": "Goodbye"}]}
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, aiohttp.ClientSession() as http:
        status, answer = await ask(http, f"{proxy.url}/v1/chat/completions", changed)
        found = await told(http, proxy, 1)
        near = found["miss"]["near"][0]
        assert (status, found["miss"]["reason"], near["interaction"]) == (424, "no_match", 1)
        path = "body.messages[0].content"
        assert near["differences"] == [{"path": path, "recorded": '"Hello"', "received": '"Goodbye"'}]
        assert path in near["rule"]
        assert found["response"]["body"]["text"] == answer


async def test_a_stream_is_told_event_by_event(tmp_path: Path) -> None:
    """Each with its time and what it adds, and the text that they make."""
    async with proxied(tmp_path / "c.yaml", mode="passthrough") as proxy, aiohttp.ClientSession() as http:
        await ask(http, f"{proxy.url}/v1/chat/completions", CHAT | {"stream": True})
        response = (await told(http, proxy, 1))["response"]
        deltas = [event["delta"] for event in response["events"] if event["delta"]]
        assert "".join(deltas) == response["texts"][0]["text"] != ""
        assert all(event["at"] is not None for event in response["events"])


async def test_a_stream_can_be_followed_while_it_comes(tmp_path: Path) -> None:
    """First what is there, then each event as it comes, and the whole at its end."""
    go_on = asyncio.Event()

    async def script(visit: Any) -> None:
        await visit.request()
        await visit.send(STREAM_HEAD + b'data: {"choices":[{"delta":{"content":"one"}}]}\n\n')
        await go_on.wait()
        await visit.send(b'data: {"choices":[{"delta":{"content":" two"}}]}\n\n')

    async with (
        raw_upstream(script) as upstream,
        proxied(tmp_path / "c.yaml", upstream.url, "record") as proxy,
        aiohttp.ClientSession() as http,
    ):
        asking = asyncio.create_task(ask(http, f"{proxy.url}/v1/chat/completions", CHAT | {"stream": True}))
        async with http.get(f"{proxy.admin_url}/feed") as feed:
            async for _, value in events(feed):
                if any(each["status"] for each in value.get("exchanges", [])):
                    break
        async with http.get(f"{proxy.admin_url}/exchanges/1/feed") as followed:
            seen = [(name, value) async for name, value in _and_then(events(followed), go_on)]
        await asking
    assert (seen[0][0], seen[0][1]["outcome"]) == ("detail", "under_way")
    assert [event["delta"] for event in seen[0][1]["response"]["events"]] == ["one"]
    assert [event["delta"] for name, value in seen if name == "events" for event in value["events"]] in ([" two"], [])
    assert seen[-1][1]["outcome"] == "saved"
    assert seen[-1][1]["response"]["texts"][0]["text"] == "one two"


async def _and_then(found: AsyncIterator[tuple[str, Any]], go_on: asyncio.Event) -> AsyncIterator[tuple[str, Any]]:
    async for each in found:
        yield each
        go_on.set()


async def test_bodies_are_given_as_files(tmp_path: Path) -> None:
    """The redacted bytes, which no browser shows as a page."""
    async with proxied(tmp_path / "c.yaml", mode="passthrough") as proxy, aiohttp.ClientSession() as http:
        _, answer = await ask(http, f"{proxy.url}/v1/chat/completions", CHAT)
        async with http.get(f"{proxy.admin_url}/exchanges/1/response/body") as body:
            assert (await body.text(), body.content_type) == (answer, "application/octet-stream")
            assert body.headers["Content-Disposition"] == 'attachment; filename="exchange-1-response.bin"'
        for path, code in (
            ("1/reply/body", "no_route"),
            ("2/request/body", "no_exchange"),
            ("x/request/body", "invalid"),
        ):
            _, refusal = await ask(http, f"{proxy.admin_url}/exchanges/{path}")
            assert json.loads(refusal)["error"]["code"] == code


async def test_an_upload_that_passes_is_told_as_far_as_it_is_kept(tmp_path: Path) -> None:
    """Nobody reads it on its way, and what is shown of it is redacted all the same."""
    secret = json.dumps({"note": KEY, "filler": "x" * 100_000}).encode()
    async with (
        raw_upstream(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")) as upstream,
        proxied(tmp_path / "c.yaml", upstream.url, "passthrough", validate="off") as proxy,
        aiohttp.ClientSession() as http,
    ):
        async with http.post(
            f"{proxy.url}/v1/whatever", data=secret, headers={"content-type": "application/json"}
        ) as answer:
            assert answer.status == 200
        found = await told(http, proxy, 1)
        assert (found["sent"] > 100_000, KEY in found["request"]["body"]["text"]) == (True, False)
        assert "redacted" in found["request"]["body"]["text"]


async def test_several_processes_are_looked_at_as_one(tmp_path: Path) -> None:
    """What went through workers is told, put together, saved and sent again as if one had served it."""
    async with proxied(tmp_path / "c.yaml", workers=2) as proxy, aiohttp.ClientSession() as http:
        for text in ("Hello", "Goodbye"):
            asked = CHAT | {"messages": [{"role": "user", "content": text}]}
            await ask(http, f"{proxy.url}/v1/chat/completions", asked)
        for number, text in ((1, "Hello"), (2, "Goodbye")):
            found = await told(http, proxy, number)
            assert (found["outcome"], text in found["request"]["body"]["text"]) == ("saved", True)
            assert text in found["response"]["body"]["text"]
        _, usage = await ask(http, f"{proxy.admin_url}/usage")
        assert json.loads(usage)["sessions"][0]["exchanges"] == 2
        _, conversations = await ask(http, f"{proxy.admin_url}/conversations")
        assert len(json.loads(conversations)["conversations"]) == 2
        sent = {"method": "POST", "target": "/v1/chat/completions", "headers": [["content-type", "application/json"]]}
        body = {"session": "default", "key": "any", **sent, "body": {"text": json.dumps(CHAT)}}
        async with http.post(f"{proxy.admin_url}/send", json=body, headers=admin_headers(proxy)) as answer:
            resent = await answer.json()
        assert (resent["number"], resent["status"], resent["outcome"]) == (3, 200, "saved")
        save = f"{proxy.admin_url}/exchanges/1/save"
        async with http.post(save, json={"cassette": "other.yaml"}, headers=admin_headers(proxy)) as answer:
            assert (answer.status, await answer.json()) == (
                200,
                {"cassette": "other.yaml", "interaction": 1, "stale_sessions": []},
            )
