"""Changed arguments are worth what one response says of them, or the card says that nobody knows."""

from __future__ import annotations

from datetime import UTC, datetime
from math import isclose, sqrt

from hypothesis import given
from hypothesis import strategies as st

from domain.actions import Action, ActionSpec
from domain.entities import Entity, EntityTree
from domain.policy import Verdict
from domain.proposals import Expected, Measurement, Proposal
from domain.valuation import revalue

NOW = datetime(2026, 3, 4, 9, tzinfo=UTC)
REGIONS = ("region:r0", "region:r1", "region:r2", "region:r3")
TREE = EntityTree([Entity(id=f"budget:b{n}", name=f"b{n}", attrs={"region": REGIONS[n]}) for n in range(4)])


def spec(to: int, number: int = 0, expect: int = 100_000, kind: str = "ads.budget.set") -> ActionSpec:
    entity = {"ads.budget.set": f"budget:b{number}", "content.priority.set": f"asset:a{number}"}[kind]
    currency = "EUR" if kind == "ads.budget.set" else None
    return ActionSpec(kind=kind, entity=entity, value=to, expect=expect, currency=currency)


def proposal(*specs: ActionSpec, value: int = 30_000) -> Proposal:
    return Proposal(
        id="prop_1",
        situation="sit_1",
        verdict=Verdict.model_validate({"kind": "ask", "rule": "r", "reason": ""}),
        actions=tuple(Action(id=f"act_{n}", proposal="prop_1", spec=each) for n, each in enumerate(specs)),
        policy_version="v1",
        fingerprint="f",
        title="Raise",
        why="Demand rose",
        expected=Expected(value=value, low=-10_000, high=80_000, currency="EUR"),
        cost_minor=280_000,
        measurement=Measurement(
            metric="contribution",
            method="synthetic_control",
            treated=REGIONS[: len(specs)],
            control=("region:r9",),
            start=NOW,
            days=28,
            mde_rate=0.05,
            stop="after 28 days",
        ),
        evidence=(),
        specialist="demand",
        created_at=NOW,
        expires_at=NOW,
    )


def test_half_the_step_is_half_the_worth() -> None:
    worth = revalue(proposal(spec(110_000)), [spec(105_000)], TREE)
    assert worth.expected == Expected(value=15_000, low=-5_000, high=40_000, currency="EUR")
    assert (worth.cost_minor, worth.basis, worth.measurement.mde_rate) == (140_000, "rescaled", 0.05)


def test_the_other_way_turns_the_interval_round_and_costs_nothing() -> None:
    worth = revalue(proposal(spec(110_000)), [spec(95_000)], TREE)
    assert worth.expected == Expected(value=-15_000, low=-40_000, high=5_000, currency="EUR")
    assert worth.cost_minor == 0


def test_with_fewer_places_changed_only_larger_effects_can_be_seen() -> None:
    four = proposal(*(spec(110_000, n) for n in range(4)))
    one = [spec(110_000, 0), *(spec(100_000, n) for n in range(1, 4))]
    plan = revalue(four, one, TREE).measurement
    assert plan.treated == ("region:r0",)
    assert plan.mde_rate is not None
    assert isclose(plan.mde_rate, 0.05 * sqrt(4))


def test_what_has_no_response_keeps_the_former_figures_and_says_so() -> None:
    priority = proposal(spec(95, expect=10, kind="content.priority.set"))
    both_ways = proposal(spec(110_000, 0), spec(90_000, 1))
    for before, after in (
        (priority, [spec(60, expect=10, kind="content.priority.set")]),
        (both_ways, [spec(105_000, 0), spec(90_000, 1)]),
    ):
        worth = revalue(before, after, TREE)
        assert (worth.basis, worth.expected) == ("former", before.expected)
    assert revalue(priority, [spec(95, expect=10, kind="content.priority.set")], TREE).basis == "computed"


@given(st.integers(1, 100_000), st.integers(1, 100_000), st.integers(-50_000, 80_000))
def test_two_changes_on_the_way_are_worth_as_much_as_one(first: int, second: int, value: int) -> None:
    """Up to the rounding of what lies between, which the second change enlarges by its own share."""
    start = proposal(spec(150_000), value=value)
    step = revalue(start, [spec(100_000 + first)], TREE)
    between = proposal(spec(100_000 + first)).model_copy(update={"expected": step.expected})
    there, at_once = revalue(between, [spec(100_000 + second)], TREE), revalue(start, [spec(100_000 + second)], TREE)
    assert abs(there.expected.value - at_once.expected.value) <= 1 + second / first
