"""kill -9 at every named place between an answer and its outcome: consent holds, by an independent reader."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.ledger_tool import dumped
from tests.integration.trace import Trace, read_trace


@dataclass(frozen=True)
class Lived:
    report: dict[str, Any]
    trace: Trace


@pytest.fixture
def live(root: Path, tmp_path: Path, store_url: str) -> Callable[[str, str], Lived]:
    """The company of consent_company.py, and what an independent reader finds afterwards."""

    def run(tool: str, how: str) -> Lived:
        script = Path(__file__).with_name("consent_company.py")
        env = {"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"}
        command = [sys.executable, str(script), str(tmp_path), store_url, tool, how]
        ended = subprocess.run(command, cwd=root, env=env, check=False, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr[-4000:]
        told, mails = (
            [json.loads(line) for line in (tmp_path / f"{name}.jsonl").read_text().splitlines()]
            for name in ("told", "mails")
        )
        key = (tmp_path / "audit.key").read_text().strip().encode()
        return Lived(json.loads(ended.stdout), read_trace(store_url, key, dumped(tmp_path / "tool.db"), told, mails))

    return run


def test_a_death_at_every_named_place_breaks_no_promise(live: Any, store_url: str) -> None:
    """Every place on SQLite, every sixth on Postgres, where the long loops try them all."""
    every = 1 if store_url.startswith("sqlite") else 6
    lived = live("native", f"points:{every}")
    assert lived.report["missed"] == []
    assert lived.report["kills"] >= lived.report["places"] // every
    assert lived.trace.faults == {}
    assert lived.trace.counts["decisions acknowledged"] > 30, "too little happened to show anything"


@pytest.mark.soak
@pytest.mark.parametrize("tool", ["native", "blind"])
def test_every_tool_and_store_at_every_named_place(live: Any, tool: str) -> None:
    """A tool without keys is not called twice, but asked about."""
    lived = live(tool, "points:1")
    assert lived.report["kills"] == lived.report["places"]
    assert lived.trace.faults == {}
    print(lived.report, dict(lived.trace.counts))  # noqa: T201 — figures


@pytest.mark.soak
@pytest.mark.parametrize("seed", [1, 2])
def test_deaths_at_random_moments_break_no_promise(live: Any, seed: int) -> None:
    lived = live("native" if seed % 2 else "blind", f"random:{seed}:60")
    assert lived.trace.faults == {}
    print(lived.report, dict(lived.trace.counts))  # noqa: T201 — figures
