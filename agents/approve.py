"""Decisions of people: recorded first, by compare-and-set, then acted on."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from agents.judgement import facts_now, why_void
from agents.propose import rejudge
from domain.audit import Fact
from domain.decisions import Decision, DecisionKind, DecisionRequest, Person, decision_id
from domain.errors import Conflict, InputError
from domain.lifecycle import decide as status_after
from domain.lifecycle import filled_role, record_decision
from domain.policy import VerdictKind
from domain.proposals import Proposal, ProposalStatus
from memory.crash import reached

if TYPE_CHECKING:
    from agents.parts import Runtime

Channel = Literal["api", "page", "cli", "rule", "script"]


def decide(
    runtime: Runtime, proposal_id: str, request: DecisionRequest, person: Person, *, channel: Channel = "api"
) -> Proposal:
    """The proposal after `person`'s answer. While others are still asked, the same answer twice is one decision.

    Raises NotFound, Conflict (decided, expired, drifted, denied by policy), Forbidden, InputError.
    """
    reached("decision.received")
    now = runtime.clock.now()
    before = runtime.store.proposals.get(proposal_id)
    repeated = decision_id(proposal_id, person.id, request.decision, request.fingerprint)
    pending = before.status is ProposalStatus.PENDING
    if pending and any(decision.id == repeated for decision in before.decisions) and _as_asked(before, request):
        return before
    status = status_after(before, request, person, now)
    if request.decision in {DecisionKind.APPROVE, DecisionKind.MODIFY}:
        _refuse_if_void(runtime, before, now)
    decision = Decision(
        id=repeated,
        proposal=proposal_id,
        kind=request.decision,
        by=person.id,
        role=filled_role(before, person),
        reason=request.reason,
        fingerprint=request.fingerprint,
        at=now,
        channel=channel,
    )
    if request.decision is DecisionKind.MODIFY and request.actions is not None:
        after = _modified(runtime, before, decision, request, person)
    else:
        after = record_decision(before, decision, status)
    if request.decision is DecisionKind.ESCALATE:
        after = after.model_copy(update={"escalated": True})
    after = _authorised(after)
    recorded = after.decisions[-1]
    stored = runtime.store.proposals.decide(before, recorded, after, facts=_facts(recorded, after))
    runtime.driver.wake([action.id for action in {a.id: a for a in (*before.actions, *stored.actions)}.values()])
    reached("decision.answered")
    return stored


def _as_asked(stored: Proposal, request: DecisionRequest) -> bool:
    """Whether `stored` holds the arguments of `request`, if it brings any: other ones are another answer."""
    if request.decision is not DecisionKind.MODIFY or request.actions is None:
        return True
    return [a.spec.argument_hash for a in stored.actions] == [spec.argument_hash for spec in request.actions]


def _refuse_if_void(runtime: Runtime, proposal: Proposal, now: datetime) -> None:
    """Raises Conflict, and voids the proposal, when policy or the state of the tools moved on since it was made."""
    facts = facts_now(runtime)
    reason = why_void(runtime, proposal, facts, runtime.tools.states(facts.tree))
    if reason is None:
        return
    said = Fact(at=now, actor="worker", verb="proposal.voided", subject=proposal.id, facts={"because": reason})
    runtime.store.proposals.move(proposal.id, ProposalStatus.PENDING, ProposalStatus.VOID, facts=[said], detail=reason)
    runtime.driver.wake([action.id for action in proposal.actions])
    raise Conflict(f"{proposal.id} is void: {reason}. Wait for the next round's proposal.", status=ProposalStatus.VOID)


def _modified(
    runtime: Runtime, before: Proposal, decision: Decision, request: DecisionRequest, person: Person
) -> Proposal:
    """The proposal with the person's arguments, judged again; approved if policy lets this one person do that.

    Raises InputError when more than values changed, Conflict when policy denies the new arguments, Forbidden when
    it keeps them for other roles.
    """
    specs = request.actions or ()
    if [(s.kind, s.entity) for s in specs] != [(a.spec.kind, a.spec.entity) for a in before.actions]:
        raise InputError("`modify` changes values only: give the same kinds and entities in the same order.")
    facts = replace(facts_now(runtime), read_only=False)
    changed = rejudge(before, specs, runtime.policies.current(), facts, runtime.tools.states(facts.tree))
    verdict = changed.verdict
    if verdict.kind is VerdictKind.DENY:
        raise Conflict(f"Policy denies the change: {verdict.reason} ({verdict.rule}). Change the arguments or reject.")
    filled_role(changed, person)
    status = ProposalStatus.APPROVED if verdict.quorum <= 1 else ProposalStatus.PENDING
    agreed = decision.model_copy(update={"fingerprint": changed.fingerprint})
    return record_decision(changed, agreed, status)


def _authorised(proposal: Proposal) -> Proposal:
    """An approved proposal's actions name the decision that lets them run."""
    if proposal.status is not ProposalStatus.APPROVED:
        return proposal
    by = proposal.decisions[-1].id
    actions = tuple(action.model_copy(update={"authorised_by": by}) for action in proposal.actions)
    return proposal.model_copy(update={"actions": actions})


def _facts(decision: Decision, after: Proposal) -> list[Fact]:
    return [
        Fact(
            at=decision.at,
            actor=f"person:{decision.by}",
            verb="decision.recorded",
            subject=decision.proposal,
            facts={
                "decision": decision.id,
                "kind": decision.kind,
                "reason": decision.reason,
                "fingerprint": decision.fingerprint,
                "channel": decision.channel,
                "status": after.status,
                "arguments": [action.spec.argument_hash for action in after.actions],
            },
        )
    ]
