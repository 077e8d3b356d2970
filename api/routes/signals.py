"""`/v1/signals`: CloudEvents in, answered after the durable write."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from agents import intake
from agents.parts import Runtime
from api.auth import CurrentCaller
from api.events import MAX_EVENTS, Batch, read_request
from api.given import Counts, Used, asking
from api.metrics import Meters
from api.schemas.access import Accepted, Refused
from domain.signals import Trust

router = APIRouter(tags=["signals"])

EXAMPLE: dict[str, Any] = {
    "specversion": "1.0",
    "id": "2026-03-04/idf/queries",
    "source": "search-console",
    "type": "accord.metric.point",
    "time": "2026-03-04T00:00:00Z",
    "subject": "region:idf",
    "data": {"metric": "queries", "entity": "region:idf", "value": 1840, "unit": "count", "grain_s": 86400},
}
_EVENT = {
    "type": "object",
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string"},
        "source": {"type": "string"},
        "type": {"type": "string"},
        "time": {"type": "string", "format": "date-time"},
        "subject": {"type": "string"},
        "data": {"type": "object"},
    },
    "additionalProperties": True,
}
_BATCH: dict[str, Any] = {"type": "array", "maxItems": MAX_EVENTS, "items": _EVENT}
_BODY = {
    "required": True,
    "content": {
        "application/cloudevents+json": {"schema": _EVENT, "example": EXAMPLE},
        "application/cloudevents-batch+json": {"schema": _BATCH, "example": [EXAMPLE]},
        "application/json": {"schema": {"anyOf": [_EVENT, _BATCH, {"type": "object"}]}, "example": EXAMPLE},
    },
}


def take(runtime: Runtime, meters: Meters, batch: Batch, trust: Trust) -> Accepted:
    """Store what of `batch` can be stored, and say what became of each part."""
    stored = intake.accept(runtime, batch.events, trust=trust)
    rejected = [Refused(**fault) for fault in batch.rejected]
    rejected += [Refused.model_validate(fault) for fault in stored.rejected]
    for result, count in (("accepted", stored.accepted), ("duplicate", stored.duplicate), ("rejected", len(rejected))):
        meters.signals.labels(result).inc(count)
    return Accepted(accepted=stored.accepted, duplicate=stored.duplicate, rejected=rejected)


_asking = asking("signals", 400, 413, 415)


@router.post(
    "/v1/signals",
    summary="Send signals",
    dependencies=_asking["dependencies"],
    responses=_asking["responses"],
    openapi_extra={**_asking["openapi_extra"], "requestBody": _BODY},
)
async def send_signals(request: Request, runtime: Used, meters: Counts, caller: CurrentCaller) -> Accepted:
    """CloudEvents 1.0 in structured, binary (`ce-` headers, the body is `data`) or batched mode.

    At most 10,000 events and 20 MB in one request. De-duplicated on (`source`, `id`); answered after the
    durable write. One bad event never rejects its neighbours. Types that Accord does not know are kept.
    """
    batch = read_request(request.headers, await request.body())
    return await run_in_threadpool(take, runtime, meters, batch, caller.trust)
