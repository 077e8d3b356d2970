"""From an answer to an effect: every way an action may end, each exactly as authorised."""

from __future__ import annotations

from threading import Thread
from typing import Any

import pytest

from agents.undo import undo
from connectors.sandbox.faults import Fault
from domain.actions import ActionSpec
from domain.errors import Conflict, Forbidden, InputError

POLICY_WITHOUT_LARGE = """
rules:
  - {id: nothing, match: {kind: ads.budget.set}, verdict: deny, reason: sale season}
"""


def test_what_is_approved_is_done_and_read_back(company: Any) -> None:
    proposal = company.ask()
    assert proposal.status == "pending"
    company.work()
    assert company.budget() == 100_000
    answered = company.answer(proposal)
    company.work()
    action = company.action(proposal)
    assert (action.status, action.receipt.read_back["ads.budget.set"]) == ("done", 115_000)
    assert action.authorised_by == answered.decisions[0].id
    assert action.state_before == 100_000
    assert company.budget() == 115_000


def test_a_rule_lets_small_steps_run_by_themselves(company: Any) -> None:
    proposal = company.ask(to=1_050)
    company.work()
    action = company.action(proposal)
    assert (action.status, action.authorised_by, company.budget()) == ("done", "rule:small", 105_000)


def test_what_policy_denies_is_void_and_stays_undone(company: Any) -> None:
    proposal = company.ask("budget:frozen", 1_010)
    company.work()
    assert (proposal.status, proposal.verdict.rule) == ("void", "never")
    assert company.status(proposal) == "denied"
    with pytest.raises(Conflict):
        company.answer(proposal)


def test_rejected_and_expired_proposals_never_happen(company: Any) -> None:
    rejected, forgotten = company.ask(), company.ask("budget:b")
    assert company.answer(rejected, kind="reject", reason="no").status == "rejected"
    company.work(hours=49)
    assert company.status(rejected) == "denied"
    assert company.runtime.store.proposals.get(forgotten.id).status == "expired"
    assert company.status(forgotten) == "denied"
    with pytest.raises(Conflict, match="expired"):
        company.answer(forgotten)


def test_drift_after_the_approval_voids_the_action(company: Any) -> None:
    proposal = company.ask()
    company.answer(proposal)
    company.somebody_sets("budget:a", 900)
    company.work()
    action = company.action(proposal)
    assert (action.status, company.budget()) == ("drifted", 90_000)
    assert "90000" in action.detail


def test_drift_seen_by_the_tool_alone_voids_the_action_too(company: Any) -> None:
    company.told("entity.declared", id="campaign:x", name="X", attrs={"status": "active"})
    # What it is now is not known to the proposal, so that only the tool finds out that something is set already.
    proposal = company.wish(ActionSpec(kind="ads.status.set", entity="campaign:x", value="paused"))
    company.answer(proposal, "emma")
    company.work()
    action = company.action(proposal)
    assert (action.status, action.state_before) == ("drifted", "active")
    assert company.runtime.tools.host().read("campaign:x")["ads.status.set"] == "active"


def test_drift_before_the_approval_is_told_to_the_person(company: Any) -> None:
    proposal = company.ask()
    company.somebody_sets("budget:a", 900)
    with pytest.raises(Conflict, match="another state"):
        company.answer(proposal)
    company.work()
    assert (company.runtime.store.proposals.get(proposal.id).status, company.status(proposal)) == ("void", "denied")


def test_a_timeout_after_the_write_is_confirmed_by_reading_back(company: Any) -> None:
    company.break_tool(Fault.TIMEOUT_AFTER_WRITE)
    proposal = company.ask(to=1_050)
    company.work()
    assert (company.status(proposal), company.budget()) == ("done", 105_000)


def test_a_timeout_that_wrote_nothing_leaves_it_to_a_person(company: Any) -> None:
    company.break_tool(Fault.TIMEOUT_BEFORE_WRITE)
    proposal = company.ask(to=1_050)
    company.work(hours=1)
    company.work(hours=1)
    assert (company.status(proposal), company.budget()) == ("unknown", 100_000)


