"""Wall time: the durable engine carries signals to effects, waits for people, and goes on after a restart."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agents.approve import decide
from agents.graph import build_graph
from agents.intake import accept
from agents.parts import Runtime
from agents.runtime import Overrides, build
from agents.settings import MemorySettings, SandboxSettings, Settings, StorageSettings
from domain.decisions import DecisionKind, DecisionRequest, Person
from domain.proposals import Proposal
from providers.scripted import ScriptedAdapter
from providers.types import ProviderSpec

ANA = Person(id="ana", roles=frozenset({"search_owner"}))
PATIENCE_S = 30.0
POLICY = """
rules:
  - {id: small, match: {kind: ads.budget.set, delta_abs_max: 50}, verdict: auto}
  - {id: ask, match: {kind: ads.budget.set}, verdict: ask, roles: [search_owner], expires_h: 48}
"""


class MovableClock:
    """The machine's time and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def opened(tmp_path: Path, store_url: str, wishes: Any, clock: MovableClock) -> Callable[[], Any]:
    """Opens the same Accord again and again, each in wall time."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY, encoding="utf-8")
    settings = Settings(
        home=tmp_path / "home",
        storage=StorageSettings(url=store_url),
        sandbox=SandboxSettings(world="empty"),
        memory=MemorySettings(url="off"),
        policy=policy,
        providers=(ProviderSpec(name="mute", model="scripted/mute"),),
    )

    @contextmanager
    def running() -> Generator[Runtime]:
        wired = build(settings, Overrides(clock=clock, scripted=ScriptedAdapter([])))
        graph = build_graph(None, None, (wishes,))
        runtime = replace(wired, detectors=(wishes,), specialists=(wishes,), graph=graph)
        runtime.start()
        try:
            yield runtime
        finally:
            runtime.close()

    return running


def declare(runtime: Runtime, name: str) -> None:
    data = {"id": name, "name": name, "attrs": {"daily_budget": 1_000, "currency": "EUR"}}
    event = {
        "specversion": "1.0",
        "id": name,
        "source": "tests",
        "type": "accord.entity.declared",
        "time": datetime.now(UTC).isoformat(),
        "data": data,
    }
    assert accept(runtime, [event], trust="internal").accepted == 1


def until(what: Callable[[], Any]) -> Any:
    """The first truth that `what` tells, within PATIENCE_S."""
    end = time.monotonic() + PATIENCE_S
    while not (found := what()) and time.monotonic() < end:
        time.sleep(0.02)
    assert found
    return found


def pending(runtime: Runtime) -> list[Proposal]:
    return runtime.store.proposals.pending()


def status(runtime: Runtime, action: str) -> str:
    return runtime.store.actions.get(action).status.value


def budget(runtime: Runtime, name: str = "budget:a") -> int:
    return runtime.tools.host().read(name)["ads.budget.set"]


def approve(runtime: Runtime, proposal: Proposal) -> None:
    request = DecisionRequest(decision=DecisionKind.APPROVE, fingerprint=proposal.fingerprint)
    decide(runtime, proposal.id, request, ANA)


def test_from_signal_to_effect_over_a_restart(opened: Any, wishes: Any, assert_traced: Any) -> None:
    wishes.want("budget:a", 1_150)
    with opened() as runtime:
        declare(runtime, "budget:a")
        (proposal,) = until(lambda: pending(runtime))
    with opened() as runtime:
        time.sleep(0.2)
        assert budget(runtime) == 100_000
        approve(runtime, proposal)
        until(lambda: status(runtime, proposal.actions[0].id) == "done")
        assert budget(runtime) == 115_000
        assert_traced(runtime.store, runtime.tools.host())


def test_a_rule_acts_and_a_waiting_action_is_woken(opened: Any, wishes: Any, assert_traced: Any) -> None:
    wishes.want("budget:a", 1_020)
    with opened() as runtime:
        declare(runtime, "budget:a")
        until(lambda: budget(runtime) == 102_000)
        wishes.want("budget:b", 1_200)
        declare(runtime, "budget:b")
        (proposal,) = until(lambda: pending(runtime))
        approve(runtime, proposal)
        until(lambda: budget(runtime, "budget:b") == 120_000)
        assert_traced(runtime.store, runtime.tools.host())


def test_what_fell_due_while_nobody_ran_is_done_at_the_start(opened: Any, wishes: Any, clock: MovableClock) -> None:
    wishes.want("budget:a", 1_150)
    with opened() as runtime:
        declare(runtime, "budget:a")
        (proposal,) = until(lambda: pending(runtime))
    clock.ahead = timedelta(hours=49)
    with opened() as runtime:
        until(lambda: status(runtime, proposal.actions[0].id) == "denied")
        assert runtime.store.proposals.get(proposal.id).status == "expired"
