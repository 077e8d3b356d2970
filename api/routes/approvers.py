"""`/v1/approvers`: how much people are asked, how fast they answer, and whether they see planted faults."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from agents.attention import attention
from api.given import Used, asking
from api.schemas.policy import Approver, Approvers

router = APIRouter(prefix="/v1/approvers", tags=["proposals"])


@router.get("", summary="List approvers' attention", **asking("read", 422))
def list_approvers(
    runtime: Used, days: Annotated[int, Query(ge=1, le=730, description="How far to look back.", examples=[90])] = 90
) -> Approvers:
    """Those who were asked most first. Many answers, all alike and fast, mean that too much is asked."""
    return Approvers(items=[Approver.model_validate(each) for each in attention(runtime, days)], next=None)
