"""Run as a process: one of several that share a store and a tool.

Arguments: home, address of the store, and what to be: `work:VERSION:HOLD_S` (a worker until it is stopped, whose tool
calls take so long), `decide:PERSON:KIND` (answers every proposal that waits) or `act:SEED` (looks at every open
action, in an order of its own, until none is left). Waits for a line on stdin to begin; prints JSON.
"""

from __future__ import annotations

import json
import random
import signal
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from agents.act import advance
from agents.approve import decide
from agents.drivers.wall_time import WallTimeDriver, worker_name
from agents.parts import Runtime
from agents.runtime import build
from agents.settings import AuthSettings, MemorySettings, Settings, StorageSettings
from agents.tools import Tools
from domain.decisions import DecisionKind, DecisionRequest, Person
from domain.errors import Conflict
from memory.workers import Workers
from tests.integration.ledger_tool import LedgerTool

PEOPLE = {
    "ana": Person(id="ana", roles=frozenset({"search_owner"})),
    "ben": Person(id="ben", roles=frozenset({"search_owner"})),
}


def opened(home: Path, url: str, hold_s: float = 0.0) -> Runtime:
    """An Accord over the shared store, with the shared tool, not started."""
    settings = Settings(
        home=home,
        storage=StorageSettings(url=url),
        connectors={},
        memory=MemorySettings(url="off"),
        auth=AuthSettings(people=tuple(PEOPLE.values())),
        policy=home / "policy.yaml",
    )
    tool = LedgerTool(home / "tool.db", hold=partial(time.sleep, hold_s) if hold_s else None)
    return replace(build(settings), tools=Tools({"ads": tool.connector()}, {}, None))


def work(home: Path, url: str, version: str, hold_s: str) -> dict[str, Any]:
    runtime = opened(home, url, float(hold_s))
    workers = Workers(runtime.store.database)
    driver = WallTimeDriver(
        runtime.store.actions, runtime.clock.now, url, worker_name(), workers=workers, version=version
    )
    runtime = replace(runtime, driver=driver, detectors=())
    runtime.start()
    print("working", flush=True)  # noqa: T201 — what the test waits for
    signal.sigwait({signal.SIGTERM})
    runtime.close()
    return {}


def answer(home: Path, url: str, who: str, kind: str) -> dict[str, Any]:
    runtime = opened(home, url)
    waiting = runtime.store.proposals.pending()
    print("ready", flush=True)  # noqa: T201 — what the test waits for
    sys.stdin.readline()
    won: list[str] = []
    for proposal in waiting:
        request = DecisionRequest(decision=DecisionKind(kind), fingerprint=proposal.fingerprint)
        try:
            decide(runtime, proposal.id, request, PEOPLE[who])
        except Conflict:
            continue
        won.append(proposal.id)
    runtime.close()
    return {"won": won}


def act(home: Path, url: str, seed: str) -> dict[str, Any]:
    runtime, chance = opened(home, url), random.Random(seed)  # noqa: S311 — a seed
    print("ready", flush=True)  # noqa: T201 — what the test waits for
    sys.stdin.readline()
    while waiting := runtime.store.actions.waiting():
        chance.shuffle(waiting)
        for name in waiting:
            advance(runtime, name)
    runtime.close()
    return {}


if __name__ == "__main__":
    place, address, (role, *terms) = Path(sys.argv[1]), sys.argv[2], sys.argv[3].split(":")
    told = {"work": work, "decide": answer, "act": act}[role](place, address, *terms)
    print(json.dumps(told), flush=True)  # noqa: T201 — what the test reads
