"""What one of several processes does that share a store and a tool.

It is told home, address of the store, and what to be: `work:VERSION:HOLD_S` (a worker until it is stopped, whose tool
calls take so long), `decide:PERSON:KIND` (answers every proposal that waits) or `act:SEED` (looks at every open
action, in an order of its own, until none is left). It says through its pipe that it is there, waits there for a word
to begin, and says at its end what came of it.
"""

from __future__ import annotations

import random
import signal
import time
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
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


def work(pipe: Connection, home: Path, url: str, version: str, hold_s: str) -> dict[str, Any]:
    runtime = opened(home, url, float(hold_s))
    workers = Workers(runtime.store.database)
    driver = WallTimeDriver(
        runtime.store.actions, runtime.clock.now, url, worker_name(), workers=workers, version=version
    )
    runtime = replace(runtime, driver=driver, detectors=())
    runtime.start()
    pipe.send("working")
    signal.sigwait({signal.SIGTERM})
    runtime.close()
    return {}


def answer(pipe: Connection, home: Path, url: str, who: str, kind: str) -> dict[str, Any]:
    runtime = opened(home, url)
    waiting = runtime.store.proposals.pending()
    pipe.send("ready")
    pipe.recv()
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


def act(pipe: Connection, home: Path, url: str, seed: str) -> dict[str, Any]:
    runtime, chance = opened(home, url), random.Random(seed)  # noqa: S311 — a seed
    pipe.send("ready")
    pipe.recv()
    while waiting := runtime.store.actions.waiting():
        chance.shuffle(waiting)
        for name in waiting:
            advance(runtime, name)
    runtime.close()
    return {}


def be(pipe: Connection, home: Path, url: str, role: str) -> None:
    """The life of the process."""
    name, *terms = role.split(":")
    pipe.send({"work": work, "decide": answer, "act": act}[name](pipe, home, url, *terms))
