"""People who answer at once, on a real store: one outcome, and no answer that was acknowledged is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.approve import Voice, decide, decide_all
from agents.parts import Runtime
from domain.decisions import DecisionKind, DecisionRequest, Person
from domain.errors import Conflict, Forbidden
from domain.lifecycle import agreed
from domain.proposals import Proposal, ProposalStatus
from memory.rounds import RoundMark
from memory.store import Store

T = TypeVar("T")
_numbers = count(1_000)
EXAMPLES = 12
ROLES = frozenset({"search_owner", "finance"})


def at_once(racers: list[Callable[[], T]]) -> list[T | Exception]:
    """Each in a thread of its own, started together; what it returned, or why it was refused."""
    gate = Barrier(len(racers))

    def run(racer: Callable[[], T]) -> T | Exception:
        gate.wait()
        try:
            return racer()
        except (Conflict, Forbidden) as error:
            return error

    with ThreadPoolExecutor(len(racers)) as pool:
        return list(pool.map(run, racers))


def again(company: Any, first: Proposal, number: int) -> Proposal:
    """Another one like `first`, put into the store as a round would."""
    store, name = company.runtime.store, f"{first.id}x{number}"
    actions = tuple(a.model_copy(update={"id": f"{a.id}x{number}", "proposal": name}) for a in first.actions)
    made = first.model_copy(update={"id": name, "actions": actions})
    last = store.rounds.last()
    at = company.clock.now() + timedelta(microseconds=number)
    assert store.rounds.commit(RoundMark(f"rnd_{name}", at, 1), previous=last.id if last else None, proposals=[made])
    return made


def answer(runtime: Runtime, proposal: Proposal, number: int, kind: DecisionKind, **more: Any) -> Proposal:
    request = DecisionRequest.model_validate({"decision": kind, "fingerprint": proposal.fingerprint, **more})
    return decide(runtime, proposal.id, request, Person(id=f"p{number}", roles=ROLES))


kinds = st.sampled_from([DecisionKind.APPROVE, DecisionKind.APPROVE, DecisionKind.REJECT, DecisionKind.MODIFY])


@pytest.fixture
def first(company: Any, tmp_path: Path) -> Iterator[Proposal]:
    """A proposal that asks for two people, in a store on disk, where writers really meet."""
    made, path = company.ask("budget:big", 1_150), tmp_path / "accord.db"
    memory = company.runtime
    with closing(sqlite3.connect(path)) as file, closing(memory.store.engine.raw_connection()) as held:
        held.driver_connection.backup(file)
    with Store.open(f"sqlite:///{path}", audit_key=memory.store.database.audit_key) as store:
        company.runtime = replace(memory, store=store)
        yield made
        company.runtime = memory


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answers=st.lists(kinds, min_size=2, max_size=6), quorum=st.integers(1, 3))
def test_racing_deciders_have_one_outcome(
    company: Any, first: Proposal, answers: list[DecisionKind], quorum: int
) -> None:
    asks = first.model_copy(update={"verdict": first.verdict.model_copy(update={"quorum": quorum})})
    proposal = again(company, asks, next(_numbers))
    changed = [{**proposal.actions[0].spec.model_dump(), "value": 112_000}]

    def racer(number: int, kind: DecisionKind) -> Callable[[], Proposal]:
        more = {"actions": changed} if kind is DecisionKind.MODIFY else {}
        return lambda: answer(company.runtime, proposal, number, kind, **more)

    said = at_once([racer(number, kind) for number, kind in enumerate(answers)])
    stored = company.runtime.store.proposals.get(proposal.id)
    acknowledged = {f"p{number}" for number, result in enumerate(said) if isinstance(result, Proposal)}
    assert {decision.by for decision in stored.decisions} == acknowledged, "each yes stands, and nothing else"
    last = stored.decisions[-1]
    if stored.status is ProposalStatus.APPROVED:
        needed = stored.verdict.quorum
        assert len({decision.by for decision in agreed(stored)}) >= needed
        assert {action.authorised_by for action in stored.actions} == {last.id}
    if stored.status is ProposalStatus.REJECTED:
        assert last.kind is DecisionKind.REJECT
    closing = [d for d in stored.decisions if d.kind is DecisionKind.REJECT]
    assert len(closing) <= 1
    for refused in (result for result in said if isinstance(result, Exception)):
        assert any(f"'{by}'" in str(refused) for by in acknowledged), refused
    rows = company.runtime.store.audit.page(limit=1000, subject=proposal.id).items
    assert sum(row.verb == "decision.recorded" for row in rows) == len(stored.decisions)
    assert company.runtime.store.audit.verify().fault is None


def test_the_same_person_twice_at_once_is_one_answer(company: Any, first: Proposal) -> None:
    proposal = again(company, first, 1)
    said = at_once([lambda: answer(company.runtime, proposal, 1, DecisionKind.APPROVE)] * 6)
    stored = company.runtime.store.proposals.get(proposal.id)
    assert [decision.by for decision in stored.decisions] == ["p1"]
    assert any(isinstance(result, Proposal) for result in said)


def test_of_two_batches_that_share_a_proposal_one_is_written_whole(company: Any, first: Proposal) -> None:
    one_suffices = first.model_copy(update={"verdict": first.verdict.model_copy(update={"quorum": 1})})
    made = [again(company, one_suffices, number) for number in range(10, 16)]
    halves = made[:4], made[2:]

    def batch(number: int) -> list[Proposal]:
        asked = [
            (p.id, DecisionRequest(decision=DecisionKind.REJECT, fingerprint=p.fingerprint)) for p in halves[number]
        ]
        return decide_all(company.runtime, asked, Voice(Person(id=f"p{number}", roles=ROLES)))

    said = at_once([lambda: batch(0), lambda: batch(1)])
    won = next(number for number, result in enumerate(said) if not isinstance(result, Exception))
    assert sum(isinstance(result, Exception) for result in said) == 1
    decided = {p.id for p in made if company.runtime.store.proposals.get(p.id).status is ProposalStatus.REJECTED}
    assert decided == {p.id for p in halves[won]}
    assert all(len(company.runtime.store.proposals.get(p.id).decisions) == (p.id in decided) for p in made)


def test_what_was_seen_stays_what_is_decided(company: Any) -> None:
    """A batch binds to arguments, policy and state like a single answer: drift anywhere stops all of it."""
    proposals = [company.ask("budget:a", 1_150), company.ask("budget:b", 1_150)]
    company.somebody_sets("budget:b", 1_010)
    asked = [(p.id, DecisionRequest(decision=DecisionKind.APPROVE, fingerprint=p.fingerprint)) for p in proposals]
    with pytest.raises(Conflict, match="1 of 2 cannot be"):
        decide_all(company.runtime, asked, Voice(company.person("ana")))
    assert {company.runtime.store.proposals.get(p.id).status for p in proposals} == {ProposalStatus.PENDING}
