"""`accord serve` as people start it: a process of its own, spoken to over HTTP, ended by signals, also in the midst."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.sandbox.empty import EmptyCompany
from connectors.sandbox.host import Host

KEY = "a-key-for-this-test-alone-0123456789"
PATIENCE_S = 120.0
CONFIG = 'sandbox: {world: empty}\nmemory: {url: "off"}\n'


def until(what: Callable[[], Any]) -> Any:
    """The first truth that `what` tells, within PATIENCE_S."""
    end = time.monotonic() + PATIENCE_S
    while not (found := what()) and time.monotonic() < end:
        time.sleep(0.05)
    assert found
    return found


class Server:
    """One life of `accord serve` on a home, and a client of it."""

    def __init__(self, home: Path, more: Mapping[str, str] | None = None) -> None:
        """`more` goes into its environment."""
        self.home = home
        env = {**environment(home), **(more or {})}
        with (home.parent / "stderr").open("a", encoding="utf-8") as told:
            self.process = subprocess.Popen(
                command("serve", "--port", "0"), env=env, stdout=subprocess.PIPE, stderr=told, text=True
            )
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()
        url = self.line.removeprefix("ready ").strip()
        self.client = httpx.Client(
            base_url=url, headers={"authorization": f"Bearer {KEY}"}, timeout=PATIENCE_S, trust_env=False
        )

    def get(self, path: str) -> Any:
        return self.client.get(path).raise_for_status().json()

    def send(self, *events: dict[str, Any]) -> None:
        answer = self.client.post("/v1/signals", json=list(events))
        assert answer.raise_for_status().json()["accepted"] == len(events)

    def proposal(self, budget: str) -> dict[str, Any]:
        """The proposal to change `budget`, once there is one."""

        def find() -> dict[str, Any] | None:
            found = self.get("/v1/proposals")["items"]
            return next((p for p in found if [action["entity"] for action in p["actions"]] == [budget]), None)

        return until(find)

    def approve(self, proposal: dict[str, Any]) -> None:
        body = {"decision": "approve", "fingerprint": proposal["fingerprint"]}
        self.client.post(f"/v1/proposals/{proposal['id']}/decisions", json=body).raise_for_status()

    def read_only(self, on: bool) -> None:
        self.client.put("/v1/mode", json={"read_only": on, "reason": "test"}).raise_for_status()

    def done(self, proposal: dict[str, Any]) -> dict[str, Any]:
        """The one action of `proposal` once it has been carried out."""

        def find() -> dict[str, Any] | None:
            (action,) = self.get(f"/v1/actions?proposal={proposal['id']}")["items"]
            return action if action["status"] == "done" else None

        return until(find)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.client.close()

    def stop(self) -> tuple[int, str]:
        """Exit code after SIGTERM, and what stdout said after its first line."""
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        rest, _ = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, rest


def command(*words: str) -> list[str]:
    return [sys.executable, "-c", "from api.cli import main; main()", *words]


def environment(home: Path) -> dict[str, str]:
    config = home.parent / "accord.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    return {**os.environ, "ACCORD_HOME": str(home), "ACCORD_CONFIG": str(config), "ACCORD_BOOTSTRAP_KEY": KEY,
            "ACCORD_LOCAL_MODEL": "off"}  # fmt: skip


def run(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*words), env=environment(home), capture_output=True, text=True, check=False)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts a life on one and the same home; the last one is ended with the test."""
    lives: list[Server] = []

    def begin(more: Mapping[str, str] | None = None) -> Server:
        lives.append(Server(tmp_path / "home", more))
        return lives[-1]

    yield begin
    for life in lives:
        if life.process.poll() is None:
            life.kill()
        assert life.process.stdout is not None
        life.process.stdout.close()


def event(kind: str, name: str, data: dict[str, Any]) -> dict[str, Any]:
    at = datetime.now(UTC).isoformat()
    return {"specversion": "1.0", "id": name, "source": "tests", "type": f"accord.{kind}", "time": at, "data": data}


def declared(budget: str) -> dict[str, Any]:
    attrs = {"daily_budget": 1_000, "currency": "EUR"}
    return event("entity.declared", f"declared/{budget}", {"id": budget, "name": budget, "attrs": attrs})


def capped(budget: str) -> dict[str, Any]:
    """Finance lets `budget` spend 900 EUR a day, so that lowering it has to be proposed."""
    data = {"scope": budget, "kind": "cap", "amount": 900, "currency": "EUR", "from": datetime.now(UTC).isoformat()}
    return event("finance.limit", f"capped/{budget}", data)


def test_decisions_and_effects_outlive_the_process(serve: Callable[[], Server], tmp_path: Path) -> None:
    budgets = ("budget:a", "budget:b", "budget:c")
    life = serve()
    assert life.line.startswith("ready http://127.0.0.1:")
    life.send(*map(declared, budgets), *map(capped, budgets))
    a, b, c = (life.proposal(budget) for budget in budgets)
    life.approve(a)
    assert life.done(a)["state_before"] == 100_000

    life.approve(b)
    life.kill()  # before or after the effect of b; c still waits
    life = serve()
    assert life.proposal("budget:c") == c
    life.done(b)

    life.read_only(True)
    life.approve(c)
    life.kill()  # approved, and surely not carried out
    life = serve()
    assert life.proposal("budget:c")["status"] == "approved"
    assert len(life.get("/v1/effects")["items"]) == 2
    life.read_only(False)
    life.done(c)
    assert sorted(effect["status"] for effect in life.get("/v1/effects")["items"]) == ["confirmed"] * 3
    assert life.stop() == (0, "")

    host = Host(tmp_path / "home" / "sandbox.db", EmptyCompany(), 1)
    try:
        assert host.calls(acted=True) == 3
        assert [host.read(budget)["ads.budget.set"] for budget in budgets] == [90_000] * 3
    finally:
        host.close()


def test_a_command_beside_the_server_decides_and_a_second_server_does_not_start(
    serve: Callable[[], Server], tmp_path: Path
) -> None:
    life = serve()
    life.send(declared("budget:a"), capped("budget:a"))
    proposal = life.proposal("budget:a")
    second = run(life.home, "serve", "--port", "0")
    assert (second.returncode != 0, second.stdout) == (True, "")
    assert "Another `accord serve` runs on" in second.stderr
    taken = run(tmp_path / "elsewhere", "serve", "--port", life.line.strip().rpartition(":")[2])
    assert (taken.returncode != 0, taken.stdout) == (True, "")
    assert "choose another --port" in taken.stderr
    approved = run(life.home, "approve", proposal["id"], "--as", "admin")
    assert approved.returncode == 0, approved.stderr
    life.done(proposal)
    assert httpx.get(f"{life.client.base_url}/v1/proposals", trust_env=False).status_code == 401
    assert life.stop() == (0, "")
