"""Several processes on one store: answers race, limits hold over all of them, and the dead are stood in for."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from agents.intake import accept
from agents.parts import Runtime
from domain.actions import Action, ActionSpec
from domain.audit import Fact
from domain.policy import Verdict, VerdictKind
from domain.proposals import Expected, Measurement, Proposal, action_id
from memory.rounds import RoundMark
from memory.store import Store
from tests.integration import worker
from tests.integration.ledger_tool import KIND, LedgerTool, dumped
from tests.integration.trace import Trace, read_trace

PATIENCE_S = 90.0
POLICY = """
limits: {daily_spend_moved: 500}
rules:
  - {id: small, match: {kind: ads.budget.set, delta_abs_max: 20}, verdict: auto}
  - {id: large, match: {kind: ads.budget.set}, verdict: ask, roles: [search_owner], expires_h: 48}
"""


NURSERY = multiprocessing.get_context("forkserver")
"""Its children are forks of a process that has imported what they need, so that this is paid once."""
NURSERY.set_forkserver_preload(["pytest", "dbos", "psycopg", "sqlalchemy.dialects.sqlite", worker.__name__])


@dataclass(frozen=True)
class Life:
    """A process, and the pipe through which it speaks."""

    process: ForkServerProcess
    pipe: Connection

    def hear(self) -> Any:
        assert self.pipe.poll(PATIENCE_S), "it is silent"
        return self.pipe.recv()

    def kill(self) -> None:
        self.process.kill()
        self.process.join()


@dataclass
class Site:
    """A store, a tool, and the processes that share them."""

    home: Path
    url: str
    lives: list[Life] = field(default_factory=list)

    def run(self, role: str) -> Life:
        """A process that has begun, and waits for a word."""
        ours, theirs = NURSERY.Pipe()
        process = NURSERY.Process(target=worker.be, args=(theirs, self.home, self.url, role))
        process.start()
        theirs.close()
        life = Life(process, ours)
        self.lives.append(life)
        life.hear()
        return life

    def together(self, *roles: str) -> list[dict[str, Any]]:
        """What processes that begin at the same moment say at their end."""
        begun = [self.run(role) for role in roles]
        for life in begun:
            life.pipe.send("go")
        return [life.hear() for life in begun]

    def close(self) -> None:
        for life in self.lives:
            life.kill()
            life.pipe.close()
            life.process.close()

    def propose(self, number: int, step: int, *, auto: bool) -> list[Proposal]:
        """So many proposals, each to raise a budget of its own."""
        tool, runtime = LedgerTool(self.home / "tool.db"), worker.opened(self.home, self.url)
        entities = [f"budget:b{each}" for each in range(number)]
        for entity in entities:
            tool.set(entity, 100_000)
        declare(runtime, entities)
        made = [proposal(runtime, entity, step, auto=auto) for entity in entities]
        due = {action.id: runtime.clock.now() for each in made for action in each.actions}
        facts = [created(each) for each in made]
        mark = RoundMark("rnd_test", runtime.clock.now(), 0)
        assert runtime.store.rounds.commit(mark, previous=None, proposals=made, facts=facts, due=due)
        runtime.close()
        return made

    def statuses(self) -> Counter[str]:
        with Store.open(self.url) as store:
            return Counter(action.status.value for action in store.actions.page(limit=1000).items)

    def until(self, what: Callable[[], bool]) -> float:
        """Seconds until it is true."""
        began = time.monotonic()
        while not what():
            assert time.monotonic() < began + PATIENCE_S, self.statuses()
            time.sleep(0.05)
        return time.monotonic() - began

    def trace(self, told: list[dict[str, str]] | None = None) -> Trace:
        key = (self.home / "audit.key").read_text().strip().encode()
        return read_trace(self.url, key, dumped(self.home / "tool.db"), told or [])


def declare(runtime: Runtime, entities: list[str]) -> None:
    at = datetime.now(UTC).isoformat()
    attrs = {"daily_budget": 1_000, "currency": "EUR"}
    sent = [
        {"specversion": "1.0", "id": entity, "source": "tests", "type": "accord.entity.declared", "time": at,
         "data": {"id": entity, "name": entity, "attrs": attrs}}
        for entity in entities
    ]  # fmt: skip
    assert accept(runtime, sent, trust="internal").accepted == len(entities)


def proposal(runtime: Runtime, entity: str, step: int, *, auto: bool) -> Proposal:
    from agents.judgement import facts_now
    from agents.propose import states_read
    from domain.proposals import fingerprint

    name, policy, facts = f"prop_{entity.partition(':')[2]}", runtime.policies.current(), facts_now(runtime)
    spec = ActionSpec(kind=KIND, entity=entity, value=100_000 + step * 100, expect=100_000, currency="EUR")
    rule, kind = ("small", VerdictKind.AUTO) if auto else ("large", VerdictKind.ASK)
    by = "rule:small" if auto else None
    return Proposal.model_validate(
        {
            "id": name, "situation": "sit_1", "status": "approved" if auto else "pending",
            "verdict": Verdict(kind=kind, rule=rule, reason="so", roles=("search_owner",)),
            "actions": [Action(id=action_id(name, spec), proposal=name, spec=spec, authorised_by=by)],
            "policy_version": policy.version,
            "fingerprint": fingerprint((spec,), policy.version, states_read((spec,), {entity: {KIND: 100_000}})),
            "title": entity, "why": "so", "expected": Expected(value=1, low=0, high=2, currency="EUR"),
            "measurement": Measurement(metric="revenue", method="none", start=facts.now, days=0, stop="now"),
            "evidence": (), "specialist": "tests", "created_at": facts.now,
            "expires_at": facts.now.replace(year=facts.now.year + 1),
        }
    )  # fmt: skip


def created(made: Proposal) -> Fact:
    hashes = [action.spec.argument_hash for action in made.actions]
    facts = {"verdict": made.verdict.kind, "rule": made.verdict.rule, "arguments": hashes}
    return Fact(at=made.created_at, actor="worker", verb="proposal.created", subject=made.id, facts=facts)


def opened_site(home: Path, url: str) -> Iterator[Site]:
    (home / "policy.yaml").write_text(POLICY, encoding="utf-8")
    made = Site(home, url)
    yield made
    made.close()


@pytest.fixture
def site(tmp_path: Path, store_url: str) -> Iterator[Site]:
    yield from opened_site(tmp_path, store_url)


@pytest.fixture
def shared_site(tmp_path: Path, new_postgres: Callable[[str], str]) -> Iterator[Site]:
    yield from opened_site(tmp_path, new_postgres("accord_template"))


def test_of_answers_from_two_processes_one_counts(site: Site) -> None:
    made = site.propose(12, 100, auto=False)
    one, other = site.together("decide:ana:approve", "decide:ben:reject")
    assert sorted([*one["won"], *other["won"]]) == sorted(each.id for each in made)
    with Store.open(site.url) as store:
        for each in made:
            stored = store.proposals.get(each.id)
            assert len(stored.decisions) == 1
            assert stored.status == ("approved" if each.id in one["won"] else "rejected")


def test_a_limit_on_the_sum_holds_over_processes(site: Site) -> None:
    """Forty steps of 20 where 500 a day may move: each fits alone, and 25 of them together."""
    site.propose(40, 20, auto=True)
    site.together("act:1", "act:2")
    assert site.statuses() == {"done": 25, "denied": 15}
    moved = sum(row["after"] - row["before"] for row in dumped(site.home / "tool.db")["ledger"])
    assert moved == 500 * 100
    assert site.trace().faults == {}


def test_a_dead_workers_actions_are_taken_over(shared_site: Site) -> None:
    """Killed within its calls; another worker, already there, goes on, and every effect is there once."""
    made = shared_site.propose(4, 100, auto=False)
    dying = shared_site.run("work:1:60")
    shared_site.together("decide:ana:approve")
    shared_site.until(lambda: shared_site.statuses()["executing"] == len(made))
    shared_site.run("work:1:0")
    dying.kill()
    taken_s = shared_site.until(lambda: shared_site.statuses()["done"] == len(made))
    print(f"taken over and done in {taken_s:.1f} s")  # noqa: T201 — a figure
    trace = shared_site.trace()
    assert trace.faults == {}
    assert trace.counts["ledger changes"] == len(made)


def test_waiting_approvals_outlive_an_upgrade(shared_site: Site) -> None:
    """The old version is killed while people are asked; the new one, with another workflow, carries the answer out."""
    made = shared_site.propose(2, 100, auto=False)
    old = shared_site.run("work:1:0")
    time.sleep(1.5)
    old.kill()
    shared_site.run("work:2:0")
    shared_site.together("decide:ana:approve")
    shared_site.until(lambda: shared_site.statuses()["done"] == len(made))
    assert shared_site.trace().faults == {}
