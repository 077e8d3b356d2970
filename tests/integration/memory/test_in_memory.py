"""The in-memory store of the simulation answers every call as the real one does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings

from domain.actions import Action, ActionStatus, Receipt
from domain.decisions import DecisionKind
from domain.effects import EffectStatus
from domain.entities import EntityTree
from domain.errors import AccordError
from domain.proposals import ProposalStatus
from memory.in_memory import InMemoryStore
from memory.rounds import RoundMark
from memory.store import Store
from tests.integration.memory.conftest import Samples

MAKE = Samples()
PROPOSALS = [MAKE.proposal(number, values=(11_000, 12_000)) for number in (1, 2)]
ACTIONS = [action for proposal in PROPOSALS for action in proposal.actions]
Call = Callable[[Any], object]


def answered(call: Call) -> Call:
    """What the store says, or how it refuses."""

    def run(store: Any) -> object:
        try:
            return call(store)
        except AccordError as error:
            return type(error).__name__

    return run


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, Call]:
    proposal, action = draw(st.sampled_from(PROPOSALS)), draw(st.sampled_from(ACTIONS))
    at = MAKE.now + timedelta(hours=draw(st.integers(0, 48)))
    status, other = draw(st.sampled_from(ActionStatus)), draw(st.sampled_from(ActionStatus))
    ended = draw(st.sampled_from(EffectStatus))
    kept = draw(st.sampled_from(ProposalStatus))
    kind = draw(st.sampled_from([DecisionKind.APPROVE, DecisionKind.REJECT]))
    person = draw(st.sampled_from(["ana", "ben"]))
    fact = [MAKE.fact("tried", action.id, at=at)]
    executed = {"executed_at": at} if other is ActionStatus.DONE else {}
    key = MAKE.effect(action).idempotency_key
    receipt = Receipt(idempotency_key=key, at=at)
    undoing = action.model_copy(update={"id": f"act_undo_{action.id}", "undo_of": action.id})
    chosen: dict[str, Call] = {
        "move action": lambda s: s.actions.move(action.id, status, other, due_at=at, facts=fact, **executed),
        "set due": lambda s: s.actions.set_due(action.id, at),
        "begin": lambda s: s.effects.begin(MAKE.effect(action), facts=fact),
        "finish": lambda s: s.effects.finish(key, ended, at=at, receipt=receipt, detail="so", facts=fact),
        "move proposal": lambda s: s.proposals.move(
            proposal.id, ProposalStatus.PENDING, kept, facts=fact, detail="so", escalated=True
        ),
        "decide": lambda s: _decide(s, proposal.id, person, kind),
        "undo": lambda s: s.actions.add_undo(
            undoing, MAKE.decision(proposal, person, kind), undone=action.id, due_at=at, facts=fact
        ),
        "flag": lambda s: s.flags.set("switch", person, facts=fact),
        "torn": lambda s: _torn(s, action, at),
    }
    name = draw(st.sampled_from(sorted(chosen)))
    return name, answered(chosen[name])


def _decide(store: Any, name: str, person: str, kind: DecisionKind) -> object:
    before = store.proposals.get(name)
    decision = MAKE.decision(before, person, kind)
    status = ProposalStatus.APPROVED if kind is DecisionKind.APPROVE else ProposalStatus.REJECTED
    after = MAKE.answered(before, decision, status)
    return store.proposals.decide(before, decision, after, facts=[MAKE.fact("decided", name)]).status


def _torn(store: Any, action: Action, at: Any) -> None:
    """A transaction that is broken off leaves nothing."""
    with contextlib.suppress(ZeroDivisionError), store.alone("torn"):
        store.actions.set_due(action.id, at)
        store.flags.set("switch", "torn")
        raise ZeroDivisionError


def shown(store: Any) -> dict[str, object]:
    """Everything that the lifecycle reads."""
    names = [*(each.id for each in ACTIONS), *(f"act_undo_{each.id}" for each in ACTIONS)]
    later = MAKE.now + timedelta(hours=24)
    return {
        "proposals": [store.proposals.get(each.id) for each in PROPOSALS],
        "pending": [each.id for each in store.proposals.pending()],
        "actions": [answered(lambda s, name=name: s.actions.get(name))(store) for name in names],
        "due": store.actions.due(later),
        "waiting": sorted(store.actions.waiting()),
        "moved": store.actions.moved_since(later),
        "changes": store.actions.last_changes(),
        "effects": [store.effects.get(MAKE.effect(each).idempotency_key) for each in ACTIONS],
        "flag": store.flags.get("switch"),
    }


@settings(max_examples=12)
@given(st.lists(calls(), min_size=1, max_size=25))
def test_every_call_has_the_same_answer(steps: list[tuple[str, Call]]) -> None:
    quick = InMemoryStore(EntityTree(()))
    for proposal in PROPOSALS:
        quick.add(proposal, None, [])
    with Store.open("sqlite://", audit_key=b"-") as real:
        real.rounds.commit(RoundMark("rnd", MAKE.now, 0), previous=None, proposals=PROPOSALS)
        for name, call in steps:
            assert call(quick) == call(real), name
            assert shown(quick) == shown(real), name
        assert [fact.verb for fact in quick.tables.facts] == [row.verb for row in real.audit.rows()]
