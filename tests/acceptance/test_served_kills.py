"""kill -9 of `accord serve` between the request of a decision and the end of its effect, as a caller over HTTP sees it.

The driver is that of wall time, with workflows and threads of its own, so that the places differ from those that event
time reaches one after the other (`tests/integration/test_consent.py`). An independent reader judges.
"""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from memory.crash import CRASH_AT
from tests.acceptance.test_serve import PATIENCE_S, Server, capped, declared, serve
from tests.integration.conftest import new_postgres, postgres_server, store_url
from tests.integration.trace import read_trace

__all__ = ["new_postgres", "postgres_server", "serve", "store_url"]

WRITES = ("effect.confirmed", "effect.started", "claim", "decision")
ALL = (
    *(f"{name}.{edge}" for name in WRITES for edge in ("committed", "committing")),
    "tool.answered",
    "tool.called",
    "action.validated",
    "decision.answered",
    "decision.received",
)
"""Every named place between the request and the end of the effect, but for those that a start passes too."""
CHAIN = ("tool.answered", "claim.committed", "decision.committed", "decision.received")
"""The later a place the earlier here: what one life goes on with does not pass the place where it is to die itself."""


class Deaths:
    """Lives on one home and store, each of which is to decide once and to die of it."""

    def __init__(self, serve: Callable[..., Server], url: str, budgets: Sequence[str]) -> None:
        self._serve, self._url, self._budgets = serve, url, budgets
        self.told: list[dict[str, str]] = []
        self.unanswered, self.unrecorded = 0, 0

    def life(self, place: str | None = None) -> Server:
        more = {"ACCORD_STORAGE__URL": self._url}
        return self._serve(more | {CRASH_AT: place} if place else more)

    def approve(self, life: Server, proposal: dict[str, Any]) -> httpx.Response | None:
        """The answer, None when the connection died."""
        body = {"decision": "approve", "fingerprint": proposal["fingerprint"]}
        try:
            answer = life.client.post(f"/v1/proposals/{proposal['id']}/decisions", json=body)
        except httpx.TransportError:
            return None
        if answer.is_success:
            self.told.append({"decision": answer.json()["decisions"][-1]["id"], "about": proposal["id"]})
        return answer

    def die(self, life: Server, budget: str) -> httpx.Response | None:
        """Decides, and waits for the death that comes of it."""
        answer = self.approve(life, life.proposal(budget))
        assert life.process.wait(timeout=PATIENCE_S) == -signal.SIGKILL
        life.client.close()
        assert answer is None or answer.status_code == httpx.codes.OK
        return answer

    def go_on(self, life: Server, budget: str, answer: httpx.Response | None) -> None:
        """What was answered stands; what was not stands once or not at all, and may be said again; then it is done."""
        proposal = life.proposal(budget)
        assert len(proposal["decisions"]) == 1 or (answer is None and proposal["status"] == "pending")
        self.unanswered += answer is None
        if answer is None:
            self.unrecorded += not proposal["decisions"]
            again = self.approve(life, proposal)
            assert again is not None
            assert again.status_code == (httpx.codes.CONFLICT if proposal["decisions"] else httpx.codes.OK)
        assert len(life.proposal(budget)["decisions"]) == 1
        life.done(proposal)

    def live(self, places: Sequence[str], *, rest: bool) -> None:
        """A death at each of `places`; the life after it dies at the next one, or with `rest` at none."""
        life = self.life(None if rest else places[0])
        life.send(*map(declared, self._budgets), *map(capped, self._budgets))
        for number, (place, budget) in enumerate(zip(places, self._budgets, strict=True)):
            if rest:
                assert life.stop() == (0, "")
                life = self.life(place)
            answer = self.die(life, budget)
            following = None if rest or place == places[-1] else places[number + 1]
            # What got no answer is first said again in that life.
            second = answer is None and following == "decision.received"
            life = self.life(f"{following}:2" if second else following)
            self.go_on(life, budget, answer)
        assert life.stop() == (0, "")


def dumped(path: Path) -> dict[str, list[dict[str, Any]]]:
    """What the simulated tool itself logged: raw calls, and what it changed, by key."""
    db = sqlite3.connect(path)
    calls = [{"key": key} for (key,) in db.execute("SELECT idempotency_key FROM calls")]
    acted = db.execute("SELECT idempotency_key, payload, result FROM log WHERE op = 'apply'").fetchall()
    db.close()
    ledger = [{"key": key, "after": json.loads(sent)["value"]} for key, sent, said in acted if json.loads(said)["ok"]]
    return {"calls": calls, "ledger": ledger}


def die_at(serve: Callable[..., Server], home: Path, url: str, places: Sequence[str], *, rest: bool) -> Deaths:
    """The deaths, of which the independent reader finds no fault."""
    deaths = Deaths(serve, url, [f"budget:b{number}" for number in range(len(places))])
    deaths.live(places, rest=rest)
    key = (home / "audit.key").read_text().strip().encode()
    trace = read_trace(url, key, dumped(home / "sandbox.db"), deaths.told)
    assert trace.faults == {}
    assert trace.counts["actions done"] == trace.counts["ledger changes"] == len(places)
    print(len(places), deaths.unanswered, deaths.unrecorded, len(deaths.told), dict(trace.counts))  # noqa: T201 — figures
    return deaths


def test_a_killed_server_keeps_what_it_answered_and_does_it_once(serve: Callable[..., Server], tmp_path: Path) -> None:
    deaths = die_at(serve, tmp_path / "home", f"sqlite:///{tmp_path / 'accord.db'}", CHAIN, rest=False)
    assert deaths.unanswered >= 2, "every death within the request leaves the caller without an answer"
    assert deaths.unrecorded == 1


@pytest.mark.soak
def test_at_every_place_on_both_stores(serve: Callable[..., Server], tmp_path: Path, store_url: str) -> None:
    die_at(serve, tmp_path / "home", store_url, ALL, rest=True)
