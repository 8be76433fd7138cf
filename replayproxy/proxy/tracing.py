"""Tracing: whether spans of the exchanges are wanted, and where they go.

Rules:
1. Whoever did not ask for spans pays nothing: nothing of OpenTelemetry is imported then, and there is no `Tracing`.
2. They are asked for as everywhere, with the variables of OpenTelemetry's own specification; or by a tracer provider
   that this process has already.
3. Where no collector takes them the proxy answers as ever, and stops as soon.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from replayproxy.core.messages import Request

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

    from replayproxy.proxy.exchange import Exchange
    from replayproxy.proxy.upstream import Origin

__all__ = ["FLUSH", "Closing", "Span", "Tracing", "tracing_for", "wanted"]

_log = logging.getLogger(__name__)

#: How long spans may take to leave when the proxy stops, in seconds.
FLUSH = 2.0
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_EXPORTERS = "opentelemetry_traces_exporter"
_INSTALL = "pip install 'replayproxy[otel]'"


class Span(Protocol):
    """The spans of one exchange: of the server, and where it is forwarded of the client behind it."""

    def going_up(self, request: Request, origin: Origin) -> Request:
        """Begins the client's span; the request that carries it up, in the place of the trace that it came with."""

    def end(self, exchange: Exchange) -> None:
        """Ends them."""


class Tracing(Protocol):
    """Makes spans."""

    def begin(self, exchange: Exchange, session: str) -> Span:
        """The spans of an exchange that has just arrived."""

    async def close(self) -> None:
        """Lets what was not sent yet leave, within `FLUSH`."""


def wanted(environ: Mapping[str, str]) -> bool:
    """Whether the environment asks for spans."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    if exporters := environ.get("OTEL_TRACES_EXPORTER", "").strip():
        return exporters != "none"
    return any(environ.get(name) for name in _ENDPOINTS)


def tracing_for(environ: Mapping[str, str]) -> Tracing | None:
    """What makes spans, None when nobody asks for them; says on the log why it cannot when somebody does."""
    if (provider := _of_this_process()) is not None:
        from replayproxy.proxy.spans import Spans

        return Spans(provider)
    if not wanted(environ):
        return None
    try:
        from replayproxy.proxy.spans import Spans, provider_with
    except ImportError:
        _log.warning("no spans: the environment asks for them (OTEL_…), and OpenTelemetry is missing: %s", _INSTALL)
        return None
    exporters = list(_exporters(environ))
    if not exporters:
        return None
    _share_log()
    provider = provider_with(exporters, environ)
    return Spans(provider, closing=Closing(provider.shutdown))


def _of_this_process() -> Any:
    """The tracer provider that somebody else has set for this process, None when nobody did."""
    if "opentelemetry.sdk.trace" not in sys.modules:
        return None
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import get_tracer_provider

    provider = get_tracer_provider()
    return provider if isinstance(provider, TracerProvider) else None


def _exporters(environ: Mapping[str, str]) -> Iterator[SpanExporter]:
    """What sends spans away; those that cannot are told on the log."""
    for name in (environ.get("OTEL_TRACES_EXPORTER") or "otlp").split(","):
        exporter = name.strip()
        if exporter == "otlp":
            protocol = next((environ[each] for each in _PROTOCOLS if environ.get(each)), "http/protobuf")
            exporter = "otlp_proto_grpc" if protocol == "grpc" else "otlp_proto_http"
        if exporter not in ("", "none"):
            with contextlib.suppress(_UnusableError):
                yield _exporter(exporter)


class _UnusableError(Exception):
    """An exporter cannot be made; the log tells why."""


def _exporter(name: str) -> SpanExporter:
    if name == "console":  # on standard output stands what other programs read
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter(out=sys.stderr)
    from importlib.metadata import entry_points  # here, since most runs have no use for it

    found = next(iter(entry_points(group=_EXPORTERS, name=name)), None)
    try:
        if found is None:
            raise ImportError(f"no installed package has it ({_INSTALL})")
        made: SpanExporter = found.load()()
    except Exception as error:  # what others wrote may raise anything, and is no reason not to start
        _log.warning("no spans: the exporter %s cannot be used: %s", name, error)
        raise _UnusableError from error
    return made


def _share_log() -> None:
    """What OpenTelemetry has to say goes where our own log goes, in its form."""
    ours, theirs = logging.getLogger("replayproxy"), logging.getLogger("opentelemetry")
    if ours.handlers and not theirs.handlers:
        theirs.handlers[:], theirs.propagate = ours.handlers, False


class Closing:
    """Ends what sends spans, and waits no longer than so many seconds for it: a collector that is gone must not hold us
    up."""

    def __init__(self, shut_down: Callable[[], object], patience: float = FLUSH) -> None:
        self._shut_down, self._patience = shut_down, patience

    async def __call__(self) -> None:
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def shut_down() -> None:
            self._shut_down()
            with contextlib.suppress(RuntimeError):  # nobody waits any more
                loop.call_soon_threadsafe(done.set)

        # A thread of its own that nobody joins: those of the loop are waited for at the end.
        threading.Thread(target=shut_down, name="replayproxy-spans", daemon=True).start()
        try:
            async with asyncio.timeout(self._patience):
                await done.wait()
        except TimeoutError:
            _log.warning("some spans were not sent within %g s", self._patience)
