"""Requests that are answered before anybody parses them, because their very bytes were answered before."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from replayproxy.config import PlaybackSettings
from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.codec import encode, encode_head
from replayproxy.core.fault_kinds import Delay, Fault
from replayproxy.core.messages import Chunk, Headers
from replayproxy.core.secrets.custom import Redactor
from replayproxy.proxy.again import NotedAgain
from replayproxy.proxy.app import Proxy
from replayproxy.proxy.front import Desk
from tests.builders import interaction, request, response
from tests.proxies import admin_headers, proxied

KEY = "sk-proj-" + "a1B2" * 12


def asking(number: int, more: str = "", method: str = "POST", target: str = "/v1/threads") -> bytes:
    """The bytes of a request; `more` are further header lines."""
    body = b"" if method in ("GET", "HEAD") else json.dumps({"number": number}).encode()
    lines = [
        f"{method} {target} HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Authorization: Bearer {KEY}",
    ]
    length = [f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([*lines, *filter(None, [more]), *length, "", ""]).encode() + body


def creation(number: int, answer: object, **more: Any) -> Interaction:
    answered = response(
        200, {"answer": answer}, Headers.of(("Content-Type", "application/json"), ("Content-Length", "0"))
    )
    return interaction(request("POST", "/v1/threads", {"number": number}), answered, **more)


def listing(answer: object, method: str = "GET") -> Interaction:
    headers = Headers.of(("Content-Type", "application/json"))
    return interaction(request(method, "/v1/threads", headers=headers), response(200, {"answer": answer}, headers))


@contextlib.asynccontextmanager
async def playing(folder: Path, *interactions: Interaction, **settings: Any) -> AsyncIterator[Proxy]:
    """A proxy that plays these, repeating from the first when `repeat` does not say otherwise."""
    cassette = folder / "c.yaml"
    texts = [encode(each, number, inline_limit=1 << 20).text for number, each in enumerate(interactions, 1)]
    cassette.write_text(encode_head(Head(redaction=Redactor().digest)) + "".join(texts), "utf-8")
    repeat = settings.pop("repeat", "cycle")
    async with proxied(cassette, mode="playback", playback=PlaybackSettings(repeat=repeat), **settings) as proxy:
        yield proxy


class Caller:
    """A client's connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def answer(self) -> tuple[bytes, bytes]:
        """Head and body, chunks included."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        if b"transfer-encoding: chunked" in lower:
            body = b""
            while not body.endswith(b"0\r\n\r\n"):
                body += await self.reader.readuntil(b"\r\n")
            return head, body
        length = int(lower.partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
        return head, await self.reader.readexactly(length)

    async def ask(self, *pieces: bytes) -> tuple[bytes, bytes]:
        """Sends a request in pieces that arrive apart, and gives its answer."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(0.02 if len(pieces) > 1 else 0)
        return await self.answer()


@contextlib.asynccontextmanager
async def calling(proxy: Proxy) -> AsyncIterator[Caller]:
    """A connection to a proxy."""
    host, port = proxy.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Caller(reader, writer)
    finally:
        writer.close()


def again(proxy: Proxy) -> list[bool]:
    """For each exchange whether nobody parsed its request."""
    return [isinstance(each, NotedAgain) for each in proxy.journal.entries()]


async def test_the_same_bytes_get_the_same_answer(tmp_path: Path) -> None:
    """All of it but the word for the outcome, on the same connection and on others."""
    async with playing(tmp_path, creation(1, "one")) as proxy, calling(proxy) as one, calling(proxy) as other:
        first, second, third = await one.ask(asking(1)), await one.ask(asking(1)), await other.ask(asking(1))
        assert again(proxy) == [False, True, True]
    assert first[0].replace(b"outcome: played", b"outcome: repeated") == second[0] == third[0]
    assert first[1] == second[1] == third[1] == b'{"answer": "one"}'


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_requests_without_a_body_too(tmp_path: Path, method: str) -> None:
    """Among them those whose answer has none."""
    async with playing(tmp_path, listing("one", method), repeat="last") as proxy, calling(proxy) as client:
        asked = asking(0, method=method)
        if method == "HEAD":
            client.writer.write(asked * 1)
            heads = [await client.reader.readuntil(b"\r\n\r\n")]
            client.writer.write(asked)
            heads.append(await client.reader.readuntil(b"\r\n\r\n"))
            assert heads[0].replace(b"played", b"repeated") == heads[1]
        else:
            assert (await client.ask(asked))[1] == (await client.ask(asked))[1]
        assert again(proxy) == [False, True]


