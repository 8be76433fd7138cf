"""Polls in playback: in recorded order, and at once. Concurrent requests that are the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from openai import AsyncOpenAI

from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.messages import Headers
from replayproxy.proxy.app import Proxy
from replayproxy.stores import FileStore
from tests.builders import JSON, request, response
from tests.proxies import documents, proxied
from tests.servers import Visit, raw_upstream

pytestmark = pytest.mark.filterwarnings("ignore:The Assistants API is deprecated:DeprecationWarning")
TRAFFIC = Path(__file__).parents[2].parent / "shared" / "real-traffic" / "ruby-openai" / "runs_retrieve.yml"
STATES = ["queued", *["in_progress"] * 38, "completed"]
BETA = Headers.of(("OpenAI-Beta", "assistants=v2"))


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    """Where these tests record."""
    return tmp_path / "cassette.yaml"


@pytest.fixture(params=["made up", "real"])
def run(request: pytest.FixtureRequest) -> dict[str, Any]:
    """A run as the API gives it."""
    if request.param == "made up":
        return {"id": "run_1", "object": "thread.run", "thread_id": "thread_1", "status": "queued"}
    if not TRAFFIC.exists():
        pytest.skip(f"there is no real traffic in {TRAFFIC}")
    recorded = yaml.safe_load(TRAFFIC.read_text("utf-8"))["http_interactions"]
    return dict(json.loads(recorded[0]["response"]["body"]["string"]))


def record(cassette: Path, interactions: Iterable[Interaction]) -> None:
    recorder = FileStore(cassette).replace_take(Head())
    for arrival, interaction in enumerate(interactions):
        recorder.append(interaction, arrival)
    recorder.close()


def polled(run: dict[str, Any], *headers: tuple[str, str]) -> list[Interaction]:
    """The 40 polls of a run, each with the minute in it, as they were answered."""
    target = f"/v1/threads/{run['thread_id']}/runs/{run['id']}"
    return [
        Interaction(
            request("GET", target, headers=BETA),
            response(body={**run, "status": state, "metadata": {"poll": str(number)}}, headers=JSON.plus(*headers)),
        )
        for number, state in enumerate(STATES, 1)
    ]


async def poll(client: AsyncOpenAI, run: dict[str, Any]) -> Any:
    """What the client's poll helper gives."""
    return await client.beta.threads.runs.poll(run["id"], thread_id=run["thread_id"])


async def test_the_poll_helper_waits_for_nothing(cassette: Path, run: dict[str, Any]) -> None:
    """40 polls, each answered once and in order; with the sleeps of a second in between it would take 39."""
    warm, clock = {**run, "id": "run_warm"}, asyncio.get_running_loop().time
    record(cassette, [*polled(run, ("openai-poll-after-ms", "5000")), polled(warm)[-1]])
    async with (
        proxied(cassette, mode="playback") as proxy,
        AsyncOpenAI(base_url=f"{proxy.url}/v1", api_key="any") as client,
    ):
        await poll(client, warm)  # which imports half of the client
        began = clock()
        done = await poll(client, run)
        seconds, receipt = clock() - began, proxy.session.receipt()
        played = [noted.entry().interaction for noted in proxy.journal.entries()]
    assert (done.status, done.metadata) == ("completed", {"poll": "40"})
    assert played == [41, *range(1, 41)]
    assert (receipt.played, receipt.unplayed, receipt.failures) == (41, (), ())
    assert seconds < 20


async def headers_of(proxy: Proxy, run: dict[str, Any]) -> list[str | None]:
    """What two polls by hand are told to wait."""
    async with aiohttp.ClientSession() as client:
        url = f"{proxy.url}/v1/threads/{run['thread_id']}/runs/{run['id']}"
        answers = [await client.get(url, headers=dict(BETA)) for _ in range(2)]
        return [answer.headers.get("openai-poll-after-ms") for answer in answers]


@pytest.mark.parametrize(("setting", "expected"), [(1, "1"), (250, "250"), (0, "5000")])
async def test_how_long_a_poll_waits_is_a_setting(
    cassette: Path, run: dict[str, Any], setting: int, expected: str
) -> None:
    """It takes the place of what was recorded; 0 leaves that."""
    record(cassette, polled(run, ("openai-poll-after-ms", "5000")))
    async with proxied(cassette, mode="playback") as proxy:
        handler = await proxy.sessions.get("default")
        handler.policy = replace(handler.policy, poll_after_ms=setting)
        assert await headers_of(proxy, run) == [expected, expected]


async def test_only_played_polls_are_told(cassette: Path) -> None:
    """What comes from the upstream keeps its time, and so does its recording."""

    async def script(visit: Visit) -> None:
        while True:
            await visit.request()
            await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nOpenAI-Poll-After-Ms: 700\r\n\r\n{}")

    run = {"id": "run_1", "thread_id": "thread_1"}
    async with raw_upstream(script) as upstream:
        for expected in (["700", "700"], ["1", "1"]):
            async with proxied(cassette, upstream.url, mode="auto") as proxy:
                assert await headers_of(proxy, run) == expected
    kept = [{"Content-Length": "2"}, {"OpenAI-Poll-After-Ms": "700"}]
    assert [each["response"]["headers"] for each in documents(cassette)[1:]] == [kept, kept]


# --- concurrent requests

COUNT = 50
POST = b"POST /v1/threads HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n"


def created() -> list[Interaction]:
    """The same request, answered differently each time."""
    return [
        Interaction(request("POST", "/v1/threads", {}), response(body={"id": f"thread_{number}"}))
        for number in range(COUNT)
    ]


async def test_concurrent_requests_get_each_answer_once(cassette: Path) -> None:
    """50 at once, over as many connections."""
    record(cassette, created())
    async with (
        proxied(cassette, mode="playback") as proxy,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client,
    ):

        async def create() -> str:
            async with client.post(f"{proxy.url}/v1/threads", json={}) as answer:
                return str((await answer.json(content_type=None))["id"])

        got = await asyncio.gather(*(create() for _ in range(COUNT)))
        assert proxy.session.receipt().unplayed == ()
    assert sorted(got) == sorted(f"thread_{number}" for number in range(COUNT))


async def answer_to(reader: asyncio.StreamReader) -> str:
    """The id in an answer."""
    body = await reader.readuntil(b"0\r\n\r\n")
    return "thread_" + body.partition(b"thread_")[2].partition(b'"')[0].decode()


@pytest.mark.parametrize("bodies", ["at once", "last first"])
async def test_concurrent_requests_get_the_answers_in_order(cassette: Path, bodies: str) -> None:
    """In the order in which they arrive; when bodies come later, in the order in which they are complete."""
    record(cassette, created())
    async with proxied(cassette, mode="playback") as proxy:
        under_way = (await proxy.sessions.get("default")).under_way
        host, port = proxy.url.removeprefix("http://").split(":")
        pairs = [await asyncio.open_connection(host, int(port)) for _ in range(COUNT)]
        for number, (_, writer) in enumerate(pairs):
            writer.write(POST + (b"{}" if bodies == "at once" else b"{"))
            while len(proxy.journal) + len(under_way) <= number:
                await asyncio.sleep(0)
        order = pairs if bodies == "at once" else pairs[::-1]
        got = list[str]()
        for reader, writer in order:
            if bodies == "last first":
                writer.write(b"}")
            got.append(await answer_to(reader))
            writer.close()
    assert got == [f"thread_{number}" for number in range(COUNT)]
