"""The life of a proposal and its actions, as pure functions of (state, event, now).

`next_move` says what is due for one action; `decide` says what a person's answer does to a proposal.
Two drivers (wall time and event time) carry the moves out through the same code; neither decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, assert_never

from domain.actions import Action, ActionStatus
from domain.decisions import Decision, DecisionKind, DecisionRequest, Person
from domain.errors import Conflict, Forbidden, InputError
from domain.policy import VerdictKind
from domain.proposals import Proposal, ProposalStatus

MoveKind = Literal["wait", "escalate", "expire", "deny", "execute", "settle", "measure", "close"]


@dataclass(frozen=True, slots=True)
class Move:
    """What is due for an action. `wait` names the time of the next look; None waits for an event only."""

    kind: MoveKind
    until: datetime | None = None


CLOSE = Move("close")


def next_move(proposal: Proposal, action: Action, now: datetime) -> Move:
    """What is due for `action` of `proposal` at `now`."""
    match proposal.status:
        case ProposalStatus.PENDING:
            return _while_pending(proposal, now)
        case ProposalStatus.REJECTED | ProposalStatus.EXPIRED | ProposalStatus.VOID:
            return Move("deny") if action.status is ActionStatus.PENDING else CLOSE
        case ProposalStatus.APPROVED:
            return _once_approved(action, now)
        case _:
            assert_never(proposal.status)


def _while_pending(proposal: Proposal, now: datetime) -> Move:
    if now >= proposal.expires_at:
        return Move("expire")
    if proposal.escalate_at is not None and not proposal.escalated:
        if now >= proposal.escalate_at:
            return Move("escalate")
        return Move("wait", min(proposal.escalate_at, proposal.expires_at))
    return Move("wait", proposal.expires_at)


def _once_approved(action: Action, now: datetime) -> Move:
    match action.status:
        case ActionStatus.PENDING:
            return Move("execute")
        case ActionStatus.EXECUTING:
            return Move("settle")
        case ActionStatus.DONE:
            if action.measure_at is None or action.outcome is not None:
                return CLOSE
            return Move("measure") if now >= action.measure_at else Move("wait", action.measure_at)
        case ActionStatus.UNKNOWN | ActionStatus.DRIFTED | ActionStatus.DENIED | ActionStatus.COMPENSATED:
            return CLOSE
        case _:
            assert_never(action.status)


def held(move: Move, proposal: Proposal, action: Action, now: datetime) -> Move:
    """`move` while nothing may change a tool: what was approved waits, at most until its proposal would have expired.

    What had begun waits however long: whether it was done is still to be found out.
    """
    if move.kind == "settle":
        return Move("wait")
    if move.kind != "execute":
        return move
    return Move("deny") if now >= proposal.expires_at and action.undo_of is None else Move("wait", proposal.expires_at)


def due_at(proposal: Proposal, action: Action, now: datetime) -> datetime | None:
    """When the driver must look again: `now` for a move that is due, None when nothing will come by itself."""
    move = next_move(proposal, action, now)
    if move.kind == "close":
        return None
    return move.until if move.kind == "wait" else now


def decide(proposal: Proposal, request: DecisionRequest, person: Person, now: datetime) -> ProposalStatus:
    """The status after `person`'s answer; the caller writes it by compare-and-set.

    Raises Conflict when it was decided, expired or drifted, Forbidden when no role fits or the person
    answered already, InputError for `modify` without actions.
    """
    _refuse_unless_answerable(proposal, request, person, now)
    match request.decision:
        case DecisionKind.REJECT:
            return ProposalStatus.REJECTED
        case DecisionKind.ESCALATE:
            return ProposalStatus.PENDING
        case DecisionKind.APPROVE:
            return _after_approval(proposal, person)
        case DecisionKind.MODIFY:
            if not request.actions:
                raise InputError("`modify` needs `actions`: the new arguments of every action of the proposal.")
            return ProposalStatus.PENDING
        case _:
            assert_never(request.decision)


def _refuse_unless_answerable(proposal: Proposal, request: DecisionRequest, person: Person, now: datetime) -> None:
    if proposal.status is not ProposalStatus.PENDING:
        raise Conflict(
            f"{proposal.id} is already {proposal.status}. Reload it to see who decided.", status=proposal.status
        )
    if now >= proposal.expires_at:
        raise Conflict(
            f"{proposal.id} expired at {proposal.expires_at.isoformat()}. Wait for the next round's proposal."
        )
    if request.fingerprint != proposal.fingerprint:
        raise Conflict(f"{proposal.id} changed since you saw it. Reload it and decide on what it says now.")
    if proposal.verdict.kind is VerdictKind.DENY:
        raise Conflict(
            f"Policy denies {proposal.id} ({proposal.verdict.rule}). Change the policy, then wait for a new one."
        )
    filled_role(proposal, person)
    answered = [
        d.by
        for d in proposal.decisions
        if d.kind is not DecisionKind.ESCALATE and d.fingerprint == proposal.fingerprint
    ]
    if person.id in answered:
        raise Conflict(f"{person.id!r} answered {proposal.id} already. Another person has to answer.")


def _after_approval(proposal: Proposal, person: Person) -> ProposalStatus:
    """Approved once as many different people as the quorum asks said so to this version."""
    agreed = {
        earlier.by
        for earlier in proposal.decisions
        if earlier.kind in {DecisionKind.APPROVE, DecisionKind.MODIFY} and earlier.fingerprint == proposal.fingerprint
    }
    return ProposalStatus.APPROVED if len(agreed | {person.id}) >= proposal.verdict.quorum else ProposalStatus.PENDING


def filled_role(proposal: Proposal, person: Person) -> str | None:
    """The role by which `person` may decide: one the rule names, `admin`, or the escalation's.

    Raises Forbidden when none fits. A rule without roles lets any authenticated decider answer.
    """
    wanted = set(proposal.verdict.roles)
    if proposal.verdict.escalate_to:
        wanted.add(proposal.verdict.escalate_to)
    if not proposal.verdict.roles:
        return None
    fitting = sorted(wanted & person.roles) or sorted({"admin"} & person.roles)
    if not fitting:
        raise Forbidden(f"{proposal.id} asks for {' or '.join(sorted(wanted))}; {person.id!r} is none of them.")
    return fitting[0]


def escalation_time(created_at: datetime, expires_h: float, escalate_to: str | None) -> datetime | None:
    """Half of the time to answer has passed and somebody is named to be asked next."""
    return created_at + timedelta(hours=expires_h / 2) if escalate_to else None


def record_decision(proposal: Proposal, decision: Decision, status: ProposalStatus) -> Proposal:
    """`proposal` with one more decision and its new status."""
    return proposal.model_copy(update={"decisions": (*proposal.decisions, decision), "status": status})
