"""What Prometheus scrapes: counts, times and sizes, of one process and of several."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as of_openmetrics
from prometheus_client.parser import text_string_to_metric_families as of_text

import replayproxy
from replayproxy.core.meter import METRICS
from replayproxy.proxy.app import Proxy
from tests.proxies import proxied
from tests.servers import Script, Visit, raw_upstream

ASSISTANTS = {"Authorization": "Bearer x", "OpenAI-Beta": "assistants=v2"}
DOCS = Path(__file__).parents[3] / "docs" / "observability.md"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"

Samples = dict[tuple[str, ...], float]


async def scraped(proxy: Proxy) -> Samples:
    """The samples by name and labels in the order of their names; those of one scrape."""
    async with aiohttp.ClientSession() as client, client.get(f"{proxy.admin_url}/metrics") as answer:
        assert answer.status == 200
        families = list(of_text(await answer.text()))
    samples = [sample for family in families for sample in family.samples]
    found = {
        (each.name, *(f"{name}={value}" for name, value in sorted(each.labels.items()))): each.value for each in samples
    }
    assert len(found) == len(samples)
    return found


async def asked(client: aiohttp.ClientSession, method: str, url: str, **more: Any) -> tuple[int, bytes]:
    """Status and body of an answer."""
    async with client.request(method, url, headers=ASSISTANTS, **more) as answer:
        return answer.status, await answer.read()


async def scraped_until(proxy: Proxy, name: tuple[str, ...], value: float) -> Samples:
    """The samples as soon as one of them has a value."""
    async with asyncio.timeout(20):
        while (found := await scraped(proxy)).get(name) != value:
            await asyncio.sleep(0.02)
    return found


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """Sends requests."""
    async with aiohttp.ClientSession() as session:
        yield session


async def test_everything_is_told_from_the_beginning(tmp_path: Path) -> None:
    """Each metric of the table is there, gauges with a value, although nothing came yet."""
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy, aiohttp.ClientSession() as client:
        async with client.get(f"{proxy.admin_url}/metrics") as answer:
            text = await answer.text()
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        families = {family.name: family for family in of_text(text)}
    told = {f"{metric.name}_info" if metric.kind == "info" else metric.name for metric in METRICS}
    assert set(families) == told
    assert all(family.documentation.endswith(".") for family in families.values())
    gauges = [metric.name for metric in METRICS if metric.kind == "gauge"]
    assert all(len(families[name].samples) == 1 for name in gauges)
    assert families["replayproxy_info"].samples[0].labels == {"version": replayproxy.__version__, "mode": "playback"}


async def test_the_documentation_has_the_same_metrics(tmp_path: Path) -> None:
    """By the names that are scraped, with their labels."""
    rows = re.findall(r"^\| `(replayproxy\w*)` \| (\w+) \|([^|]*)\|", DOCS.read_text("utf-8"), re.MULTILINE)
    told = {name: (kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    endings = {"counter": "_total", "info": "_info"}
    known = {metric.name + endings.get(metric.kind, ""): (metric.kind, metric.labels) for metric in METRICS}
    assert told == known


async def test_openmetrics_for_who_accepts_it(tmp_path: Path, client: aiohttp.ClientSession) -> None:
    """As Prometheus does."""
    async with proxied(tmp_path / "c.yaml") as proxy:
        async with client.get(f"{proxy.url}/v1/models", headers=ASSISTANTS) as answer:
            assert answer.status == 200
        async with client.get(f"{proxy.admin_url}/metrics", headers={"Accept": OPENMETRICS}) as answer:
            assert answer.headers["Content-Type"].startswith(OPENMETRICS)
            families = {family.name: family for family in of_openmetrics(await answer.text())}
    assert families["replayproxy"].type == "info"
    (sample,) = families["replayproxy_exchanges"].samples
    assert sample.labels == {"outcome": "saved", "operation": "listModels", "family": "models"}


async def test_exchanges_are_counted_in_every_mode(tmp_path: Path, client: aiohttp.ClientSession) -> None:
    """Those that are forwarded, those that are played, by the long way and by the short one, and those that miss."""
    async with proxied(tmp_path / "c.yaml", mode="record") as proxy:
        async with client.post(f"{proxy.url}/v1/threads", json={}, headers=ASSISTANTS) as answer:
            length = len(await answer.read())
        found = await scraped(proxy)
        total = "replayproxy_exchanges_total"
        assert found[total, "family=threads", "operation=createThread", "outcome=saved"] == 1
        assert found["replayproxy_request_body_bytes_total", "answered_by=upstream"] == len("{}")
        assert found["replayproxy_response_body_bytes_total", "answered_by=upstream"] == length
        assert found["replayproxy_first_byte_seconds_count", "answered_by=upstream"] == 1
        assert found["replayproxy_exchange_seconds_sum", "answered_by=upstream"] > 0
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
        for _ in range(3):
            async with client.post(f"{proxy.url}/v1/threads", json={}, headers=ASSISTANTS) as answer:
                await answer.read()
            await proxy.sessions.reset("default")
        async with client.get(f"{proxy.url}/v1/models", headers=ASSISTANTS) as answer:
            assert answer.status == 424
        found = await scraped(proxy)
        assert found[total, "family=threads", "operation=createThread", "outcome=played"] == 3
        assert found[total, "family=models", "operation=listModels", "outcome=missed"] == 1
        assert found["replayproxy_misses_total", "reason=no_match"] == 1
        assert found["replayproxy_request_body_bytes_total", "answered_by=recording"] == 3 * len("{}")
        assert found["replayproxy_response_body_bytes_total", "answered_by=recording"] == 3 * length
        assert found["replayproxy_exchange_seconds_bucket", "answered_by=recording", "le=+Inf"] == 3
        assert found["replayproxy_sessions",] == found["replayproxy_cassettes",] == 1
        assert found["replayproxy_cassette_interactions",] == 1
        assert found["replayproxy_cassette_bytes",] == (tmp_path / "c.yaml").stat().st_size
        assert found["replayproxy_journal_entries",] == len(proxy.journal) == 4
        assert found["replayproxy_journal_bytes",] > 0


async def test_the_short_way_is_counted_too(tmp_path: Path, client: aiohttp.ClientSession) -> None:
    """The same GET again and again, whose very bytes are known: counted with its bytes, and in the log's order."""
    async with proxied(tmp_path / "c.yaml", mode="record") as proxy:
        length = len((await asked(client, "GET", f"{proxy.url}/v1/models"))[1])
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
        for _ in range(5):
            async with client.get(f"{proxy.url}/v1/models", headers=ASSISTANTS) as answer:
                assert answer.status == 200
                await answer.read()
        found = await scraped(proxy)
    labels = ("replayproxy_exchanges_total", "family=models", "operation=listModels")
    assert found[*labels, "outcome=played"] == 1
    assert found[*labels, "outcome=repeated"] == 4
    assert found["replayproxy_response_body_bytes_total", "answered_by=recording"] == 5 * length
    assert found["replayproxy_first_byte_seconds_count", "answered_by=recording"] == 5


