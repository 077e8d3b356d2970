"""Turns a chosen candidate into a proposal judged by policy. Pure given the facts and the states read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from agents.arbitrate import Choice
from domain.actions import Action, ActionSpec
from domain.lifecycle import escalation_time
from domain.policy import Facts, Policy, judge
from domain.proposals import Proposal, action_id, fingerprint, proposal_id
from domain.valuation import revalue

States = Mapping[str, Mapping[str, Any]]


def states_read(specs: Sequence[ActionSpec], state: States) -> dict[str, Any]:
    """The state each spec was computed from, by `kind entity`: the part of the world the fingerprint covers."""
    return {
        f"{spec.kind} {spec.entity}": state.get(spec.entity, {}).get(spec.kind, spec.expect)
        for spec in specs
        if spec.entity is not None
    }


def propose(choice: Choice, policy: Policy, facts: Facts, state: States) -> Proposal:
    """The proposal for `choice`, with the verdict of `policy` at `facts.now`.

    `facts.tainted` and `facts.demanded` are set from the candidate; the caller fills the rest.
    """
    candidate = choice.candidate
    id_ = proposal_id(candidate)
    judged = judge(policy, candidate.specs, replace(facts, tainted=candidate.tainted, demanded=candidate.mandatory))
    return Proposal(
        id=id_,
        situation=candidate.situation,
        verdict=judged,
        actions=tuple(Action(id=action_id(id_, spec), proposal=id_, spec=spec) for spec in candidate.specs),
        policy_version=policy.version,
        fingerprint=fingerprint(candidate.specs, policy.version, states_read(candidate.specs, state)),
        title=candidate.title,
        why=candidate.why,
        expected=candidate.expected,
        cost_minor=candidate.cost_minor,
        risk=candidate.risk,
        measurement=candidate.measurement,
        evidence=candidate.evidence,
        alternatives=choice.alternatives,
        specialist=candidate.specialist,
        origin=choice.origin,
        worded_by=choice.worded_by,
        tainted=candidate.tainted,
        mandatory=candidate.mandatory,
        requested_by=candidate.requested_by,
        created_at=facts.now,
        expires_at=facts.now + timedelta(hours=judged.expires_h),
        escalate_at=escalation_time(facts.now, judged.expires_h, judged.escalate_to),
    )


def rejudge(proposal: Proposal, specs: tuple[ActionSpec, ...], policy: Policy, facts: Facts, state: States) -> Proposal:
    """`proposal` with the arguments a person changed, judged and valued anew; approvals of the former no longer count.

    Its id stays, its expiry too: changing arguments does not buy time.
    """
    judged = judge(policy, specs, replace(facts, tainted=proposal.tainted, demanded=False))
    worth = revalue(proposal, specs, facts.tree)
    return proposal.model_copy(
        update={
            "verdict": judged,
            "actions": tuple(
                Action(id=action_id(proposal.id, spec), proposal=proposal.id, spec=spec) for spec in specs
            ),
            "policy_version": policy.version,
            "fingerprint": fingerprint(specs, policy.version, states_read(specs, state)),
            "expected": worth.expected,
            "cost_minor": worth.cost_minor,
            "measurement": worth.measurement,
            "valuation": worth.basis,
        }
    )
