"""The life of a proposal and its actions, as pure functions of (state, event, now).

`next_move` says what is due for one action; `decide` says what a person's answer does to a proposal.
Two drivers (wall time and event time) carry the moves out through the same code; neither decides.
"""

from __future__ import annotations

from collections.abc import Sequence
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
            return _dropped(action)
        case ProposalStatus.APPROVED:
            # No decision approves a canary; were there ever one that did, nothing would come of it.
            return _once_approved(action, now) if proposal.canary is None else _dropped(action)
        case _:
            assert_never(proposal.status)


def _dropped(action: Action) -> Move:
    return Move("deny") if action.status is ActionStatus.PENDING else CLOSE


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


@dataclass(frozen=True, slots=True)
class Seat:
    """In what capacity a person answers: the role filled, and the absent person whose role it is, if not one's own."""

    role: str | None
    on_behalf_of: str | None = None


def decide(
    proposal: Proposal, request: DecisionRequest, person: Person, now: datetime, absent: Sequence[Person] = ()
) -> ProposalStatus:
    """The status after `person`'s answer, who stands in for `absent`; the caller writes it by compare-and-set.

    Raises Conflict when it was decided, expired or drifted, Forbidden when no role fits or the person
    answered already, InputError for `modify` without actions.
    """
    refuse_unless_open(proposal, request.fingerprint, now)
    seat = seat_of(proposal, person, absent)
    _refuse_twice(proposal, person, seat)
    match request.decision:
        case DecisionKind.REJECT:
            return ProposalStatus.REJECTED
        case DecisionKind.ESCALATE:
            return ProposalStatus.PENDING
        case DecisionKind.APPROVE:
            return after_approval(proposal, person, seat)
        case DecisionKind.MODIFY:
            if not request.actions:
                raise InputError("`modify` needs `actions`: the new arguments of every action of the proposal.")
            return ProposalStatus.PENDING
        case _:
            assert_never(request.decision)


def refuse_unless_open(proposal: Proposal, seen: str, now: datetime) -> None:
    """Raises Conflict unless `proposal` waits for answers and is the version with the fingerprint `seen`."""
    if proposal.status is not ProposalStatus.PENDING:
        raise already(proposal)
    if now >= proposal.expires_at:
        raise Conflict(
            f"{proposal.id} expired at {proposal.expires_at.isoformat()}. Wait for the next round's proposal."
        )
    if seen != proposal.fingerprint:
        changed = next((d for d in reversed(proposal.decisions) if d.kind is DecisionKind.MODIFY), None)
        by = f" ({changed.by!r} changed it at {changed.at.isoformat()})" if changed else ""
        raise Conflict(f"{proposal.id} changed since you saw it{by}. Reload it and decide on what it says now.")
    if proposal.verdict.kind is VerdictKind.DENY:
        raise Conflict(
            f"Policy denies {proposal.id} ({proposal.verdict.rule}). Change the policy, then wait for a new one."
        )


def already(proposal: Proposal) -> Conflict:
    """The refusal of a late answer: what it is now, who was first, and when."""
    lapsed = proposal.status in {ProposalStatus.EXPIRED, ProposalStatus.VOID}
    # What was approved may have been undone since, under a fingerprint of its own: that answered nothing.
    approved = proposal.status is ProposalStatus.APPROVED
    given = [each for each in proposal.decisions if not approved or each.fingerprint == proposal.fingerprint]
    last = given[-1] if given and not lapsed else None
    first = proposal.detail or "no person was asked"
    if last is not None:
        for_whom = f" for {last.on_behalf_of!r}" if last.on_behalf_of else ""
        first = f"{last.by!r} answered first{for_whom} ({last.kind}, {last.at.isoformat()})"
    return Conflict(
        f"{proposal.id} is {proposal.status} now: {first}. Reload it and decide on what it says.",
        status=proposal.status,
        by=last.by if last else None,
        at=last.at.isoformat() if last else None,
    )


