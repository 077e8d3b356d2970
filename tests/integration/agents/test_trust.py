"""A rule earns and loses trust through the real store, and only for the actions it already spoke of."""

from __future__ import annotations

from typing import Any, cast

from agents.undo import undo
from domain.outcomes import Outcome, OutcomeVerdict
from domain.trust import AGREED_TO_RISE, WORKED_TO_RISE

TRUSTED = """
rules:
  - {id: steps, match: {kind: ads.budget.set, delta_abs_max: 200}, verdict: ask, roles: [search_owner],
     trust: {min: ask, max: notify}}
"""


def begin(company: Any, rules: str = TRUSTED) -> None:
    company.policy.write_text(rules, encoding="utf-8")


def approved(company: Any, budget: str = "budget:a") -> Any:
    """One more step up, decided and done."""
    now = company.budget(budget) // 100
    proposal = company.ask(budget, now + 10)
    if proposal.status == "pending":
        company.answer(proposal)
    company.work(hours=25)
    assert company.status(proposal) == "done"
    return company.runtime.store.proposals.get(proposal.id)


def measured(company: Any, proposal: Any, verdict: OutcomeVerdict) -> None:
    action = company.action(proposal)
    outcome = Outcome(
        id=f"out_{action.id}",
        proposal=proposal.id,
        action=action.id,
        situation=proposal.situation,
        kind=action.spec.kind,
        entities=(action.spec.entity,),
        metric="revenue",
        verdict=verdict,
        currency="EUR",
        measured_at=company.clock.now(),
        method="synthetic_control",
        detail="told by the test",
    )
    assert company.runtime.store.outcomes.add(outcome)


def level(company: Any) -> str:
    return cast("str", company.runtime.track_record.levels(company.runtime.policies.current())["steps"])


def risen(company: Any) -> None:
    begin(company)
    for _ in range(WORKED_TO_RISE):
        measured(company, approved(company), OutcomeVerdict.WORKED)
    assert level(company) == "notify"


def test_what_worked_three_times_runs_by_itself_and_people_are_told(company: Any) -> None:
    risen(company)
    proposal = company.ask("budget:b", 1_010)
    assert (proposal.verdict.kind, proposal.verdict.notify, proposal.status) == ("auto", ("search_owner",), "approved")
    assert proposal.actions[0].authorised_by == "rule:steps"


def test_harm_takes_the_trust_back_before_what_is_under_way_is_done(company: Any) -> None:
    risen(company)
    last = approved(company)
    proposal = company.ask("budget:b", 1_010)
    measured(company, last, OutcomeVerdict.HARMFUL)
    company.work(hours=1)
    assert (level(company), company.status(proposal), company.budget("budget:b")) == ("ask", "denied", 100_000)
    assert "now it must be asked" in company.action(proposal).detail


def test_an_undo_costs_a_level(company: Any) -> None:
    risen(company)
    undo(company.runtime, company.action(approved(company)).id, company.person("ana"), "wrong")
    company.work(hours=1)
    assert level(company) == "ask"


def test_an_undo_counts_from_when_it_happened_and_taking_it_back_costs_nothing_more(company: Any) -> None:
    begin(company, TRUSTED.replace("max: notify", "max: silent"))
    done = approved(company)
    for _ in range(WORKED_TO_RISE * 2):
        measured(company, approved(company, "budget:b"), OutcomeVerdict.WORKED)
    assert level(company) == "silent"
    shown = company.budget() // 100
    undo(company.runtime, company.action(done).id, company.person("ana"), "wrong")
    company.somebody_sets("budget:a", 1_300)  # the first try finds another state
    company.work(hours=1)
    company.somebody_sets("budget:a", shown)
    again = undo(company.runtime, company.action(done).id, company.person("ana"), "wrong")
    company.work(hours=1)
    assert level(company) == "notify"
    undo(company.runtime, again.id, company.person("ana"), "it was right")
    company.work(hours=1)
    assert level(company) == "notify"


def test_widening_a_rule_begins_its_trust_anew(company: Any) -> None:
    risen(company)
    begin(company, TRUSTED.replace("delta_abs_max: 200", "delta_abs_max: 2000"))
    assert level(company) == "ask"
    begin(company)
    assert level(company) == "notify"


def test_unchanged_approvals_count_where_nothing_can_be_measured(company: Any) -> None:
    begin(company)
    for _ in range(AGREED_TO_RISE - 1):
        approved(company)
    assert level(company) == "ask"
    approved(company)
    assert level(company) == "notify"


def test_a_new_process_finds_the_same_levels(company: Any) -> None:
    risen(company)
    record = type(company.runtime.track_record)(company.runtime.store, company.runtime.policy_history)
    assert record.levels(company.runtime.policies.current()) == {"steps": "notify"}
