"""Prometheus metrics of model calls: an observer of the gateway that counts, and gauges read when asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from agents import standing
from agents.clock import WallClock
from domain.errors import AccordError
from providers.health import BreakerState
from providers.pricing import NANO
from providers.registry import Provider
from providers.types import Attempt, ModelAnswer, ModelRequest, Outcome

if TYPE_CHECKING:
    from agents.parts import Runtime

MOST_TASKS = 50
"""Tasks with a label of their own: callers name tasks freely, and each label costs memory for good."""
OTHER = "other"
_LATENCY_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_FIRST_TOKEN_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_WALL = WallClock()


class ModelMeters:
    """Counts attempts and calls as they end; safe under threads."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, told: str, *labels: str) -> Counter:
            return Counter(f"accord_model_{name}", told, labels, registry=registry)

        self._calls = counter("calls", "Calls by how they ended.", "task", "provider", "outcome")
        self._attempts = counter("attempts", "Attempts, skipped ones too.", "provider", "outcome", "error")
        self._tokens = counter("tokens", "Tokens billed; input counts cached ones too.", "provider", "kind")
        self._cost = counter("cost", "Cost of attempts where it is known, major units.", "provider", "currency")
        self._latency = Histogram(
            "accord_model_attempt_seconds",
            "Time of attempts that were made.",
            ("provider",),
            registry=registry,
            buckets=_LATENCY_S,
        )
        self._first_token = Histogram(
            "accord_model_first_token_seconds",
            "Time to the first content.",
            ("provider",),
            registry=registry,
            buckets=_FIRST_TOKEN_S,
        )
        self._tasks: set[str] = set()

    def attempted(self, attempt: Attempt, request: ModelRequest, provider: Provider) -> None:
        name = provider.name
        self._attempts.labels(name, attempt.outcome.value, attempt.error_code or "").inc()
        if attempt.outcome is Outcome.SKIPPED:
            return
        self._latency.labels(name).observe(attempt.latency_s)
        if attempt.first_token_s is not None:
            self._first_token.labels(name).observe(attempt.first_token_s)
        if attempt.usage is not None:
            for kind, tokens in attempt.usage.model_dump().items():
                self._tokens.labels(name, kind).inc(tokens)
        if attempt.cost_nano is not None:
            self._cost.labels(name, attempt.currency or "").inc(attempt.cost_nano / NANO)

    def called(self, request: ModelRequest, ended: ModelAnswer | AccordError) -> None:
        task = self._task(request.task)
        if isinstance(ended, ModelAnswer):
            self._calls.labels(task, ended.provider, "cached" if ended.cached else "answered").inc()
        else:
            self._calls.labels(task, "", str(ended.facts.get("fault") or ended.code)).inc()

    def _task(self, task: str) -> str:
        if task not in self._tasks and len(self._tasks) >= MOST_TASKS:
            return OTHER
        self._tasks.add(task)
        return task


class Standing(Collector):
    """Breakers, and what is left of each budget, read when the metrics are asked for."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        now, gateway = _WALL.now(), self._runtime.gateway
        breakers = GaugeMetricFamily(
            "accord_provider_breaker", "1 for the state that a provider's breaker is in.", labels=["provider", "state"]
        )
        for provider in gateway.registry.providers:
            found = gateway.health.state(provider.name, now)
            for state in BreakerState:
                breakers.add_metric([provider.name, state.value], float(state is found))
        yield breakers
        settings = self._runtime.settings
        left = GaugeMetricFamily("accord_budget_left", "Left this month, major units.", labels=["scope", "currency"])
        for budget in standing.budgets(self._runtime.store, settings.budgets, now):
            left.add_metric([budget.scope, settings.objective.currency], budget.left_nano / NANO)
        yield left
