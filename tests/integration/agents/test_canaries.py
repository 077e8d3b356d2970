"""A canary goes the way of every proposal up to the answer; then nothing happens, and it is counted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agents.attention import attention
from agents.reason import run_round
from agents.settings import ApprovalSettings
from domain.proposals import Proposal


def with_canary(company: Any) -> tuple[Proposal, Proposal]:
    """The real proposal and its canary, the rate being one for all."""
    settings = company.runtime.settings.model_copy(
        update={"approvals": ApprovalSettings.model_construct(canary_rate=1)}
    )
    company.runtime = replace(company.runtime, settings=settings)
    company.wishes.add(company.budget_spec("budget:a", 1_150))
    real, canary = map(company.runtime.store.proposals.get, run_round(company.runtime).proposed)
    return real, canary


def test_an_approved_canary_changes_nothing_and_is_counted_as_missed(company: Any) -> None:
    real, canary = with_canary(company)
    told = company.answer(canary)
    company.answer(real)
    company.work(hours=1)
    assert (told.status, company.status(canary), company.budget()) == ("void", "denied", 115_000)
    assert "test of attention" in told.detail
    (ana,) = attention(company.runtime, 30)
    assert (ana.person, ana.answers, ana.canaries, ana.canaries_caught, ana.approve_rate) == ("ana", 2, 1, 0, 1.0)


def test_a_refused_canary_is_counted_as_caught_and_not_as_a_refusal(company: Any) -> None:
    _, canary = with_canary(company)
    company.answer(canary, kind="reject", reason="the title says raise")
    (ana,) = attention(company.runtime, 30)
    assert (ana.canaries, ana.canaries_caught, ana.approve_rate) == (1, 1, 0.0)


def test_a_canary_keeps_nothing_else_from_being_proposed(company: Any) -> None:
    real, _ = with_canary(company)
    company.answer(real, kind="reject")
    company.work(hours=1)
    company.wishes.add(company.budget_spec("budget:a", 1_140))
    assert len(run_round(company.runtime).proposed) == 2


def test_without_a_rate_there_are_none(company: Any) -> None:
    company.ask()
    assert len(company.runtime.store.proposals.pending()) == 1
