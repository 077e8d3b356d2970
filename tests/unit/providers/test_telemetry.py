"""Spans by the conventions for generative AI, and nothing of OpenTelemetry where nobody traces."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.errors import ConfigError
from providers.registry import Provider
from providers.telemetry import attributes, exporting
from providers.types import Attempt, Message, ModelRequest, Outcome, ProviderSpec, Tokens

NOW = datetime(2026, 3, 4, tzinfo=UTC)
REQUEST = ModelRequest(task="explain", messages=(Message(role="user", content="a secret"),), temperature=None)
PROVIDER = Provider(
    spec=ProviderSpec(name="eu", model="gemini/gemini-3.8-flash", api_base="http://127.0.0.1:9/x"),
    rates=None,
    context_tokens=None,
    takes_schema=True,
)
ATTEMPT = Attempt(
    provider="eu",
    outcome=Outcome.FAILED,
    error_code="cut",
    detail="it said: a secret",
    started_at=NOW,
    latency_s=2.0,
    first_token_s=0.25,
    streamed=True,
    usage=Tokens(input=10, output=4, cached=6),
    cost_nano=1_500,
    currency="USD",
)
TRACED = """
import sys
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

sys.path.insert(0, sys.argv[1])
from test_telemetry import ATTEMPT, PROVIDER, REQUEST
from providers.telemetry import Spans

kept = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(kept))
trace.set_tracer_provider(provider)
with trace.get_tracer("caller").start_as_current_span("caller"):
    Spans().attempted(ATTEMPT, REQUEST, PROVIDER)
span, caller = kept.get_finished_spans()
assert span.name == "chat gemini-3.8-flash" and span.kind is trace.SpanKind.CLIENT
assert span.parent.span_id == caller.context.span_id
assert span.end_time - span.start_time == 2_000_000_000
assert span.status.status_code is trace.StatusCode.ERROR
"""
UNTRACED = """
import sys
sys.path.insert(0, sys.argv[1])
from test_telemetry import ATTEMPT, PROVIDER, REQUEST
from providers.telemetry import Spans, exporting

with exporting({}):
    Spans().attempted(ATTEMPT, REQUEST, PROVIDER)
assert not any(name.startswith("opentelemetry") for name in sys.modules)
"""


def test_a_span_tells_what_the_conventions_ask_and_no_content() -> None:
    told = attributes(ATTEMPT, REQUEST, PROVIDER)
    assert told["gen_ai.operation.name"] == "chat"
    assert told["gen_ai.provider.name"] == "gcp.gemini"
    assert told["gen_ai.request.model"] == "gemini-3.8-flash"
    assert (told["gen_ai.usage.input_tokens"], told["gen_ai.usage.output_tokens"]) == (10, 4)
    assert (told["server.address"], told["server.port"], told["error.type"]) == ("127.0.0.1", 9, "cut")
    assert "gen_ai.request.temperature" not in told
    assert "secret" not in str(told)


@pytest.mark.parametrize("script", [TRACED, UNTRACED])
def test_spans_are_made_where_somebody_traces_and_nothing_is_imported_elsewhere(script: str) -> None:
    folder = str(Path(__file__).parent)
    done = subprocess.run([sys.executable, "-c", script, folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_protocol_without_an_exporter_is_told() -> None:
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": "carrier/pigeon"}
    with pytest.raises(ConfigError, match="OTEL_EXPORTER_OTLP_PROTOCOL=grpc"), exporting(environ):
        pass
