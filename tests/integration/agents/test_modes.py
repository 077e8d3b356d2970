"""Read-only mode: nothing is changed while it is on, nothing that people decided is lost when it is turned off."""

from __future__ import annotations

from typing import Any

from agents.modes import set_read_only, stop
from domain.lifecycle import held, next_move


def switch(company: Any, on: bool) -> None:
    set_read_only(company.runtime, on, company.person("emma"), "incident")


def test_what_is_approved_waits_and_then_happens(company: Any) -> None:
    proposal = company.ask()
    switch(company, on=True)
    company.answer(proposal)
    company.work(hours=1)
    assert (company.status(proposal), company.budget()) == ("pending", 100_000)
    switch(company, on=False)
    company.work()
    assert (company.status(proposal), company.budget()) == ("done", 115_000)


def test_proposing_goes_on_and_what_a_rule_lets_run_waits(company: Any) -> None:
    switch(company, on=True)
    asked, small = company.ask(), company.ask("budget:b", 1_050)
    company.work(hours=1)
    assert (asked.status, small.status, company.status(small)) == ("pending", "approved", "pending")
    switch(company, on=False)
    company.work()
    assert (company.status(small), company.budget("budget:b")) == ("done", 105_000)


def test_arguments_can_be_changed_meanwhile(company: Any) -> None:
    proposal = company.ask()
    switch(company, on=True)
    changed = company.answer(proposal, kind="modify", actions=(company.budget_spec("budget:a", 1_180),))
    assert changed.status == "approved"
    switch(company, on=False)
    company.work()
    assert company.budget() == 118_000


def test_an_approval_is_not_carried_out_long_after_its_time(company: Any) -> None:
    proposal = company.ask()
    switch(company, on=True)
    company.answer(proposal)
    company.work(hours=49)
    assert company.status(proposal) == "denied"
    assert "read-only" in company.action(proposal).detail
    switch(company, on=False)
    company.work()
    assert company.budget() == 100_000


def test_drift_meanwhile_voids_it(company: Any) -> None:
    proposal = company.ask()
    switch(company, on=True)
    company.answer(proposal)
    company.somebody_sets("budget:a", 900)
    switch(company, on=False)
    company.work()
    assert (company.status(proposal), company.budget()) == ("drifted", 90_000)


def test_what_had_begun_waits_until_it_can_be_finished(company: Any) -> None:
    proposal = company.answer(company.ask())
    action, now = company.action(proposal), company.clock.now()
    begun = action.model_copy(update={"status": "executing"})
    held_move = held(next_move(proposal, begun, now), proposal, begun, now)
    assert (held_move.kind, held_move.until) == ("wait", None)
    company.work()


def test_the_kill_switch_drops_what_waits_and_what_was_approved(company: Any) -> None:
    waits, agreed = company.ask(), company.ask("budget:b", 1_150)
    company.answer(agreed)
    dropped = stop(company.runtime, company.person("ana"), "incident")
    assert (dropped.proposals, dropped.actions, dropped.begun) == (1, 2, 0)
    company.work(hours=1)
    switch(company, on=False)
    company.work(hours=1)
    assert company.runtime.store.proposals.get(waits.id).status == "void"
    assert [company.status(each) for each in (waits, agreed)] == ["denied", "denied"]
    assert (company.budget(), company.budget("budget:b")) == (100_000, 100_000)
    assert "stopped by ana: incident" in company.action(agreed).detail


def test_stopping_twice_is_stopping_once(company: Any) -> None:
    company.answer(company.ask())
    stop(company.runtime, company.person("ana"), "incident")
    again = stop(company.runtime, company.person("ana"), "incident")
    assert (again.proposals, again.actions, again.begun) == (0, 0, 0)
