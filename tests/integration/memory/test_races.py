"""Many at once on one thing: one is first, everybody else is told so, and the audit stays one chain."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

from domain.actions import ActionStatus
from domain.decisions import DecisionKind
from domain.errors import Conflict
from domain.proposals import ProposalStatus
from memory.rounds import RoundMark
from memory.store import Store

T = TypeVar("T")
RACERS = 8


def race(run: Callable[[int], T]) -> list[T]:
    """`run(0)` … `run(7)`, each in a thread of its own, started together."""
    gate = Barrier(RACERS)

    def start(number: int) -> T:
        gate.wait()
        return run(number)

    with ThreadPoolExecutor(RACERS) as pool:
        return list(pool.map(start, range(RACERS)))


def test_of_two_answers_one_counts(store: Store, make: Any) -> None:
    proposal = make.proposal()
    store.rounds.commit(RoundMark("rnd_1", make.now, 0), previous=None, proposals=[proposal])

    def answer(number: int) -> str:
        kind = DecisionKind.REJECT if number % 2 else DecisionKind.APPROVE
        status = ProposalStatus.REJECTED if number % 2 else ProposalStatus.APPROVED
        decision = make.decision(proposal, f"person{number}", kind)
        fact = make.fact("decision.recorded", proposal.id)
        try:
            store.proposals.decide(proposal, decision, make.answered(proposal, decision, status), facts=[fact])
        except Conflict as refused:
            return refused.detail
        return "won"

    said = race(answer)
    stored = store.proposals.get(proposal.id)
    assert said.count("won") == 1
    assert len(stored.decisions) == 1
    winner = stored.decisions[0].by
    assert said.index("won") == int(winner.removeprefix("person"))
    assert all(f"'{winner}' answered first" in each for each in said if each != "won")
    assert len(list(store.audit.rows())) == 1


def test_a_move_an_effect_an_outcome_and_a_round_happen_once(store: Store, make: Any) -> None:
    proposal = make.proposal()
    action = proposal.actions[0]
    mark = RoundMark("rnd_1", make.now, 0)
    rounds = race(lambda _: store.rounds.commit(mark, previous=None, proposals=[proposal]))
    pending, executing = ActionStatus.PENDING, ActionStatus.EXECUTING
    moves = race(lambda _: store.actions.move(action.id, pending, executing, due_at=make.now))
    effects = race(lambda _: store.effects.begin(make.effect(action), facts=[make.fact("effect.started", action.id)]))
    outcomes = race(lambda _: store.outcomes.add(make.outcome(action), make.lesson(make.outcome(action))))
    assert [each.count(True) for each in (rounds, moves, effects, outcomes)] == [1, 1, 1, 1]
    assert len(store.outcomes.lesson_page().items) == 1


def test_one_undo_of_two(store: Store, make: Any) -> None:
    proposal = make.proposal()
    action = proposal.actions[0]
    store.rounds.commit(RoundMark("rnd_1", make.now, 0), previous=None, proposals=[proposal])
    store.actions.move(action.id, ActionStatus.PENDING, ActionStatus.DONE, due_at=None, executed_at=make.now)

    def undo(number: int) -> bool:
        back = make.spec().model_copy(update={"value": 10_000, "expect": 12_000})
        undoing = action.model_copy(update={"id": f"act_undo{number}", "spec": back, "undo_of": action.id})
        decision = make.decision(proposal, f"person{number}", DecisionKind.APPROVE)
        try:
            store.actions.add_undo(undoing, decision, undone=action.id, due_at=make.now)
        except Conflict:
            return False
        return True

    assert race(undo).count(True) == 1
    undoing = store.actions.page(limit=1).items[0]
    assert store.actions.get(action.id).status is ActionStatus.DONE
    store.actions.move(undoing.id, ActionStatus.PENDING, ActionStatus.DONE, due_at=None, executed_at=make.now)
    assert store.actions.get(action.id).status is ActionStatus.COMPENSATED


def test_threads_that_write_and_read_keep_every_signal_in_one_chain(store: Store, make: Any) -> None:
    def work(number: int) -> int:
        for part in range(5):
            batch = [make.point(f"p{number}.{part}.{i}", float(i), entity=f"campaign:c{i}") for i in range(10)]
            store.signals.add([*batch, make.point(f"shared{part}", 1.0)])
            store.audit.append(make.fact("batch.added", f"worker{number}"))
        return len(list(store.view(make.now).points_after(0)))

    race(work)
    expected = RACERS * 50 + 5
    arrivals = [point.seq for point in store.view(make.now).points_after(0)]
    assert arrivals == list(range(1, expected + 1))
    assert store.signals.count() == expected
    check = store.audit.verify(store.audit.head())
    assert (check.rows, check.fault) == (RACERS * 5, None)
