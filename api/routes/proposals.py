"""`/v1/proposals` and `/v1/decisions`: what Accord would do, what people ask, and what they answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import ValidationError

import domain.actions
from agents import approve, questions
from agents.parts import Runtime
from api.auth import CurrentCaller
from api.given import Cursor, Limit, Used, asking, listed
from api.schemas.approvals import (
    AnswerBody,
    BatchBody,
    BatchItem,
    Decided,
    QuestionBody,
    RecheckBody,
    Rechecked,
    Thread,
    of_question,
    of_recheck,
)
from api.schemas.proposals import ActionSpec, Decision, DecisionBody, Proposal, of_decision, of_proposal
from api.schemas.wire import Listed
from domain.decisions import DecisionKind, DecisionRequest
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
    after = approve.decide(runtime, id, _request(body), caller.person, channel="api", key=caller.key)
    return of_proposal(after)


@router.post("/decisions/batch", summary="Decide on several proposals", **asking("decide", 400, 409, 422))
def decide_batch(body: BatchBody, runtime: Used, caller: CurrentCaller) -> Decided:
    """All of the decisions are recorded, in one transaction, or none: then `errors` names what stands in the way."""
    answers = [(item.proposal, _item(item)) for item in body.decisions]
    after = approve.decide_all(runtime, answers, approve.Voice(caller.person, "api", caller.key))
    return Decided(items=[of_proposal(proposal) for proposal in after])


@router.post("/proposals/{id}/recheck", summary="Look at other arguments", **asking("decide", 400, 404, 409, 422))
def recheck_proposal(id: Id, body: RecheckBody, runtime: Used) -> Rechecked:  # noqa: A002 — path
    """What policy would say of the proposal with these arguments, and what it would be worth; nothing is written."""
    before = runtime.store.proposals.get(id)
    return of_recheck(before, approve.recheck(runtime, id, specs_of(body.actions)))


@router.get("/proposals/{id}/questions", summary="Read what was asked", **asking("read", 404))
def list_questions(id: Id, runtime: Used) -> Thread:  # noqa: A002 — path
    """Questions about a proposal and their answers, oldest first."""
    return _thread(runtime, id)


@router.post("/proposals/{id}/questions", summary="Ask about a proposal", **asking("decide", 400, 404, 409, 422))
def ask_question(id: Id, body: QuestionBody, runtime: Used, caller: CurrentCaller) -> Thread:  # noqa: A002 — path
    """The thread with the question in it; who is named is written to.

    The first question of somebody who may decide gives the proposal its time to answer anew, once.
    """
    questions.ask(runtime, id, questions.Remark(body.text, body.to), caller.person)
    return _thread(runtime, id)


@router.post(
    "/proposals/{id}/questions/{question}/answers",
    summary="Answer a question",
    **asking("decide", 400, 404, 409, 422),
)
def answer_question(
    id: Id,  # noqa: A002 — path
    question: Annotated[str, Path(description="Id of the question.", examples=["que_4f315b1f0a9c2d7e"])],
    body: AnswerBody,
    runtime: Used,
    caller: CurrentCaller,
) -> Thread:
    """The thread with the answer in it; who had asked is written to."""
    questions.ask(runtime, id, questions.Remark(body.text, answers=question), caller.person)
    return _thread(runtime, id)


@router.get("/decisions", summary="List decisions", **asking("read", 422))
def list_decisions(
    runtime: Used,
    proposal: Annotated[str | None, Query(description="Only on this proposal.", examples=[None])] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Listed[Decision]:
    """What people and rules answered, newest first."""
    return listed(runtime.store.decisions.page(proposal=proposal, limit=limit, cursor=cursor), of_decision)


def _thread(runtime: Runtime, proposal: str) -> Thread:
    expires_at = runtime.store.proposals.get(proposal).expires_at
    said = runtime.store.questions.of(proposal)
    return Thread(items=[of_question(question) for question in said], expires_at=expires_at)


def specs_of(actions: Iterable[ActionSpec]) -> tuple[domain.actions.ActionSpec, ...]:
    """The domain's actions. Raises InputError for one that is none."""
    try:
        return tuple(domain.actions.ActionSpec(**spec.model_dump()) for spec in actions)
    except ValidationError as error:
        raise InputError(f"`actions`: {explain(error)}") from error


def _request(body: DecisionBody) -> DecisionRequest:
    """The domain's request. Raises InputError for an action that is none."""
    return DecisionRequest(
        decision=body.decision,
        fingerprint=body.fingerprint,
        reason=body.reason,
        reason_code=body.reason_code,
        actions=None if body.actions is None else specs_of(body.actions),
    )


def _item(item: BatchItem) -> DecisionRequest:
    return DecisionRequest(
        decision=DecisionKind(item.decision),
        fingerprint=item.fingerprint,
        reason=item.reason,
        reason_code=item.reason_code,
    )
