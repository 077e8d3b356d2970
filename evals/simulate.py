"""A deterministic simulation of consent: one scheduler, a fake clock, and everything that goes wrong, at once.

The transition code is the product's own (`agents.act`, `execute`, `approve`, `undo`, `settle`, `modes`), over the
in-memory store. Before each access to store or tool a worker may die or others may go first, so that deciders,
workers, policy and switches race at every step. After each event the promises are checked by an own reading of
the facts and of the tool's ledger. The same seed gives the same run:

    python -m evals.simulate --seed 7 --steps 100000
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from domain.actions import ActionStatus
from domain.audit import Fact
from evals.simulated_company import WORLD_EVENTS, World
from evals.simulated_tool import Change


class Violation(AssertionError):
    """A promise was broken; the seed and the number of the world replay it."""


class Judge:
    """Reads facts, decisions and the tool's ledger by itself, and knows nothing of how they came about."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._facts, self._changes, self.by_sight = 0, 0, 0
        self._allowed: Counter[tuple[str, str, str]] = Counter()
        self._started: dict[str, Fact] = {}

    def look(self) -> None:
        """What is new since the last look. Raises Violation."""
        tables = self._world.store.tables
        for fact in tables.facts[self._facts :]:
            self._note(fact)
        self._facts = len(tables.facts)
        for change in self._world.tool.ledger[self._changes :]:
            self._check_change(change)
        self._changes = len(self._world.tool.ledger)
        self._check_sum()
        for name in self._world.told:
            self._must(name in tables.decisions, f"the acknowledged decision {name} is lost")

    def final(self) -> None:
        """At rest everything has ended, and each ending is what the tool's ledger says."""
        tables = self._world.store.tables
        changed = Counter(change.key for change in self._world.tool.ledger)
        for row in tables.actions.values():
            action, times = row.action, changed[row.action.idempotency_key]
            done = action.status in {ActionStatus.DONE, ActionStatus.COMPENSATED}
            ended = done or action.status in {ActionStatus.DENIED, ActionStatus.DRIFTED}
            self._must(ended, f"{action.id} ends as {action.status}: {action.detail}")
            # After a silence the wanted state is believed, also if somebody else set it: then no change is ours.
            by_sight = done and action.receipt is not None and action.receipt.vendor_id is None
            self.by_sight += by_sight and times == 0
            self._must(
                times == int(done) or (by_sight and times == 0),
                f"{action.id} is {action.status}, but changed the tool {times} times",
            )

    def _note(self, fact: Fact) -> None:
        said = fact.facts
        match fact.verb:
            case "proposal.created" if said["verdict"] == "auto":
                self._allow(fact.subject, f"rule:{said['rule']}", said["arguments"])
            case "decision.recorded" if said["status"] == "approved":
                self._allow(fact.subject, said["decision"], said["arguments"])
            case "undo.decided":
                proposal = self._world.store.tables.actions[fact.subject].action.proposal
                self._allow(proposal, said["decision"], [said["argument_hash"]])
            case "effect.started":
                key = (said["proposal"], said["authorised_by"], said["argument_hash"])
                self._must(self._allowed[key] == 1, f"{fact.subject} began with {self._allowed[key]} authorising rows")
                self._started[said["effect"]] = fact
            case _:
                pass

    def _allow(self, proposal: str, by: str, hashes: Sequence[str]) -> None:
        for each in set(hashes):
            self._allowed[proposal, by, each] += 1

    def _check_change(self, change: Change) -> None:
        effect = self._world.store.tables.effects.get(change.key)
        self._must(effect is not None and effect.id in self._started, f"{change.key} was written by nobody's leave")
        times = sum(other.key == change.key for other in self._world.tool.ledger)
        self._must(times == 1, f"{change.key} changed the tool {times} times")
        started = self._started[effect.id if effect else ""]
        said = started.facts
        self._must(said["entity"] == change.entity and said["value"] == change.value, f"{change.key} changed otherwise")

    def _check_sum(self) -> None:
        """Money claimed in any rolling day stays within the loosest limit that was ever in force."""
        since = self._world.clock.now() - timedelta(hours=24)
        rows = self._world.store.tables.actions.values()
        live = {ActionStatus.EXECUTING, ActionStatus.DONE, ActionStatus.UNKNOWN, ActionStatus.COMPENSATED}
        moved = sum(
            row.action.spec.delta_minor
            for row in rows
            if row.action.status in live and row.action.undo_of is None and row.moved_at and row.moved_at > since
        )
        self._must(moved <= 100_000, f"{moved / 100} was moved within a day, where 1,000 is the most allowed")

    def _must(self, holds: bool, said: str) -> None:  # noqa: FBT001 — an assertion
        if not holds:
            raise Violation(f"{self._world.name}: {said}")


@dataclass
class Report:
    """What a run met."""

    seed: int
    worlds: int = 0
    steps: int = 0
    events: int = 0
    effects: int = 0
    """Changes in the ledgers of the tools."""
    believed_by_sight: int = 0
    """Done without a change of ours: the wanted state stood there after a silence."""
    refusals: int = 0
    """Answers 409 and the like: promises kept, not faults."""
    faults: Counter[str] = field(default_factory=Counter[str])
    violations: list[str] = field(default_factory=list[str])
    seconds: float = 0.0


def simulate(seed: int, steps: int, first: int = 0) -> Report:
    """Worlds from number `first` on until `steps` accesses were made; stops at the first violation."""
    report, began = Report(seed), time.process_time()
    number = first
    while report.steps < steps and not report.violations:
        world = World(seed, number)
        judge = Judge(world)
        try:
            world.live(judge.look)
            judge.final()
        except Violation as broken:
            report.violations.append(str(broken))
        number += 1
        report.worlds, report.events = report.worlds + 1, report.events + WORLD_EVENTS
        report.steps += world.steps
        report.effects += len(world.tool.ledger)
        report.believed_by_sight += judge.by_sight
        report.faults.update(world.faults)
        report.refusals += world.refusals
    report.seconds = time.process_time() - began
    return report


def main() -> None:
    """Prints one JSON object; exits 1 when an invariant broke."""
    parser = argparse.ArgumentParser(prog="python -m evals.simulate", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--world", type=int, default=0, help="begin with this world: replays what a run reported")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    report = simulate(given.seed, given.steps, given.world)
    rate = round(report.steps / report.seconds) if report.seconds else 0
    faults = dict(report.faults.most_common())
    told = {**vars(report), "faults": faults, "fault_count": sum(faults.values()), "steps_per_cpu_s": rate}
    sys.stdout.write(json.dumps(told, indent=2) + "\n")
    sys.exit(1 if report.violations else 0)


if __name__ == "__main__":
    main()
