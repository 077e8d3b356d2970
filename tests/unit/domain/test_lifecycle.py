"""The life of a proposal under any order of answers, hours and results: nothing runs without consent, nothing hangs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.actions import Action, ActionSpec, ActionStatus
from domain.decisions import Decision, DecisionKind, DecisionRequest, Person, decision_id
from domain.errors import Conflict, Forbidden, InputError
from domain.lifecycle import (
    CLOSE,
    Move,
    decide,
    due_at,
    escalation_time,
    filled_role,
    next_move,
    record_decision,
)
from domain.policy import Verdict, VerdictKind
from domain.proposals import Expected, Measurement, Proposal, ProposalStatus, action_id, fingerprint

START = datetime(2026, 3, 4, 9, tzinfo=UTC)
APPROVALS = {DecisionKind.APPROVE, DecisionKind.MODIFY}
OVER = {ActionStatus.DENIED, ActionStatus.DRIFTED, ActionStatus.UNKNOWN, ActionStatus.COMPENSATED}
ANA, BOB, CHLOE, EVE = (
    Person(id="ana", roles=frozenset({"finance"})),
    Person(id="bob", roles=frozenset({"finance", "search_owner"})),
    Person(id="chloe", roles=frozenset({"admin"})),
    Person(id="eve", roles=frozenset({"guest"})),
)


def specs(value: int, count: int = 1) -> tuple[ActionSpec, ...]:
    return tuple(
        ActionSpec(kind="ads.budget.set", entity=f"budget:b{n}", value=value, expect=100, currency="EUR")
        for n in range(count)
    )


def actions(of: tuple[ActionSpec, ...]) -> tuple[Action, ...]:
    return tuple(Action(id=action_id("prop_1", spec), proposal="prop_1", spec=spec) for spec in of)


def proposal(count: int = 1, expires_h: float = 24, escalate_to: str | None = None, **verdict: Any) -> Proposal:
    wanted = specs(110, count)
    judged = Verdict.model_validate({"kind": "ask", "rule": "budgets", "reason": "", "roles": ("finance",), **verdict})
    return Proposal(
        id="prop_1",
        situation="sit_1",
        verdict=judged.model_copy(update={"escalate_to": escalate_to}),
        actions=actions(wanted),
        policy_version="v1",
        fingerprint=fingerprint(wanted, "v1", {}),
        title="Raise",
        why="Demand rose",
        expected=Expected(value=1, low=0, high=2, currency="EUR"),
        measurement=Measurement(metric="revenue", method="before_after", start=START, days=7, stop="after 7 days"),
        evidence=(),
        specialist="demand",
        created_at=START,
        expires_at=START + timedelta(hours=expires_h),
        escalate_at=escalation_time(START, expires_h, escalate_to),
    )


def request(of: Proposal, kind: DecisionKind, **fields: Any) -> DecisionRequest:
    return DecisionRequest.model_validate({"decision": kind, "fingerprint": of.fingerprint, **fields})


def answered(
    before: Proposal, person: Person, kind: DecisionKind = DecisionKind.APPROVE, now: datetime = START
) -> Proposal:
    """As the use case does it: decide, then record."""
    status = decide(before, request(before, kind), person, now)
    return record_decision(before, _decision(before, person, kind, before.fingerprint, now), status)


def _decision(before: Proposal, person: Person, kind: DecisionKind, version: str, now: datetime) -> Decision:
    id_ = decision_id(before.id, person.id, kind, before.fingerprint)
    return Decision(id=id_, proposal=before.id, kind=kind, by=person.id, fingerprint=version, at=now)


class Life(RuleBasedStateMachine):
    """People answer, hours pass and tools reply in any order; a driver carries out each move as `next_move` says."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.calls: list[str] = []

    @initialize(
        count=st.integers(1, 2),
        quorum=st.integers(1, 3),
        expires_h=st.sampled_from([1.0, 24.0]),
        escalate_to=st.sampled_from([None, "admin"]),
    )
    def begin(self, count: int, quorum: int, expires_h: float, escalate_to: str | None) -> None:
        self.proposal = proposal(count, expires_h, escalate_to, quorum=quorum)

    @rule(
        person=st.sampled_from([ANA, BOB, CHLOE, EVE]),
        kind=st.sampled_from([DecisionKind.APPROVE, DecisionKind.APPROVE, DecisionKind.REJECT, DecisionKind.ESCALATE]),
        stale=st.integers(0, 4).map(lambda n: n == 0),
    )
    def answer(self, person: Person, kind: DecisionKind, *, stale: bool) -> None:
        before = self.proposal
        asked = DecisionRequest(decision=kind, fingerprint="stale" if stale else before.fingerprint)
        try:
            status = decide(before, asked, person, self.now)
        except (Conflict, Forbidden):
            return
        assert not stale
        assert person is not EVE
        self.proposal = record_decision(
            before, _decision(before, person, kind, before.fingerprint, self.now), status
        ).model_copy(update={"escalated": before.escalated or kind is DecisionKind.ESCALATE})

    @rule(person=st.sampled_from([ANA, BOB, CHLOE]), value=st.sampled_from([110, 120]))
    def modify(self, person: Person, value: int) -> None:
        before, wanted = self.proposal, specs(value, len(self.proposal.actions))
        try:
            decide(before, request(before, DecisionKind.MODIFY, actions=wanted), person, self.now)
        except (Conflict, Forbidden):
            return
        version = fingerprint(wanted, "v1", {})
        changed = before.model_copy(update={"actions": actions(wanted), "fingerprint": version})
        alone = before.verdict.quorum == 1
        status = ProposalStatus.APPROVED if alone else ProposalStatus.PENDING
        decision = _decision(before, person, DecisionKind.MODIFY, version, self.now)
        self.proposal = record_decision(changed, decision, status)

    @rule(hours=st.sampled_from([0.25, 6, 24, 24 * 9]))
    def wait(self, hours: float) -> None:
        self.now += timedelta(hours=hours)

    @precondition(lambda self: self.proposal.status is ProposalStatus.PENDING)
    @rule(unlikely=st.integers(0, 3))
    def void(self, unlikely: int) -> None:
        if unlikely == 0:
            self.proposal = self.proposal.model_copy(update={"status": ProposalStatus.VOID})

    @rule(
        place=st.integers(0, 1),
        result=st.sampled_from([ActionStatus.DONE, ActionStatus.EXECUTING, *sorted(OVER)]),
        measured=st.booleans(),
    )
    def drive(self, place: int, result: ActionStatus, *, measured: bool) -> None:
        action = self.proposal.actions[place % len(self.proposal.actions)]
        move = next_move(self.proposal, action, self.now)
        self._carry_out(move, action, result, measured=measured)

    def _carry_out(self, move: Move, action: Action, result: ActionStatus, *, measured: bool) -> None:
        match move.kind:
            case "escalate":
                self.proposal = self.proposal.model_copy(update={"escalated": True})
            case "expire":
                self.proposal = self.proposal.model_copy(update={"status": ProposalStatus.EXPIRED})
            case "deny":
                self._set(action, status=ActionStatus.DENIED)
            case "execute" | "settle":
                if move.kind == "execute":
                    self._consented()
                    self.calls.append(action.id)
                later = self.now + timedelta(days=9) if measured else None
                self._set(action, status=result, measure_at=later)
            case "measure":
                self._set(action, outcome="out_1")
            case "wait" | "close":
                return

    def _set(self, action: Action, **fields: object) -> None:
        changed = action.model_copy(update=fields)
        kept = tuple(changed if one.id == action.id else one for one in self.proposal.actions)
        self.proposal = self.proposal.model_copy(update={"actions": kept})

    def _consented(self) -> None:
        of_this_version = [d for d in self.proposal.decisions if d.fingerprint == self.proposal.fingerprint]
        agreed = {decision.by for decision in of_this_version if decision.kind in APPROVALS}
        assert self.proposal.status is ProposalStatus.APPROVED
        assert len(agreed) >= self.proposal.verdict.quorum
        assert "eve" not in agreed
        assert all(decision.at < self.proposal.expires_at for decision in of_this_version)

    @invariant()
    def no_action_is_begun_twice(self) -> None:
        assert len(self.calls) == len(set(self.calls))

    @invariant()
    def what_was_not_approved_was_never_begun(self) -> None:
        if self.proposal.status is not ProposalStatus.APPROVED:
            assert self.calls == []

    @invariant()
    def every_move_leads_on_or_waits_until_later(self) -> None:
        for action in self.proposal.actions:
            move = next_move(self.proposal, action, self.now)
            due = due_at(self.proposal, action, self.now)
            if move.kind == "wait":
                assert move.until is not None
                assert due == move.until > self.now
            else:
                assert due == (None if move.kind == "close" else self.now)

    def teardown(self) -> None:
        """Left alone, every life ends: no loop, no wait without end."""
        if not hasattr(self, "proposal"):
            return
        for place in range(len(self.proposal.actions)):
            for _ in range(20):
                action = self.proposal.actions[place]
                move = next_move(self.proposal, action, self.now)
                if move.kind == "close":
                    break
                self.now = move.until or self.now
                self._carry_out(move, action, ActionStatus.DONE, measured=True)
            assert next_move(self.proposal, self.proposal.actions[place], self.now) == CLOSE


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=150, stateful_step_count=25)


