"""A company in event time whose situations are wishes: whatever a test wishes for takes the whole way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from agents.approve import decide
from agents.clock import ManualClock
from agents.drivers.event_time import EventTimeDriver
from agents.graph import build_graph
from agents.intake import accept
from agents.parts import Runtime
from agents.reason import run_round
from agents.runtime import build_event_time
from agents.settings import AuthSettings, MemorySettings, SandboxSettings, Settings
from agents.tools import Tools
from connectors.contract import Actuator
from connectors.sandbox.faults import Fault, with_faults
from domain.actions import Action, ActionSpec
from domain.decisions import DecisionRequest, Person
from domain.ports import Context, View
from domain.proposals import Candidate, Expected, Measurement, Proposal
from domain.situations import Finding, Situation

NOW = datetime(2026, 3, 4, 9, tzinfo=UTC)
PEOPLE = (
    Person(id="ana", roles=frozenset({"search_owner"})),
    Person(id="ben", roles=frozenset({"finance"})),
    Person(id="chloe", roles=frozenset({"cmo"})),
    Person(id="emma", roles=frozenset({"admin"})),
)
POLICY = """
limits: {daily_spend_moved: 400, per_entity_cooldown_h: 24, max_step_rate: 0.5}
rules:
  - {id: never, match: {entity: "budget:frozen"}, verdict: deny, reason: booked}
  - {id: small, match: {kind: ads.budget.set, delta_abs_max: 50}, verdict: auto}
  - {id: tasks, match: {kind: task.create}, verdict: auto}
  - {id: two, match: {entity: "budget:big"}, verdict: ask, roles: [search_owner, finance], quorum: 2,
     expires_h: 24, escalate_to: cmo}
  - {id: large, match: {kind: ads.budget.set, delta_abs_max: 200}, verdict: ask, roles: [search_owner], expires_h: 48}
  - {id: budgets, match: {kind: ads.budget.set}, verdict: ask, roles: [finance], expires_h: 48}
