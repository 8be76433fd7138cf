"""The metrics of a proxy as Prometheus scrapes them: everything in `core/meter.py`'s table, of all processes together.

Rule: nothing is kept here. A scrape makes the families anew from what the meters say, in a registry of its own: what
else uses the client library in this process is not told, and several proxies in one process tell of themselves alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from replayproxy.core.meter import METRICS, Metric, Reading, Value, of_histogram, summed
from replayproxy.proxy.inspector.describing import operation
from replayproxy.proxy.inspector.inspector import Inspector
from replayproxy.proxy.metering import reading_of_process, reading_of_sessions

__all__ = ["DESCRIBED", "give_metrics"]

DESCRIBED: dict[str, Any] = {
    "/metrics": {
        "get": operation(
            "metrics",
            "What went through, in numbers, for Prometheus: its text format, or OpenMetrics for who accepts that.",
            gives="text/plain",
        )
    },
}


async def give_metrics(inspector: Inspector, request: web.Request) -> web.Response:
    """The metrics in the format that is accepted."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(await _reading(inspector)))
    encode, content_type = choose_encoder(request.headers.get(hdrs.ACCEPT, ""))
    return web.Response(body=encode(registry), headers={hdrs.CONTENT_TYPE: content_type})


async def _reading(inspector: Inspector) -> Reading:
    kept = await reading_of_sessions(inspector.sessions, inspector.settings.mode)
    if inspector.others is not None:
        return summed((*await inspector.others.metrics(), kept))
    return summed((await reading_of_process(inspector.sessions, inspector.journal), kept))


class _Families(Collector):
    """A reading as the client library's metric families."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def collect(self) -> Iterator[Family]:
        """All of them; those that counted nothing yet are told too."""
        for metric in METRICS:
            yield _family(metric, self._reading.get(metric.name, {}))


def _family(metric: Metric, values: Any) -> Family:
    kinds = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily, "histogram": HistogramMetricFamily}
    kind: Any = kinds.get(metric.kind, InfoMetricFamily)
    found: Any = kind(metric.name, metric.meaning, labels=() if metric.kind == "info" else metric.labels)
    for labels, value in sorted(values.items()):
        _add(found, metric, labels, value)
    return found  # type: ignore[no-any-return]


def _add(family: Any, metric: Metric, labels: tuple[str, ...], value: Value) -> None:
    if metric.kind == "info":
        family.add_metric((), dict(zip(metric.labels, labels, strict=True)))
    elif metric.kind == "histogram":
        family.add_metric(labels, *of_histogram(value))
    else:
        family.add_metric(labels, value)
