"""`/v1/providers` and `/v1/calls`: how the model providers stand, and every attempt to call one."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime

from agents.clock import WallClock
from api.given import Cursor, Limit, Used, asking, listed
from api.schemas.providers import ModelCall, Providers
from api.schemas.wire import Listed
from api.standing import providers_of
from memory.calls import CallFilter

router = APIRouter(prefix="/v1", tags=["tools"])
_WALL = WallClock()


@router.get("/providers", summary="List providers", **asking("read"))
def list_providers(runtime: Used) -> Providers:
    """Configured model providers: health, failures, latency, spend, price, and where the last calls went and why.

    Keys are never shown.
    """
    return providers_of(runtime, _WALL.now(), live=True)


def _wanted(
    provider: Annotated[str | None, Query(description="Only attempts at this provider.", examples=["local"])] = None,
    task: Annotated[str | None, Query(description="Only of this task.", examples=["explain"])] = None,
    outcome: Annotated[
        Literal["answered", "failed"] | None, Query(description="Only with this end.", examples=["failed"])
    ] = None,
    since: Annotated[
        AwareDatetime | None, Query(description="Only from then on.", examples=["2026-03-01T00:00:00Z"])
    ] = None,
) -> CallFilter:
    return CallFilter(provider, task, outcome, since)


@router.get("/calls", summary="List model calls", **asking("read", 422))
def list_calls(
    runtime: Used, wanted: Annotated[CallFilter, Depends(_wanted)], limit: Limit = 50, cursor: Cursor = None
) -> Listed[ModelCall]:
    """Every attempt of a model call as it was recorded, newest first, without what was asked or answered."""
    return listed(runtime.store.calls.page(limit, cursor, wanted), ModelCall.model_validate)
