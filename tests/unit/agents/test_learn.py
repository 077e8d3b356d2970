"""Lessons: measured outcomes move later expectations, within bounds, and "unknowable" moves nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.learn import BOUNDS, about, lesson_from
from domain.actions import Action, ActionSpec
from domain.entities import Entity, EntityTree
from domain.outcomes import Lesson, Outcome, OutcomeVerdict
from domain.policy import Verdict, VerdictKind
from domain.proposals import Expected, Measurement, Proposal

NOW = datetime(2026, 3, 4, tzinfo=UTC)
TREE = EntityTree(
    [
        Entity(id="channel:brand-search", name="Brand search"),
        Entity(id="campaign:brand", name="Brand", parent="channel:brand-search"),
        Entity(id="budget:brand", name="Brand", parent="campaign:brand"),
    ]
)
SPEC = ActionSpec(kind="ads.budget.set", entity="budget:brand", value=120, expect=100, currency="EUR")
PROPOSAL = Proposal(
    id="prop_1",
    situation="sit_1",
    verdict=Verdict(kind=VerdictKind.AUTO, rule="small", reason=""),
    actions=(Action(id="act_1", proposal="prop_1", spec=SPEC),),
    policy_version="v1",
    fingerprint="f",
    title="Raise brand search",
    why="Demand rose",
    expected=Expected(value=1000, low=0, high=2000, currency="EUR"),
    measurement=Measurement(metric="revenue", method="before_after", start=NOW, days=7, stop="after 7 days"),
    evidence=(),
    specialist="demand",
    created_at=NOW,
    expires_at=NOW,
)


def outcome(value: int, expected: int = 1000, verdict: OutcomeVerdict = OutcomeVerdict.WORKED) -> Outcome:
    return Outcome(
        id="out_1",
        proposal="prop_1",
        action="act_1",
        situation="sit_1",
        kind="ads.budget.set",
        entities=("budget:brand",),
        metric="contribution",
        verdict=verdict,
        value_minor=value,
        expected_minor=expected,
        currency="EUR",
        measured_at=NOW,
        method="before_after",
        detail="",
    )


def learnt(result: Outcome, before: dict[str, Lesson] | None = None) -> Lesson:
    lesson = lesson_from(result, PROPOSAL, before or {}, TREE, NOW)
    assert lesson is not None
    return lesson


@pytest.mark.parametrize(
    ("entity", "theme"),
    [("budget:brand", "demand:brand-search"), ("asset:a", "demand:asset"), (None, "demand:company")],
)
def test_a_lesson_is_about_a_specialist_and_its_channel(entity: str | None, theme: str) -> None:
    assert about("demand", entity, TREE) == theme


@pytest.mark.parametrize(
    ("value", "expected", "factor"), [(1000, 1000, 1.0), (0, 1000, 2 / 3), (2000, 1000, 4 / 3), (500, 0, 1.0)]
)
def test_the_first_result_moves_expectations_by_a_third(value: int, expected: int, factor: float) -> None:
    lesson = learnt(outcome(value, expected))
    assert lesson.factor == pytest.approx(factor)
    assert (lesson.about, lesson.outcome, lesson.at) == ("demand:brand-search", "out_1", NOW)


def test_what_cannot_be_known_teaches_nothing() -> None:
    unknowable = outcome(0, verdict=OutcomeVerdict.UNKNOWABLE)
    assert lesson_from(unknowable, PROPOSAL, {}, TREE, NOW) is None


@given(st.lists(st.tuples(st.integers(-(10**7), 10**7), st.integers(-10, 10**5)), min_size=1, max_size=12))
def test_no_run_of_results_leads_beyond_the_bounds(results: list[tuple[int, int]]) -> None:
    lessons: dict[str, Lesson] = {}
    for value, expected in results:
        lesson = learnt(outcome(value, expected), lessons)
        assert BOUNDS[0] <= lesson.factor <= BOUNDS[1]
        lessons = {lesson.about: lesson}


@given(st.integers(-5000, 5000), st.integers(-5000, 5000))
def test_a_better_result_never_teaches_less(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert learnt(outcome(low)).factor <= learnt(outcome(high)).factor
