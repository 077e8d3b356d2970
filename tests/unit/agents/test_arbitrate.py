"""The arbiter takes the best set that fits, and untrusted text never decides what runs by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.arbitrate import Arbitration, Rank, arbitrate, label
from agents.pools import Recent, pools_of
from agents.rehearsal import rehearse
from domain.actions import ActionSpec
from domain.guidance import Guidance
from domain.objective import Objective
from domain.policy import Limits
from domain.ports import Context
from domain.proposals import Candidate, Expected, Measurement

NOW = datetime(2026, 3, 4, tzinfo=UTC)
BUDGETS = tuple(f"budget:b{n}" for n in range(5))


def event(id_: str, type_: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"specversion": "1.0", "id": id_, "source": "t", "type": type_, "time": NOW.isoformat(), "data": data}


def context(cap: int | None = None, moved: int | None = None) -> Context:
    events = [
        event(b, "accord.entity.declared", {"id": b, "name": b, "attrs": {"daily_budget": 100, "currency": "EUR"}})
        for b in BUDGETS
    ]
    if cap is not None:
        limit = {"scope": "*", "kind": "cap", "amount": cap, "currency": "EUR", "from": "2026-01-01T00:00:00Z"}
        events.append(event("cap", "accord.finance.limit", limit))
    limits = Limits(daily_spend_moved=None if moved is None else Decimal(moved))
    return Context(rehearse(events, NOW), Objective(), limits, {})


def raise_(budget: str, by: int, value: int, key: str = "", **more: Any) -> Candidate:
    """`by` and `value` in minor units; the low end is `value` itself unless given."""
    spec = ActionSpec(kind="ads.budget.set", entity=budget, value=10_000 + by, expect=10_000, currency="EUR")
    low = more.pop("low", value)
    return Candidate(
        key=key or f"raise:{budget}:{by}", situation=more.pop("situation", "sit_1"), specialist="demand", specs=(spec,),
        title=f"Raise {budget}", why="", expected=Expected(value=value, low=low, high=max(value, low), currency="EUR"),
        measurement=Measurement(metric="x", method="none", start=NOW, days=0, stop="", **more.pop("measured", {})),
        **more,
    )  # fmt: skip


def names(result: Arbitration) -> list[str]:
    return [choice.candidate.key for choice in result.chosen]


def test_the_best_set_wins_over_the_best_single_one() -> None:
    big = raise_(BUDGETS[0], 2000, 900)
    small = [raise_(BUDGETS[1], 1000, 600), raise_(BUDGETS[2], 1000, 600)]
    chosen = arbitrate([big, *small], context(cap=520))
    assert names(chosen) == [c.key for c in small]
    assert "the cap on the whole company leaves no room" in chosen.lost[label(big)]


def test_what_may_cost_more_than_it_brings_is_left() -> None:
    risky = raise_(BUDGETS[0], 1000, 100, low=-900)
    result = arbitrate([risky], context())
    assert result.chosen == ()
    assert "less than it may cost" in result.lost[label(risky)]


def test_one_change_per_entity_and_none_on_what_rests_or_is_busy() -> None:
    rivals = [raise_(BUDGETS[0], 1000, 100), raise_(BUDGETS[0], 2000, 200)]
    assert names(arbitrate(rivals, context())) == [rivals[1].key]
    assert arbitrate(rivals, context(), Recent(busy=frozenset(BUDGETS[:1]))).chosen == ()
    resting = context()
    resting = Context(resting.view, resting.objective, Limits(per_entity_cooldown_h=24), {})
    recent = Recent(last_change={BUDGETS[0]: NOW - timedelta(hours=3)})
    assert "rests until" in str(arbitrate(rivals, resting, recent).lost)


def test_nobody_touches_the_regions_another_compares_with() -> None:
    tested = raise_(BUDGETS[0], 1000, 900, measured={"treated": ("region:a",), "control": ("region:b",)})
    mixing = raise_(BUDGETS[1], 1000, 500, measured={"treated": ("region:b",)})
    assert names(arbitrate([tested, mixing], context())) == [tested.key]


def test_a_demanded_cut_comes_first_and_frees_nothing_over_the_cap() -> None:
    cut = raise_(BUDGETS[0], -2000, -500, mandatory=True)
    result = arbitrate([raise_(BUDGETS[1], 1000, 900), cut], context(cap=480))
    assert names(result) == [cut.key]


def note(stance: str, trust: str = "internal", origin: str = "rules") -> Guidance:
    return Guidance.model_validate(
        {"note": "signal:n", "stance": stance, "entities": (BUDGETS[0],), "quote": "please", "since": NOW,
         "until": NOW + timedelta(days=7), "trust": trust, "origin": origin}
    )  # fmt: skip


def test_a_note_of_a_team_vetoes_and_says_so() -> None:
    push = raise_(BUDGETS[0], 1000, 900)
    result = arbitrate([push], context(), guidance=[note("avoid")])
    assert result.chosen == ()
    assert "please" in result.lost[label(push)]
    assert names(arbitrate([raise_(BUDGETS[0], -1000, 900)], context(), guidance=[note("avoid")])) != []
    assert arbitrate([raise_(BUDGETS[0], -1000, 900)], context(), guidance=[note("hold")]).chosen == ()


def test_a_note_from_outside_makes_a_person_look_and_no_more() -> None:
    push = raise_(BUDGETS[0], 1000, 900)
    (choice,) = arbitrate([push], context(), guidance=[note("avoid", "external")]).chosen
    assert choice.candidate.tainted
    assert choice.candidate.specs == push.specs


def test_a_favoured_entity_wins_among_near_equals_only() -> None:
    near = [raise_(BUDGETS[0], 1000, 900), raise_(BUDGETS[1], 1000, 950)]
    far = [raise_(BUDGETS[0], 1000, 500), raise_(BUDGETS[1], 1000, 950)]
    favour = [note("favour")]
    assert names(arbitrate(near, context(cap=510), guidance=favour)) == [near[0].key]
    assert names(arbitrate(far, context(cap=510), guidance=favour)) == [far[1].key]


def test_a_model_moves_near_equals_and_what_it_moved_in_asks() -> None:
    near = [raise_(BUDGETS[0], 1000, 900), raise_(BUDGETS[1], 1000, 950)]
    (choice,) = arbitrate(near, context(cap=510), rank=Rank({label(near[0]): (5.0, "because")})).chosen
    assert (choice.candidate.key, choice.candidate.tainted, choice.origin) == (near[0].key, True, "model")
    (kept,) = arbitrate(near, context(cap=510), rank=Rank({label(near[0]): (0.2, "")}, untrusted=True)).chosen
    assert (kept.candidate.key, kept.candidate.tainted) == (near[1].key, True)


def test_a_tainted_twin_never_replaces_the_clean_candidate() -> None:
    clean = raise_(BUDGETS[0], 1000, 900, key="same")
    twin = raise_(BUDGETS[0], 2000, 9000, key="same", tainted=True)
    for order in ([clean, twin], [twin, clean]):
        (choice,) = arbitrate(order, context()).chosen
        assert choice.candidate.specs == clean.specs
        assert not choice.candidate.tainted


candidates = st.lists(
    st.builds(
        raise_,
        st.sampled_from(BUDGETS),
        st.integers(-2000, 2000).filter(bool),
        st.integers(-500, 2000),
    ),
    max_size=7,
)
hostile = st.lists(
    st.builds(
        raise_, st.sampled_from(BUDGETS), st.integers(1, 2000), st.integers(0, 10**9), key=st.sampled_from(["x", "y"]),
        tainted=st.just(True), mandatory=st.booleans(),
    ),
    max_size=4,
)  # fmt: skip
notes = st.lists(st.builds(note, st.sampled_from(["avoid", "hold", "favour"]), st.just("external")), max_size=2)


def auto_set(result: Arbitration) -> list[str]:
    return [c.candidate.specs[0].argument_hash for c in result.chosen if not c.candidate.tainted]


@settings(max_examples=60, deadline=None)
@given(candidates, hostile, notes, st.dictionaries(st.integers(0, 6), st.floats(-1, 1), max_size=4))
def test_untrusted_text_never_adds_enlarges_or_replaces(
    clean: Sequence[Candidate], bad: Sequence[Candidate], words: list[Guidance], moves: dict[int, float]
) -> None:
    company = context(cap=530, moved=60)
    alone = arbitrate(clean, company)
    rank = Rank({label(clean[at]): (rate, "") for at, rate in moves.items() if at < len(clean)}, untrusted=True)
    attacked = arbitrate([*clean, *bad], company, guidance=words, rank=rank)
    kept = [c.candidate.specs[0].argument_hash for c in attacked.chosen]
    assert set(auto_set(attacked)) <= set(auto_set(alone))
    assert set(auto_set(alone)) <= set(kept), "what would have run by itself is still there, at most asked for"


@settings(max_examples=60, deadline=None)
@given(candidates, hostile, st.integers(300, 700), st.integers(0, 80))
def test_no_pool_is_ever_passed(clean: Sequence[Candidate], bad: Sequence[Candidate], cap: int, moved: int) -> None:
    company = context(cap=cap, moved=moved)
    chosen = [choice.candidate for choice in arbitrate([*clean, *bad], company).chosen]
    for pool in pools_of(chosen, company, Recent()):
        assert sum(pool.loads.values()) <= pool.room + 1e-3, pool.name
