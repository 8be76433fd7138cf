"""Conversations and usage as the admin API tells them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from replayproxy.core.journal import Entry
from replayproxy.core.prices import Price
from replayproxy.proxy.app import Proxy
from replayproxy.proxy.inspector.conversations import TEXT_SHOWN
from tests.builders import request, response
from tests.proxies import proxied
from tests.servers import answering, raw_upstream

ASKING = {"openai-beta": "assistants=v2", "authorization": "Bearer any"}


async def post(http: aiohttp.ClientSession, url: str, body: Any) -> Any:
    """The JSON that a request is answered with."""
    async with http.post(url, json=body, headers=ASKING) as answer:
        return await answer.json()


async def told(http: aiohttp.ClientSession, proxy: Proxy, path: str, status: int = 200) -> Any:
    """The JSON that the admin API has at a path."""
    async with http.get(f"{proxy.admin_url}{path}") as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def chat(http: aiohttp.ClientSession, url: str, *messages: str) -> str:
    """Asks in a chat, user and assistant in turns; what is answered."""
    said = [{"role": ("user", "assistant")[place % 2], "content": text} for place, text in enumerate(messages)]
    found = await post(http, f"{url}/v1/chat/completions", {"model": "gpt-4o", "messages": said})
    return str(found["choices"][0]["message"]["content"])


async def test_conversations_are_listed_and_shown(tmp_path: Path) -> None:
    """A chat of two questions in one session, a thread with a run in another; each is found by its id."""
    async with proxied(tmp_path / "c.yaml", mode="passthrough") as proxy, aiohttp.ClientSession() as http:
        first = await chat(http, proxy.url, "Hi")
        await chat(http, proxy.url, "Hi", first, "Bye")
        api = f"{proxy.url}/@other/v1"
        helper = await post(http, f"{api}/assistants", {"model": "gpt-4o"})
        body = {"assistant_id": helper["id"], "thread": {"messages": [{"role": "user", "content": "Hello?"}]}}
        run = await post(http, f"{api}/threads/runs", body)
        thread = run["thread_id"]
        for path in (f"runs/{run['id']}", f"runs/{run['id']}", f"runs/{run['id']}/steps", "messages"):
            async with http.get(f"{api}/threads/{thread}/{path}", headers=ASKING) as answer:
                assert answer.status == 200

        listed = await told(http, proxy, "/conversations")
        assert (listed["held"], listed["sessions"]) == (2, ["default", "other"])
        assert [(each["id"], each["kind"], each["title"]) for each in listed["conversations"]] == [
            (f"other~{thread}", "thread", "Hello?"),
            ("default~chat.1", "chat", "Hi"),
        ]
        shown = await told(http, proxy, f"/conversations/{quote('default~chat.1')}")
        assert [(turn["role"], turn["text"], turn["exchange"]) for turn in shown["turns"]][:3] == [
            ("user", "Hi", 1),
            ("assistant", first, 1),
            ("user", "Bye", 2),
        ]
        assert (shown["numbers"], shown["turns"][0]["tool_calls"], shown["runs"]) == ([1, 2], [], [])
        assert shown["tokens"]["total"] > 0
        thread_told = await told(http, proxy, f"/conversations/other~{thread}")
        assert thread_told["runs"][0]["states"][0] == {"status": "queued", "at": 0.0, "exchange": 4, "implied": False}
        assert [(each["type"], each["message"]) for each in thread_told["runs"][0]["steps"]] == [
            ("message_creation", thread_told["turns"][1]["id"])
        ]
        assert thread_told["turns"][0]["text"] == "Hello?"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("kind=chat", ["b", "a"]),
        ("kind=thread", []),
        ("session=one", ["a"]),
        ("limit=1", ["b"]),
        ("session=none", []),
    ],
)
async def test_the_list_can_be_narrowed(tmp_path: Path, query: str, found: list[str]) -> None:
    """By kind, session and number."""
    async with proxied(tmp_path / "c.yaml", mode="passthrough") as proxy, aiohttp.ClientSession() as http:
        await chat(http, f"{proxy.url}/@one", "a")
        await chat(http, proxy.url, "b")
        listed = await told(http, proxy, f"/conversations?{query}")
        assert [each["title"] for each in listed["conversations"]] == found


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/conversations?kind=talk", 400, "kind"),
        ("/conversations?limit=0", 400, "limit"),
        ("/conversations?limit=many", 400, "limit"),
        ("/conversations/default~thread_9", 404, ""),
        ("/conversations/%F0%9F%91%BB%2F..", 404, ""),
    ],
)
async def test_what_is_not_there_is_refused(tmp_path: Path, path: str, status: int, field: str) -> None:
    """With the parameter that is wrong."""
    async with proxied(tmp_path / "c.yaml") as proxy, aiohttp.ClientSession() as http:
        error = (await told(http, proxy, path, status))["error"]
        assert [each["field"] for each in error["problems"]] == ([field] if field else [])
        assert error["code"] == ("invalid" if field else "no_conversation")


async def test_a_long_text_is_cut(tmp_path: Path) -> None:
    """And says how much is left out; half a character does no harm."""
    chunks = (rb'{"choices":[{"index":0,"delta":{"content":"%b"}}]}' % each for each in (b"", rb"\ud83d half"))
    body = b"".join(b"data: " + chunk + b"\n\n" for chunk in chunks)
    head = f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {len(body)}\r\n\r\n"
    async with (
        raw_upstream(answering(head.encode() + body)) as upstream,
        proxied(tmp_path / "c.yaml", upstream.url, mode="passthrough") as proxy,
        aiohttp.ClientSession() as http,
    ):
        said = [{"role": "user", "content": "x" * (TEXT_SHOWN + 5)}]
        asking = {"model": "gpt-4o", "stream": True, "messages": said}
        async with http.post(f"{proxy.url}/v1/chat/completions", json=asking) as answer:
            await answer.read()
        shown = await told(http, proxy, "/conversations/default~chat.1")
        asked, answered = shown["turns"]
        assert (len(asked["text"]), asked["left_out"]) == (TEXT_SHOWN, 5)
        assert (answered["text"], answered["left_out"]) == ("\\ud83d half", 0)


async def test_usage_tells_what_was_sent_and_what_playback_saved(tmp_path: Path) -> None:
    """By session and model, with costs by the user's table; time saved is the recorded time less the played one."""
    prices = (Price("gpt-4o", Decimal(1_000_000), Decimal(2_000_000)),)
    async with proxied(tmp_path / "c.yaml", prices=prices, mode="auto") as proxy, aiohttp.ClientSession() as http:
        await chat(http, proxy.url, "Hi")
        await post(http, f"{proxy.url}/v1/embeddings", {"model": "text-embedding-3-small", "input": "x"})
        usage = await told(http, proxy, "/usage")
        (session,) = usage["sessions"]
        models = {each["model"]: each for each in session["models"]}
        sent = models["gpt-4o"]
        assert sent["cost"] == sent["input"] + 2 * sent["output"] > 0
        assert models["text-embedding-3-small"]["cost"] is None
        assert (usage["unpriced"], usage["priced"], usage["currency"]) == (["text-embedding-3-small"], True, "USD")
        assert usage["total"]["cost"] == sent["cost"]
        assert (usage["emulated"], session["seconds"]["recorded"]) == (True, None)
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, aiohttp.ClientSession() as http:
        await chat(http, proxy.url, "Hi")
        (tmp_path / "other.yaml").write_text("nonsense", "utf-8")
        gone = Entry(
            50, "x", "2026", request(), 200, "played", response=response(), cassette="gone.yaml", interaction=1
        )
        far = Entry(51, "x", "2026", request(), 200, "played", cassette=str(tmp_path / "c.yaml"), interaction=99)
        bad = Entry(52, "x", "2026", request(), 200, "played", cassette=str(tmp_path / "other.yaml"), interaction=1)
        for entry in (gone, far, bad):
            proxy.journal.add(entry)
        usage = await told(http, proxy, "/usage")
        (played, _) = usage["sessions"]
        assert played["models"][0]["played"]["input"] == sent["input"]
        assert played["models"][0]["exchanges"] == 0
        assert played["seconds"]["recorded"] > 0
        assert played["seconds"]["known"] == played["seconds"]["of"] == 1
        assert (usage["total"]["seconds"]["known"], usage["total"]["seconds"]["of"]) == (1, 4)
        assert (usage["emulated"], usage["priced"], usage["total"]["played"]["cost"]) == (False, False, None)
