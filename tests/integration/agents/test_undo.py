"""Undo: what was recorded is set back once, unless somebody else changed it since."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread
from typing import Any

import pytest

from agents.delegations import Absence, delegate
from agents.modes import set_read_only
from agents.undo import undo
from connectors.sandbox.faults import Fault
from domain.actions import Action
from domain.errors import Conflict, Forbidden
from domain.proposals import Proposal


@pytest.fixture
def done(company: Any) -> Proposal:
    """An approved and executed raise of budget:a from 1,000 to 1,150."""
    proposal = company.answer(company.ask())
    company.work()
    assert company.status(proposal) == "done"
    return proposal


def undone(company: Any, action: str, person: str = "ana") -> Action:
    return undo(company.runtime, action, company.person(person), "changed our mind")


def status(company: Any, action: Action) -> str:
    return company.runtime.store.actions.get(action.id).status.value


def test_an_undo_restores_what_was_there_before(company: Any, done: Proposal) -> None:
    undoing = undone(company, done.actions[0].id)
    company.work(minutes=5)
    assert (status(company, undoing), company.status(done), company.budget()) == ("done", "compensated", 100_000)
    assert undoing.undo_of == done.actions[0].id
    with pytest.raises(Conflict):
        undone(company, done.actions[0].id)


def test_an_undo_can_be_undone_and_that_again(company: Any, done: Proposal) -> None:
    last, shown = done.actions[0].id, []
    for _ in range(3):
        last = undone(company, last).id
        company.work(minutes=5)
        shown.append(company.budget())
    assert shown == [100_000, 115_000, 100_000]
    actions = company.runtime.store.proposals.get(done.id).actions
    assert [action.status for action in actions] == ["compensated", "compensated", "compensated", "done"]


def test_an_undo_refuses_when_somebody_changed_it_since(company: Any, done: Proposal) -> None:
    company.somebody_sets("budget:a", 1_300)
    with pytest.raises(Conflict, match="somebody changed it since"):
        undone(company, done.actions[0].id)
    assert company.budget() == 130_000


def test_drift_on_the_way_to_an_undo_voids_it_and_it_may_be_tried_again(company: Any, done: Proposal) -> None:
    first = undone(company, done.actions[0].id)
    company.somebody_sets("budget:a", 1_300)
    company.work()
    assert (status(company, first), company.budget(), company.status(done)) == ("drifted", 130_000, "done")
    company.somebody_sets("budget:a", 1_150)
    second = undone(company, done.actions[0].id)
    company.work()
    assert (status(company, second), company.budget(), company.status(done)) == ("done", 100_000, "compensated")


def test_an_undo_that_the_tool_refused_may_be_tried_again(company: Any, done: Proposal) -> None:
    company.break_tool(Fault.EXPIRED_TOKEN)
    first = undone(company, done.actions[0].id)
    company.work()
    second = undone(company, done.actions[0].id)
    company.work()
    assert (status(company, first), status(company, second), company.budget()) == ("denied", "done", 100_000)


def test_only_who_could_approve_may_undo(company: Any, done: Proposal) -> None:
    with pytest.raises(Forbidden):
        undone(company, done.actions[0].id, "ben")


def test_who_stands_in_for_somebody_away_may_undo(company: Any, done: Proposal) -> None:
    absence = Absence("ana", "ben", until=company.clock.now() + timedelta(days=2))
    delegate(company.runtime, absence, company.person("ana"))
    undone(company, done.actions[0].id, "ben")
    company.work()
    last = company.runtime.store.proposals.get(done.id).decisions[-1]
    assert (last.by, last.on_behalf_of, company.budget()) == ("ben", "ana", 100_000)


def test_two_undos_at_once_are_one(company: Any, done: Proposal) -> None:
    made: list[Action] = []
    refused: list[Conflict] = []

    def ask(person: str) -> None:
        try:
            made.append(undone(company, done.actions[0].id, person))
        except Conflict as error:
            refused.append(error)

    threads = [Thread(target=ask, args=(person,)) for person in ("ana", "emma", "ana")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    company.work()
    assert (len(made), len(refused), company.budget()) == (1, 2, 100_000)


def test_nothing_is_undone_while_read_only(company: Any, done: Proposal) -> None:
    set_read_only(company.runtime, True, company.person("emma"), "incident")
    with pytest.raises(Conflict, match="read-only"):
        undone(company, done.actions[0].id)
    assert company.budget() == 115_000
