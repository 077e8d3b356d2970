"""`/v1/audit`: who did what, and whether the record is whole."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.given import Cursor, Limit, Used, asking, listed
from api.schemas.results import AuditEntry, AuditReport
from api.schemas.wire import Listed

router = APIRouter(prefix="/v1/audit", tags=["audit"])


@router.get("", summary="List the audit", **asking("read", 422))
def list_audit(
    runtime: Used,
    subject: Annotated[str | None, Query(description="Only about this thing.", examples=[None])] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Listed[AuditEntry]:
    """Facts, oldest first: from the checkpoint on where older ones were pruned."""
    page = runtime.store.audit.page(limit=limit, cursor=cursor, subject=subject)
    return listed(page, AuditEntry.model_validate)


@router.get("/verify", summary="Verify the audit", **asking("read"))
def verify_audit(
    runtime: Used,
    head: Annotated[
        str | None, Query(description="A head kept from before, to notice a cut tail.", examples=[None])
    ] = None,
) -> AuditReport:
    """Walks the whole chain of keyed hashes."""
    check = runtime.store.audit.verify(head)
    return AuditReport(ok=check.fault is None, head=check.head, rows=check.rows, fault=check.fault)
