"""Prometheus metrics in a registry of the app's own: requests as they pass, the company's state when asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from agents import modes
from api.model_meters import ModelMeters, Standing

if TYPE_CHECKING:
    from agents.parts import Runtime

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS_S = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Meters:
    """The registry of one app."""

    def __init__(self, runtime: Runtime) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self._requests = Counter("accord_http_requests", "Requests answered.", labels, registry=self.registry)
        self._times = Histogram(
            "accord_http_request_seconds", "Time to answer.", ("route",), registry=self.registry, buckets=_BUCKETS_S
        )
        self.signals = Counter(
            "accord_signals_received", "Signals by what became of them.", ("result",), registry=self.registry
        )
        self.registry.register(_Company(runtime))
        self.registry.register(Standing(runtime))
        runtime.gateway.watch(ModelMeters(self.registry))

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method, route, str(status)).inc()
        self._times.labels(route).observe(seconds)

    def text(self) -> bytes:
        return generate_latest(self.registry)


class _Company(Collector):
    """Gauges that are read from the store when the metrics are asked for."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        store = self._runtime.store
        yield GaugeMetricFamily("accord_signals_stored", "Signals on disk.", value=store.signals.count())
        yield GaugeMetricFamily("accord_situations_open", "Open situations.", value=len(store.situations.open()))
        yield GaugeMetricFamily(
            "accord_proposals_pending", "Proposals that wait for people.", value=len(store.proposals.pending())
        )
        yield GaugeMetricFamily(
            "accord_effects_unfinished", "Effects begun and not yet known.", value=len(store.effects.unfinished())
        )
        yield GaugeMetricFamily(
            "accord_read_only", "1 while the read-only switch is on.", value=float(modes.is_read_only(self._runtime))
        )
