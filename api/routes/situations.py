"""`/v1/situations`: what the signals amount to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from agents.parts import Runtime
from api.given import Cursor, Limit, Used, asking, listed
from api.schemas.proposals import of_proposal
from api.schemas.situations import Situation, SituationDetail, TimelineEntry, of_situation
from api.schemas.wire import Listed
from domain import proposals, situations

router = APIRouter(prefix="/v1/situations", tags=["situations"])
Id = Annotated[str, Path(description="Id of the situation.", examples=["sit_5b1f0a9c2d7e4f31"])]
_MOST = 200


@router.get("", summary="List situations", **asking("read", 422))
def list_situations(
    runtime: Used,
    status: Annotated[Literal["open", "closed"] | None, Query(description="Only these.", examples=["open"])] = None,
    kind: Annotated[str | None, Query(description="Only this kind.", examples=["demand.rise"])] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Listed[Situation]:
    """Situations, newest first."""
    page = runtime.store.situations.page(status=status, kind=kind, limit=limit, cursor=cursor)
    return listed(page, of_situation)


@router.get("/{id}", summary="Read a situation", **asking("read", 404))
def get_situation(id: Id, runtime: Used) -> SituationDetail:  # noqa: A002 — the name in the path
    """One situation with its proposals and what happened since."""
    situation, about = with_proposals(runtime, id)
    return SituationDetail(
        **of_situation(situation).model_dump(),
        proposals=[of_proposal(proposal) for proposal in about],
        timeline=timeline(situation, about),
    )


def with_proposals(runtime: Runtime, situation: str) -> tuple[situations.Situation, tuple[proposals.Proposal, ...]]:
    """A situation and its newest 200 proposals. Raises NotFound."""
    found = runtime.store.situations.get(situation)
    return found, tuple(runtime.store.proposals.page(situation=situation, limit=_MOST).items)


def timeline(situation: situations.Situation, about: tuple[proposals.Proposal, ...]) -> list[TimelineEntry]:
    """What happened to a situation and its proposals, in order of time."""
    entries = [
        TimelineEntry(at=situation.onset, what="situation.began", subject=situation.id, text=situation.title),
        TimelineEntry(at=situation.opened_at, what="situation.opened", subject=situation.id, text=situation.title),
    ]
    for proposal in about:
        entries += _life(proposal)
    return sorted(entries, key=lambda entry: entry.at)


def _life(proposal: proposals.Proposal) -> Iterator[TimelineEntry]:
    yield TimelineEntry(at=proposal.created_at, what="proposal.created", subject=proposal.id, text=proposal.title)
    for decision in proposal.decisions:
        told = f"{decision.by}: {decision.kind}" + (f", {decision.reason}" if decision.reason else "")
        yield TimelineEntry(at=decision.at, what="decision.recorded", subject=proposal.id, text=told)
    for action in proposal.actions:
        if action.executed_at is not None:
            told = " ".join(part for part in (action.spec.kind, action.spec.entity, action.status) if part)
            yield TimelineEntry(at=action.executed_at, what="action.executed", subject=action.id, text=told)
