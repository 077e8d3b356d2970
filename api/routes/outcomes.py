"""`/v1/outcomes`, `/v1/lessons`, `/v1/value`: what it brought."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from agents import value
from api.given import Cursor, Limit, Used, asking, listed
from api.schemas.results import Ledger, Lesson, Outcome
from api.schemas.wire import Listed

router = APIRouter(prefix="/v1", tags=["results"])


@router.get("/outcomes", summary="List outcomes", **asking("read", 422))
def list_outcomes(
    runtime: Used,
    proposal: Annotated[str | None, Query(description="Only of this proposal.", examples=[None])] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Listed[Outcome]:
    """Measured effects, newest first; `unknowable` ones too."""
    return listed(runtime.store.outcomes.page(proposal=proposal, limit=limit, cursor=cursor), Outcome.model_validate)


@router.get("/outcomes/{id}", summary="Read an outcome", **asking("read", 404))
def get_outcome(
    id: Annotated[str, Path(description="Id of the outcome.", examples=["out_315b1f0a9c2d7e4f"])],  # noqa: A002 — path
    runtime: Used,
) -> Outcome:
    """One measured effect."""
    return Outcome.model_validate(runtime.store.outcomes.get(id))


@router.get("/lessons", summary="List lessons", **asking("read", 422))
def list_lessons(runtime: Used, limit: Limit = 50, cursor: Cursor = None) -> Listed[Lesson]:
    """What was learnt from outcomes, newest first."""
    return listed(runtime.store.outcomes.lesson_page(limit=limit, cursor=cursor), Lesson.model_validate)


@router.get("/value", summary="Read the ledger of value", **asking("read"))
def get_value(runtime: Used) -> Ledger:
    """What all measured actions brought, with intervals, and what could not be known; minor units."""
    return Ledger.model_validate(value.ledger(runtime))
