"""Things to store: small, whole, and different by number."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.actions import Action, ActionSpec
from domain.audit import Fact
from domain.decisions import Decision, DecisionKind, decision_id
from domain.effects import Effect
from domain.ids import derive_id
from domain.outcomes import Lesson, Outcome, OutcomeVerdict
from domain.policy import Verdict, VerdictKind
from domain.proposals import Expected, Measurement, Proposal, ProposalStatus
from domain.signals import Signal, parse_event
from domain.situations import Finding, Situation

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


class Samples:
    """Valid values about one company; the same arguments give equal values."""

    now = NOW

    def at(self, **after: float) -> datetime:
        return NOW + timedelta(**after)

    def event(self, name: str, type_: str = "note", /, *, time: datetime | None = None, **data: Any) -> dict[str, Any]:
        return {
            "specversion": "1.0",
            "id": name,
            "source": "test/crm",
            "type": f"accord.{type_}",
            "time": (time or NOW).isoformat(),
            "data": data or {"team": "sales", "text": f"text of {name}"},
        }

    def signal(self, name: str, type_: str = "note", /, *, time: datetime | None = None, **data: Any) -> Signal:
        return parse_event(self.event(name, type_, time=time, **data), received_at=NOW)

    def point(self, name: str, value: float, /, *, time: datetime | None = None, **data: Any) -> Signal:
        given = {"metric": "spend", "entity": "campaign:ctv", "unit": "EUR", **data}
        return self.signal(name, "metric.point", time=time, value=value, **given)

    def fact(self, verb: str, subject: str, *, at: datetime = NOW) -> Fact:
        return Fact(at=at, actor="worker", verb=verb, subject=subject, facts={"rate": 0.1, "pair": (1, "é")})

    def finding(self, number: int = 1, **fields: Any) -> Finding:
        given: dict[str, Any] = {
            "kind": "demand.rise",
            "key": f"queries@region:r{number}",
            "entities": (f"region:r{number}",),
            "onset": NOW,
            "seen": NOW,
            "title": "More people ask",
            "summary": "Queries rose.",
            "evidence": (),
        }
        return Finding(**{**given, **fields})

    def situation(self, number: int = 1, **fields: Any) -> Situation:
        return Situation.open(self.finding(number, **fields), NOW)

    def spec(self, number: int = 1, value: int = 12_000) -> ActionSpec:
        return ActionSpec(
            kind="ads.budget.set", entity=f"budget:b{number}", value=value, expect=10_000, currency="EUR", reason="more"
        )

    def proposal(self, number: int = 1, *, values: tuple[int, ...] = (12_000,), **fields: Any) -> Proposal:
        name = derive_id("prop", number)
        specs = [self.spec(number, value) for value in values]
        actions = [Action(id=derive_id("act", name, spec.argument_hash), proposal=name, spec=spec) for spec in specs]
        given: dict[str, Any] = {
            "id": name,
            "situation": self.situation(number).id,
            "verdict": Verdict(kind=VerdictKind.ASK, rule="budgets", reason="money", roles=("finance",), quorum=2),
            "actions": tuple(actions),
            "policy_version": "p1",
            "fingerprint": f"f{number}",
            "title": "Raise it",
            "why": "Demand rose.",
            "expected": Expected(value=5, low=1, high=9, currency="EUR"),
            "measurement": Measurement(metric="contribution", method="none", start=NOW, days=14, stop="after 14 days"),
            "evidence": (),
            "specialist": "demand",
            "created_at": NOW,
            "expires_at": NOW + timedelta(hours=24),
        }
        return Proposal(**{**given, **fields})

    def decision(
        self, proposal: Proposal, by: str, kind: DecisionKind = DecisionKind.REJECT, at: datetime = NOW
    ) -> Decision:
        return Decision(
            id=decision_id(proposal.id, by, kind, proposal.fingerprint),
            proposal=proposal.id,
            kind=kind,
            by=by,
            fingerprint=proposal.fingerprint,
            at=at,
        )

    def answered(self, proposal: Proposal, decision: Decision, status: ProposalStatus) -> Proposal:
        return proposal.model_copy(update={"decisions": (*proposal.decisions, decision), "status": status})

    def effect(self, action: Action) -> Effect:
        return Effect(
            id=derive_id("eff", action.id),
            action=action.id,
            proposal=action.proposal,
            connector="ads",
            idempotency_key=action.idempotency_key,
            argument_hash=action.spec.argument_hash,
            authorised_by="rule:small-steps",
            started_at=NOW,
        )

    def outcome(self, action: Action, *, at: datetime = NOW) -> Outcome:
        return Outcome(
            id=derive_id("out", action.proposal),
            proposal=action.proposal,
            action=action.id,
            situation="sit_1",
            kind=action.spec.kind,
            entities=("budget:b1",),
            metric="contribution",
            verdict=OutcomeVerdict.WORKED,
            currency="EUR",
            measured_at=at,
            method="synthetic_control",
            detail="it rose",
        )

    def lesson(self, outcome: Outcome, factor: float = 1.1) -> Lesson:
        return Lesson(
            id=derive_id("les", outcome.id),
            outcome=outcome.id,
            about="demand:brand-search",
            text="worth more than expected",
            factor=factor,
            at=outcome.measured_at,
        )


@pytest.fixture(scope="session")
def make() -> Samples:
    return Samples()
