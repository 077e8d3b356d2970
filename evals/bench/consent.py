"""Measures how long a person's approval takes to become an effect that was read back, in a served world.

Run it by hand: `python -m evals.bench.consent [DECISIONS] [STORE_URL]`. The store is SQLite in a folder of its own
unless an address of an empty Postgres is given. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from agents.approve import decide
from agents.intake import accept
from agents.parts import Runtime
from agents.runtime import build
from agents.settings import MemorySettings, SandboxSettings, Settings, StorageSettings
from domain.actions import ActionStatus
from domain.decisions import DecisionKind, DecisionRequest, Person
from domain.proposals import Proposal
from evals.bench.latency import PATIENCE_S, budgets, cap, wait_for
from memory.store import migrate
from providers.types import ProviderSpec

PERSON = Person(id="bench", roles=frozenset({"admin"}))
LOOK_S = 0.002


def approved(runtime: Runtime, proposal: Proposal) -> tuple[float, float]:
    """Seconds until the decision was acknowledged, and until its effect was confirmed."""
    request = DecisionRequest(decision=DecisionKind.APPROVE, fingerprint=proposal.fingerprint)
    began = time.perf_counter()
    decide(runtime, proposal.id, request, PERSON)
    told = time.perf_counter() - began
    while time.perf_counter() < began + PATIENCE_S:
        if runtime.store.actions.get(proposal.actions[0].id).status is ActionStatus.DONE:
            return told, time.perf_counter() - began
        time.sleep(LOOK_S)
    raise TimeoutError(proposal.id)


def measure(count: int, url: str) -> dict[str, Any]:
    """Percentiles in seconds over `count` approvals; the first one, which may meet loading engines, stands apart."""
    told: list[float] = []
    done: list[float] = []
    with tempfile.TemporaryDirectory() as home:
        if not url.startswith("sqlite"):
            migrate(url)
        settings = Settings(
            home=Path(home),
            storage=StorageSettings(url=url),
            sandbox=SandboxSettings(world="empty"),
            memory=MemorySettings(url="off"),
            providers=(ProviderSpec(name="mute", model="openai/none", api_key_env="ACCORD_NO_KEY"),),
        )
        runtime = build(settings)
        runtime.start()
        try:
            accept(runtime, budgets(count), trust="internal")
            for number in range(count):
                accept(runtime, [cap(number)], trust="internal")
                wait_for(runtime, f"budget:b{number}")
                (newest,) = runtime.store.proposals.page(status="pending", limit=1).items
                answered, effective = approved(runtime, newest)
                told.append(answered)
                done.append(effective)
        finally:
            runtime.close()
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "store": url.partition(":")[0],
        "decisions": count,
        "first_s": round(done[0], 3),
        "decision_acknowledged": _percentiles(told[1:]),
        "decision_to_effect": _percentiles(done[1:]),
    }


def _percentiles(seconds: list[float]) -> dict[str, float]:
    return {f"p{share}_s": round(float(np.percentile(seconds, share)), 3) for share in (50, 95)}


if __name__ == "__main__":
    given = sys.argv[1:]
    made = measure(int(given[0]) if given else 40, given[1] if len(given) > 1 else "sqlite:///accord.db")
    sys.stdout.write(json.dumps(made) + "\n")
