"""A canary differs from its proposal in one argument that its words belie, and nothing ever comes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.actions import Action, ActionSpec
from domain.canaries import draw, planted, unmasked
from domain.decisions import Decision, DecisionKind
from domain.lifecycle import next_move
from domain.policy import Verdict, VerdictKind
from domain.proposals import Expected, Measurement, Proposal, ProposalStatus

NOW = datetime(2026, 3, 4, 9, tzinfo=UTC)
STATES = {
    "budget:a": {"ads.budget.set": 1_000},
    "budget:b": {"ads.budget.set": 2_000},
    "account:x": {"account.play.set": "educate"},
    "account:y": {"account.play.set": "educate"},
    "account:z": {"account.play.set": "verify"},
}


def proposal(*specs: ActionSpec) -> Proposal:
    return Proposal(
        id="prop_1",
        situation="sit_1",
        verdict=Verdict(kind=VerdictKind.ASK, rule="r", reason="asks"),
        actions=tuple(Action(id=f"act_{n}", proposal="prop_1", spec=spec) for n, spec in enumerate(specs)),
        policy_version="v",
        fingerprint="f",
        title="Raise a",
        why="demand",
        expected=Expected(value=1, low=0, high=2, currency="EUR"),
        measurement=Measurement(metric="contribution", method="none", start=NOW, days=0, stop="at once"),
        evidence=(),
        specialist="demand",
        created_at=NOW,
        expires_at=NOW + timedelta(days=3),
    )


def raised(to: int) -> ActionSpec:
    return ActionSpec(kind="ads.budget.set", entity="budget:a", value=to, expect=1_000, currency="EUR")


PLAY = ActionSpec(kind="account.play.set", entity="account:x", value="verify", expect="educate")


def answered(kind: DecisionKind) -> Decision:
    return Decision(id="dec_1", proposal="prop_1", kind=kind, by="ana", fingerprint="f", at=NOW)


@given(st.integers(1, 2_000).filter(lambda to: to != 1_000), st.floats(0, 1))
def test_money_goes_the_other_way_by_the_same_step(to: int, luck: float) -> None:
    canary = planted(proposal(raised(to)), STATES, luck)
    assert canary is not None
    (action,) = canary.actions
    assert action.spec.value - 1_000 == 1_000 - to
    assert (canary.title, canary.canary, canary.id != "prop_1") == ("Raise a", "wrong_direction", True)


def test_what_is_no_money_is_set_for_another_thing_that_is_not_there_yet() -> None:
    canary = planted(proposal(PLAY), STATES, 0.5)
    assert canary is not None
    assert [(action.spec.entity, action.spec.expect) for action in canary.actions] == [("account:y", "educate")]


@pytest.mark.parametrize(
    "real",
    [
        proposal(raised(1_100), raised(1_200)),
        proposal(ActionSpec(kind="message.post", value={"channel": "sales", "text": "hello"})),
    ],
)
def test_where_no_fault_can_be_seen_none_is_planted(real: Proposal) -> None:
    assert planted(real, STATES, 0.5) is None


@pytest.mark.parametrize(
    ("kind", "told"),
    [(DecisionKind.APPROVE, "approved all the same"), (DecisionKind.REJECT, "You saw it")],
)
def test_whatever_the_answer_it_is_void_and_says_what_it_was(kind: DecisionKind, told: str) -> None:
    canary = planted(proposal(raised(1_100)), STATES, 0.5)
    assert canary is not None
    after = unmasked(canary, answered(kind))
    assert after.status is ProposalStatus.VOID
    assert told in (after.detail or "")
    assert next_move(after, after.actions[0], NOW).kind == "deny"


def test_even_an_approved_one_would_never_be_carried_out() -> None:
    canary = planted(proposal(raised(1_100)), STATES, 0.5)
    assert canary is not None
    approved = canary.model_copy(update={"status": ProposalStatus.APPROVED})
    assert next_move(approved, approved.actions[0], NOW).kind == "deny"


def test_which_proposals_are_chosen_depends_on_a_secret() -> None:
    chosen = [{f"prop_{n}" for n in range(400) if draw(f"prop_{n}", key) < 0.1} for key in (b"one", b"two")]
    assert all(20 <= len(each) <= 65 for each in chosen)
    assert chosen[0] != chosen[1]
