"""Verdicts: deny wins, nothing added to the world makes a verdict laxer, and limits hold to the cent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.actions import ActionSpec
from domain.entities import Entity, EntityTree
from domain.limits import ActiveLimit
from domain.policy import Facts, Limits, Match, Policy, Rule, Verdict, VerdictKind, judge, matches
from domain.signals import FinanceLimit

NOW = datetime(2026, 3, 4, 9, tzinfo=UTC)
AUTO, ASK, DENY = VerdictKind.AUTO, VerdictKind.ASK, VerdictKind.DENY
STRICTNESS = [AUTO, ASK, DENY]
TREE = EntityTree(
    [
        Entity(id="channel:search", name="Search"),
        Entity(id="campaign:brand", name="Brand", parent="channel:search", attrs={"region": "idf"}),
        Entity(id="budget:brand", name="Brand", parent="campaign:brand"),
        Entity(id="keyword:brand", name="brand", parent="campaign:brand"),
        Entity(id="budget:ctv", name="CTV"),
    ]
)
FACTS = Facts(now=NOW, currency="EUR", tree=TREE)


def budget(value: int, expect: int | None, entity: str = "budget:brand", currency: str = "EUR") -> ActionSpec:
    return ActionSpec(kind="ads.budget.set", entity=entity, value=value, expect=expect, currency=currency)


def bid(value: int, expect: int | None) -> ActionSpec:
    return ActionSpec(kind="ads.bid.set", entity="keyword:brand", value=value, expect=expect, currency="EUR")


MESSAGE = ActionSpec(kind="message.post", value={"channel": "sales", "text": "hello"})
BRIEF = ActionSpec(
    kind="content.brief.create", value={"title": "ROI proof", "kind": "blog", "topics": ["roi"], "stage": "verify"}
)


def rule(id_: str, verdict: VerdictKind, match: dict[str, Any] | None = None, **terms: Any) -> Rule:
    return Rule(id=id_, verdict=verdict, match=Match.model_validate(match or {}), **terms)


def policy(*rules: Rule, **limits: Any) -> Policy:
    return Policy(rules=rules, limits=Limits.model_validate(limits))


def failed(verdict: Verdict) -> set[str]:
    return {check.name for check in verdict.checks if not check.passed}


specs = st.lists(
    st.one_of(
        st.builds(
            budget,
            st.integers(0, 3000),
            st.none() | st.integers(0, 3000),
            st.sampled_from(["budget:brand", "budget:ctv"]),
            st.sampled_from(["EUR", "USD", "JPY"]),
        ),
        st.builds(bid, st.integers(0, 300), st.none() | st.integers(0, 300)),
        st.sampled_from([MESSAGE, BRIEF]),
    ),
    min_size=1,
    max_size=3,
)
match_fields = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["ads.*", "ads.budget.set", "content.*", "*"]),
        "entity": st.sampled_from(["*", "channel:search", "region:idf", "budget:ctv"]),
        "delta_abs_max": st.integers(0, 20).map(Decimal),
        "step_rate_max": st.floats(0, 1),
        "reversible": st.booleans(),
    },
)
rules = st.builds(
    rule,
    st.sampled_from("abcdef"),
    st.sampled_from(STRICTNESS),
    match_fields,
    roles=st.sampled_from([(), ("finance",), ("search_owner", "finance")]),
    quorum=st.integers(1, 3),
)
policies = st.builds(
    lambda chosen, daily, step: policy(*chosen, daily_spend_moved=daily, max_step_rate=step),
    st.lists(rules, max_size=5),
    st.none() | st.integers(0, 40),
    st.none() | st.floats(0, 1),
)
facts = st.builds(
    lambda moved, rates: replace(FACTS, moved_24h_minor=moved, rates=rates),
    st.integers(0, 3000),
    st.sampled_from([{}, {"USD": 0.92}, {"USD": 0.92, "JPY": 0.006}]),
)


@given(policies, specs, facts)
def test_deny_wins_wherever_it_stands_then_the_first_match_then_ask(
    chosen: Policy, wanted: list[ActionSpec], world: Facts
) -> None:
    unlimited = Policy(rules=chosen.rules)
    for spec in wanted:
        verdict = judge(unlimited, [spec], world)
        holding = [one for one in chosen.rules if matches(one.match, spec, world)]
        if any(one.verdict is DENY for one in holding):
            assert verdict.kind is DENY
        elif failed(verdict):
            assert verdict.kind is not AUTO
        else:
            assert (verdict.rule, verdict.kind) == (
                (holding[0].id, holding[0].verdict) if holding else ("default", ASK)
            )


@given(policies, specs, facts, st.data())
def test_nothing_added_makes_a_verdict_laxer(
    chosen: Policy, wanted: list[ActionSpec], world: Facts, data: st.DataObject
) -> None:
    before = judge(chosen, wanted, world).kind
    denying = data.draw(rules).model_copy(update={"verdict": DENY})
    place = data.draw(st.integers(0, len(chosen.rules)))
    freeze = limit(kind="freeze", scope=data.draw(st.sampled_from(["*", "channel:search", "budget:ctv"])))
    tighter = chosen.limits.model_copy(update={"per_entity_cooldown_h": 24, "max_step_rate": 0.0})
    stricter = [
        (chosen.model_copy(update={"rules": (*chosen.rules[:place], denying, *chosen.rules[place:])}), world),
        (chosen.model_copy(update={"limits": tighter}), replace(world, last_change={"budget:brand": NOW})),
        (chosen, replace(world, tainted=True)),
        (chosen, replace(world, read_only=True)),
        (chosen, replace(world, limits=[freeze])),
        (chosen, replace(world, known_kinds=frozenset({"ads.budget.set"}))),
        (chosen, replace(world, moved_24h_minor=world.moved_24h_minor + data.draw(st.integers(0, 3000)))),
    ]
    for new_policy, new_world in stricter:
        assert STRICTNESS.index(judge(new_policy, wanted, new_world).kind) >= STRICTNESS.index(before)
    together = STRICTNESS.index(judge(chosen, wanted, world).kind)
    assert all(STRICTNESS.index(judge(chosen, [one], world).kind) <= together for one in wanted)


@given(policies, specs, facts)
def test_untrusted_text_and_the_read_only_switch_leave_nothing_automatic(
    chosen: Policy, wanted: list[ActionSpec], world: Facts
) -> None:
    assert judge(chosen, wanted, replace(world, tainted=True)).kind is not AUTO
    assert judge(chosen, wanted, replace(world, read_only=True)).kind is DENY


@given(
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 5000)), min_size=1, max_size=5),
    st.integers(0, 9000),
    st.integers(0, 150),
)
def test_the_money_of_a_rolling_day_is_bound_as_a_sum(steps: list[tuple[int, int]], moved: int, cap: int) -> None:
    chosen = policy(rule("all", AUTO), daily_spend_moved=cap)
    verdict = judge(chosen, [budget(value, expect) for value, expect in steps], replace(FACTS, moved_24h_minor=moved))
    change = sum(abs(value - expect) for value, expect in steps)
    within = change == 0 or change + moved <= cap * 100
    assert ("daily_spend_moved" not in failed(verdict)) is within
    assert (verdict.kind is DENY) is not within


@given(st.integers(1, 10**9), st.integers(0, 100))
def test_the_largest_step_is_allowed_and_one_cent_more_is_not(hundreds: int, percent: int) -> None:
    chosen = policy(rule("all", AUTO), max_step_rate=percent / 100)
    expect = hundreds * 100
    bound = expect + hundreds * percent
    assert judge(chosen, [budget(bound, expect)], FACTS).kind is AUTO
    assert judge(chosen, [budget(bound + 1, expect)], FACTS).rule == "limits.max_step_rate"


@pytest.mark.parametrize("spec", [budget(500, 0), budget(500, None), bid(500, 0), bid(500, None)])
def test_money_out_of_nothing_is_asked_since_no_step_can_be_computed(spec: ActionSpec) -> None:
    verdict = judge(policy(rule("all", AUTO), max_step_rate=0.2), [spec], FACTS)
    assert (verdict.kind, verdict.rule) == (ASK, "expect_zero")


def test_a_demanded_reduction_may_pass_the_step_by_asking_but_a_rise_may_not() -> None:
    chosen, claimed = policy(rule("all", AUTO), max_step_rate=0.2), replace(FACTS, demanded=True)
    demanded = replace(claimed, limits=[limit(kind="cap", amount=1)])
    assert judge(chosen, [budget(100, 1000)], demanded).kind is ASK
    assert judge(chosen, [budget(100, 1000)], claimed).kind is DENY, "a demand that finance never made"
    assert judge(chosen, [budget(100, 1000)], FACTS).kind is DENY
    assert judge(chosen, [budget(2000, 1000)], demanded).kind is DENY


@pytest.mark.parametrize(("since", "verdict"), [(timedelta(hours=24), AUTO), (timedelta(hours=23, minutes=59), DENY)])
def test_an_entity_rests_for_exactly_its_cooldown(since: timedelta, verdict: VerdictKind) -> None:
    changed = replace(FACTS, last_change={"budget:brand": NOW - since, "budget:ctv": NOW})
    assert judge(policy(rule("all", AUTO), per_entity_cooldown_h=24), [budget(11, 10)], changed).kind is verdict


@pytest.mark.parametrize("scope", ["*", "channel:search", "campaign:brand", "budget:brand", "region:idf"])
def test_an_entity_in_a_rule_covers_what_lies_below_it(scope: str) -> None:
    recalled = policy(rule("recall", DENY, {"entity": scope}), rule("all", AUTO))
    assert judge(recalled, [budget(2, 1)], FACTS).rule == "recall"
    if scope != "*":
        assert judge(recalled, [budget(2, 1, "budget:ctv")], FACTS).rule == "all"


@pytest.mark.parametrize(
    ("match", "spec"),
    [
        ({"entity": "*", "reversible": True}, MESSAGE),
        ({"entity": "*", "delta_abs_max": 500}, BRIEF),
        ({"entity": "channel:search"}, MESSAGE),
        ({"kind": "ads.*", "delta_abs_max": 5}, bid(1000, 100)),
        ({"kind": "ads.*", "step_rate_max": 0.5}, budget(100, 0)),
        ({"kind": "ads"}, budget(2, 1)),
    ],
)
def test_a_rule_speaks_of_an_action_only_when_every_field_holds(match: dict[str, Any], spec: ActionSpec) -> None:
    assert judge(policy(rule("auto", AUTO, match)), [spec], FACTS).kind is ASK


@pytest.mark.parametrize(
    ("objective", "currency", "rates", "largest"),
    [
        ("EUR", "EUR", {}, 50_000),
        ("JPY", "JPY", {}, 500),
        ("EUR", "JPY", {"JPY": 0.01}, 50_000),
        ("JPY", "EUR", {"EUR": 160.0}, 312),
    ],
)
def test_amounts_of_policy_are_major_units_of_the_objective(
    objective: str, currency: str, rates: dict[str, float], largest: int
) -> None:
    world = Facts(now=NOW, currency=objective, tree=TREE, rates=rates)
    small = policy(rule("small", AUTO, {"delta_abs_max": 500}), daily_spend_moved=500)
    expect = 10**7
    assert judge(small, [budget(expect + largest, expect, currency=currency)], world).kind is AUTO
    assert judge(small, [budget(expect + largest + 1, expect, currency=currency)], world).kind is DENY


def test_money_of_a_currency_without_rate_is_denied_and_names_the_currency() -> None:
    verdict = judge(policy(rule("all", AUTO)), [budget(2, 1, currency="USD")], FACTS)
    assert (verdict.kind, verdict.rule) == (DENY, "unknown_rate")
    assert "USD" in verdict.reason


def limit(**given_: Any) -> ActiveLimit:
    data = {"scope": "*", "from": NOW - timedelta(days=1), **given_}
    return ActiveLimit(limit=FinanceLimit.model_validate(data), signal="signal:erp/7")


def test_a_finance_freeze_denies_a_rise_whatever_rules_say_but_not_an_approved_exception() -> None:
    frozen = replace(FACTS, limits=[limit(kind="freeze", exceptions=["channel:search"])])
    chosen = policy(rule("all", AUTO))
    assert judge(chosen, [budget(2, 1, "budget:ctv")], frozen).rule == "finance.limit"
    assert judge(chosen, [budget(1, 2, "budget:ctv")], frozen).kind is AUTO
    assert judge(chosen, [budget(2, 1)], frozen).kind is AUTO


@pytest.mark.parametrize(
    ("spec", "name"),
    [(budget(2, 1, "budget:undeclared"), "unknown_entity"), (MESSAGE, "unknown_kind")],
)
def test_what_nobody_declared_or_can_do_is_denied(spec: ActionSpec, name: str) -> None:
    world = replace(FACTS, known_kinds=frozenset({"ads.budget.set"}))
    assert judge(policy(rule("all", AUTO)), [spec], world).rule == name


def test_what_would_have_run_by_itself_is_asked_of_whom_the_next_rule_names() -> None:
    chosen = policy(
        rule("small", AUTO, {"delta_abs_max": 500}),
        rule("budgets", ASK, {"kind": "ads.budget.set"}, roles=("finance",), quorum=2),
    )
    verdict = judge(chosen, [budget(2, 1)], replace(FACTS, tainted=True))
    assert (verdict.rule, verdict.roles, verdict.quorum) == ("untrusted_text", ("finance",), 2)


@pytest.mark.parametrize(
    ("content_roles", "answering"),
    [(("finance", "content_lead"), ("finance",)), (("content_lead",), ("admin",)), ((), ("search_owner", "finance"))],
)
def test_an_answer_to_several_actions_comes_from_who_may_answer_for_each(
    content_roles: tuple[str, ...], answering: tuple[str, ...]
) -> None:
    chosen = policy(
        rule("content", ASK, {"kind": "content.*"}, roles=content_roles, expires_h=12, notify=("writers",)),
        rule("budgets", ASK, {"kind": "ads.*"}, roles=("search_owner", "finance"), quorum=2, escalate_to="cmo"),
    )
    verdict = judge(chosen, [BRIEF, budget(2, 1)], FACTS)
    assert (verdict.roles, verdict.quorum, verdict.expires_h) == (answering, 2, 12)
    assert (verdict.escalate_to, verdict.notify) == (None, ("writers",))


def test_the_version_tells_policies_apart_by_content_alone() -> None:
    assert policy(rule("a", AUTO)).version == policy(rule("a", AUTO)).version
    assert policy(rule("a", AUTO)).version != policy(rule("a", ASK)).version


@pytest.mark.parametrize("fields", [{"quorum": 0}, {"expires_h": 0}, {"expires_h": 1e12}, {"unknown": 1}])
def test_a_rule_that_cannot_be_kept_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        rule("a", ASK, **fields)