def _refuse_twice(proposal: Proposal, person: Person, seat: Seat) -> None:
    """One person has one voice in a version, whether they use it themselves or somebody does for them."""
    wanted = {person.id} | ({seat.on_behalf_of} if seat.on_behalf_of else set[str]())
    for decision in _answers(proposal):
        if decision.voices & wanted:
            for_whom = f" for {decision.on_behalf_of!r}" if decision.on_behalf_of else ""
            raise Conflict(
                f"{decision.by!r} answered {proposal.id}{for_whom} already "
                f"({decision.kind}, {decision.at.isoformat()}). Another person has to answer.",
                by=decision.by,
                at=decision.at.isoformat(),
            )


def _answers(proposal: Proposal) -> list[Decision]:
    """Answers to the version that stands; handing it on is none."""
    return [
        decision
        for decision in proposal.decisions
        if decision.kind is not DecisionKind.ESCALATE and decision.fingerprint == proposal.fingerprint
    ]


def agreed(proposal: Proposal) -> tuple[Decision, ...]:
    """Who has agreed to the version that stands, by approving it or by having made it what it is."""
    return tuple(d for d in _answers(proposal) if d.kind in {DecisionKind.APPROVE, DecisionKind.MODIFY})


def after_approval(proposal: Proposal, person: Person, seat: Seat) -> ProposalStatus:
    """Approved once as many people as the quorum asks agreed to this version, one of whom did not ask for it."""
    voices = {decision.by: decision.voices for decision in agreed(proposal)}
    voices[person.id] = frozenset({person.id} | ({seat.on_behalf_of} if seat.on_behalf_of else set()))
    independent = any(not voice & set(proposal.requested_by) for voice in voices.values())
    enough = len(voices) >= proposal.verdict.quorum and independent
    return ProposalStatus.APPROVED if enough else ProposalStatus.PENDING


def seat_of(proposal: Proposal, person: Person, absent: Sequence[Person] = ()) -> Seat:
    """By one's own role where one fits, else by that of one of `absent` who has not spoken yet. Raises Forbidden."""
    try:
        return Seat(filled_role(proposal, person))
    except Forbidden:
        spoken = {voice for decision in _answers(proposal) for voice in decision.voices}
        for away in sorted(absent, key=lambda each: (each.id in spoken, each.id)):
            if fitting := _fitting(proposal, away):
                return Seat(fitting[0], away.id)
        raise


def filled_role(proposal: Proposal, person: Person) -> str | None:
    """The role by which `person` may decide: one the rule names, `admin`, or the escalation's.

    Raises Forbidden when none fits. A rule without roles lets any authenticated decider answer.
    """
    if not proposal.verdict.roles:
        return None
    fitting = _fitting(proposal, person)
    if not fitting:
        wanted = " or ".join(sorted(wanted_roles(proposal)))
        raise Forbidden(f"{proposal.id} asks for {wanted}; {person.id!r} is none of them.")
    return fitting[0]


def _fitting(proposal: Proposal, person: Person) -> list[str]:
    return sorted(wanted_roles(proposal) & person.roles) or sorted({"admin"} & person.roles)


def wanted_roles(proposal: Proposal) -> set[str]:
    """Roles by which one may answer: those that the rule names, and that of its escalation."""
    verdict = proposal.verdict
    return {*verdict.roles, *((verdict.escalate_to,) if verdict.escalate_to else ())}


def escalation_time(created_at: datetime, expires_h: float, escalate_to: str | None) -> datetime | None:
    """Half of the time to answer has passed and somebody is named to be asked next."""
    return created_at + timedelta(hours=expires_h / 2) if escalate_to else None


def record_decision(proposal: Proposal, decision: Decision, status: ProposalStatus) -> Proposal:
    """`proposal` with one more decision and its new status."""
    return proposal.model_copy(update={"decisions": (*proposal.decisions, decision), "status": status})
