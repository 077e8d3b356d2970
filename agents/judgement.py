"""The facts a policy verdict rests on, read from the store and the tools at this moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from agents.modes import is_read_only
from agents.propose import States, states_read
from domain.actions import ActionSpec
from domain.explain import Explanation, explain
from domain.policy import Facts, Limits, Verdict, VerdictKind, judge
from domain.ports import View
from domain.proposals import Proposal, fingerprint

if TYPE_CHECKING:
    from agents.parts import Runtime

ROLLING_DAY = timedelta(hours=24)


def facts_now(runtime: Runtime, view: View | None = None) -> Facts:
    """Facts of this moment; taint and demand belong to a proposal and are set per judgement."""
    now = runtime.clock.now()
    view = view or runtime.store.view(now)
    return Facts(
        now=now,
        currency=runtime.settings.objective.currency,
        tree=view.tree,
        limits=view.limits(),
        moved_24h_minor=runtime.store.actions.moved_since(now - ROLLING_DAY),
        last_change=runtime.store.actions.last_changes(),
        known_kinds=runtime.tools.kinds,
        read_only=is_read_only(runtime),
        rates=runtime.settings.fx,
        trust=runtime.track_record.levels(runtime.policies.current()),
        shown=runtime.tools.states(view.tree),
    )


def judge_now(
    runtime: Runtime, specs: Sequence[ActionSpec], *, tainted: bool, demanded: bool = False, view: View | None = None
) -> Verdict:
    """The verdict of the policy in force on `specs` as things stand now; read-only mode holds, it does not judge."""
    facts = replace(facts_now(runtime, view), tainted=tainted, demanded=demanded, read_only=False)
    return judge(runtime.policies.current(), specs, facts)


def explain_now(runtime: Runtime, spec: ActionSpec, *, tainted: bool = False, demanded: bool = False) -> Explanation:
    """Why the policy in force says what it says of `spec` as things stand now."""
    facts = replace(facts_now(runtime), tainted=tainted, demanded=demanded)
    return explain(runtime.policies.current(), spec, facts)


def judge_undo(runtime: Runtime, spec: ActionSpec, view: View | None = None) -> Verdict:
    """The verdict on setting a recorded state back.

    Limits of pace (cooldown, step, money moved a day) bound what Accord does, not how fast a person takes it back.
    """
    policy = runtime.policies.current().model_copy(update={"limits": Limits()})
    return judge(policy, [spec], replace(facts_now(runtime, view), read_only=False))


def why_void(runtime: Runtime, proposal: Proposal, facts: Facts, states: States) -> str | None:
    """Why nobody may approve the pending `proposal` any more, in words; None while it stands."""
    policy = runtime.policies.current()
    specs = tuple(action.spec for action in proposal.actions)
    judged = replace(facts, tainted=proposal.tainted, demanded=proposal.mandatory, read_only=False)
    verdict = judge(policy, specs, judged)
    if verdict.kind is VerdictKind.DENY:
        return f"policy denies it now: {verdict.reason} ({verdict.rule})"
    if proposal.policy_version != policy.version:
        return "the policy changed since it was proposed"
    if fingerprint(specs, policy.version, states_read(specs, states)) != proposal.fingerprint:
        return "the tools show another state than it was computed from"
    return None