def test_a_proposal_waits_for_its_escalation_then_for_its_end() -> None:
    waiting = proposal(expires_h=24, escalate_to="cmo")
    action = waiting.actions[0]
    middle, end = START + timedelta(hours=12), START + timedelta(hours=24)
    assert next_move(waiting, action, START) == Move("wait", middle)
    assert next_move(waiting, action, middle) == Move("escalate")
    told = waiting.model_copy(update={"escalated": True})
    assert next_move(told, action, middle) == Move("wait", end)
    assert next_move(told, action, end) == Move("expire")
    assert next_move(waiting, action, end) == Move("expire")


@pytest.mark.parametrize("status", [ProposalStatus.REJECTED, ProposalStatus.EXPIRED, ProposalStatus.VOID])
def test_the_actions_of_what_was_turned_down_are_denied_and_closed(status: ProposalStatus) -> None:
    down = proposal().model_copy(update={"status": status})
    assert next_move(down, down.actions[0], START).kind == "deny"
    denied = down.actions[0].model_copy(update={"status": ActionStatus.DENIED})
    assert next_move(down, denied, START) == CLOSE


def test_an_approved_action_is_executed_settled_measured_and_closed() -> None:
    approved = proposal().model_copy(update={"status": ProposalStatus.APPROVED})
    later = START + timedelta(days=9)
    life: list[tuple[dict[str, object], datetime, Move]] = [
        ({}, START, Move("execute")),
        ({"status": ActionStatus.EXECUTING}, START, Move("settle")),
        ({"status": ActionStatus.DONE, "measure_at": later}, START, Move("wait", later)),
        ({}, later, Move("measure")),
        ({"outcome": "out_1"}, later, CLOSE),
    ]
    action = approved.actions[0]
    for fields, now, move in life:
        action = action.model_copy(update=fields)
        assert next_move(approved, action, now) == move