async def test_everything_is_counted(tmp_path: Path) -> None:
    """Receipt and journal tell of such requests as of any other, redacted."""
    async with playing(tmp_path, creation(1, "one"), creation(2, "two")) as proxy, calling(proxy) as client:
        for _ in range(3):
            await client.ask(asking(1, "X-Note: hello"))
        receipt, entries = proxy.session.receipt(), [each.entry() for each in proxy.journal.entries()]
    assert (receipt.played, receipt.repeated, receipt.unplayed) == (1, 2, (2,))
    assert [(row.operation, row.requests) for row in receipt.asked] == [("createThread", 3)]
    assert [entry.number for entry in entries] == [1, 2, 3]
    assert [entry.outcome for entry in entries] == ["played", "repeated", "repeated"]
    assert entries[1].request == entries[0].request
    assert entries[1].request.headers.get("x-note") == "hello"
    assert KEY not in repr(entries)
    assert {(entry.status, entry.interaction, entry.operation, entry.family) for entry in entries} == {
        (200, 1, "createThread", "threads")
    }
    assert entries[0].arrived <= entries[1].arrived <= entries[2].arrived


async def test_the_log_has_a_line_for_each(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """In the order in which they came, what came the long way among them."""
    caplog.set_level("INFO", "replayproxy")
    async with playing(tmp_path, creation(1, "one")) as proxy, calling(proxy) as client:
        for number in (1, 1, 1, 2):
            await client.ask(asking(number))
    told = [
        [line.outcome for line in getattr(each, "lines", [])]
        for each in caplog.records
        if each.name.endswith("handler")
    ]
    assert told == [["played", "repeated", "repeated"], []]


async def test_answers_come_in_recorded_order(tmp_path: Path) -> None:
    """Whichever way the requests take."""
    recorded = [creation(1, number) for number in range(4)]
    async with playing(tmp_path, *recorded) as proxy, calling(proxy) as client:
        asked = [asking(1), asking(1, "X-Other: 1")] * 6
        answers = [json.loads((await client.ask(each))[1])["answer"] for each in asked]
        assert answers == [0, 1, 2, 3] * 3
        assert sum(again(proxy)) >= 6
        assert proxy.session.receipt().unplayed == ()


async def test_what_is_used_up_misses(tmp_path: Path) -> None:
    """A recording answers as often as it may, known or not."""
    async with playing(tmp_path, creation(1, "one"), repeat="last") as proxy, calling(proxy) as client:
        assert (await client.ask(asking(1)))[0].startswith(b"HTTP/1.1 200")
        assert (await client.ask(asking(1)))[0].startswith(b"HTTP/1.1 424")
        assert again(proxy) == [False, False]


async def test_head_and_body_may_come_apart(tmp_path: Path) -> None:
    """As most clients send them; also in more pieces, or with the head cut."""
    async with playing(tmp_path, creation(1, "one")) as proxy, calling(proxy) as client:
        whole = asking(1)
        head = whole.index(b"\r\n\r\n") + 4
        await client.ask(whole)
        for cut in ([head], [head, head + 3], [head + 3], [10]):
            pieces = [whole[start:end] for start, end in zip([0, *cut], [*cut, len(whole)], strict=True)]
            assert (await client.ask(*pieces))[1] == b'{"answer": "one"}'
        assert again(proxy)[:2] == [False, True]


async def test_a_body_that_never_comes_is_given_up(tmp_path: Path) -> None:
    """The head is not held for ever: whoever waits for the rest then notices that the client is gone."""
    async with playing(tmp_path, creation(1, "one")) as proxy:
        whole = asking(1)
        async with calling(proxy) as client:
            await client.ask(whole)
        async with calling(proxy) as client:
            client.writer.write(whole[: whole.index(b"\r\n\r\n") + 4])
            async with asyncio.timeout(10):
                while proxy.sessions.receipt("default").asked[0].requests != 2:
                    await asyncio.sleep(0.01)
            client.writer.write(whole[whole.index(b"\r\n\r\n") + 4 :])
            assert (await client.answer())[1] == b'{"answer": "one"}'


async def test_requests_in_one_piece_are_answered_in_order(tmp_path: Path) -> None:
    """Pipelining is the parser's."""
    async with playing(tmp_path, creation(1, "one"), creation(2, "two")) as proxy, calling(proxy) as client:
        for number in (1, 2):
            await client.ask(asking(number))
        client.writer.write(asking(1) + asking(2) + asking(1))
        assert [json.loads((await client.answer())[1])["answer"] for _ in range(3)] == ["one", "two", "one"]
        assert (await client.ask(asking(2)))[1] == b'{"answer": "two"}'


async def test_nothing_overtakes_a_request_under_way(tmp_path: Path) -> None:
    """A known request waits behind one that is slow."""
    slow = creation(1, "slow", delay=Delay(first_byte=0.2))
    async with playing(tmp_path, slow, creation(2, "fast")) as proxy, calling(proxy) as client:
        await client.ask(asking(2))
        client.writer.write(asking(1))
        await asyncio.sleep(0.05)
        client.writer.write(asking(2))
        assert [json.loads((await client.answer())[1])["answer"] for _ in range(2)] == ["slow", "fast"]


async def test_event_streams_and_codings(tmp_path: Path) -> None:
    """Chunk by chunk, and in the coding that this client takes."""
    events, zipped = Headers.of(("Content-Type", "text/event-stream")), Headers.of(("Content-Encoding", "gzip"))
    stream = response(200, b"data: 1\n\ndata: 2\n\n", events, chunks=(Chunk(0.0, 9), Chunk(0.2, 9)))
    coded = response(200, b"hello " * 50, zipped, coding="gzip")
    recorded = [
        interaction(request("GET", "/v1/s", headers=Headers()), stream),
        interaction(request("GET", "/v1/z", headers=Headers()), coded),
    ]
    async with playing(tmp_path, *recorded, repeat="last") as proxy, calling(proxy) as client:
        for target, more in (("/v1/s", ""), ("/v1/z", "Accept-Encoding: gzip"), ("/v1/z", "")):
            asked = "\r\n".join([f"GET {target} HTTP/1.1", "Host: localhost", *filter(None, [more]), "", ""]).encode()
            first, second = await client.ask(asked), await client.ask(asked)
            assert first[1] == second[1]
            assert (b"\r\nContent-Encoding: gzip" in second[0]) == bool(more)
        assert again(proxy) == [False, True] * 3


@pytest.mark.parametrize(
    ("more", "settings"),
    [
        ({"delay": Delay(first_byte=0.01)}, {}),
        ({"fault": Fault("status", status=500)}, {}),
        ({"first_byte": 0.01}, {"speed": 1.0}),
    ],
)
async def test_what_is_slow_or_fails_takes_the_long_way(
    tmp_path: Path, more: dict[str, Any], settings: dict[str, Any]
) -> None:
    """Each time anew."""
    async with playing(tmp_path, creation(1, "one", **more), **settings) as proxy, calling(proxy) as client:
        for _ in range(3):
            await client.ask(asking(1))
        assert again(proxy) == [False] * 3


@pytest.mark.parametrize("more", ["Connection: close", "Expect: 100-continue", "Upgrade: h2c\r\nConnection: upgrade"])
async def test_what_is_special_takes_the_long_way(tmp_path: Path, more: str) -> None:
    """Requests that say something about the connection, or wait for a word."""
    async with playing(tmp_path, creation(1, "one")) as proxy:
        for _ in range(3):
            async with calling(proxy) as client:
                answer = await client.ask(asking(1, more))
                if b"100 Continue" in answer[0]:
                    answer = await client.answer()
                assert answer[0].startswith((b"HTTP/1.1 200", b"HTTP/1.1 400"))
        assert True not in again(proxy)


async def test_faults_that_are_set_later_are_met(tmp_path: Path) -> None:
    """A known request meets them like any other, and is known afterwards."""
    async with playing(tmp_path, creation(1, "one")) as proxy, calling(proxy) as client:
        for _ in range(2):
            await client.ask(asking(1))
        async with aiohttp.ClientSession(proxy.admin_url, headers=admin_headers(proxy)) as admin:
            plan = {"faults": [{"kind": "status", "status": 503, "times": 1}]}
            async with admin.put("/sessions/default/faults", json=plan) as answer:
                assert answer.status == 200
            assert (await client.ask(asking(1)))[0].startswith(b"HTTP/1.1 503")
            async with admin.put("/sessions/default/faults", json={"faults": []}):
                pass
        assert (await client.ask(asking(1)))[0].startswith(b"HTTP/1.1 200")
        assert again(proxy) == [False, True, False, True]


async def test_a_session_that_begins_anew_answers_itself(tmp_path: Path) -> None:
    """Nobody answers in the name of a session that is closed."""
    recorded = [creation(1, "first"), creation(1, "second")]
    async with playing(tmp_path, *recorded) as proxy, calling(proxy) as client:
        answers = [(await client.ask(asking(1)))[1] for _ in range(3)]
        async with (
            aiohttp.ClientSession(proxy.admin_url, headers=admin_headers(proxy)) as admin,
            admin.post("/sessions/default/reset") as answer,
        ):
            assert answer.status == 200
        answers += [(await client.ask(asking(1)))[1] for _ in range(2)]
        assert [json.loads(each)["answer"] for each in answers] == ["first", "second", "first", "first", "second"]
        assert proxy.sessions.receipt("default").played == 2


async def test_sessions_are_told_apart(tmp_path: Path) -> None:
    """By their prefix, which is part of the bytes."""
    async with playing(tmp_path, creation(1, "one")) as proxy, calling(proxy) as client:
        (tmp_path / "other.yaml").write_bytes((tmp_path / "c.yaml").read_bytes())
        for target in ("/v1/threads", "/@other/v1/threads") * 2:
            assert (await client.ask(asking(1, target=target)))[1] == b'{"answer": "one"}'
        entries = [each.entry() for each in proxy.journal.entries()]
        assert [(entry.session, entry.request.target) for entry in entries] == [
            ("default", "/v1/threads"),
            ("other", "/v1/threads"),
        ] * 2


async def test_a_client_that_does_not_read_is_waited_for(tmp_path: Path) -> None:
    """Answers do not pile up behind it, and none is lost."""
    large = interaction(
        request("POST", "/v1/threads", {"number": 1}),
        response(200, b"x" * 200_000, Headers.of(("Content-Length", "200000"))),
    )
    async with playing(tmp_path, large) as proxy, calling(proxy) as client:
        await client.ask(asking(1))
        for _ in range(100):
            client.writer.write(asking(1))
            await asyncio.sleep(0)
        for _ in range(100):
            assert len((await client.answer())[1]) == 200_000


def test_requests_are_forgotten_when_they_are_too_many() -> None:
    """All of them, with the heads that announce them; what comes again is learned again."""

    class Anyone:
        def answer(self, data: bytes) -> bytes | None:
            return data

    desk, one, other = Desk(limit=3), Anyone(), Anyone()
    desk.learn(b"head and body", 4, one)
    assert (desk.ask(b"head"), desk.ask(b"head and body")) == (13, one)
    desk.learn(b"another", 7, other)
    desk.learn(b"third", 5, other)
    assert [desk.ask(each) for each in (b"head", b"another", b"third")] == [None, None, other]


async def test_any_cutting_gives_the_same_answers(tmp_path: Path) -> None:
    """A stream of requests, some known and some not, is answered alike however its bytes arrive."""
    random.seed(6)
    recorded = [creation(number, number) for number in range(4)]
    async with playing(tmp_path, *recorded) as proxy:
        for _ in range(30):
            numbers = [random.randrange(4) for _ in range(8)]
            stream = b"".join(asking(number) for number in numbers)
            async with calling(proxy) as client:
                while stream:
                    size = random.choice((1, 40, 190, 200, 230, 1000))
                    client.writer.write(stream[:size])
                    await client.writer.drain()
                    stream = stream[size:]
                    await asyncio.sleep(0)
                answers = [json.loads((await client.answer())[1])["answer"] for _ in numbers]
            assert answers == numbers
