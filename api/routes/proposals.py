"""`/v1/proposals` and `/v1/decisions`: what Accord would do, and what people answer."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import ValidationError

from agents import approve
from api.auth import CurrentCaller
from api.given import Cursor, Limit, Used, asking, listed
from api.schemas.proposals import Decision, DecisionBody, Proposal, of_decision, of_proposal
from api.schemas.wire import Listed
from domain.actions import ActionSpec
from domain.decisions import DecisionRequest
from domain.errors import InputError
from domain.proposals import ProposalStatus
from domain.signals import explain

router = APIRouter(prefix="/v1", tags=["proposals"])
Id = Annotated[str, Path(description="Id of the proposal.", examples=["prop_9c2d7e4f315b1f0a"])]


@router.get("/proposals", summary="List proposals", **asking("read", 422))
def list_proposals(
    runtime: Used,
    status: Annotated[ProposalStatus | None, Query(description="Only these.", examples=["pending"])] = None,
    situation: Annotated[str | None, Query(description="Only about this situation.", examples=[None])] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Listed[Proposal]:
    """Proposals, newest first."""
    page = runtime.store.proposals.page(status=status, situation=situation, limit=limit, cursor=cursor)
    return listed(page, of_proposal)


@router.get("/proposals/{id}", summary="Read a proposal", **asking("read", 404))
def get_proposal(id: Id, runtime: Used) -> Proposal:  # noqa: A002 — the name in the path
    """One proposal with its actions, evidence and decisions."""
    return of_proposal(runtime.store.proposals.get(id))


@router.post("/proposals/{id}/decisions", summary="Decide on a proposal", **asking("decide", 400, 404, 409, 422))
def decide_proposal(id: Id, body: DecisionBody, runtime: Used, caller: CurrentCaller) -> Proposal:  # noqa: A002 — path
    """Approve, modify, reject or escalate; the answer covers all actions of the proposal.

    `fingerprint` names the version that was seen: 409 when it has drifted, was decided, or has expired.
    The same answer of the same person twice is one decision. Roles of the rule gate who may answer.
    """
    return of_proposal(approve.decide(runtime, id, _request(body), caller.person, channel="api"))


@router.get("/decisions", summary="List decisions", **asking("read", 422))
def list_decisions(
    runtime: Used,
    proposal: Annotated[str | None, Query(description="Only on this proposal.", examples=[None])] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Listed[Decision]:
    """What people and rules answered, newest first."""
    return listed(runtime.store.decisions.page(proposal=proposal, limit=limit, cursor=cursor), of_decision)


def _request(body: DecisionBody) -> DecisionRequest:
    """The domain's request. Raises InputError for an action that is none."""
    try:
        specs = None if body.actions is None else tuple(ActionSpec(**spec.model_dump()) for spec in body.actions)
    except ValidationError as error:
        raise InputError(f"`actions`: {explain(error)}") from error
    return DecisionRequest(decision=body.decision, fingerprint=body.fingerprint, reason=body.reason, actions=specs)
