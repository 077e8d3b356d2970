"""Proposals: one choice is one proposal, and a fingerprint changes with whatever was decided on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.actions import Action, ActionSpec
from domain.policy import Verdict, VerdictKind
from domain.proposals import (
    Candidate,
    Expected,
    Measurement,
    Proposal,
    action_id,
    again,
    again_id,
    fingerprint,
    proposal_id,
)

NOW = datetime(2026, 3, 4, tzinfo=UTC)
EXPECTED = Expected(value=1, low=0, high=2, currency="EUR")
PLAN = Measurement(metric="revenue", method="before_after", start=NOW, days=7, stop="after 7 days")


def budget(value: int = 120, **fields: Any) -> ActionSpec:
    return ActionSpec(kind="ads.budget.set", entity="budget:b", value=value, expect=100, currency="EUR", **fields)


def message(text: str) -> ActionSpec:
    return ActionSpec(kind="message.post", value={"channel": "sales", "text": text})


def candidate(*specs: ActionSpec, **fields: Any) -> Candidate:
    given = {"key": "raise:idf", "situation": "sit_1", "specialist": "demand", "title": "Raise", "why": "Rise"}
    return Candidate.model_validate({**given, "specs": specs, "expected": EXPECTED, "measurement": PLAN, **fields})


def proposal() -> Proposal:
    actions = tuple(
        Action(id=action_id("prop_1", spec), proposal="prop_1", spec=spec) for spec in (budget(), message("x"))
    )
    return Proposal(
        id="prop_1",
        situation="sit_1",
        verdict=Verdict(kind=VerdictKind.ASK, rule="budgets", reason=""),
        actions=actions,
        policy_version="v1",
        fingerprint="f",
        title="Raise",
        why="Rise",
        expected=EXPECTED,
        measurement=PLAN,
        evidence=(),
        specialist="demand",
        created_at=NOW,
        expires_at=NOW,
    )


def test_the_same_choice_in_other_words_is_the_same_proposal() -> None:
    first = proposal_id(candidate(budget(), message("Look")))
    assert proposal_id(candidate(budget(reason="other words"), message("Look"), title="Lift", why="x")) == first
    assert proposal_id(candidate(budget(121), message("Look"))) != first
    assert proposal_id(candidate(budget(), message("Look"), key="raise:paca")) != first
    assert proposal_id(candidate(budget(), message("Look"), situation="sit_2")) != first


@pytest.mark.parametrize(
    ("specs", "policy", "states"),
    [
        ((budget(121),), "v1", {"budget:b": 100}),
        ((budget(), message("x")), "v1", {"budget:b": 100}),
        ((budget(),), "v2", {"budget:b": 100}),
        ((budget(),), "v1", {"budget:b": 99}),
    ],
)
def test_a_fingerprint_covers_arguments_policy_and_state(
    specs: tuple[ActionSpec, ...], policy: str, states: dict[str, int]
) -> None:
    seen = fingerprint((budget(),), "v1", {"budget:b": 100})
    assert fingerprint((budget(reason="worded anew"),), "v1", {"budget:b": 100}) == seen
    assert fingerprint(specs, policy, states) != seen


def test_a_lapsed_choice_comes_back_as_a_proposal_of_its_own_with_actions_of_its_own() -> None:
    first = proposal()
    assert again(first, 0) == first
    second, third = again(first, 1), again(first, 2)
    assert [first.id, second.id, third.id] == [again_id("prop_1", n) for n in range(3)]
    ids = {action.id for one in (first, second, third) for action in one.actions}
    assert len(ids) == 6
    for one in (second, third):
        assert {action.proposal for action in one.actions} == {one.id}
        assert [action.spec for action in one.actions] == [action.spec for action in first.actions]
