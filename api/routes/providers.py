"""`/v1/providers`: the model providers, and what calling them has cost."""

from __future__ import annotations

import os

from fastapi import APIRouter

from api.given import Cursor, Limit, Used, asking, listed
from api.schemas.tools import ModelCall, Provider, Providers
from api.schemas.wire import Listed
from providers.pricing import decimal_text
from providers.registry import default_specs

router = APIRouter(prefix="/v1", tags=["tools"])


@router.get("/providers", summary="List providers", **asking("read"))
def list_providers(runtime: Used) -> Providers:
    """Configured model providers, and the calls and cost so far. Keys are never shown."""
    specs = runtime.settings.providers or default_specs(os.environ)
    totals = runtime.store.calls.totals()
    return Providers(
        items=[
            Provider(
                name=spec.name,
                model=spec.model,
                region=spec.region,
                data_classes=list(spec.data_classes),
                called=spec.name in totals.providers,
            )
            for spec in specs
        ],
        next=None,
        calls=totals.calls,
        cost=decimal_text(totals.cost_nano),
        currency=runtime.settings.objective.currency,
    )


@router.get("/calls", summary="List model calls", **asking("read", 422))
def list_calls(runtime: Used, limit: Limit = 50, cursor: Cursor = None) -> Listed[ModelCall]:
    """Every attempt of a model call as it was recorded, newest first."""
    return listed(runtime.store.calls.page(limit=limit, cursor=cursor), ModelCall.model_validate)