async def test_what_the_validator_finds_is_counted(tmp_path: Path, client: aiohttp.ClientSession) -> None:
    """By whose message it was in, and whether it was a reason to refuse."""
    async with proxied(tmp_path / "c.yaml", validate="enforce") as proxy:
        async with client.post(f"{proxy.url}/v1/threads", json={"metadata": 1}, headers=ASSISTANTS) as answer:
            assert answer.status == 400
        found = await scraped(proxy)
    assert found["replayproxy_problems_total", "severity=error", "side=request"] >= 1


async def broken(visit: Visit) -> None:
    """Ends without an answer."""
    await visit.request()


async def silent(visit: Visit) -> None:
    """Never answers."""
    await visit.request()
    await asyncio.Event().wait()


async def garbage(visit: Visit) -> None:
    """Speaks something else."""
    await visit.request()
    await visit.send(b"SSH-2.0-x\r\n")


async def plain(visit: Visit) -> None:
    """Speaks no TLS."""
    await visit.reader.read(1)
    await visit.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")


async def half(visit: Visit) -> None:
    """Breaks off in the middle."""
    await visit.request()
    await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")


@pytest.mark.parametrize(
    ("script", "kind", "scheme"),
    [
        (broken, "reset", "http"),
        (garbage, "reset", "http"),
        (half, "reset", "http"),
        (silent, "timeout", "http"),
        (plain, "tls", "https"),
    ],
    ids=["broken", "garbage", "half", "silent", "tls"],
)
async def test_what_the_upstream_did_is_counted(
    tmp_path: Path, client: aiohttp.ClientSession, script: Script, kind: str, scheme: str
) -> None:
    """In the place of an answer, or in the middle of one."""
    async with raw_upstream(script) as upstream:
        url = upstream.url.replace("http", scheme)
        async with proxied(tmp_path / "c.yaml", url, mode="passthrough", idle_timeout=0.3) as proxy:
            try:
                async with client.get(f"{proxy.url}/x") as answer:
                    await answer.read()
            except aiohttp.ClientError:
                pass  # what breaks off there breaks off here
            await scraped_until(proxy, ("replayproxy_upstream_errors_total", f"kind={kind}"), 1)


