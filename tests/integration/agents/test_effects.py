"""Effects at the edge: the dry run, a tool that shows something else, a person's word, and rights to write."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from agents.settle import settle_by_person
from agents.tools import Tools
from agents.undo import undo
from agents.vault import Vault
from connectors.contract import Actuator
from connectors.sandbox.faults import Fault
from domain.actions import Action, ActionSpec, ActionStatus, Receipt
from domain.effects import Effect
from domain.errors import Conflict, Forbidden, InputError, TerminalError
from domain.proposals import Proposal


def settled(company: Any, action: Action, person: str = "emma", *, happened: bool, reason: str = "I saw it") -> Action:
    return settle_by_person(company.runtime, action.id, happened=happened, person=company.person(person), reason=reason)


@pytest.fixture
def unknown(company: Any) -> Proposal:
    """An action of which the tool neither confirmed nor denied anything."""
    company.break_tool(Fault.TIMEOUT_BEFORE_WRITE)
    proposal = company.ask(to=1_050)
    company.work()
    assert company.status(proposal) == "unknown"
    return proposal


class Wrapped:
    """A tool with one thing about it changed."""

    def __init__(self, inner: Actuator) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class Strict(Wrapped):
    def validate(self, action: ActionSpec) -> None:
        raise TerminalError("The tool refused: the account is closed. Open it.")


class Forgetful(Wrapped):
    """Confirms and does not do it."""

    def apply(self, action: ActionSpec, idempotency_key: str) -> Receipt:
        return Receipt(idempotency_key=idempotency_key, at=NOW, vendor_id="it-says-so")


NOW = datetime(2026, 3, 4, 9, tzinfo=UTC)


def wire(company: Any, **changes: Any) -> None:
    ads = company.runtime.tools.connectors["ads"]
    company.rewire(tools={**company.runtime.tools.connectors, "ads": replace(ads, **changes)})


def test_a_refused_dry_run_writes_nothing_and_keeps_the_reason(company: Any) -> None:
    wire(company, actuator=Strict(company.runtime.tools.connectors["ads"].actuator))
    proposal = company.ask(to=1_050)
    company.work()
    assert (company.status(proposal), company.budget()) == ("denied", 100_000)
    assert "account is closed" in company.action(proposal).detail
    assert company.runtime.store.effects.page().items == ()


def test_a_tool_that_confirms_and_shows_otherwise_is_asked_about(company: Any) -> None:
    wire(company, actuator=Forgetful(company.runtime.tools.connectors["ads"].actuator))
    proposal = company.ask(to=1_050)
    company.work()
    assert company.status(proposal) == "executing"
    company.work(minutes=11)
    assert company.status(proposal) == "unknown"
    assert "confirmed it, but shows 100000" in company.action(proposal).detail


def test_a_tool_that_is_slow_to_show_is_believed_when_it_does(company: Any) -> None:
    company.break_tool(Fault.STALE_READ)
    proposal = company.ask(to=1_050)
    company.work()
    assert company.status(proposal) == "executing"
    company.work(minutes=1)
    assert (company.status(proposal), company.budget()) == ("done", 105_000)


def test_what_happened_is_done_by_a_persons_word(company: Any, unknown: Proposal) -> None:
    company.somebody_sets("budget:a", 1_050)
    action = settled(company, unknown.actions[0], happened=True)
    assert (action.status, action.executed_at) == (ActionStatus.DONE, company.clock.now())
    assert action.receipt is not None
    assert "'emma' looked into the tool" in str(action.receipt.detail)
    company.work(hours=1)
    undo(company.runtime, action.id, company.person("emma"), "")
    company.work()
    assert company.budget() == 100_000


def test_what_did_not_happen_is_denied_and_stays_undone(company: Any, unknown: Proposal) -> None:
    action = settled(company, unknown.actions[0], happened=False)
    company.work(hours=1)
    assert (company.status(unknown), company.budget()) == ("denied", 100_000)
    with pytest.raises(Conflict, match="denied"):
        settled(company, action, happened=True)


def test_a_word_needs_a_reason_and_an_unknown_action(company: Any, unknown: Proposal) -> None:
    with pytest.raises(InputError):
        settled(company, unknown.actions[0], happened=True, reason=" ")
    done = company.ask("budget:b", 1_050)
    company.work()
    with pytest.raises(Conflict, match="done"):
        settled(company, company.action(done), happened=False)


def test_who_may_not_approve_may_not_settle(company: Any) -> None:
    company.break_tool(Fault.TIMEOUT_BEFORE_WRITE)
    proposal = company.answer(company.ask())
    company.work()
    with pytest.raises(Forbidden):
        settled(company, proposal.actions[0], "ben", happened=True)


def test_an_undo_under_a_freeze_says_why_not(company: Any) -> None:
    company.told("entity.declared", id="campaign:x", name="X", attrs={"status": "active"})
    spec = ActionSpec(kind="ads.status.set", entity="campaign:x", value="paused", expect="active")
    proposal = company.answer(company.wish(spec), "emma")
    company.work()
    company.told("finance.limit", scope="campaign:x", kind="freeze", **{"from": company.clock.now().isoformat()})
    with pytest.raises(Conflict, match=r"stays 'paused'.*finance\.limit"):
        undo(company.runtime, proposal.actions[0].id, company.person("emma"), "")


def test_after_its_window_an_action_is_not_undone(company: Any) -> None:
    proposal = company.ask(to=1_050)
    company.work()
    company.work(days=31)
    with pytest.raises(Conflict, match="30 days"):
        undo(company.runtime, proposal.actions[0].id, company.person("emma"), "")


class Locked(Wrapped):
    """Reads freely; writes only when it was made with the secret."""

    def __init__(self, inner: Actuator, seen: list[str], token: str | None = None) -> None:
        super().__init__(inner)
        self._seen, self._token = seen, token

    def apply(self, action: ActionSpec, idempotency_key: str) -> Receipt:
        assert self._token == "rights", "no rights to write"
        self._seen.append(action.kind)
        return self.inner.apply(action, idempotency_key)


def test_rights_to_write_are_released_for_an_authorised_call_alone(company: Any) -> None:
    asked: list[str] = []
    seen: list[str] = []

    def read(variable: str) -> str:
        asked.append(variable)
        return "rights"

    ads = company.runtime.tools.connectors["ads"]
    locked = Locked(ads.actuator, seen)
    unlockable = replace(ads, actuator=locked, unlock=lambda given: Locked(ads.actuator, seen, given["token"]))
    vault = Vault({"ads": {"token": "ADS_TOKEN"}}, read)
    connectors = {**company.runtime.tools.connectors, "ads": unlockable}
    company.runtime = replace(company.runtime, tools=Tools(connectors, {}, company.runtime.tools.host(), vault))
    company.runtime.start()

    proposal = company.ask()
    company.runtime.tools.preview(proposal.actions[0].spec)
    company.runtime.tools.validate(proposal.actions[0].spec)
    company.work()
    assert asked == [], "proposing, previewing and waiting read no secret"
    company.answer(proposal)
    company.work()
    assert (company.status(proposal), asked, seen) == ("done", ["ADS_TOKEN"], ["ads.budget.set"])

    action = company.action(proposal)
    effect = company.runtime.store.effects.get(action.idempotency_key)
    begun = effect.model_copy(update={"status": "started"})
    executing = action.model_copy(update={"status": ActionStatus.EXECUTING})
    forged: tuple[tuple[Action, Effect], ...] = (
        (action, begun),
        (executing, effect),
        (executing.model_copy(update={"authorised_by": None}), begun),
        (executing, begun.model_copy(update={"argument_hash": "0" * 64})),
        (executing, begun.model_copy(update={"authorised_by": "rule:other"})),
    )
    for one, other in forged:
        with pytest.raises(Forbidden):
            vault.release("ads", one, other)
    assert asked == ["ADS_TOKEN"]
