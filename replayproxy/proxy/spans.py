"""The spans of exchanges, made with OpenTelemetry: imported when tracing is on (proxy/tracing.py), and never before.

Rules:
1. What a span tells is redacted already, and cut: a collector is somebody else's disk.
2. The trace goes on: the parent is the span that the client names, and the upstream is told of ours. Who names none
   begins a new trace. `baggage` is between client and upstream, and passes as it is.
3. Names and values are those of OpenTelemetry's semantic conventions (HTTP 1.x; generative AI as of 2025).
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

import replayproxy
from replayproxy.core.messages import Request, plain
from replayproxy.openai_api.usage import model_of
from replayproxy.proxy.exchange import Exchange
from replayproxy.proxy.upstream import Origin

__all__ = ["ExchangeSpan", "Spans", "provider_with"]

#: No more of a text is told, in characters.
_LONGEST = 1000
#: Exchanges that did not go well for whoever asked.
_FAILURES = frozenset({"failed", "missed", "gone"})
#: The catalog's operations by what they are in the conventions for generative AI.
_GEN_AI = {
    "createChatCompletion": "chat",
    "createResponse": "chat",
    "createCompletion": "text_completion",
    "createEmbedding": "embeddings",
    "createImage": "generate_content",
    "createAssistant": "create_agent",
    "createRun": "invoke_agent",
    "createThreadAndRun": "invoke_agent",
}
_CONTEXT = TraceContextTextMapPropagator()
_FIELDS = ("traceparent", "tracestate")

Closing = Callable[[], Awaitable[None]]


def provider_with(exporters: Sequence[SpanExporter], environ: Mapping[str, str]) -> TracerProvider:
    """A tracer provider of our own, not the process's. The SDK takes sampling, limits and batching from its variables;
    the service's name is ours unless one of them gives another."""
    attributes: dict[str, AttributeValue] = {"service.version": replayproxy.__version__, "process.pid": os.getpid()}
    if not environ.get("OTEL_SERVICE_NAME") and "service.name=" not in environ.get("OTEL_RESOURCE_ATTRIBUTES", ""):
        attributes["service.name"] = "replayproxy"
    provider = TracerProvider(resource=Resource.create(attributes), shutdown_on_exit=False)
    for exporter in exporters:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


async def _nothing() -> None:
    """The provider is somebody else's to close."""


class Spans:
    """Makes spans with a provider; `closing` ends it."""

    def __init__(self, provider: trace.TracerProvider, closing: Closing = _nothing) -> None:
        self._tracer = provider.get_tracer("replayproxy", replayproxy.__version__)
        self._closing = closing

    def begin(self, exchange: Exchange, session: str) -> ExchangeSpan:
        """The spans of an exchange that has just arrived in a session."""
        return ExchangeSpan(self._tracer, exchange, session)

    async def close(self) -> None:
        """Lets what was not sent yet leave."""
        await self._closing()


class ExchangeSpan:
    """The span of an exchange, and of the request to the upstream within it."""

    __slots__ = ("_client", "_name", "_server", "_tracer")

    def __init__(self, tracer: trace.Tracer, exchange: Exchange, session: str) -> None:
        self._tracer = tracer
        route = _route(exchange)
        self._name = f"{exchange.twin.method} {route}" if route else exchange.twin.method
        self._client: trace.Span | None = None
        # As it came: what is stored of it is redacted, and could be no parent any more.
        sent = exchange.head.headers
        parent = _CONTEXT.extract({name: ", ".join(sent.all(name)) for name in _FIELDS if name in sent})
        self._server = tracer.start_span(
            self._name, parent, SpanKind.SERVER, _asked(exchange) | {"replayproxy.session": session}
        )

    def going_up(self, request: Request, origin: Origin) -> Request:
        """Begins the client's span; the request with it in the place of the trace that it came with."""
        told: dict[str, AttributeValue] = {
            "http.request.method": request.method,
            "url.scheme": "https" if origin.tls else "http",
            "server.address": origin.host,
            "server.port": origin.port,
        }
        context = trace.set_span_in_context(self._server)
        self._client = self._tracer.start_span(self._name, context, SpanKind.CLIENT, told)
        carried: dict[str, str] = {}
        _CONTEXT.inject(carried, trace.set_span_in_context(self._client))
        headers = request.headers.without(name for name in _FIELDS if name not in carried)
        for name, value in carried.items():
            headers = headers.replacing(name, value)
        return Request(request.method, request.target, headers, request.body)

    def end(self, exchange: Exchange) -> None:
        """Ends both spans with what became of the exchange."""
        if self._client is not None:
            _close(self._client, exchange, failed=bool(exchange.failure) or exchange.status >= 400)
        self._server.set_attributes(_became(exchange))
        _close(self._server, exchange, failed=exchange.outcome in _FAILURES or exchange.status >= 500)


def _close(span: trace.Span, exchange: Exchange, *, failed: bool) -> None:
    if exchange.status:
        span.set_attribute("http.response.status_code", exchange.status)
    if failed:
        kind = exchange.failure or (exchange.outcome if exchange.outcome in _FAILURES else str(exchange.status))
        span.set_attribute("error.type", kind)
        span.set_status(StatusCode.ERROR, plain(exchange.note.partition("\n")[0])[:_LONGEST] or None)
    span.end()


def _route(exchange: Exchange) -> str:
    """The template of what was asked, "" when the catalog does not know it."""
    resolved = exchange.resolved
    return f"{resolved.base.path}{resolved.operation.template}" if resolved is not None else ""


def _asked(exchange: Exchange) -> dict[str, AttributeValue]:
    """What is known when a request arrives."""
    called, twin = exchange.called, exchange.twin
    told: dict[str, AttributeValue] = {
        "http.request.method": twin.method,
        "url.scheme": "http",
        "url.path": plain(twin.path)[:_LONGEST],
        "replayproxy.exchange": exchange.ordinal,
    }
    # Where it arrived, not whom the client says it is for: that is the client's to make up.
    place = exchange.raw.transport.get_extra_info("sockname") if exchange.raw.transport is not None else None
    if isinstance(place, tuple) and len(place) >= 2:
        told |= {"server.address": str(place[0]), "server.port": int(place[1])}
    if twin.query:
        told["url.query"] = plain(twin.query)[:_LONGEST]
    if called is not None:
        told |= {"http.route": _route(exchange), "replayproxy.operation": called.id}
        if (known := _GEN_AI.get(called.id)) is not None:
            told |= {"gen_ai.operation.name": known, "gen_ai.provider.name": "openai"}
    if exchange.heading.ids.client:
        told["replayproxy.client_request_id"] = plain(exchange.heading.ids.client)
    return told


def _became(exchange: Exchange) -> dict[str, AttributeValue]:
    """What is known in the end."""
    told: dict[str, AttributeValue] = {"replayproxy.outcome": exchange.outcome}
    if exchange.number:
        told["replayproxy.interaction"] = exchange.number
    if exchange.first_byte:
        told["replayproxy.first_byte"] = round(exchange.first_byte, 6)
    if model := model_of(exchange.twin, None):
        told["gen_ai.request.model"] = plain(model)[:_LONGEST]
    return told