@pytest.mark.parametrize("quorum", [1, 2, 3])
def test_it_takes_as_many_different_people_as_the_quorum_asks(quorum: int) -> None:
    waiting = proposal(quorum=quorum)
    statuses = [waiting.status]
    for person in (ANA, BOB, CHLOE)[:quorum]:
        waiting = answered(waiting, person)
        statuses.append(waiting.status)
    assert [a for a, _ in pairwise(statuses)] == [ProposalStatus.PENDING] * quorum
    assert statuses[-1] is ProposalStatus.APPROVED


def test_one_person_who_approved_and_modified_counts_once() -> None:
    waiting = answered(proposal(quorum=3), ANA)
    back = _decision(waiting, ANA, DecisionKind.MODIFY, waiting.fingerprint, START)
    returned = record_decision(waiting, back, ProposalStatus.PENDING)
    assert answered(returned, BOB).status is ProposalStatus.PENDING


def test_approvals_of_a_former_version_do_not_count() -> None:
    waiting = answered(proposal(quorum=2), ANA)
    assert answered(waiting.model_copy(update={"fingerprint": "changed"}), BOB).status is ProposalStatus.PENDING


def test_the_same_person_cannot_answer_the_same_version_twice_but_may_after_escalating() -> None:
    passed_on = answered(proposal(quorum=2), ANA, DecisionKind.ESCALATE)
    approved = answered(passed_on, ANA)
    with pytest.raises(Conflict, match="answered"):
        answered(approved, ANA, DecisionKind.REJECT)
    assert answered(approved, BOB, DecisionKind.REJECT).status is ProposalStatus.REJECTED


def test_an_answer_to_another_version_after_the_end_or_against_policy_is_a_conflict() -> None:
    waiting = proposal()
    stale = DecisionRequest(decision=DecisionKind.APPROVE, fingerprint="other")
    with pytest.raises(Conflict, match="changed since"):
        decide(waiting, stale, ANA, START)
    with pytest.raises(Conflict, match="expired"):
        answered(waiting, ANA, now=waiting.expires_at)
    with pytest.raises(Conflict, match="Policy denies"):
        answered(proposal(kind=VerdictKind.DENY), ANA)
    with pytest.raises(Conflict, match="'ana' answered first"):
        answered(answered(waiting, ANA), BOB)


def test_a_late_answer_is_told_who_approved_and_not_who_undid() -> None:
    approved = answered(proposal(), ANA)
    undone = record_decision(
        approved, _decision(approved, BOB, DecisionKind.APPROVE, "undone", START), ProposalStatus.APPROVED
    )
    with pytest.raises(Conflict, match="'ana' answered first"):
        decide(undone, request(undone, DecisionKind.REJECT), CHLOE, START)


def test_modifying_needs_the_new_arguments() -> None:
    waiting = proposal()
    with pytest.raises(InputError, match="`actions`"):
        decide(waiting, request(waiting, DecisionKind.MODIFY), ANA, START)


@pytest.mark.parametrize(
    ("roles", "person", "role"),
    [
        (("finance",), BOB, "finance"),
        (("search_owner", "cmo"), BOB, "search_owner"),
        (("finance",), CHLOE, "admin"),
        (("finance",), Person(id="zoe", roles=frozenset({"boss"})), "boss"),
        ((), EVE, None),
    ],
)
def test_a_person_decides_by_a_role_of_the_rule_by_escalation_or_as_admin(
    roles: tuple[str, ...], person: Person, role: str | None
) -> None:
    assert filled_role(proposal(roles=roles, escalate_to="boss"), person) == role


def test_a_person_without_a_fitting_role_is_told_which_one_is_asked_for() -> None:
    with pytest.raises(Forbidden, match="boss or finance"):
        filled_role(proposal(escalate_to="boss"), EVE)
