"""Actions: typed values, one hash for one meaning, and figures that policy can bind."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.actions import MONEY_KINDS, REVERSIBLE_KINDS, Action, ActionKind, ActionSpec

VALID: dict[str, dict[str, Any]] = {
    "ads.budget.set": {"entity": "budget:b", "value": 120, "expect": 100, "currency": "EUR"},
    "ads.bid.set": {"entity": "keyword:k", "value": 12, "expect": 10, "currency": "EUR"},
    "ads.status.set": {"entity": "campaign:c", "value": "paused", "expect": "active"},
    "account.play.set": {"entity": "account:a", "value": "verify", "expect": "educate"},
    "content.priority.set": {"entity": "asset:a", "value": 100, "expect": 0},
    "content.brief.create": {"value": {"title": "ROI proof", "kind": "blog", "topics": ["roi"], "stage": "verify"}},
    "task.create": {
        "entity": "deal:d",
        "value": {"title": "Call", "assignee": "bob", "due": "2026-03-05T09:00:00Z", "body": "Ask"},
    },
    "message.post": {"value": {"channel": "sales", "text": "hello"}},
    "experiment.start": {
        "entity": "campaign:c",
        "value": {"name": "x", "treated": ["region:a"], "control": ["region:b"], "metric": "revenue", "days": 28},
    },
}


def spec(kind: str, **changes: Any) -> ActionSpec:
    return ActionSpec.model_validate({"kind": kind, **VALID[kind], **changes})


@pytest.mark.parametrize("kind", ActionKind)
def test_every_built_in_kind_keeps_its_value_through_json(kind: ActionKind) -> None:
    made = spec(kind)
    assert ActionSpec.model_validate_json(made.model_dump_json()) == made
    assert made.value == VALID[kind]["value"]
    assert made.reversible is (kind in REVERSIBLE_KINDS)
    assert (made.change_minor is None) is (kind not in MONEY_KINDS)


@pytest.mark.parametrize(
    ("kind", "changes", "named"),
    [
        ("ads.budget.set", {"value": -1}, "value"),
        ("ads.budget.set", {"value": 10.5}, "value"),
        ("ads.budget.set", {"value": True}, "value"),
        ("ads.budget.set", {"value": "much"}, "value"),
        ("ads.budget.set", {"value": None}, "value"),
        ("ads.budget.set", {"expect": -1}, "expect"),
        ("ads.bid.set", {"expect": "much"}, "expect"),
        ("ads.budget.set", {"currency": None}, "currency"),
        ("ads.budget.set", {"currency": "euro"}, "currency"),
        ("ads.budget.set", {"entity": "campaign:c"}, "entity"),
        ("task.create", {"entity": None}, "entity"),
        ("ads.status.set", {"value": "stopped"}, "value"),
        ("account.play.set", {"value": "nag"}, "value"),
        ("content.priority.set", {"value": 101}, "value"),
        ("message.post", {"value": {"channel": "sales"}}, "value"),
    ],
)
def test_a_malformed_action_names_the_field(kind: str, changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=rf"`?{named}`?"):
        spec(kind, **changes)


def test_a_kind_has_at_least_two_parts() -> None:
    with pytest.raises(ValidationError, match="kind"):
        ActionSpec(kind="shout", value=1)


@pytest.mark.parametrize("written", [120, 120.0, "120"])
def test_one_amount_however_written_has_one_hash(written: object) -> None:
    assert spec("ads.budget.set", value=written).argument_hash == spec("ads.budget.set").argument_hash


def test_the_hash_covers_the_arguments_and_not_the_words() -> None:
    plain = spec("ads.budget.set")
    assert spec("ads.budget.set", reason="demand rose").argument_hash == plain.argument_hash
    for changed in ({"value": 121}, {"expect": 99}, {"currency": "USD"}, {"entity": "budget:c"}):
        assert spec("ads.budget.set", **changed).argument_hash != plain.argument_hash


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_the_figures_of_a_change_agree(value: int, expect: int) -> None:
    change = spec("ads.budget.set", value=value, expect=expect)
    assert change.delta_minor == change.change_minor == abs(value - expect)
    if expect:
        assert change.step_rate == abs(value - expect) / expect
    else:
        assert change.step_rate is None


def test_only_budgets_move_daily_money_and_an_unknown_state_counts_as_nothing() -> None:
    assert spec("ads.budget.set", expect=None).delta_minor == 120
    assert (spec("ads.bid.set").delta_minor, spec("ads.bid.set").change_minor) == (0, 2)
    assert (spec("ads.status.set").delta_minor, spec("ads.status.set").step_rate) == (0, None)


def test_kinds_of_extensions_carry_any_value_and_cannot_be_undone() -> None:
    foreign = ActionSpec(kind="crm.stage.set", value={"any": [1.5, None]})
    assert (foreign.reversible, foreign.delta_minor, foreign.change_minor) == (False, 0, None)


def test_an_idempotency_key_names_the_action_and_its_argument() -> None:
    action = Action(id="act_1", proposal="prop_1", spec=spec("ads.budget.set"))
    other = action.model_copy(update={"spec": spec("ads.budget.set", value=121)})
    assert action.idempotency_key == f"act_1:{action.spec.argument_hash[:16]}"
    assert other.idempotency_key != action.idempotency_key
