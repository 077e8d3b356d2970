"""Measures how long a signal takes to become a pending proposal in a served world, without a model.

Run it by hand: `python -m evals.bench.latency [SIGNALS]`. Prints one JSON object; the first signal after the start,
which may meet engines that are still loading, stands apart.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from agents.intake import accept
from agents.parts import Runtime
from agents.runtime import build
from agents.settings import MemorySettings, SandboxSettings, Settings
from providers.types import ProviderSpec

BUDGET, CAP = 1_000, 850
PATIENCE_S, LOOK_S = 60.0, 0.01
NEWEST = 3
"""Proposals looked at: the awaited one is among the last made, and reading all would be measured too."""


def event(kind: str, name: str, data: dict[str, Any]) -> dict[str, Any]:
    at = datetime.now(UTC).isoformat()
    return {"specversion": "1.0", "id": name, "source": "bench", "type": f"accord.{kind}", "time": at, "data": data}


def budgets(count: int) -> list[dict[str, Any]]:
    """Budgets declared before anything is capped."""
    attrs = {"daily_budget": BUDGET, "currency": "EUR"}
    names = [f"budget:b{number}" for number in range(count)]
    return [event("entity.declared", name, {"id": name, "name": name, "attrs": attrs}) for name in names]


def cap(number: int) -> dict[str, Any]:
    """Finance caps one budget below what it spends, so that a cut has to be proposed."""
    limit = {"scope": f"budget:b{number}", "kind": "cap", "amount": CAP, "currency": "EUR"}
    return event("finance.limit", f"cap-{number}", {**limit, "from": datetime.now(UTC).isoformat()})


@contextmanager
def served() -> Generator[Runtime]:
    """An empty company in wall time, in a home of its own, with a provider that nobody can call."""
    with tempfile.TemporaryDirectory() as home:
        runtime = build(
            Settings(
                home=Path(home),
                sandbox=SandboxSettings(world="empty"),
                memory=MemorySettings(url="off"),
                providers=(ProviderSpec(name="mute", model="openai/none", api_key_env="ACCORD_NO_KEY"),),
            )
        )
        runtime.start()
        try:
            yield runtime
        finally:
            runtime.close()


def wait_for(runtime: Runtime, entity: str) -> None:
    """Returns once a pending proposal would change `entity`."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        newest = runtime.store.proposals.page(status="pending", limit=NEWEST).items
        if any(action.spec.entity == entity for proposal in newest for action in proposal.actions):
            return
        time.sleep(LOOK_S)
    raise TimeoutError(entity)


def measure(count: int) -> dict[str, Any]:
    """Seconds from the call of intake to the readable proposal."""
    times: list[float] = []
    cpu: list[float] = []
    with served() as runtime:
        accept(runtime, budgets(count), trust="internal")
        for number in range(count):
            began, spent = time.perf_counter(), time.process_time()
            accept(runtime, [cap(number)], trust="internal")
            wait_for(runtime, f"budget:b{number}")
            times.append(time.perf_counter() - began)
            cpu.append(time.process_time() - spent)
    warm = times[1:]
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "signals": count,
        "first_s": round(times[0], 3),
        "first_cpu_s": round(cpu[0], 3),
        "p50_cpu_s": round(float(np.percentile(cpu[1:], 50)), 3),
        "p50_s": round(float(np.percentile(warm, 50)), 3),
        "p95_s": round(float(np.percentile(warm, 95)), 3),
        "most_s": round(max(warm), 3),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 40)) + "\n")
