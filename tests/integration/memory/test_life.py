"""From a round to a lesson through the store, each step by compare-and-set with its facts beside it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.actions import ActionStatus, Receipt
from domain.decisions import DecisionKind, Person
from domain.effects import EffectStatus
from domain.errors import Conflict, InputError, NotFound
from domain.proposals import ProposalStatus
from memory.rounds import RoundMark
from memory.store import Store


def commit(store: Store, make: Any, number: int = 1, **what: Any) -> bool:
    last = store.rounds.last()
    mark = RoundMark(f"rnd_{number}", make.at(hours=number), number)
    return store.rounds.commit(mark, previous=last.id if last else None, **what)


def test_a_round_follows_the_one_it_names_and_is_committed_once(store: Store, make: Any) -> None:
    assert commit(store, make, 1)
    assert not store.rounds.commit(RoundMark("rnd_2", make.now, 5), previous=None)
    assert not store.rounds.commit(RoundMark("rnd_1", make.now, 5), previous="rnd_1")
    assert commit(store, make, 2)
    assert store.rounds.last() == RoundMark("rnd_2", make.at(hours=2), 2)


def test_a_known_situation_is_renewed_a_closed_one_and_a_known_proposal_are_left(store: Store, make: Any) -> None:
    situation, proposal = make.situation(), make.proposal()
    commit(store, make, 1, situations=[situation], proposals=[proposal])
    renewed = situation.model_copy(update={"title": "Still more"})
    commit(store, make, 2, situations=[renewed], proposals=[proposal.model_copy(update={"title": "Other"})])
    assert store.situations.get(situation.id).title == "Still more"
    assert store.proposals.get(proposal.id) == proposal
    store.situations.close(situation.id, make.now)
    commit(store, make, 3, situations=[situation])
    assert store.situations.get(situation.id).status == "closed"
    assert store.situations.open() == []


def test_an_unchanged_finding_is_recognised_whatever_became_of_its_words(store: Store, make: Any) -> None:
    from memory.situations import finding_digest

    finding = make.finding()
    worded = make.situation().model_copy(update={"title": "Words of a model"})
    commit(store, make, 1, situations=[worded], findings=[finding])
    later = make.finding(seen=make.at(hours=5))
    assert store.situations.digests() == {finding.key: finding_digest(later)}
    assert finding_digest(make.finding(worth_minor=5)) != finding_digest(finding)


def test_an_answer_wakes_every_action_and_a_modified_proposal_gets_new_ones(store: Store, make: Any) -> None:
    proposal = make.proposal(values=(11_000, 12_000))
    due = {action.id: proposal.expires_at for action in proposal.actions}
    commit(store, make, 1, proposals=[proposal], due=due)
    assert store.actions.due(make.now) == []
    assert sorted(store.actions.due(proposal.expires_at)) == sorted(due)
    decision = make.decision(proposal, "ana", DecisionKind.MODIFY, make.at(hours=2))
    changed = make.proposal(values=(12_000, 13_000)).actions
    after = make.answered(proposal, decision, ProposalStatus.PENDING)
    after = after.model_copy(update={"actions": changed, "fingerprint": "f-new"})
    stored = store.proposals.decide(proposal, decision, after, facts=[make.fact("decision.recorded", proposal.id)])
    assert stored == store.proposals.get(proposal.id) == after
    assert store.actions.due(make.at(hours=2)) == sorted(action.id for action in changed)
    with pytest.raises(NotFound):
        store.actions.get(proposal.actions[0].id)
    with pytest.raises(Conflict, match="'ana' answered first"):
        store.proposals.decide(proposal, make.decision(proposal, "bob"), after)


def test_one_statement_moves_an_action_and_its_money_counts(store: Store, make: Any) -> None:
    proposal = make.proposal()
    action = proposal.actions[0]
    commit(store, make, 1, proposals=[proposal], due={action.id: make.now})
    assert store.actions.moved_since(make.at(days=-1)) == 0
    begun = [make.fact("action.begun", action.id)]
    assert store.actions.move(action.id, ActionStatus.PENDING, ActionStatus.EXECUTING, due_at=make.now, facts=begun)
    assert not store.actions.move(action.id, ActionStatus.PENDING, ActionStatus.DENIED, due_at=None, facts=begun)
    assert store.actions.moved_since(make.at(days=30)) == 2_000
    receipt = Receipt(idempotency_key=action.idempotency_key, at=make.now, read_back={"budget": [1, 2]})
    measure_at = make.at(days=14)
    done: dict[str, Any] = {"receipt": receipt, "executed_at": make.now, "measure_at": measure_at}
    assert store.actions.move(action.id, ActionStatus.EXECUTING, ActionStatus.DONE, due_at=measure_at, **done)
    stored = store.actions.get(action.id)
    assert (stored.status, stored.receipt, stored.measure_at) == (ActionStatus.DONE, receipt, measure_at)
    assert store.actions.moved_since(make.at(hours=-24)) == 2_000
    assert store.actions.moved_since(make.at(hours=1)) == 0
    assert store.actions.last_changes() == {"budget:b1": make.now}
    assert (store.actions.waiting(), store.actions.unmeasured()) == ([action.id], 1)
    assert store.outcomes.add(make.outcome(action), make.lesson(make.outcome(action)), facts=begun)
    assert not store.outcomes.add(make.outcome(action), None, facts=begun)
    assert store.actions.waiting() == []
    assert store.outcomes.lessons()["demand:brand-search"].factor == 1.1
    assert store.audit.verify().rows == 2


def test_an_effect_is_begun_once_and_its_end_is_kept(store: Store, make: Any) -> None:
    action = make.proposal().actions[0]
    effect = make.effect(action)
    assert store.effects.begin(effect, facts=[make.fact("effect.started", action.id)])
    assert [each.id for each in store.effects.unfinished()] == [effect.id]
    receipt = Receipt(idempotency_key=effect.idempotency_key, at=make.now)
    store.effects.finish(effect.idempotency_key, EffectStatus.CONFIRMED, at=make.now, receipt=receipt)
    ended = store.effects.get(effect.idempotency_key)
    assert ended is not None
    assert (ended.status, ended.receipt) == (EffectStatus.CONFIRMED, receipt)
    assert store.effects.unfinished() == []
    assert not store.effects.begin(effect)


def test_an_answer_keeps_what_else_changed_meanwhile(store: Store, make: Any) -> None:
    proposal = make.proposal()
    commit(store, make, 1, proposals=[proposal])
    pending = ProposalStatus.PENDING
    store.proposals.move(proposal.id, pending, pending, escalated=True)
    store.proposals.reword(proposal.id, title="Better", why="said")
    decision = make.decision(proposal, "ana")
    after = make.answered(proposal, decision, ProposalStatus.REJECTED)
    stored = store.proposals.decide(proposal, decision, after)
    assert (stored.title, stored.escalated, stored.status) == ("Better", True, ProposalStatus.REJECTED)


def test_an_expired_proposal_wakes_its_other_actions(store: Store, make: Any) -> None:
    proposal = make.proposal(values=(11_000, 12_000))
    commit(store, make, 1, proposals=[proposal])
    expired = make.fact("proposal.expired", proposal.id, at=proposal.expires_at)
    moved = store.proposals.move(
        proposal.id, ProposalStatus.PENDING, ProposalStatus.EXPIRED, facts=[expired], detail="nobody answered"
    )
    assert moved
    assert len(store.actions.due(proposal.expires_at)) == 2
    assert store.proposals.get(proposal.id).detail == "nobody answered"
    assert not store.proposals.move(proposal.id, ProposalStatus.PENDING, ProposalStatus.VOID)


def test_pages_are_stable_while_rows_are_added(store: Store, make: Any) -> None:
    commit(store, make, 1, proposals=[make.proposal(number) for number in range(5)])
    first = store.proposals.page(status="pending", limit=2)
    commit(store, make, 2, proposals=[make.proposal(9)])
    second = store.proposals.page(status="pending", limit=2, cursor=first.next)
    shown = [proposal.fingerprint for proposal in (*first.items, *second.items)]
    assert shown == ["f4", "f3", "f2", "f1"]
    wrongs: list[dict[str, Any]] = [{"limit": 0}, {"cursor": "nonsense"}, {"cursor": "é"}]
    for wrong in wrongs:
        with pytest.raises(InputError):
            store.proposals.page(**wrong)


def test_a_key_opens_until_it_is_revoked_and_its_secret_is_nowhere(store: Store, make: Any) -> None:
    name, secret = store.keys.create("ci", "ana", ["read", "decide"], make.now)
    found = store.keys.find(secret, make.now)
    assert found is not None
    assert (found.id, found.person, found.scopes) == (name, "ana", ("decide", "read"))
    assert store.keys.find(secret + "x", make.now) is None
    assert secret not in repr(store.keys.page().items)
    later = make.at(hours=1)
    store.keys.revoke(name, later)
    assert (store.keys.find(secret, later), store.keys.is_live(name, later), store.keys.count()) == (None, False, 1)


def test_flags_and_people_are_replaced(store: Store) -> None:
    assert store.flags.get("read_only", default=False) is False
    store.flags.set("read_only", [1, {"a": "é"}])
    store.flags.set("read_only", True)
    assert store.flags.get("read_only") is True
    store.people.put(Person(id="ana", roles=frozenset({"finance"})))
    store.people.put(Person(id="ana", roles=frozenset({"admin"})))
    assert store.people.get("ana") == Person(id="ana", roles=frozenset({"admin"}))
    assert store.people.get("bob") is None


def test_calls_are_charged_to_every_scope_of_their_month(store: Store, make: Any) -> None:
    from providers.ledger import CallRecord, Posting
    from providers.types import Outcome

    def call(number: int, **fields: Any) -> Posting:
        given: dict[str, Any] = {
            "id": f"call_{number}",
            "task": "explain",
            "key": None,
            "provider": "local",
            "model": "m",
            "data_class": "internal",
            "at": make.now,
            "outcome": Outcome.ANSWERED,
            "error_code": None,
            "usage": None,
            "cost_nano": None,
            "currency": None,
            "charged_nano": 10,
            "latency_s": 0.1,
        }
        record = CallRecord.model_construct(**{**given, **fields})
        scopes = ("all", f"provider:{record.provider}", f"task:{record.task}", f"key:{record.key}")
        return Posting(record.id, record.at, record.provider, record.task, record.key, scopes, call=record)

    old = call(1, at=make.now - timedelta(days=40), charged_nano=1)
    store.calls.write([old, call(2), call(2), call(3, provider="other", key="key_1")])
    store.calls.write([call(2), call(4, task="chat")])
    scopes = ("all", "provider:local", "task:explain", "key:key_1", "key:none")
    assert [store.calls.charged_nano(scope, "2026-03") for scope in scopes] == [30, 20, 20, 10, 0]
    assert store.calls.charged_nano("all", "2026-01") == 1
    totals = store.calls.totals()
    assert (totals.calls, totals.cost_nano, totals.providers) == (4, 31, ("local", "other"))
    assert [each["id"] for each in store.calls.page(limit=1).items] == ["call_4"]
    assert [each["id"] for each in store.calls.in_month("2026-03")] == ["call_2", "call_3", "call_4"]
    with pytest.raises(InputError, match="2026-11"):
        list(store.calls.in_month("March"))
