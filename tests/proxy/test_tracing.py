"""Spans of exchanges: whether they are wanted, what they tell, and that they arrive."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from replayproxy.proxy.tracing import FLUSH, Closing, tracing_for, wanted
from tests.processes import environment, started
from tests.proxies import proxied
from tests.servers import answering, raw_upstream

pytest.importorskip("opentelemetry.sdk.trace", reason="OpenTelemetry's SDK is not installed")

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "a=1", "baggage": "user=1"}
CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
KEY = {"Authorization": "Bearer sk-proj-Ab3dEf6hIj9lMnOpQrStUv"}


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """The spans that end, with a provider that this process has."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    # The library has one provider for a process, and nothing that takes it back.
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    return exporter


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """Sends requests."""
    async with aiohttp.ClientSession() as session:
        yield session


async def asked(client: aiohttp.ClientSession, method: str, url: str, **more: Any) -> tuple[int, bytes]:
    """Status and body of an answer."""
    async with client.request(method, url, **more) as answer:
        return answer.status, await answer.read()


async def ended(spans: InMemorySpanExporter, count: int) -> tuple[ReadableSpan, ...]:
    """So many spans, as soon as they have ended; the first one ended first."""
    async with asyncio.timeout(10):
        while len(found := spans.get_finished_spans()) < count:
            await asyncio.sleep(0.005)
    assert len(found) == count
    return found


def attributes(span: ReadableSpan) -> dict[str, Any]:
    """What a span tells."""
    return dict(span.attributes or {})


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "x"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_TRACES_EXPORTER": "console"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, False),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "false"}, True),
    ],
)
def test_the_environment_asks_for_spans(environ: dict[str, str], expected: bool) -> None:
    """With the variables of OpenTelemetry's specification."""
    assert wanted(environ) is expected


def test_without_being_asked_there_is_no_tracing() -> None:
    """Nobody pays for what nobody asked for."""
    assert tracing_for({}) is None


async def test_a_forwarded_exchange_has_two_spans(
    tmp_path: Path, client: aiohttp.ClientSession, spans: InMemorySpanExporter
) -> None:
    """One goes on from the client's, the other is within it; the upstream is told of that, and of the same baggage."""
    async with raw_upstream(answering(OK)) as upstream, proxied(tmp_path / "c.yaml", upstream.url) as proxy:
        target = f"{proxy.url}/@s1/v1/chat/completions?api_key=secret-value-123"
        headers = PARENT | KEY | {"X-Client-Request-Id": "mine"}
        assert await asked(client, "POST", target, json=CHAT, headers=headers) == (200, b"ok")
        below, above = await ended(spans, 2)
        host, port = upstream.url.removeprefix("http://").split(":")
        own = proxy.url.rpartition(":")[2]
    assert (above.name, above.kind) == ("POST /v1/chat/completions", SpanKind.SERVER)
    assert above.context is not None
    assert below.context is not None
    assert above.parent is not None
    assert below.parent == above.context
    assert (f"{above.parent.trace_id:032x}", f"{above.parent.span_id:016x}") == (TRACE, SPAN)
    told = attributes(above)
    assert 0 < told.pop("replayproxy.first_byte") < 10
    assert told == {
        "http.request.method": "POST",
        "http.route": "/v1/chat/completions",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "url.path": "/v1/chat/completions",
        "url.query": "api_key=redacted.api-key",
        "server.address": "127.0.0.1",
        "server.port": int(own),
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "replayproxy.outcome": "saved",
        "replayproxy.session": "s1",
        "replayproxy.operation": "createChatCompletion",
        "replayproxy.exchange": 1,
        "replayproxy.client_request_id": "mine",
    }
    assert (below.name, below.kind) == ("POST /v1/chat/completions", SpanKind.CLIENT)
    assert attributes(below) == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "server.address": host,
        "server.port": int(port),
    }
    assert {above.status.status_code, below.status.status_code} == {StatusCode.UNSET}
    sent = upstream.received.lower()
    assert f"traceparent: 00-{TRACE}-{below.context.span_id:016x}-0".encode() in sent
    assert b"tracestate: a=1\r\n" in sent
    assert b"baggage: user=1\r\n" in sent
    assert KEY["Authorization"].encode() in upstream.received
    # What is recorded is what the client sent.
    assert f"{TRACE}-{SPAN}" in (tmp_path / "s1.yaml").read_text()


