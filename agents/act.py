"""The life of one action, carried out: asks `domain.lifecycle` what is due and does it.

Both drivers call `advance`; it may be killed anywhere and called again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from agents.execute import execute, settle
from agents.measure import measure
from agents.modes import is_read_only
from domain.actions import Action, ActionStatus
from domain.audit import Fact
from domain.lifecycle import Move, held, next_move
from domain.proposals import Proposal, ProposalStatus
from memory.crash import reached

if TYPE_CHECKING:
    from agents.parts import Runtime


def advance(runtime: Runtime, action_id: str) -> Move:
    """Do everything that is due for the action now; returns `wait` with its time, or `close`.

    Raises TransientError when a tool could not be reached: the driver tries again later.
    """
    while True:
        reached("action.looked")
        action = runtime.store.actions.get(action_id)
        proposal = runtime.store.proposals.get(action.proposal)
        now = runtime.clock.now()
        move = next_move(proposal, action, now)
        if is_read_only(runtime):
            move = held(move, proposal, action, now)
        if move.kind in {"wait", "close"}:
            runtime.store.actions.set_due(action_id, move.until)
            return move
        _carry_out(runtime, move, proposal, action)


def _carry_out(runtime: Runtime, move: Move, proposal: Proposal, action: Action) -> None:
    match move.kind:
        case "expire":
            _expire(runtime, proposal)
        case "escalate":
            _escalate(runtime, proposal)
        case "deny":
            _deny(runtime, proposal, action)
        case "execute":
            execute(runtime, proposal, action)
        case "settle":
            settle(runtime, proposal, action)
        case "measure":
            measure(runtime, proposal, action)
        case "wait" | "close":
            raise AssertionError(move.kind)
        case _:
            assert_never(move.kind)


def _expire(runtime: Runtime, proposal: Proposal) -> None:
    fact = _fact(runtime, "proposal.expired", proposal.id, expires_at=proposal.expires_at.isoformat())
    runtime.store.proposals.move(
        proposal.id, ProposalStatus.PENDING, ProposalStatus.EXPIRED, facts=[fact], detail="nobody answered in time"
    )


def _escalate(runtime: Runtime, proposal: Proposal) -> None:
    fact = _fact(runtime, "proposal.escalated", proposal.id, to=proposal.verdict.escalate_to)
    runtime.store.proposals.move(
        proposal.id, ProposalStatus.PENDING, ProposalStatus.PENDING, facts=[fact], escalated=True
    )


def _deny(runtime: Runtime, proposal: Proposal, action: Action) -> None:
    if proposal.status is ProposalStatus.APPROVED:
        detail = "read-only mode outlasted the time it was proposed for"
    else:
        detail = proposal.detail or f"the proposal was {proposal.status}"
    fact = _fact(runtime, "action.denied", action.id, proposal=proposal.id, because=detail)
    runtime.store.actions.move(
        action.id, ActionStatus.PENDING, ActionStatus.DENIED, due_at=None, facts=[fact], detail=detail
    )


def _fact(runtime: Runtime, verb: str, subject: str, **facts: object) -> Fact:
    return Fact(at=runtime.clock.now(), actor="worker", verb=verb, subject=subject, facts=facts)