@pytest.mark.parametrize(("url", "kind"), [("http://127.0.0.1:1", "connect"), ("http://nowhere.invalid", "resolve")])
async def test_an_upstream_that_is_not_there_is_counted(
    tmp_path: Path, client: aiohttp.ClientSession, url: str, kind: str
) -> None:
    """Nobody listens, or its name means nothing."""
    async with proxied(tmp_path / "c.yaml", url, mode="passthrough") as proxy:
        async with client.get(f"{proxy.url}/x") as answer:
            assert answer.status == 502
        found = await scraped(proxy)
    assert found["replayproxy_upstream_errors_total", f"kind={kind}"] == 1


async def test_what_is_under_way_is_told(tmp_path: Path, client: aiohttp.ClientSession) -> None:
    """A stream as long as it lasts, and nothing after that; it has counted then."""
    goes_on = asyncio.Event()

    async def streaming(visit: Visit) -> None:
        await visit.request()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        await visit.send(head + b"9\r\ndata: 1\n\n\r\n")
        await goes_on.wait()
        await visit.send(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")

    async with raw_upstream(streaming) as upstream, proxied(tmp_path / "c.yaml", upstream.url) as proxy:
        async with client.get(f"{proxy.url}/v1/x") as answer:
            assert await answer.content.readany() == b"data: 1\n\n"
            found = await scraped(proxy)
            assert found["replayproxy_exchanges_under_way",] == found["replayproxy_streams_under_way",] == 1
            goes_on.set()
            await answer.read()
        found = await scraped_until(proxy, ("replayproxy_exchanges_under_way",), 0)
    assert found["replayproxy_streams_under_way",] == 0
    assert found["replayproxy_response_body_bytes_total", "answered_by=upstream"] == 18


async def test_several_workers_are_told_of_as_one(tmp_path: Path) -> None:
    """Whoever of them answered."""
    async with proxied(tmp_path / "c.yaml", mode="record", workers=2) as proxy:
        for _ in range(8):
            # A connection of its own each time, so that both have something to do.
            async with aiohttp.ClientSession() as client:
                assert (await asked(client, "POST", f"{proxy.url}/v1/threads", json={}))[0] == 200
        found = await scraped(proxy)
    total = ("replayproxy_exchanges_total", "family=threads", "operation=createThread", "outcome=saved")
    assert found[total] == 8
    assert found["replayproxy_workers",] == 2
    assert found["replayproxy_sessions",] == 1
    assert found["replayproxy_journal_entries",] == 8
    assert found["replayproxy_exchange_seconds_count", "answered_by=upstream"] == 8
