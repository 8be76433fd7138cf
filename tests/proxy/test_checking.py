"""What the proxy says of answers, of paths that nobody knows, and of operations that are no longer served."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from replayproxy.config import EmulatorSettings, ValidateSettings
from replayproxy.openai_api import catalog
from replayproxy.proxy.app import Proxy
from replayproxy.proxy.notices import Notices
from tests.builders import request
from tests.proxies import documents, proxied
from tests.servers import Visit, answering, raw_upstream

CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
CHUNK: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "gpt-4o",
    "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi"}, "finish_reason": None}],
}


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    """Where to record."""
    return tmp_path / "c.yaml"


def answered(body: bytes, *fields: str, content_type: str = "application/json") -> bytes:
    """An answer of the upstream, framed by its length."""
    head = ["HTTP/1.1 200 OK", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join([*head, "", ""]).encode() + body


def event(data: object) -> bytes:
    """An event of a chat stream."""
    return f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()


async def ask(proxy: Proxy, path: str = "/v1/chat/completions", **options: Any) -> bytes:
    """The body of an answer to a chat request."""
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{proxy.url}{path}", json=CHAT | options, headers={"Authorization": "Bearer x"}) as response,
    ):
        return await response.read()


def found(proxy: Proxy) -> list[tuple[str, str | None, int]]:
    """What the journal knows of wrong answers: side, path and event."""
    return [(each.side, each.param, each.event) for entry in proxy.journal.latest() for each in entry.problems]


WRONG = json.dumps({"id": 5, "object": "chat.completion"}).encode()


@pytest.mark.parametrize("mode", ["record", "passthrough"])
@pytest.mark.parametrize(
    "answer", [answered(WRONG), answered(gzip.compress(WRONG), "Content-Encoding: gzip")], ids=["plain", "gzip"]
)
async def test_an_answer_that_is_not_as_promised_is_noted(cassette: Path, mode: str, answer: bytes) -> None:
    """In the journal, the receipt and the interaction; the client gets it as it is."""
    async with raw_upstream(answering(answer)) as upstream, proxied(cassette, upstream.url, mode) as proxy:
        assert await ask(proxy) == WRONG
        assert found(proxy) == [("response", "id", 0)]
        receipt = proxy.session.receipt()
        assert (receipt.problems, receipt.warnings) == (0, 1)
        assert (receipt.asked[0].operation, receipt.asked[0].warnings) == ("createChatCompletion", 1)
    if mode == "record":
        saved = documents(cassette)[1]
        assert (saved["operation"], saved["family"]) == ("createChatCompletion", "chat")
        assert [(each["side"], each["param"]) for each in saved["problems"]] == [("response", "id")]


@pytest.mark.parametrize("mode", ["record", "passthrough"])
async def test_events_are_checked_one_by_one(cassette: Path, mode: str) -> None:
    """A wrong event and a missing end are told, each with its place."""
    stream = event(CHUNK) + event(CHUNK | {"created": "now"}) + event(CHUNK)
    answer = answered(stream, content_type="text/event-stream")
    async with raw_upstream(answering(answer)) as upstream, proxied(cassette, upstream.url, mode) as proxy:
        assert await ask(proxy, stream=True) == stream
        assert found(proxy) == [("response", "created", 2), ("response", None, 0)]


async def test_nothing_is_said_of_a_right_stream(cassette: Path) -> None:
    """Whole, with its end."""
    stream = event(CHUNK) + event("[DONE]")
    answer = answered(stream, content_type="text/event-stream")
    async with raw_upstream(answering(answer)) as upstream, proxied(cassette, upstream.url) as proxy:
        await ask(proxy, stream=True)
        assert found(proxy) == []
    assert "problems" not in documents(cassette)[1]


async def test_a_stream_that_breaks_off_is_not_blamed_for_its_end(cassette: Path) -> None:
    """That it broke off is told already."""

    async def script(visit: Visit) -> None:
        await visit.request()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9999\r\n\r\n"
        await visit.send(head + event(CHUNK))
        visit.reset()

    async with raw_upstream(script) as upstream, proxied(cassette, upstream.url) as proxy:
        with pytest.raises(aiohttp.ClientPayloadError):
            await ask(proxy, stream=True)
        assert found(proxy) == []


async def test_an_event_is_passed_on_before_the_next_one_comes(cassette: Path) -> None:
    """Nothing waits for a check."""
    seen = asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.request()
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        await visit.send(head.encode() + event(CHUNK))
        await seen.wait()
        await visit.send(event("[DONE]"))

    async with (
        raw_upstream(script) as upstream,
        proxied(cassette, upstream.url) as proxy,
        aiohttp.ClientSession() as client,
        client.post(f"{proxy.url}/v1/chat/completions", json=CHAT) as response,
    ):
        assert await response.content.readuntil(b"\n\n") == event(CHUNK)
        seen.set()
        assert await response.content.read() == event("[DONE]")


async def test_secrets_of_an_answer_are_not_told(cassette: Path) -> None:
    """What a complaint quotes is redacted first."""
    secret = "sk-proj-" + "a1B2" * 12
    body = json.dumps({"id": "x", "object": secret}).encode()
    async with raw_upstream(answering(answered(body))) as upstream, proxied(cassette, upstream.url) as proxy:
        await ask(proxy)
        (entry,) = proxy.journal.latest()
        assert entry.problems
        assert secret not in str(entry.problems)
    assert secret not in cassette.read_text("utf-8")


async def test_a_coding_that_cannot_be_read_is_left_alone(cassette: Path) -> None:
    """An unknown one, and one that is broken."""
    answers = [answered(WRONG, f"Content-Encoding: {name}") for name in ("rot13", "gzip")]
    async with raw_upstream(answering(*answers)) as upstream, proxied(cassette, upstream.url) as proxy:
        for _ in answers:
            async with (
                aiohttp.ClientSession(auto_decompress=False) as client,
                client.post(f"{proxy.url}/v1/chat/completions", json=CHAT) as response,
            ):
                await response.read()
        assert found(proxy) == []


async def test_levels_are_by_operation(cassette: Path) -> None:
    """Off for a family, enforced for one of its operations."""
    levels = ValidateSettings("off", (("chat", "off"), ("createEmbedding", "enforce")))
    answers = [answered(WRONG)] * 2
    async with (
        raw_upstream(answering(*answers)) as upstream,
        proxied(cassette, upstream.url, "passthrough", validate=levels) as proxy,
    ):
        assert await ask(proxy) == WRONG
        assert found(proxy) == []
        refused = json.loads(await ask(proxy, "/v1/embeddings"))
        assert refused["error"]["code"] == "missing_required_parameter"


async def test_ids_of_any_shape_reach_an_emulator_that_takes_them(cassette: Path) -> None:
    """Where it makes up what it does not know, the proxy before it refuses no id for its looks."""
    for unknown, status in (("create", 200), ("404", 400)):
        emulator = EmulatorSettings(unknown_ids=unknown)  # type: ignore[arg-type]
        async with (
            proxied(cassette, mode="passthrough", emulator=emulator) as proxy,
            aiohttp.ClientSession(headers={"Authorization": "Bearer x", "OpenAI-Beta": "assistants=v2"}) as client,
            client.get(f"{proxy.url}/v1/threads/of-last-year") as response,
        ):
            assert response.status == status


async def test_an_unknown_field_is_no_reason_to_refuse(cassette: Path) -> None:
    """The request goes on even where validation is enforced; the field is told of."""
    async with (
        raw_upstream(answering(answered(WRONG))) as upstream,
        proxied(cassette, upstream.url, "passthrough", validate="enforce") as proxy,
    ):
        assert await ask(proxy, brand_new=1) == WRONG
        (entry,) = proxy.journal.latest()
        assert entry.problems[0].message == "Unknown parameter: 'brand_new'."
        assert proxy.session.receipt().warnings == 2  # the request, and the answer


async def test_an_unknown_path_is_reported_with_the_nearest(cassette: Path) -> None:
    """And goes on: the API may have grown."""
    async with raw_upstream(answering(answered(b"{}"))) as upstream, proxied(cassette, upstream.url) as proxy:
        assert await ask(proxy, "/v1/chat/completion") == b"{}"
        (entry,) = proxy.journal.latest()
        assert "The nearest that the API has is POST /v1/chat/completions" in entry.problems[0].message
        (asked,) = proxy.session.receipt().asked
        assert (asked.operation, asked.warnings) == ("", 1)


def test_paths_that_nobody_knows_are_looked_up_once() -> None:
    """However many there are, no more than a bounded number is remembered."""
    notices = Notices()
    first = notices.unknown(catalog(), request("GET", "/v1/modles?x=1"))
    assert notices.unknown(catalog(), request("GET", "/v1/modles?x=2")) is first
    for number in range(1001):
        notices.unknown(catalog(), request("GET", f"/{number}"))
    assert notices.unknown(catalog(), request("GET", "/v1/modles")) is not first


@pytest.mark.parametrize(
    ("operation", "upstream", "today", "told"),
    [
        (
            "createMessage",
            "https://api.openai.com",
            "2026-11-22",
            "OpenAI switched off its messages API on 2026-08-26: `--upstream emulator` serves it",
        ),
        (
            "createMessage",
            "https://eu.api.openai.com/v1",
            "2026-08-01",
            "OpenAI will switch off its messages API on 2026-08-26: `--upstream emulator` serves it",
        ),
        ("createMessage", "http://127.0.0.1:8090", "2026-11-22", ""),
        ("createMessage", "https://notopenai.com", "2026-11-22", ""),
        ("createMessage", "", "2026-11-22", ""),
        ("createChatCompletion", "https://api.openai.com", "2026-11-22", ""),
        (
            "createVideo",
            "https://api.openai.com",
            "2026-11-22",
            "createVideo is deprecated: OpenAI may switch it off; `--upstream emulator` serves it",
        ),
    ],
)
def test_what_is_no_longer_served_is_said_once(
    operation: str, upstream: str, today: str, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With the way out, and only where the upstream is OpenAI's."""
    notices = Notices()
    with caplog.at_level(logging.WARNING, "replayproxy"):
        for _ in range(3):
            notices.forwarded(catalog().operation(operation), upstream, today)
    assert [record.getMessage() for record in caplog.records] == ([told] if told else [])


async def test_a_404_of_an_operation_that_is_off_is_explained(cassette: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever upstream it is that does not have it."""
    answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    with caplog.at_level(logging.WARNING, "replayproxy"):
        async with raw_upstream(answering(answer, answer)) as upstream, proxied(cassette, upstream.url) as proxy:
            await ask(proxy, "/v1/threads")
            await ask(proxy, "/v1/threads")
    (message,) = [each.getMessage() for each in caplog.records if "404" in each.getMessage()]
    assert message.endswith("OpenAI switches off its threads API on 2026-08-26. `--upstream emulator` serves it")
