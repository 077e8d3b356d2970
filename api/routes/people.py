"""`/v1/people/{id}/delegations`: who answers for whom during an absence; `/v1/notices`: what people were sent."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from agents import delegations
from api.auth import CurrentCaller
from api.given import Cursor, Limit, Used, asking, listed
from api.schemas.approvals import Delegation, DelegationBody, Notice, of_delegation, of_notice
from api.schemas.wire import Listed

router = APIRouter(prefix="/v1", tags=["proposals"])
Person = Annotated[str, Path(max_length=100, description="Id of who is away.", examples=["ana"])]


@router.get("/people/{id}/delegations", summary="List who stands in", **asking("read", 422))
def list_delegations(id: Person, runtime: Used, limit: Limit = 50, cursor: Cursor = None) -> Listed[Delegation]:  # noqa: A002 — path
    """Delegations of a person, newest first, also those that are over."""
    return listed(runtime.store.delegations.page(person=id, limit=limit, cursor=cursor), of_delegation)


@router.post("/people/{id}/delegations", summary="Let somebody stand in", **asking("decide", 400, 404, 422))
def delegate(id: Person, body: DelegationBody, runtime: Used, caller: CurrentCaller) -> Delegation:  # noqa: A002 — path
    """`to` answers in the roles that the person holds by themselves, until it ends by itself.

    People do this for themselves, administrators for anybody. What was handed to somebody is not handed on, and
    nobody counts twice in one quorum.
    """
    absence = delegations.Absence(id, body.to, body.until, body.from_, body.reason)
    return of_delegation(delegations.delegate(runtime, absence, caller.person))


@router.delete("/people/{id}/delegations/{delegation}", summary="Be back", **asking("decide", 404))
def end_delegation(
    id: Person,  # noqa: A002 — path
    delegation: Annotated[str, Path(description="Its id.", examples=["dlg_315b1f0a9c2d7e4f"])],
    runtime: Used,
    caller: CurrentCaller,
) -> Delegation:
    """Takes a delegation back from now on; a second time changes nothing."""
    return of_delegation(delegations.end_delegation(runtime, id, delegation, caller.person))


@router.get("/notices", summary="List what people were sent", **asking("admin", 422))
def list_notices(
    runtime: Used,
    status: Annotated[str | None, Query(max_length=20, description="Only these.", examples=["failed"])] = None,
    proposal: Annotated[str | None, Query(max_length=100, description="Only about this.", examples=[None])] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Listed[Notice]:
    """Mails and Slack cards, newest first, with what became of each."""
    page = runtime.store.outbox.page(status=status, proposal=proposal, limit=limit, cursor=cursor)
    return listed(page, of_notice)
