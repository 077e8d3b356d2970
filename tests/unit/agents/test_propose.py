"""A proposal carries its verdict, its expiry and a fingerprint that any change breaks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from agents.arbitrate import Choice
from agents.propose import propose, rejudge
from domain.actions import ActionSpec
from domain.entities import Entity, EntityTree
from domain.policy import Facts, Match, Policy, Rule, VerdictKind
from domain.proposals import Candidate, Expected, Measurement

NOW = datetime(2026, 3, 4, tzinfo=UTC)
TREE = EntityTree([Entity(id="budget:b", name="b")])
FACTS = Facts(now=NOW, currency="EUR", tree=TREE)
SMALL = Rule(id="small", match=Match(delta_abs_max=Decimal(20)), verdict=VerdictKind.AUTO)
LARGE = Rule(id="large", verdict=VerdictKind.ASK, roles=("finance",), expires_h=48, escalate_to="cmo")
POLICY = Policy(rules=(SMALL, LARGE))
STATE = {"budget:b": {"ads.budget.set": 10_000}}


def spec(value: int) -> ActionSpec:
    return ActionSpec(kind="ads.budget.set", entity="budget:b", value=value, expect=10_000, currency="EUR")


def choice(value: int, *, tainted: bool = False) -> Choice:
    candidate = Candidate(
        key="k", situation="sit_1", specialist="demand", specs=(spec(value),), title="T", why="W",
        expected=Expected(value=1, low=0, high=2, currency="EUR"), tainted=tainted,
        measurement=Measurement(metric="x", method="none", start=NOW, days=0, stop=""),
    )  # fmt: skip
    return Choice(candidate, ("other: lost.",))


def test_small_steps_run_and_large_ones_ask_with_an_escalation() -> None:
    assert propose(choice(11_000), POLICY, FACTS, STATE).verdict.kind == "auto"
    asked = propose(choice(19_000), POLICY, FACTS, STATE)
    assert (asked.verdict.kind, asked.verdict.rule) == ("ask", "large")
    assert asked.expires_at == NOW + timedelta(hours=48)
    assert asked.escalate_at == NOW + timedelta(hours=24)


def test_taint_turns_an_auto_into_an_ask() -> None:
    assert propose(choice(11_000, tainted=True), POLICY, FACTS, STATE).verdict.kind == "ask"


def test_the_same_choice_is_the_same_proposal_and_another_state_another_fingerprint() -> None:
    first, later = propose(choice(11_000), POLICY, FACTS, STATE), replace(FACTS, now=NOW + timedelta(hours=1))
    again = propose(choice(11_000), POLICY, later, {"budget:b": {"ads.budget.set": 9_000}})
    assert again.id == first.id
    assert again.fingerprint != first.fingerprint


def test_changed_arguments_are_judged_anew_without_buying_time() -> None:
    first = propose(choice(11_000), POLICY, FACTS, STATE)
    changed = rejudge(first, (spec(19_000),), POLICY, replace(FACTS, now=NOW + timedelta(hours=5)), STATE)
    assert changed.verdict.rule == "large"
    assert changed.fingerprint != first.fingerprint
    assert (changed.id, changed.expires_at) == (first.id, first.expires_at)
    assert changed.actions[0].id != first.actions[0].id
