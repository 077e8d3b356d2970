"""The real app over a temporary ACCORD_HOME in event time, a key for each role, and one proposal that waits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from agents.arbitrate import Choice
from agents.clock import ManualClock
from agents.drivers.event_time import EventTimeDriver
from agents.parts import Runtime
from agents.propose import propose
from agents.runtime import build_event_time
from agents.settings import AuthSettings, MemorySettings, SandboxSettings, Settings
from api.app import create_app
from api.auth import FULL_SCOPES, Gate
from domain.actions import ActionSpec
from domain.decisions import Person
from domain.policy import Facts, Limits, Match, Policy, Rule, VerdictKind
from domain.proposals import Candidate, Expected, Measurement, Proposal
from domain.situations import Evidence, Finding, Hypothesis, Situation
from memory.rounds import RoundMark

NOW = datetime(2026, 3, 4, 9, tzinfo=UTC)
BUDGET = "budget:search-brand"
POLICY = Policy(
    limits=Limits(max_step_rate=0.2),
    rules=(
        Rule(
            id="budgets",
            match=Match(kind="ads.budget.set"),
            verdict=VerdictKind.ASK,
            roles=("search_owner", "finance"),
            quorum=2,
            expires_h=24,
            escalate_to="cmo",
        ),
    ),
)
PEOPLE = (
    Person(id="ana", roles=frozenset({"search_owner"})),
    Person(id="ben", roles=frozenset({"finance"})),
    Person(id="root", roles=frozenset({"admin"})),
    Person(id="eve", roles=frozenset({"content_lead"})),
)


@dataclass(frozen=True)
class Company:
    """A running Accord and ways to talk to it."""

    runtime: Runtime
    gate: Gate
    app: FastAPI
    clock: ManualClock

    def client(self, person: str = "ana", *scopes: str) -> TestClient:
        """A client with a key of `person`; every scope unless some are named."""
        _, secret = self.runtime.store.keys.create(f"{person} key", person, scopes or FULL_SCOPES, NOW)
        client = self.stranger()
        client.headers["authorization"] = f"Bearer {secret}"
        return client

    def browser(self, person: str = "ana") -> TestClient:
        """A signed-in browser of `person`."""
        client = self.stranger()
        assert client.get(self.gate.login_path(person), headers={"accept": "text/html"}).status_code == 303
        client.headers["accept"] = "text/html"
        return client

    def stranger(self) -> TestClient:
        return TestClient(self.app, raise_server_exceptions=False, follow_redirects=False)

    def work(self) -> None:
        """Carry out what is due."""
        cast("EventTimeDriver", self.runtime.driver).run_due()

    @staticmethod
    def declared(entity: str, **attrs: Any) -> dict[str, Any]:
        """An event that declares `entity`."""
        return {
            "specversion": "1.0",
            "id": f"declare/{entity}",
            "source": "tests",
            "type": "accord.entity.declared",
            "time": "2026-03-01T00:00:00Z",
            "data": {"id": entity, "name": entity.partition(":")[2], "attrs": attrs},
        }

    @staticmethod
    def point(number: int, **data: Any) -> dict[str, Any]:
        """A metric event."""
        return {
            "specversion": "1.0",
            "id": f"point/{number}",
            "source": "tests",
            "type": "accord.metric.point",
            "time": "2026-03-03T00:00:00Z",
            "data": {"metric": "queries", "entity": "region:idf", "value": number, **data},
        }


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    clock = ManualClock(NOW)
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "limits: {max_step_rate: 0.2}\n"
        "rules:\n"
        "  - {id: budgets, match: {kind: ads.budget.set}, verdict: ask, roles: [search_owner, finance], quorum: 2,"
        " expires_h: 24, escalate_to: cmo}\n",
        encoding="utf-8",
    )
    settings = Settings(
        home=tmp_path / "home",
        sandbox=SandboxSettings(world="empty"),
        memory=MemorySettings(url="off"),
        auth=AuthSettings(people=PEOPLE),
        policy=policy,
    )
    runtime = build_event_time(settings, clock)
    gate = Gate(runtime, environ={})
    try:
        yield Company(runtime, gate, create_app(runtime, gate=gate, demo=True), clock)
    finally:
        runtime.close()


@pytest.fixture
def waiting(company: Company) -> Proposal:
    """A proposal to raise the brand search budget by 15 %, pending, on a declared entity of the empty sandbox."""
    sent = company.client("ana").post("/v1/signals", json=company.declared(BUDGET, daily_budget=1200, currency="EUR"))
    assert sent.json()["accepted"] == 1
    spec = ActionSpec(
        kind="ads.budget.set", entity=BUDGET, value=138000, expect=120000, currency="EUR", reason="demand is there"
    )
    situation = Situation.open(_finding(), NOW)
    candidate = Candidate(
        key="raise:brand",
        situation=situation.id,
        specialist="demand",
        specs=(spec,),
        title="Raise Brand search by €180 a day",
        why="Brand queries rose 41 % over their baseline while competitors captured 12 %.",
        expected=Expected(value=412000, low=-90000, high=905000, currency="EUR"),
        cost_minor=126000,
        risk="Some of these clicks would have come for nothing.",
        measurement=_measurement(),
        evidence=situation.evidence,
    )
    tree = company.runtime.store.view(NOW).tree
    state = company.runtime.tools.states(tree)
    facts = Facts(now=NOW, currency="EUR", tree=tree)
    made = propose(Choice(candidate, ("Raising by 20 % would cost more than it brings.",)), POLICY, facts, state)
    written = company.runtime.store.rounds.commit(
        RoundMark("rnd_test", NOW, 1),
        previous=None,
        situations=[situation],
        proposals=[made],
        due={action.id: NOW + timedelta(hours=24) for action in made.actions},
    )
    assert written
    return made


def _finding() -> Finding:
    return Finding(
        kind="demand.rise",
        key="queries@region:idf@2026-03-04",
        entities=("region:idf", BUDGET),
        onset=NOW - timedelta(days=2),
        seen=NOW,
        title="Brand queries rise in Île-de-France",
        summary="Queries lie 41 % over their weekly baseline since Monday.",
        evidence=(
            Evidence(
                text="1,840 queries against 1,305 expected",
                figures={"rate": 0.41},
                source="series:queries@region:idf",
            ),
            Evidence(
                text="A note of sales",
                source="signal:crm#n-1",
                quote='Saw the ad! <script>alert("x")</script> https://evil.example/click',
                trust="external",
            ),
        ),
        hypotheses=(
            Hypothesis(name="exposure_lift", odds=0.7, because="the flight began two days before"),
            Hypothesis(name="tracking_fault", odds=0.3, because="clicks rose less than queries"),
        ),
        worth_minor=905000,
    )


def _measurement() -> Measurement:
    return Measurement(
        metric="contribution",
        method="synthetic_control",
        treated=("region:idf",),
        control=("region:bretagne",),
        start=NOW,
        days=28,
        mde_rate=0.06,
        stop="After 28 days, or at once when margin falls below 40 %.",
    )
