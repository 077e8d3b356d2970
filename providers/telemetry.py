"""One OpenTelemetry span per attempt, by the conventions for generative AI, without any content.

The only module that knows OpenTelemetry, which is imported when an exporter is configured or the embedding program has
set a tracer provider, and never otherwise.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib.metadata import entry_points, version
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from domain.errors import AccordError, ConfigError
from providers.registry import Provider
from providers.types import Attempt, ModelAnswer, ModelRequest, Outcome

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_EXPORTERS = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}
_FLUSH_MS = 2000
# Names of the conventions where they differ from ours, and where each vendor is reached unless `api_base` says so.
_VENDORS = {
    "gemini": "gcp.gemini",
    "vertex_ai": "gcp.vertex_ai",
    "bedrock": "aws.bedrock",
    "azure": "azure.ai.openai",
    "mistral": "mistral_ai",
    "xai": "x_ai",
}
_HOSTS = {
    "openai": "api.openai.com",
    "anthropic": "api.anthropic.com",
    "gemini": "generativelanguage.googleapis.com",
    "mistral": "api.mistral.ai",
}


class Spans:
    """Observes a gateway; costs nothing while nobody traces."""

    def attempted(self, attempt: Attempt, request: ModelRequest, provider: Provider) -> None:
        """A span below the caller's own, as long as the attempt was; a skipped one has none."""
        if attempt.outcome is Outcome.SKIPPED:
            return
        trace = sys.modules.get("opentelemetry.trace")
        tracer = None if trace is None else _tracer(trace)
        if trace is None or tracer is None:
            return
        ended = time.time_ns()
        span = tracer.start_span(
            f"chat {provider.spec.model_name}",
            kind=trace.SpanKind.CLIENT,
            start_time=ended - round(attempt.latency_s * 1e9),
            attributes=attributes(attempt, request, provider),
        )
        if attempt.outcome is Outcome.FAILED:
            span.set_status(trace.StatusCode.ERROR, attempt.error_code or "")
        span.end(ended)

    def called(self, request: ModelRequest, ended: ModelAnswer | AccordError) -> None:
        """A call is the sum of its attempts."""


def attributes(attempt: Attempt, request: ModelRequest, provider: Provider) -> dict[str, str | int | float | bool]:
    """What a span tells of an attempt; unknown facts are left out."""
    spec, usage = provider.spec, attempt.usage
    base = urlsplit(spec.api_base or "")
    told: dict[str, str | int | float | bool | None] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _VENDORS.get(spec.vendor, spec.vendor),
        "gen_ai.request.model": spec.model_name,
        "gen_ai.request.max_tokens": request.max_tokens,
        "gen_ai.request.temperature": request.temperature,
        "gen_ai.request.stream": attempt.streamed,
        "gen_ai.output.type": "text" if request.answer_schema is None else "json",
        "gen_ai.response.time_to_first_chunk": attempt.first_token_s,
        "gen_ai.usage.input_tokens": usage.input if usage else None,
        "gen_ai.usage.output_tokens": usage.output if usage else None,
        "gen_ai.usage.cache_read.input_tokens": usage.cached if usage else None,
        "gen_ai.usage.cache_creation.input_tokens": usage.cache_write if usage else None,
        "server.address": base.hostname or _HOSTS.get(spec.vendor),
        "server.port": base.port,
        "error.type": attempt.error_code,
        "accord.provider": spec.name,
        "accord.task": request.task,
        "accord.data_class": request.data_class,
        "accord.cost": None if attempt.cost_nano is None else attempt.cost_nano / 1e9,
        "accord.currency": attempt.currency,
    }
    return {name: value for name, value in told.items() if value is not None}


def _tracer(trace: ModuleType) -> Tracer | None:
    """The tracer of the provider that somebody set; None as long as there is only OpenTelemetry's stand-in."""
    found: Any = trace.get_tracer_provider()
    return None if isinstance(found, trace.ProxyTracerProvider) else found.get_tracer("accord", version("accord"))


@contextmanager
def exporting(environ: Mapping[str, str]) -> Generator[None]:
    """Sends spans to the collector that OpenTelemetry's own variables name, for as long as the block lasts.

    Raises ConfigError when its protocol has no exporter here.
    """
    wanted = any(environ.get(name) for name in ENDPOINTS)
    if not wanted or environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        yield
        return
    exporter = _exporter(next((environ[name] for name in _PROTOCOLS if environ.get(name)), "grpc"))
    from opentelemetry import trace
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    named = "OTEL_SERVICE_NAME" in environ or "service.name" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    resource = Resource.create({} if named else {"service.name": "accord"})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        provider.force_flush(_FLUSH_MS)
        provider.shutdown()


def _exporter(protocol: str) -> Any:
    found = entry_points(group="opentelemetry_traces_exporter", name=_EXPORTERS.get(protocol, ""))
    if not found:
        raise ConfigError(
            f"There is no exporter of spans for the protocol {protocol!r}. Set OTEL_EXPORTER_OTLP_PROTOCOL=grpc, or "
            "install `opentelemetry-exporter-otlp-proto-http` for http/protobuf."
        )
    return next(iter(found)).load()()