@pytest.mark.parametrize("native", [True, False])
def test_what_was_surely_not_written_is_tried_again(company: Any, native: bool) -> None:
    company.break_tool(Fault.TOO_MANY_REQUESTS, Fault.TOO_MANY_REQUESTS, native=native)
    proposal = company.ask(to=1_050)
    company.work()
    assert (company.status(proposal), company.budget()) == ("pending", 100_000)
    company.work(hours=1)
    company.work(hours=1)
    assert (company.status(proposal), company.budget()) == ("done", 105_000)


def test_the_retry_is_judged_anew(company: Any) -> None:
    company.break_tool(Fault.TOO_MANY_REQUESTS)
    proposal = company.ask(to=1_050)
    company.work()
    company.policy.write_text(POLICY_WITHOUT_LARGE, encoding="utf-8")
    company.work(hours=1)
    assert (company.status(proposal), company.budget()) == ("denied", 100_000)


def test_what_the_tool_refuses_is_denied_with_its_words(company: Any) -> None:
    company.break_tool(Fault.EXPIRED_TOKEN)
    proposal = company.ask(to=1_050)
    company.work()
    assert (company.status(proposal), company.budget()) == ("denied", 100_000)
    assert "token has expired" in company.action(proposal).detail


def test_a_repeated_call_acts_once(company: Any) -> None:
    company.break_tool(Fault.DUPLICATE)
    proposal = company.ask(to=1_050)
    company.work()
    assert (company.status(proposal), company.budget()) == ("done", 105_000)


def test_policy_changed_after_the_decision_counts(company: Any) -> None:
    proposal = company.ask()
    company.answer(proposal)
    company.policy.write_text(POLICY_WITHOUT_LARGE, encoding="utf-8")
    company.work()
    assert (company.status(proposal), company.budget()) == ("denied", 100_000)
    assert "sale season" in company.action(proposal).detail


def test_a_freeze_told_after_the_decision_counts(company: Any) -> None:
    proposal = company.ask()
    company.answer(proposal)
    begins = company.clock.now().isoformat()
    company.told("finance.limit", scope="budget:a", kind="freeze", **{"from": begins})
    company.work()
    assert (company.status(proposal), company.budget()) == ("denied", 100_000)


def test_the_daily_limit_holds_over_several_approvals(company: Any) -> None:
    proposals = [company.ask(f"budget:{name}", 1_200) for name in ("a", "b", "c")]
    for proposal in proposals:
        company.answer(proposal)
    company.work()
    assert sorted(company.status(proposal) for proposal in proposals) == ["denied", "done", "done"]


def test_the_daily_limit_holds_for_actions_at_the_same_moment(company: Any) -> None:
    from agents.act import advance

    proposals = [company.ask(f"budget:{name}", 1_200) for name in ("a", "b", "c")]
    actions = [company.answer(proposal).actions[0].id for proposal in proposals]
    together([lambda id_=id_: advance(company.runtime, id_) for id_ in actions])
    assert sorted(company.status(proposal) for proposal in proposals) == ["denied", "done", "done"]


def test_an_entity_rests_after_a_change(company: Any) -> None:
    company.ask(to=1_050)
    company.work()
    with pytest.raises(ValueError, match="not enough values"):
        company.ask(to=1_100)
    company.work(hours=25)
    later = company.ask(to=1_100)
    company.work()
    assert company.status(later) == "done"


def test_two_different_people_make_a_quorum_of_two(company: Any) -> None:
    proposal = company.ask("budget:big", 1_100)
    first = company.answer(proposal, "ana")
    assert first.status == "pending"
    assert company.answer(proposal, "ana") == first
    company.work()
    assert company.budget("budget:big") == 100_000
    assert company.answer(proposal, "ben").status == "approved"
    company.work()
    assert company.budget("budget:big") == 110_000


def test_escalation_lets_the_superior_answer(company: Any) -> None:
    proposal = company.ask("budget:big", 1_100)
    company.work(hours=12)
    escalated = company.runtime.store.proposals.get(proposal.id)
    assert (escalated.escalated, escalated.status) == (True, "pending")
    company.answer(escalated, "chloe")
    company.answer(escalated, "ben")
    company.work()
    assert company.budget("budget:big") == 110_000


