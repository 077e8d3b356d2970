"""Metrics of model calls, as Prometheus reads them."""

from __future__ import annotations

from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, generate_latest

from api.model_meters import MOST_TASKS, ModelMeters
from providers.faults import Fault, failure
from providers.registry import Provider
from providers.types import Attempt, Message, ModelAnswer, ModelRequest, Outcome, ProviderSpec, Tokens

NOW = datetime(2026, 3, 4, tzinfo=UTC)
PROVIDER = Provider(
    spec=ProviderSpec(name="main", model="openai/m"), rates=None, context_tokens=None, takes_schema=True
)
ATTEMPT = Attempt(
    provider="main",
    outcome=Outcome.ANSWERED,
    started_at=NOW,
    latency_s=0.3,
    first_token_s=0.1,
    usage=Tokens(input=10, output=4, cached=6),
    cost_nano=1_500_000_000,
    currency="USD",
)


def request(task: str = "explain") -> ModelRequest:
    return ModelRequest(task=task, messages=(Message(role="user", content="x"),))


def test_attempts_and_calls_are_counted_apart() -> None:
    registry = CollectorRegistry()
    meters = ModelMeters(registry)
    skipped = ATTEMPT.model_copy(update={"outcome": Outcome.SKIPPED, "error_code": "breaker_open"})
    meters.attempted(skipped, request(), PROVIDER)
    meters.attempted(ATTEMPT, request(), PROVIDER)
    answer = ModelAnswer(
        text="x",
        provider="main",
        model="openai/m",
        usage=None,
        cost_nano=None,
        currency=None,
        attempts=(skipped, ATTEMPT),
        latency_s=0.3,
        finish="stop",
    )
    meters.called(request(), answer)
    meters.called(request(), failure(Fault.TIMEOUT, "No. Try again."))

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    assert value("accord_model_calls_total", task="explain", provider="main", outcome="answered") == 1
    assert value("accord_model_calls_total", task="explain", provider="", outcome="timeout") == 1
    assert value("accord_model_attempts_total", provider="main", outcome="skipped", error="breaker_open") == 1
    assert value("accord_model_attempt_seconds_count", provider="main") == 1
    assert value("accord_model_first_token_seconds_sum", provider="main") == 0.1
    assert value("accord_model_tokens_total", provider="main", kind="input") == 10
    assert value("accord_model_cost_total", provider="main", currency="USD") == 1.5


def test_callers_cannot_fill_the_memory_with_tasks() -> None:
    registry = CollectorRegistry()
    meters = ModelMeters(registry)
    for number in range(MOST_TASKS + 20):
        meters.called(request(f"task-{number}"), failure(Fault.TIMEOUT, "No. Try again."))
    text = generate_latest(registry).decode()
    assert text.count("accord_model_calls_total{") == MOST_TASKS + 1
    assert 'task="other"} 20.0' in text.replace('outcome="timeout",provider="",', "")