@pytest.mark.parametrize("headers", [{}, {"traceparent": "nonsense", "tracestate": "a=1"}], ids=["none", "malformed"])
async def test_who_names_no_trace_begins_one(
    tmp_path: Path, client: aiohttp.ClientSession, spans: InMemorySpanExporter, headers: dict[str, str]
) -> None:
    """The upstream is told of it, and not of a state that belongs to none."""
    async with raw_upstream(answering(OK)) as upstream, proxied(tmp_path / "c.yaml", upstream.url) as proxy:
        await asked(client, "GET", f"{proxy.url}/x", headers=headers)
        below, above = await ended(spans, 2)
    assert above.parent is None
    assert above.name == "GET"
    assert below.context is not None
    sent = upstream.received.lower()
    assert f"traceparent: 00-{below.context.trace_id:032x}-{below.context.span_id:016x}-0".encode() in sent
    assert sent.count(b"traceparent") == 1
    assert b"tracestate" not in sent


async def test_played_answers_have_a_span_each(
    tmp_path: Path, client: aiohttp.ClientSession, spans: InMemorySpanExporter
) -> None:
    """Also when the same bytes come again; there is no client within it."""
    async with raw_upstream(answering(OK)) as upstream, proxied(tmp_path / "c.yaml", upstream.url) as proxy:
        await asked(client, "GET", f"{proxy.url}/v1/models")
    await ended(spans, 2)
    spans.clear()
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
        for _ in range(3):
            assert await asked(client, "GET", f"{proxy.url}/v1/models") == (200, b"ok")
        found = await ended(spans, 3)
    told = [attributes(span) for span in found]
    assert [each["replayproxy.outcome"] for each in told] == ["played", "repeated", "repeated"]
    assert {each["replayproxy.interaction"] for each in told} == {1}
    assert {span.name for span in found} == {"GET /v1/models"}


async def test_what_goes_wrong_has_the_status_error(
    tmp_path: Path, client: aiohttp.ClientSession, spans: InMemorySpanExporter
) -> None:
    """A miss, and an upstream that is not there; the client's request that is refused is no error of ours."""
    async with proxied(tmp_path / "c.yaml", mode="playback") as proxy:
        assert (await asked(client, "GET", f"{proxy.url}/v1/models"))[0] == 424
    async with proxied(tmp_path / "d.yaml", "http://127.0.0.1:1") as proxy:
        assert (await asked(client, "GET", f"{proxy.url}/v1/models"))[0] == 502
    async with proxied(tmp_path / "e.yaml", validate="enforce") as proxy:
        assert (await asked(client, "POST", f"{proxy.url}/v1/threads", json={"metadata": 1}))[0] == 400
    missed, below, failed, rejected = await ended(spans, 4)
    kinds = [attributes(span).get("error.type") for span in (missed, below, failed, rejected)]
    assert kinds == ["missed", "connect", "connect", None]
    assert missed.status.status_code is below.status.status_code is failed.status.status_code is StatusCode.ERROR
    assert "no connection to" in str(failed.status.description)
    assert rejected.status.status_code is StatusCode.UNSET
    assert attributes(rejected)["http.response.status_code"] == 400


async def test_an_error_of_the_api_is_the_clients_and_not_ours(
    tmp_path: Path, client: aiohttp.ClientSession, spans: InMemorySpanExporter
) -> None:
    """As the conventions have it: 404 fails who asked, 500 whoever answered too."""
    answers = [b"HTTP/1.1 %b X\r\nContent-Length: 0\r\n\r\n" % status for status in (b"404", b"500")]
    async with (
        raw_upstream(answering(*answers)) as upstream,
        proxied(tmp_path / "c.yaml", upstream.url, "passthrough") as proxy,
    ):
        for _ in answers:
            await asked(client, "GET", f"{proxy.url}/x")
        found = await ended(spans, 4)
    assert [attributes(span).get("error.type") for span in found] == ["404", None, "500", "500"]


# --- a collector over the wire


