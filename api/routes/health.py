"""`/healthz`, `/readyz`, `/metrics` for machines, `/v1/health` with what to do about it."""

from __future__ import annotations

from fastapi import APIRouter, Response

from agents.health import checks
from api.given import Counts, Used, asking, problems
from api.metrics import CONTENT_TYPE
from api.schemas.access import Alive, HealthDetail, HealthItem, Ready

router = APIRouter(tags=["health"])
_TEXT = {"content": {CONTENT_TYPE: {"schema": {"type": "string"}, "example": "accord_proposals_pending 3.0\n"}}}
_READY = {"status": "not_ready", "checks": [{"name": "store", "ok": False, "needed": True}]}
_NOT_READY = {"model": Ready, "description": "Not ready.", "content": {"application/json": {"example": _READY}}}


@router.get("/healthz", summary="Is it alive?")
def is_alive() -> Alive:
    """Answers while the process does."""
    return Alive(status="ok")


@router.get("/readyz", summary="Is it ready?", responses={503: _NOT_READY})
def is_ready(runtime: Used, response: Response) -> Ready:
    """Whether what Accord cannot work without works; 503 when something does not."""
    items = [HealthItem(name=check.name, ok=check.ok, needed=check.needed) for check in checks(runtime)]
    ready = all(item.ok for item in items if item.needed)
    response.status_code = 200 if ready else 503
    return Ready(status="ready" if ready else "not_ready", checks=items)


@router.get("/v1/health", summary="Read the health", **asking("read"))
def get_health(runtime: Used) -> list[HealthDetail]:
    """Everything checked, with what was found and how to mend it."""
    return [HealthDetail.model_validate(check) for check in checks(runtime)]


@router.get(
    "/metrics",
    summary="Read the metrics",
    response_class=Response,
    responses={**problems(), 200: {"description": "Prometheus text.", **_TEXT}},
)
def get_metrics(meters: Counts) -> Response:
    """Prometheus' text format; any key or session may read it."""
    return Response(meters.text(), media_type=CONTENT_TYPE)
