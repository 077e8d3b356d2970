"""Decisions of people: recorded first, by compare-and-set, then acted on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from agents.judgement import facts_now
from agents.propose import rejudge
from domain.audit import Fact
from domain.decisions import Decision, DecisionKind, DecisionRequest, Person, decision_id
from domain.errors import Conflict
from domain.lifecycle import decide as status_after
from domain.lifecycle import filled_role, record_decision
from domain.policy import VerdictKind
from domain.proposals import Proposal, ProposalStatus

if TYPE_CHECKING:
    from agents.runtime import Runtime

Channel = Literal["api", "page", "cli", "rule", "script"]


def decide(
    runtime: Runtime, proposal_id: str, request: DecisionRequest, person: Person, *, channel: Channel = "api"
) -> Proposal:
    """The proposal after `person`'s answer. The same answer twice is one decision.

    Raises NotFound, Conflict (decided, expired, drifted, denied by policy), Forbidden, InputError.
    """
    now = runtime.clock.now()
    before = runtime.store.proposals.get(proposal_id)
    repeated = decision_id(proposal_id, person.id, request.decision, request.fingerprint)
    if any(decision.id == repeated for decision in before.decisions):
        return before
    status = status_after(before, request, person, now)
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
        after = _modified(runtime, before, decision, request)
    else:
        after = record_decision(before, decision, status)
    if request.decision is DecisionKind.ESCALATE:
        after = after.model_copy(update={"escalated": True})
    after = _authorised(after)
    recorded = after.decisions[-1]
    stored = runtime.store.proposals.decide(before, recorded, after, facts=_facts(recorded, after))
    runtime.driver.wake([action.id for action in {a.id: a for a in (*before.actions, *stored.actions)}.values()])
    return stored


def _modified(runtime: Runtime, before: Proposal, decision: Decision, request: DecisionRequest) -> Proposal:
    """The proposal with the person's arguments, judged again; approved if policy lets one person do that.

    Raises Conflict when policy denies the new arguments.
    """
    facts = facts_now(runtime)
    changed = rejudge(
        before, request.actions or (), runtime.policies.current(), facts, runtime.tools.states(facts.tree)
    )
    verdict = changed.verdict
    if verdict.kind is VerdictKind.DENY:
        raise Conflict(f"Policy denies the change: {verdict.reason} ({verdict.rule}). Change the arguments or reject.")
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