def test_a_change_by_a_person_is_judged_anew(company: Any) -> None:
    proposal = company.ask()
    wanted = company.budget_spec("budget:a", 1_180)
    changed = company.answer(proposal, kind="modify", actions=(wanted,))
    assert (changed.status, changed.actions[0].spec) == ("approved", wanted)
    for value in (1_180, 1_190):
        with pytest.raises(Conflict):
            company.answer(proposal, kind="modify", actions=(company.budget_spec("budget:a", value),))
    company.work()
    assert company.budget() == 118_000


def test_nobody_changes_an_action_into_what_others_decide(company: Any) -> None:
    proposal = company.ask()
    with pytest.raises(Forbidden, match="finance"):
        company.answer(proposal, "ana", kind="modify", actions=(company.budget_spec("budget:a", 1_300),))
    with pytest.raises(Conflict, match=r"limits\.max_step_rate"):
        company.answer(proposal, "ana", kind="modify", actions=(company.budget_spec("budget:a", 9_000),))
    with pytest.raises(InputError, match="same kinds and entities"):
        company.answer(proposal, "ana", kind="modify", actions=(company.budget_spec("budget:b", 1_100),))
    assert company.runtime.store.proposals.get(proposal.id) == proposal


def test_two_answers_at_once_are_one(company: Any) -> None:
    proposal = company.ask()
    kinds = ["approve", "reject"]
    refused = together(
        [
            lambda kind=kind, who=who: company.answer(proposal, who, kind=kind)
            for kind, who in zip(kinds, ("ana", "emma"), strict=True)
        ]
    )
    assert [type(error) for error in refused] == [Conflict]
    assert len(company.runtime.store.proposals.get(proposal.id).decisions) == 1
    company.work()


def test_a_created_task_is_recognised_after_a_silence(company: Any) -> None:
    company.told("entity.declared", id="account:acme", name="Acme", attrs={})
    task = {"title": "Send the audit", "assignee": "david", "due": "2026-03-09T00:00:00Z", "body": "SOC 2"}
    proposal = company.wish(
        ActionSpec(kind="task.create", entity="account:acme", value=task),
        expected={"value": 0, "low": 0, "high": 0, "currency": "EUR"},
    )
    company.work()
    assert company.status(proposal) == "done"


def together(calls: list[Any]) -> list[Exception]:
    """Run `calls` in threads at once; what they raised."""
    raised: list[Exception] = []

    def run(call: Any) -> None:
        try:
            call()
        except Exception as error:
            raised.append(error)

    threads = [Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def share_a_channel(company: Any) -> None:
    """Three budgets of 1,000 below one channel."""
    company.told("entity.declared", id="channel:paid", name="Paid")
    for name in ("a", "b", "c"):
        attrs = {"daily_budget": 1_000, "currency": "EUR"}
        company.told("entity.declared", id=f"budget:{name}", name=name, parent="channel:paid", attrs=attrs)


def cap(company: Any, amount: int) -> None:
    since = company.clock.now().isoformat()
    company.told("finance.limit", scope="channel:paid", kind="cap", amount=amount, currency="EUR", **{"from": since})


def test_a_cap_over_a_channel_holds_as_a_sum_when_it_is_decided_and_when_it_is_done(company: Any) -> None:
    share_a_channel(company)
    steps = {"budget:a": 1_100, "budget:b": 1_100, "budget:c": 1_060}
    first, second, third = (company.ask(budget, to) for budget, to in steps.items())
    cap(company, 3_150)
    with pytest.raises(Conflict, match="together its budgets would pass it"):
        company.answer(third, kind="modify", actions=(company.budget_spec("budget:c", 1_200),))
    company.answer(first)
    company.answer(second)
    company.work(hours=1)
    assert {company.status(first), company.status(second)} == {"done", "denied"}
    assert sum(map(company.budget, steps)) == 310_000


def test_an_undo_does_not_pass_a_cap(company: Any) -> None:
    share_a_channel(company)
    cut = company.ask("budget:a", 850)
    company.answer(cut)
    company.work(hours=1)
    cap(company, 2_900)
    with pytest.raises(Conflict, match="together its budgets would pass it"):
        undo(company.runtime, company.action(cut).id, company.person("ana"), "back")
