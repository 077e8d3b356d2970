"""kill -9 in the middle: nothing lost, nothing doubled, and the end is that of a run that was never interrupted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agents.replay import everything
from connectors.sandbox.empty import EmptyCompany
from connectors.sandbox.host import Host
from memory.store import Store

DAYS = "6"
WAYS = ("commits:1:6", "before:native", "after:blind")


class SmallCompany(EmptyCompany):
    """As in mortal.py: a world is known by its name and what was done to it."""

    def reset(self, seed: int) -> None:
        super().reset(seed)
        for number in range(6):
            attrs = {"daily_budget": 1_000, "currency": "EUR", "connector": "ads"}
            self.adopt({"id": f"budget:b{number}", "name": f"b{number}", "attrs": attrs})


def live(root: Path, home: Path, days: str, *ways: str) -> dict[str, int]:
    """Lives `days` once for each way to die, below `home`; how many lives each took."""
    script = Path(__file__).with_name("mortal.py")
    env = {"PYTHONPATH": f"{root}:{script.parent}", "PATH": "/usr/bin:/bin"}
    command = [sys.executable, str(script), str(home), days, *ways]
    ended = subprocess.run(command, cwd=root, env=env, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return {way: int(lives) for way, lives in (line.split() for line in ended.stdout.splitlines())}


@pytest.fixture(scope="module")
def homes(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for each way to die, by its name."""
    home = tmp_path_factory.mktemp("homes")
    lives = live(root, home, DAYS, "never", *WAYS, "before:blind")
    assert lives.pop("never") == 1
    assert min(lives.values()) > 1
    return home


def everything_in(home: Path) -> dict[str, Any]:
    """What happened in the company of `home`, by id."""
    with Store.open(f"sqlite:///{home / 'accord.db'}", audit_key=b"-") as store:
        proposals, actions = everything(store.proposals.page), everything(store.actions.page)
        return {
            "proposals": {p.id: (p.status, p.verdict.rule, p.fingerprint, p.created_at) for p in proposals},
            "actions": {a.id: (a.status, a.authorised_by, a.executed_at, a.state_before) for a in actions},
            "decisions": {d.id: d for d in everything(store.decisions.page)},
            "effects": {e.idempotency_key: (e.status, e.argument_hash) for e in everything(store.effects.page)},
            "outcomes": {o.id: o for o in everything(store.outcomes.page)},
        }


def traced(home: Path, assert_traced: Any) -> None:
    key = (home / "audit.key").read_bytes()
    host = Host(home / "sandbox.db", SmallCompany(), 1)
    try:
        with Store.open(f"sqlite:///{home / 'accord.db'}", audit_key=key) as store:
            assert_traced(store, host)
    finally:
        host.close()


@pytest.mark.parametrize("way", WAYS)
def test_a_killed_run_ends_as_if_it_had_not_been(homes: Path, assert_traced: Any, way: str) -> None:
    whole, killed = homes / "never", homes / way.replace(":", "-")
    traced(killed, assert_traced)
    assert everything_in(killed) == everything_in(whole)
    assert min(len(rows) for rows in everything_in(whole).values()) >= 3, "too little happened to show anything"


def test_a_tool_without_keys_is_not_called_twice_but_left_to_a_person(homes: Path, assert_traced: Any) -> None:
    home = homes / "before-blind"
    traced(home, assert_traced)
    statuses = [status for status, _ in everything_in(home)["effects"].values()]
    assert statuses.count("unknown") == 1
    assert set(statuses) == {"unknown", "confirmed"}


@pytest.mark.soak
def test_the_killed_demo_ends_as_if_it_had_not_been(root: Path, tmp_path: Path) -> None:
    assert live(root, tmp_path, "demo:6", "never", "moments:3:5")["moments:3:5"] > 3
    whole, killed = (everything_in(tmp_path / name / "demo-1-6w") for name in ("never", "moments-3-5"))
    assert killed == whole
