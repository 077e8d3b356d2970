"""`/v1/models`: the names that `model` may take."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request

from api.openai.door import describing, runtime_of
from api.openai.models import lead_of, listed
from api.schemas.openai import Model, Models

router = APIRouter(prefix="/v1", tags=["models"])


@router.get("/models", summary="List models", **describing())
async def list_models(request: Request) -> Models:
    """`auto`, which routes each call, and every provider that can be called now."""
    return Models(object="list", data=listed(runtime_of(request).gateway.registry.usable))


@router.get("/models/{model:path}", summary="Read a model", **describing(400, 404))
async def read_model(
    model: Annotated[str, Path(description="What `model` of a call may be.", examples=["auto"])], request: Request
) -> Model:
    """One of them; `auto:<task>` for any task, too."""
    registry = runtime_of(request).gateway.registry
    lead_of(model, registry.providers)
    found = next((one for one in listed(registry.providers) if one.id == model), None)
    return found or Model(id=model, object="model", created=0, owned_by="accord")
