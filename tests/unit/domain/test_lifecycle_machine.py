"""The lifecycle against a model of a few lines: whatever happens in whatever order, both say the same is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from domain.actions import Action, ActionSpec, ActionStatus
from domain.decisions import Decision, DecisionKind, DecisionRequest, Person, decision_id
from domain.errors import Conflict, Forbidden
from domain.lifecycle import decide, escalation_time, filled_role, next_move, record_decision
from domain.policy import Verdict, VerdictKind
from domain.proposals import Expected, Measurement, Proposal, ProposalStatus

START = datetime(2026, 3, 2, tzinfo=UTC)
EXPIRES_H, QUORUM, MEASURED_H = 24, 2, 30
PEOPLE = {"ana": "search_owner", "ben": "finance", "cleo": "search_owner", "dan": "sales"}
FINAL = {ActionStatus.DENIED, ActionStatus.DRIFTED, ActionStatus.COMPENSATED}


def fresh() -> Proposal:
    spec = ActionSpec(kind="ads.budget.set", entity="budget:a", value=2, expect=1, currency="EUR")
    roles = ("search_owner", "finance")
    verdict = Verdict(kind=VerdictKind.ASK, rule="two", reason="so", roles=roles, quorum=QUORUM, expires_h=EXPIRES_H)
    return Proposal(
        id="prop_1",
        situation="sit_1",
        verdict=verdict,
        actions=(Action(id="act_1", proposal="prop_1", spec=spec),),
        policy_version="1",
        fingerprint="f",
        title="t",
        why="w",
        expected=Expected(value=1, low=0, high=2, currency="EUR"),
        measurement=Measurement(metric="revenue", method="none", start=START, days=0, stop="s"),
        evidence=(),
        specialist="test",
        created_at=START,
        expires_at=START + timedelta(hours=EXPIRES_H),
        escalate_at=escalation_time(START, EXPIRES_H, "cmo"),
    )


class Life(RuleBasedStateMachine):
    """The real proposal and action beside the model: who agreed, how it was decided, where the action stands."""

    def __init__(self) -> None:
        super().__init__()
        self.proposal, self.now = fresh(), START
        self.agreed: set[str] = set()
        self.ended: str | None = None
        self.escalated = False
        self.at: datetime | None = None

    @property
    def action(self) -> Action:
        return self.proposal.actions[0]

    def become(self, status: ActionStatus, **patch: Any) -> None:
        action = self.action.model_copy(update={"status": status, **patch})
        self.proposal = self.proposal.model_copy(update={"actions": (action,)})

    @rule(hours=st.sampled_from([1, 5, 13, 31]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(who=st.sampled_from(sorted(PEOPLE)), yes=st.booleans(), seen=st.sampled_from(["f", "f", "f", "old"]))
    def somebody_answers(self, who: str, *, yes: bool, seen: str) -> None:
        person = Person(id=who, roles=frozenset({PEOPLE[who]}))
        kind = DecisionKind.APPROVE if yes else DecisionKind.REJECT
        open_ = self.ended is None and self.now < self.proposal.expires_at and seen == "f"
        try:
            status = decide(self.proposal, DecisionRequest(decision=kind, fingerprint=seen), person, self.now)
        except Conflict:
            assert not open_ or who in self.agreed
            return
        except Forbidden:
            assert PEOPLE[who] == "sales"
            return
        assert open_
        assert who not in self.agreed
        assert PEOPLE[who] != "sales"
        said = Decision(
            id=decision_id("prop_1", who, kind, seen),
            proposal="prop_1",
            kind=kind,
            by=who,
            role=filled_role(self.proposal, person),
            fingerprint=seen,
            at=self.now,
        )
        self.proposal = record_decision(self.proposal, said, status)
        self.agreed |= {who} if yes else set()
        self.ended = "rejected" if not yes else ("approved" if len(self.agreed) == QUORUM else None)
        assert status == (self.ended or "pending")

    @rule(ends=st.sampled_from(["done", "unknown", "drifted", "denied", "put back", "dies"]))
    def a_worker_does_what_is_due(self, ends: str) -> None:
        match next_move(self.proposal, self.action, self.now).kind:
            case "expire":
                self.ended = "expired"
                self.proposal = self.proposal.model_copy(update={"status": ProposalStatus.EXPIRED})
            case "escalate":
                self.escalated = True
                self.proposal = self.proposal.model_copy(update={"escalated": True})
            case "deny":
                self.become(ActionStatus.DENIED)
            case "execute":
                self.become(ActionStatus.EXECUTING)
            case "settle" if ends == "done":
                self.at = self.now + timedelta(hours=MEASURED_H)
                self.become(ActionStatus.DONE, executed_at=self.now, measure_at=self.at)
            case "settle" if ends == "put back":
                self.become(ActionStatus.PENDING)
            case "settle" if ends != "dies":
                self.become(ActionStatus(ends))
            case "measure":
                self.at = None
                self.become(ActionStatus.DONE, outcome="out_1")
            case _:
                pass

    @precondition(lambda self: self.action.status is ActionStatus.UNKNOWN)
    @rule(happened=st.booleans())
    def a_person_settles(self, *, happened: bool) -> None:
        self.become(ActionStatus.DONE if happened else ActionStatus.DENIED)

    @invariant()
    def what_is_due_is_what_the_model_says(self) -> None:
        assert next_move(self.proposal, self.action, self.now).kind == self.expected()

    @invariant()
    def nothing_is_begun_without_the_quorum(self) -> None:
        begun = self.action.status in {ActionStatus.EXECUTING, ActionStatus.DONE, ActionStatus.UNKNOWN}
        assert not begun or len(self.agreed) >= QUORUM

    def expected(self) -> str:
        status = self.action.status
        if self.ended is None:
            if self.now >= START + timedelta(hours=EXPIRES_H):
                return "expire"
            due = self.now >= START + timedelta(hours=EXPIRES_H / 2)
            return "escalate" if due and not self.escalated else "wait"
        if self.ended != "approved":
            return "deny" if status is ActionStatus.PENDING else "close"
        if status is ActionStatus.DONE and self.at is not None:
            return "measure" if self.now >= self.at else "wait"
        return {"pending": "execute", "executing": "settle"}.get(status, "close")


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=30)