@pytest.fixture
async def collector() -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """An OTLP/HTTP collector: its URL, and the spans that arrive, each with its resource's attributes."""
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the OTLP exporter is not installed")
    from google.protobuf.json_format import MessageToDict
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
        ExportTraceServiceRequest,
        ExportTraceServiceResponse,
    )

    arrived = list[dict[str, Any]]()

    async def take(request: web.Request) -> web.Response:
        message = ExportTraceServiceRequest.FromString(await request.read())
        for of_resource in MessageToDict(message)["resourceSpans"]:
            resource = {each["key"]: each["value"] for each in of_resource["resource"]["attributes"]}
            for scope in of_resource["scopeSpans"]:
                arrived.extend({**span, "resource": resource} for span in scope["spans"])
        return web.Response(
            body=ExportTraceServiceResponse().SerializeToString(), content_type="application/x-protobuf"
        )

    app = web.Application()
    app.router.add_post("/v1/traces", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", arrived
    await runner.cleanup()


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_spans_arrive_at_a_collector(
    tmp_path: Path, collector: tuple[str, list[dict[str, Any]]], workers: str
) -> None:
    """Of a process of its own, at the latest when it stops: those that wait leave then."""
    url, arrived = collector
    more = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_BSP_SCHEDULE_DELAY": "60000"}

    def ask() -> str:
        with started("record", "--workers", workers, cwd=tmp_path, **more) as proxy:
            done = subprocess.run(
                [sys.executable, "-c", f"import urllib.request as r; r.urlopen('{proxy.url}/v1/models').read()"],
                env=environment(),
                check=False,
                capture_output=True,
            )
            assert b"401" in done.stderr  # the emulator asks for a key
        assert proxy.status == 0
        return proxy.err

    err = await asyncio.to_thread(ask)
    below, above = sorted(arrived, key=lambda span: str(span["kind"]))
    assert (below["kind"], above["kind"]) == ("SPAN_KIND_CLIENT", "SPAN_KIND_SERVER")
    assert below["parentSpanId"] == above["spanId"]
    assert above["name"] == "GET /v1/models"
    assert above["resource"]["service.name"] == {"stringValue": "replayproxy"}
    assert "Traceback" not in err


def test_a_collector_that_is_not_there_holds_nobody_up(tmp_path: Path) -> None:
    """The proxy answers, and stops as soon as it would."""
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the OTLP exporter is not installed")
    with started("record", cwd=tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1") as proxy:
        subprocess.run(
            [sys.executable, "-c", f"import urllib.request as r; r.urlopen('{proxy.url}/v1/models').read()"],
            check=False,
            capture_output=True,
        )
        began = time.monotonic()
        proxy.stop()
        assert time.monotonic() - began < FLUSH + 5
    assert proxy.status == 0


def test_spans_may_go_to_the_console(tmp_path: Path) -> None:
    """On standard error: on standard output stands what other programs read."""
    with started("playback", cwd=tmp_path, OTEL_TRACES_EXPORTER="console", OTEL_SERVICE_NAME="mine") as proxy:
        subprocess.run(
            [sys.executable, "-c", f"import urllib.request as r; r.urlopen('{proxy.url}/v1/models').read()"],
            check=False,
            capture_output=True,
        )
    lines = proxy.err.splitlines()
    span = json.loads("\n".join(lines[lines.index("{") : lines.index("}") + 1]))
    assert (span["name"], span["resource"]["attributes"]["service.name"]) == ("GET /v1/models", "mine")
    assert proxy.out.count("\n") == 1


@pytest.fixture
def own_log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What is logged, whoever configured logging before."""
    logger = logging.getLogger("replayproxy")
    before, logger.propagate = logger.propagate, True
    yield caplog
    logger.propagate = before


@pytest.mark.parametrize("name", ["nobody_has_this", "otlp_proto_nothing, nor_this"])
def test_an_exporter_that_is_not_there_is_told(own_log: pytest.LogCaptureFixture, name: str) -> None:
    """It is no reason not to start."""
    assert tracing_for({"OTEL_TRACES_EXPORTER": name}) is None
    assert f"the exporter {name.split(',')[0]} cannot be used: no installed package has it" in own_log.text


def test_grpc_is_another_exporter(own_log: pytest.LogCaptureFixture) -> None:
    """Which is no dependency of ours."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    if tracing_for(environ) is None:
        assert "the exporter otlp_proto_grpc cannot be used" in own_log.text


async def test_what_takes_too_long_to_leave_is_left_behind(own_log: pytest.LogCaptureFixture) -> None:
    """Its thread ends with the process."""
    stuck = threading.Event()
    began = time.monotonic()
    await Closing(stuck.wait, 0.05)()
    assert time.monotonic() - began < FLUSH
    assert "some spans were not sent" in own_log.text
    stuck.set()


def test_without_the_packages_it_is_told(tmp_path: Path) -> None:
    """And nothing of them is imported by who does not ask for spans."""
    code = (
        "import sys\n"
        "for name in [*sys.modules]:\n"
        "    assert not name.startswith('opentelemetry'), name\n"
        "sys.modules['opentelemetry'] = None\n"
        "import replayproxy.proxy.app\n"
        "from replayproxy.proxy.tracing import tracing_for\n"
        "assert tracing_for({}) is None\n"
        "assert tracing_for({'OTEL_TRACES_EXPORTER': 'otlp'}) is None\n"
        "assert not [name for name in sys.modules if name.startswith(('opentelemetry.', 'prometheus_client'))]\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert "pip install 'replayproxy[otel]'" in done.stderr