"""
BUDGETS = ("a", "b", "c", "big", "frozen")


@dataclass
class Wishes:
    """Detector and specialist in one: each wish is a situation, the newest has a candidate."""

    name: str = "wishes"
    wanted: dict[str, tuple[ActionSpec, ...]] = field(default_factory=dict)
    terms: dict[str, dict[str, Any]] = field(default_factory=dict)

    def want(self, budget: str, to: int, expect: int = 1_000) -> None:
        """The next round proposes to set `budget`, once it is declared."""
        spec = ActionSpec(kind="ads.budget.set", entity=budget, value=to * 100, expect=expect * 100, currency="EUR")
        self.add(spec)

    def add(self, *specs: ActionSpec, **terms: Any) -> None:
        key = f"wish-{len(self.wanted)}"
        self.wanted[key], self.terms[key] = specs, terms

    def find(self, view: View) -> Iterable[Finding]:
        return [
            Finding(
                kind="test.wish",
                key=key,
                entities=tuple(spec.entity for spec in specs if spec.entity),
                onset=NOW,
                seen=NOW,
                title=f"Wish {key}",
                summary="Somebody wishes it.",
                evidence=(),
                worth_minor=100_000,
            )
            for key, specs in self.wanted.items()
            if all(spec.entity is None or spec.entity in view.tree for spec in specs)
        ]

    def propose(self, situation: Situation, context: Context) -> Iterable[Candidate]:
        if situation.key != list(self.wanted)[-1]:
            return
        plan = {"metric": "revenue", "method": "none", "start": context.view.now, "days": 0, "stop": "at once"}
        yield Candidate.model_validate(
            {
                "key": "wish",
                "situation": situation.id,
                "specialist": self.name,
                "specs": self.wanted[situation.key],
                "title": situation.title,
                "why": "It was wished for.",
                "expected": Expected(value=100_000, low=50_000, high=150_000, currency="EUR"),
                "measurement": Measurement.model_validate(plan),
                **self.terms[situation.key],
            }
        )


@dataclass
class Company:
    """An `empty` sandbox with a few budgets of 1,000 EUR a day, and ways to live in it."""

    runtime: Runtime
    clock: ManualClock
    wishes: Wishes
    policy: Path

    def wish(self, *specs: ActionSpec, **terms: Any) -> Proposal:
        """The proposal that one round makes of a new wish."""
        self.wishes.add(*specs, **terms)
        report = run_round(self.runtime)
        assert report.committed
        (made,) = report.proposed
        return self.runtime.store.proposals.get(made)

    def ask(self, entity: str = "budget:a", to: int = 1_150, **terms: Any) -> Proposal:
        """A pending proposal to set a budget; 1,150 falls under rule `large`."""
        return self.wish(self.budget_spec(entity, to), **terms)

    def budget_spec(self, entity: str, to: int, expect: int | None = None) -> ActionSpec:
        known = self.budget(entity) if expect is None else expect * 100
        return ActionSpec(kind="ads.budget.set", entity=entity, value=to * 100, expect=known, currency="EUR")

    def answer(self, proposal: Proposal, person: str = "ana", kind: str = "approve", **fields: Any) -> Proposal:
        request = DecisionRequest.model_validate({"decision": kind, "fingerprint": proposal.fingerprint, **fields})
        return decide(self.runtime, proposal.id, request, self.person(person))

    def person(self, name: str) -> Person:
        return next(person for person in PEOPLE if person.id == name)

    def work(self, **later: float) -> None:
        """Carry out what is due, after `later` (hours=…, days=…) has passed."""
        self.clock.set(self.clock.now() + timedelta(**later))
        cast("EventTimeDriver", self.runtime.driver).run_due()

    def action(self, proposal: Proposal) -> Action:
        return self.runtime.store.proposals.get(proposal.id).actions[0]

    def status(self, proposal: Proposal) -> str:
        return self.action(proposal).status.value

    def budget(self, entity: str = "budget:a") -> int:
        """What the tool shows, minor units."""
        return self.runtime.tools.host().read(entity)["ads.budget.set"]

    def somebody_sets(self, entity: str, to: int) -> None:
        """The tool is changed behind Accord's back."""
        attrs = {"daily_budget": to, "currency": "EUR"}
        self.runtime.tools.host().adopt({"id": entity, "name": entity, "attrs": attrs})

    def told(self, type_: str, trust: str = "internal", **data: Any) -> None:
        number = self.runtime.store.signals.count()
        sent = {
            "specversion": "1.0",
            "id": f"told-{number}",
            "source": "tests",
            "type": f"accord.{type_}",
            "time": self.clock.now().isoformat(),
            "data": data,
        }
        assert accept(self.runtime, [sent], trust=cast("Any", trust)).accepted == 1

    def break_tool(self, *faults: Fault, native: bool = True) -> None:
        """The next writes of the ads tool go wrong; without `native` it does not recognise a repeated key."""
        ads = self.runtime.tools.connectors["ads"]
        manifest = ads.manifest if native else ads.manifest.model_copy(update={"idempotency": "none"})
        broken = replace(ads, manifest=manifest, actuator=with_faults(cast("Actuator", ads.actuator), *faults))
        self.rewire(tools={**self.runtime.tools.connectors, "ads": broken})

    def rewire(self, *, tools: dict[str, Any]) -> None:
        self.runtime = replace(self.runtime, tools=Tools(tools, {}, self.runtime.tools.host()))
        self.runtime.start()


@pytest.fixture
def wishes() -> Wishes:
    return Wishes()


@pytest.fixture
def company(tmp_path: Path, wishes: Wishes, assert_traced: Any) -> Iterator[Company]:
    """At the end of every test each effect is checked against what allowed it."""
    clock, policy = ManualClock(NOW), tmp_path / "policy.yaml"
    policy.write_text(POLICY, encoding="utf-8")
    settings = Settings(
        home=tmp_path / "home",
        sandbox=SandboxSettings(world="empty"),
        memory=MemorySettings(url="off"),
        auth=AuthSettings(people=PEOPLE),
        policy=policy,
    )
    wired = build_event_time(settings, clock, in_memory=True)
    runtime = replace(wired, detectors=(wishes,), specialists=(wishes,), graph=build_graph(None, None, (wishes,)))
    runtime.start()
    made = Company(runtime, clock, wishes, policy)
    for name in BUDGETS:
        attrs = {"daily_budget": 1_000, "currency": "EUR"}
        made.told("entity.declared", id=f"budget:{name}", name=name, attrs=attrs)
    yield made
    assert_traced(made.runtime.store, made.runtime.tools.host())
    runtime.close()
