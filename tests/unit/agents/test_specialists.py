"""Whatever a situation claims, candidates stay within the step limit, the caps and what is declared."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.rehearsal import rehearse
from agents.specialists import built_in_specialists
from domain.limits import breach
from domain.objective import Objective
from domain.policy import Limits
from domain.ports import Context
from domain.proposals import Candidate
from domain.situations import Hypothesis, Situation

NOW = datetime(2026, 3, 4, tzinfo=UTC)
REGIONS = tuple(f"region:r{n}" for n in range(6))


def event(id_: str, kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": id_,
        "source": "t",
        "type": f"accord.{kind}",
        "time": NOW.isoformat(),
        "data": data,
    }


def context(step: float, cap: int | None, *, frozen: bool, daily: float) -> Context:
    events = [event("c", "entity.declared", {"id": "channel:brand-search", "name": "brand search"})]
    for region in REGIONS:
        name = region.removeprefix("region:")
        attrs = {"region": region, "channel": "channel:brand-search", "daily_budget": daily, "currency": "EUR"}
        events.append(event(region, "entity.declared", {"id": region, "name": name}))
        events.append(
            event(name, "entity.declared", {"id": f"budget:brand-search-{name}", "name": name, "attrs": attrs})
        )
    limit: dict[str, Any] = {"scope": "*", "from": "2026-01-01T00:00:00Z"}
    if cap is not None:
        events.append(event("cap", "finance.limit", {**limit, "kind": "cap", "amount": cap, "currency": "EUR"}))
    if frozen:
        events.append(event("frz", "finance.limit", {**limit, "scope": REGIONS[0], "kind": "freeze"}))
    return Context(rehearse(events, NOW), Objective(), Limits(max_step_rate=step), {})


def rise(rate: float, lost: dict[str, float]) -> Situation:
    return Situation(
        id="sit_1", kind="demand.rise", key="k", entities=REGIONS, onset=NOW, seen=NOW, title="Rise", summary="Rise.",
        evidence=(), opened_at=NOW, updated_at=NOW, hypotheses=(Hypothesis(name="real demand", odds=1.0, because=""),),
        facts={"units": list(REGIONS), "rate": rate, "lost_share": lost, "channel": "channel:brand-search"},
    )  # fmt: skip


def proposed(situation: Situation, company: Context) -> list[Candidate]:
    return [c for specialist in built_in_specialists() for c in specialist.propose(situation, company)]


@settings(max_examples=40, deadline=None)
@given(
    st.floats(0.01, 0.5), st.one_of(st.none(), st.integers(100, 2000)), st.booleans(), st.floats(0.5, 400),
    st.floats(-1, 50), st.dictionaries(st.sampled_from(REGIONS), st.floats(0, 1)),
)  # fmt: skip
def test_no_candidate_passes_a_step_a_cap_or_a_freeze(
    step: float, cap: int | None, frozen: bool, daily: float, rate: float, lost: dict[str, float]
) -> None:
    company = context(step, cap, frozen=frozen, daily=daily)
    tree, limits = company.view.tree, company.view.limits()
    for candidate in proposed(rise(rate, lost), company):
        added = 0
        for spec in candidate.specs:
            if spec.kind == "message.post":
                continue
            assert spec.entity in tree
            assert (spec.step_rate or 0) <= min(step, 0.2) + 1e-9
            assert breach(spec, limits, tree, NOW) is None
            added += int(spec.value) - int(spec.expect)
        if cap is not None and added > 0:
            spent = sum(round(daily * 100) for _ in REGIONS)
            assert spent + added <= cap * 100 + len(REGIONS)


def test_what_is_likely_a_fault_moves_no_money() -> None:
    doubtful = rise(0.5, dict.fromkeys(REGIONS, 0.3)).model_copy(
        update={"hypotheses": (Hypothesis(name="tracking fault", odds=0.7, because=""),)}
    )
    assert proposed(doubtful, context(0.2, None, frozen=False, daily=100)) == []


def test_held_out_regions_are_the_same_each_time_and_untouched() -> None:
    company = context(0.2, None, frozen=False, daily=100)
    situation = rise(0.5, dict.fromkeys(REGIONS, 0.3))
    (first,), (again,) = proposed(situation, company), proposed(situation, company)
    assert first == again
    assert len(first.specs) == 4
    assert len(set(first.measurement.control) & set(REGIONS)) == 2


def test_a_rise_in_regions_is_answered_by_the_budget_of_the_whole_company() -> None:
    events = [
        event("b", "entity.declared", {"id": "channel:brand-search", "name": "Brand search"}),
        event("c", "entity.declared", {"id": "campaign:brand", "name": "Brand", "parent": "channel:brand-search"}),
        event(
            "d", "entity.declared",
            {"id": "budget:brand", "name": "Brand budget", "parent": "campaign:brand",
             "attrs": {"daily_budget": 1000, "currency": "EUR"}},
        ),
    ]  # fmt: skip
    company = Context(rehearse(events, NOW), Objective(), Limits(max_step_rate=0.2), {})
    (made,) = proposed(rise(0.4, {}), company)
    assert [(spec.entity, spec.value, spec.expect) for spec in made.specs] == [("budget:brand", 120000, 100000)]
    assert made.measurement.method == "before_after"


def test_where_no_money_should_move_search_is_told() -> None:
    (made,) = proposed(rise(0.4, dict.fromkeys(REGIONS, 0.01)), context(0.2, None, frozen=False, daily=100))
    assert [spec.kind for spec in made.specs] == ["message.post"]
