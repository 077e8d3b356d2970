"""An explanation says of every rule why it speaks or not, and ends where the verdict does."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from domain.actions import ActionSpec
from domain.entities import Entity, EntityTree
from domain.explain import explain
from domain.policy import Facts, Match, Policy, Rule, VerdictKind, judge

TREE = EntityTree(
    [Entity(id="channel:ctv", name="CTV"), Entity(id="budget:ctv", name="CTV", parent="channel:ctv")],
)
FACTS = Facts(now=datetime(2026, 3, 4, tzinfo=UTC), currency="EUR", tree=TREE)
AUTO, ASK, DENY = VerdictKind.AUTO, VerdictKind.ASK, VerdictKind.DENY
RULES = Policy(
    rules=(
        Rule(id="tasks", match=Match(kind="task.create"), verdict=AUTO),
        Rule(id="small", match=Match(kind="ads.budget.set", delta_abs_max=Decimal(5)), verdict=AUTO),
        Rule(id="budgets", match=Match(kind="ads.budget.set"), verdict=ASK),
        Rule(id="all", verdict=ASK),
        Rule(id="booked", match=Match(entity="channel:ctv"), verdict=DENY, reason="booked"),
    )
)


def step(to: int) -> ActionSpec:
    return ActionSpec(kind="ads.budget.set", entity="budget:ctv", value=to, expect=10_000, currency="EUR")


def test_each_rule_says_why() -> None:
    found = explain(RULES, step(12_000), FACTS)
    assert {reading.rule: reading.because for reading in found.rules} == {
        "tasks": "kind is ads.budget.set, not task.create",
        "small": "the change is 20.00 EUR, where at most 5 EUR matches",
        "budgets": "matches, but booked comes before it",
        "all": "matches, but booked comes before it",
        "booked": "matches and decides",
    }


@pytest.mark.parametrize("to", [9_900, 12_000])
def test_it_ends_where_the_verdict_does(to: int) -> None:
    found = explain(RULES, step(to), FACTS)
    assert found.verdict == judge(RULES, [step(to)], FACTS)
    assert [reading.rule for reading in found.rules if reading.speaks] == [found.verdict.rule]


def test_without_a_match_no_rule_speaks_and_it_asks() -> None:
    found = explain(Policy(rules=RULES.rules[:1]), step(12_000), FACTS)
    assert not any(reading.speaks for reading in found.rules)
    assert (found.verdict.kind, found.verdict.rule) == (ASK, "default")
