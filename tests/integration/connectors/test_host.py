"""The durable world: what it answered survives kill -9, and what it did it does once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.company.demo import DemoCompany
from connectors.sandbox.factory import sandbox_factory
from connectors.sandbox.host import Host
from domain.actions import ActionSpec
from domain.errors import ConfigError, Conflict, InputError, TerminalError

Open = Callable[[], Host]


@pytest.fixture
def reopen(tmp_path: Path) -> Iterator[Open]:
    """Opens the same world file anew; the one opened before is closed."""
    opened: list[Host] = []

    def open_host() -> Host:
        if opened:
            opened[-1].close()
        opened.append(Host(tmp_path / "world.db", DemoCompany(weeks=4), seed=7))
        return opened[-1]

    yield open_host
    opened[-1].close()


def budget_action(host: Host, place: int = 0, rate: float = 1.1) -> dict[str, Any]:
    entity = [e["id"] for e in host.entities() if e["id"].startswith("budget:brand-search-")][place]
    now = host.read(entity)["ads.budget.set"]
    return {"kind": "ads.budget.set", "entity": entity, "value": round(now * rate), "expect": now, "currency": "EUR"}


def picture(host: Host) -> str:
    """Everything that can be seen of a world, and what is hidden."""
    seen = {
        "now": host.now().isoformat(),
        "entities": host.entities(),
        "signals": [host.signals(batch) for batch in range(host.day + 1)],
        "value": host.world.value(),
        "truth": host.world.truth(),
    }
    return json.dumps(seen, sort_keys=True)


def test_replaying_the_log_gives_the_same_world(reopen: Open) -> None:
    host = reopen()
    for day in range(10):
        host.advance()
        host.apply(budget_action(host, day), f"key-{day}")
    host.apply({**budget_action(host), "expect": 1}, "drifted")
    host.compensate("key-3")
    before = picture(host)
    assert picture(reopen()) == before


def test_a_key_acts_once_also_after_a_restart(reopen: Open) -> None:
    host = reopen()
    action = budget_action(host)
    first = host.apply(action, "k")
    again = reopen().apply(action, "k")
    assert first["ok"]
    assert not first["replayed"]
    assert again == {**first, "replayed": True}
    host = reopen()
    assert (host.calls("k"), host.calls("k", acted=True)) == (2, 1)
    assert len([row for row in host.world.truth() if "effect" in row]) == 1


def test_a_key_belongs_to_one_action(reopen: Open) -> None:
    host = reopen()
    host.apply(budget_action(host), "k")
    with pytest.raises(Conflict, match="another action"):
        host.apply(budget_action(host, 1), "k")


def test_undo_restores_unless_somebody_changed_it_since(reopen: Open) -> None:
    host = reopen()
    action = budget_action(host)
    host.apply(action, "k")
    assert host.compensate("k")["ok"]
    assert host.read(action["entity"])["ads.budget.set"] == action["expect"]
    host.apply(action, "k2")
    host.apply({**action, "value": 5000, "expect": action["value"]}, "k3")
    undone = host.compensate("k2")
    assert not undone["ok"]
    assert "drifted" in undone["error"]
    with pytest.raises(InputError, match="No effect"):
        host.compensate("never")


def test_another_seed_cannot_take_over_the_file(reopen: Open, tmp_path: Path) -> None:
    reopen().close()
    with pytest.raises(ConfigError, match="seed 7"):
        Host(tmp_path / "world.db", DemoCompany(weeks=4), seed=8)


def test_a_world_that_changed_its_ways_is_refused(reopen: Open, tmp_path: Path) -> None:
    host = reopen()
    host.advance()
    host.apply(budget_action(host), "k")
    host.close()

    class DemoCompanyRevised(DemoCompany):
        def read(self, entity: str) -> dict[str, Any]:
            return {**super().read(entity), "new": True}

    DemoCompanyRevised.__qualname__ = "DemoCompany"
    with pytest.raises(ConfigError, match="no longer repeats itself"):
        Host(tmp_path / "world.db", DemoCompanyRevised(weeks=4), seed=7)


def test_a_world_that_raises_stands_as_before(tmp_path: Path) -> None:
    class Fragile(DemoCompany):
        def apply(self, action: Mapping[str, Any]) -> dict[str, Any]:
            answer = super().apply(action)
            if action["value"] == 66_600:
                raise ZeroDivisionError
            return answer

    host = Host(tmp_path / "fragile.db", Fragile(weeks=1))
    action = budget_action(host)
    with pytest.raises(TerminalError, match="ZeroDivisionError"):
        host.apply({**action, "value": 66_600}, "k")
    assert host.read(action["entity"])["ads.budget.set"] == action["expect"]
    assert host.calls() == 0
    host.close()


def test_threads_share_one_world(reopen: Open) -> None:
    host = reopen()
    actions = [budget_action(host, place) for place in range(12)]

    def act(place: int) -> None:
        for _ in range(3):
            host.apply(actions[place], f"key-{place}")
            host.advance()

    threads = [threading.Thread(target=act, args=(place,)) for place in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert host.calls(acted=True) == 12
    assert host.calls() == 36
    assert all(host.read(action["entity"])["ads.budget.set"] == action["value"] for action in actions)
    before = picture(host)
    assert picture(reopen()) == before


def test_the_source_redelivers_the_same_events_after_a_restart(reopen: Open) -> None:
    def read(host: Host, cursor: str | None) -> list[str]:
        source = sandbox_factory(host)("ads", {}).source
        assert source is not None
        return [json.dumps(event) for event in source.read(cursor).events]

    host = reopen()
    for _ in range(9):
        host.advance()
    first, second = read(host, None), read(host, "7")
    host = reopen()
    assert (read(host, None), read(host, "7")) == (first, second)
    assert first
    assert second
    host.advance()
    assert read(host, "7")[: len(second)] == second


def test_each_part_of_the_company_tells_its_own_and_takes_its_own(reopen: Open) -> None:
    host = reopen()
    host.advance()
    build = sandbox_factory(host)
    told: dict[str, set[str]] = {}
    for name in ("ads", "crm", "content", "finance"):
        source = build(name, {}).source
        assert source is not None
        told[name] = {f"{event['source']}/{event['id']}" for event in source.read(None).events}
        assert told[name]
    names = list(told)
    assert all(not told[a] & told[b] for a in names for b in names if a < b)
    crm = build("crm", {}).actuator
    assert crm is not None
    with pytest.raises(InputError, match=r"none of 'sandbox.crm'"):
        crm.apply(ActionSpec(**budget_action(host)), "k")


VICTIM = """
import sys
from connectors.sandbox.company.demo import DemoCompany
from connectors.sandbox.host import Host

host = Host(sys.argv[1], DemoCompany(weeks=4), seed=7)
entities = [e["id"] for e in host.entities() if e["id"].startswith("budget:")]
for number, entity in enumerate(entities):
    now = host.read(entity)["ads.budget.set"]
    host.apply({"kind": "ads.budget.set", "entity": entity, "value": now + 100, "expect": now}, f"key-{number}")
    print(number, flush=True)
    if number % 10 == 9:
        host.advance()
"""


def test_killed_in_the_middle_it_resumes_with_all_it_had_answered(root: Path, reopen: Open, tmp_path: Path) -> None:
    command = [sys.executable, "-c", VICTIM, str(tmp_path / "world.db")]
    answered = -1
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        for line in victim.stdout:
            answered = int(line)
            if answered == 23:
                os.kill(victim.pid, signal.SIGKILL)
    host = reopen()
    acted = host.calls(acted=True)
    assert victim.returncode == -signal.SIGKILL
    assert answered >= 23
    assert acted in (answered + 1, answered + 2), "all that was answered, and at most the one in flight"
    assert host.day in (acted // 10, acted // 10 - 1)
