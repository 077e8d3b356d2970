"""People's answers to proposals in a model's words reach the router: each once, whoever reads them and how often."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agents.clock import ManualClock
from agents.enrich import Enricher
from agents.feedback import WEIGHT, Feedback
from agents.graph import build_graph
from agents.parts import Runtime
from agents.reason import run_round
from agents.runtime import build_event_time
from agents.settings import ApprovalSettings, AuthSettings, MemorySettings, SandboxSettings, Settings
from agents.undo import undo
from agents.work import work_of
from domain.actions import ActionSpec
from domain.proposals import Proposal
from memory.qualities import Quality
from providers.routing.learned import LearnedRouter, Manner, Observation
from providers.scripted import ScriptedAdapter
from providers.types import Message, ModelRequest, ProviderSpec
from tests.integration.agents.conftest import NOW, PEOPLE, POLICY, Company, Wishes

WRITE = ModelRequest(task="write", messages=(Message(role="user", content="Title: Raise"),))
AGREED = ("write", "one", 1.0, WEIGHT, "human")


@pytest.fixture
def company(tmp_path: Path, wishes: Wishes) -> Iterator[Company]:
    """Two providers of which `one` is asked, since it comes first by name."""
    clock, policy = ManualClock(NOW), tmp_path / "policy.yaml"
    policy.write_text(POLICY, encoding="utf-8")
    settings = Settings(
        home=tmp_path / "home",
        sandbox=SandboxSettings(world="empty"),
        memory=MemorySettings(url="off"),
        auth=AuthSettings(people=PEOPLE),
        policy=policy,
        providers=tuple(ProviderSpec(name=name, model="scripted/m") for name in ("one", "two")),
    )
    adapter = ScriptedAdapter(lambda _: '{"title": "Raise the budget a little", "why": "It was wished for."}')
    wired = build_event_time(settings, clock, in_memory=True, scripted=adapter)
    runtime = replace(wired, detectors=(wishes,), specialists=(wishes,), graph=build_graph(None, None, (wishes,)))
    runtime.start()
    made = Company(runtime, clock, wishes, policy)
    made.told("entity.declared", id="budget:a", name="a", attrs={"daily_budget": 1_000, "currency": "EUR"})
    yield made
    runtime.close()


def worded(company: Company, **terms: Any) -> Proposal:
    proposal = company.ask(**terms)
    Enricher(company.runtime)()
    return company.runtime.store.proposals.get(proposal.id)


def kept(runtime: Runtime) -> list[Quality]:
    return list(runtime.store.qualities.since(NOW - timedelta(days=1)))


def begun(runtime: Runtime) -> Runtime:
    """Another process on the same store."""
    known = [Observation(q.task, q.provider, q.model, q.quality, q.weight, q.source, q.at, q.id) for q in kept(runtime)]
    return replace(runtime, router=LearnedRouter(Manner(), known=known, kept=runtime.store.qualities))


def told(runtime: Runtime) -> list[tuple[Any, ...]]:
    return [(q.task, q.provider, q.quality, q.weight, q.source) for q in kept(runtime)]


def why(runtime: Runtime) -> str:
    """What the router believes, in words."""
    return runtime.router.rank(WRITE, runtime.gateway.registry.usable, NOW).why


def test_an_answer_counts_once_for_several_workers_that_read_it_again_and_again(company: Company) -> None:
    first, second = company.runtime, begun(company.runtime)
    before = why(first)
    proposal = worded(company)
    assert (proposal.worded_by, proposal.origin) == ("one", "model")
    decision = company.answer(proposal).decisions[-1]
    loops = Feedback(first), Feedback(second), Feedback(first)
    for _ in range(2):
        for loop in loops:
            loop()
    assert told(first) == [AGREED]
    assert (kept(first)[0].id, kept(first)[0].at) == (decision.id, decision.at)
    third = begun(first)
    Feedback(third)()
    assert before != why(first) == why(second) == why(third)
    assert told(first) == [AGREED]


def test_a_pass_that_dies_is_made_up_for(company: Company) -> None:
    class Broken:
        def add(self, _: Observation) -> None:
            raise OSError("the disk is full")

    runtime = company.runtime
    company.answer(worded(company))
    dying = LearnedRouter(kept=Broken())
    with pytest.raises(OSError, match="disk"):
        Feedback(replace(runtime, router=dying))()
    assert told(runtime) == []
    Feedback(begun(runtime))()
    assert told(runtime) == [AGREED]


@pytest.mark.parametrize(
    ("answer", "quality"),
    [
        ({"kind": "reject", "reason_code": "wrong_numbers"}, 0.0),
        ({"kind": "reject", "reason_code": "other"}, 0.0),
        ({"kind": "reject", "reason_code": "bad_timing"}, None),
        ({"kind": "reject"}, None),
    ],
)
def test_a_refusal_counts_where_the_words_may_be_to_blame(
    company: Company, answer: dict[str, Any], quality: float | None
) -> None:
    company.answer(worded(company), reason="no", **answer)
    Feedback(company.runtime)()
    assert [q.quality for q in kept(company.runtime)] == ([] if quality is None else [quality])


def test_a_change_counts_against_the_words_and_an_undo_for_nothing(company: Company) -> None:
    proposal = worded(company)
    spec: ActionSpec = proposal.actions[0].spec
    company.answer(
        proposal, kind="modify", reason_code="wrong_numbers", actions=[spec.model_copy(update={"value": 110_000})]
    )
    Feedback(company.runtime)()
    company.work(hours=1)
    undo(company.runtime, company.action(proposal).id, company.person("ana"), "on second thoughts")
    Feedback(company.runtime)()
    assert [q.quality for q in kept(company.runtime)] == [0.0]


def test_canaries_and_the_rules_own_words_count_for_nobody(company: Company) -> None:
    company.answer(company.ask())
    rate = {"approvals": ApprovalSettings.model_construct(canary_rate=1)}
    company.runtime = replace(company.runtime, settings=company.runtime.settings.model_copy(update=rate))
    company.work(hours=1)
    company.clock.set(company.clock.now() + timedelta(days=2))
    company.wishes.add(company.budget_spec("budget:a", 1_300))
    made = run_round(company.runtime).proposed
    Enricher(company.runtime)()
    real, canary = map(company.runtime.store.proposals.get, made)
    assert (real.worded_by, canary.worded_by, canary.canary is not None) == ("one", "one", True)
    company.answer(canary)
    Feedback(company.runtime)()
    assert kept(company.runtime) == []
    company.answer(real)
    work_of(company.runtime).watch()
    assert told(company.runtime) == [AGREED]


def declare_big(company: Company) -> None:
    company.told("entity.declared", id="budget:big", name="big", attrs={"daily_budget": 1_000, "currency": "EUR"})


def test_handing_on_counts_for_nothing(company: Company) -> None:
    declare_big(company)
    assert company.answer(worded(company, entity="budget:big"), kind="escalate").escalated
    Feedback(company.runtime)()
    assert kept(company.runtime) == []


def test_agreeing_to_what_another_changed_says_nothing_for_the_words(company: Company) -> None:
    declare_big(company)
    proposal = worded(company, entity="budget:big")
    spec: ActionSpec = proposal.actions[0].spec
    changed = company.answer(proposal, kind="modify", actions=[spec.model_copy(update={"value": 110_000})])
    assert changed.status == "pending"
    assert company.answer(changed, "ben").status == "approved"
    Feedback(company.runtime)()
    assert kept(company.runtime) == []


def test_words_stay_once_somebody_has_answered(company: Company) -> None:
    declare_big(company)
    proposal = company.ask("budget:big")
    assert company.answer(proposal).status == "pending"
    Enricher(company.runtime)()
    assert company.runtime.store.proposals.get(proposal.id).worded_by is None
