"""Hard budgets over processes: 128 calls at once pass no limit, and a process killed on the way frees no money."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.errors import OverBudget
from memory.store import Store
from providers.journal import Journal
from providers.ledger import Ledger, Posting, Refusal
from providers.pricing import ceiling_nano

sys.path.append(str(Path(__file__).parent))
from spender import BUDGETS, NOW, PROVIDER, RATES, REQUEST

LIMIT = 250_000_000
CEILING = ceiling_nano(RATES, REQUEST)


def spenders(url: str, root: Path, *, processes: int, calls: int, then: str) -> list[dict[str, int]]:
    """What each of `processes` started at once says of its `calls`."""
    command = [sys.executable, str(Path(__file__).with_name("spender.py")), url, str(calls), then]
    started = [
        subprocess.Popen(command, cwd=root, env={"PYTHONPATH": str(root)}, stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    return [json.loads(process.communicate(timeout=60)[0]) for process in started]


def test_calls_of_two_processes_pass_no_budget_together(store_url: str, root: Path) -> None:
    Store.open(store_url).close()
    told = spenders(store_url, root, processes=2, calls=64, then="settle")
    billed, through = sum(each["billed"] for each in told), sum(each["through"] for each in told)
    assert sum(each["refused"] for each in told) > 0, "the budget was never reached"
    assert through >= LIMIT // CEILING
    assert billed <= LIMIT
    with Store.open(store_url) as store:
        scopes = ("all", "provider:one", "task:explain", "key:k1")
        assert {store.calls.charged_nano(scope, "2026-03") for scope in scopes} == {billed}
        assert (store.calls.totals().calls, store.calls.totals().cost_nano) == (through, billed)
        assert store.calls.unsettled(datetime.now(UTC)) == []


def test_a_killed_process_frees_no_money_and_is_listed(store_url: str, root: Path) -> None:
    Store.open(store_url).close()
    told = spenders(store_url, root, processes=1, calls=64, then="die")
    with Store.open(store_url) as store:
        held = store.calls.unsettled(datetime.now(UTC))
        assert len(held) == told[0]["through"] == LIMIT // CEILING
        assert {(hold.provider, hold.task, hold.key, hold.held_nano) for hold in held} == {
            ("one", "explain", "k1", CEILING)
        }
        assert store.calls.charged_nano("all", "2026-03") == CEILING * len(held)
        ledger = Ledger(Journal(store.calls), currency="EUR", fx={}, budgets=BUDGETS)
        with pytest.raises(OverBudget, match="'task:explain'"):
            ledger.reserve(PROVIDER, REQUEST, NOW)


class Away:
    """A store that cannot be written for the first `times`, or that can never hold one posting."""

    def __init__(self, *, times: int = 0, poison: str = "") -> None:
        self.times, self.poison = times, poison
        self.kept: list[str] = []

    def write(self, postings: Sequence[Posting]) -> list[Refusal | None]:
        self.times -= 1
        if self.times >= 0 or any(posting.task == self.poison for posting in postings):
            raise OSError("away")
        self.kept += [posting.task for posting in postings]
        return [None] * len(postings)


def posting(task: str, **limits: int) -> Posting:
    return Posting(f"call_{task}", NOW, "one", task, None, ("all",), 5, limits)


def test_a_reservation_that_cannot_be_written_is_refused_and_a_settlement_waits_for_the_store() -> None:
    from domain.errors import TransientError

    table = Away(times=1)
    journal = Journal(table, linger_s=0)
    with pytest.raises(TransientError, match="cannot be written"):
        journal.post(posting("reserved", all=10)).result(timeout=10)
    table.times = 1
    settled = journal.post(posting("settled"))
    journal.close()
    assert settled.result(timeout=0) is None
    assert table.kept == ["settled"]
    journal.post(posting("late"))
    assert table.kept == ["settled", "late"]


def test_a_posting_that_can_never_be_written_takes_no_other_with_it() -> None:
    table = Away(poison="bad")
    journal = Journal(table)
    posted = [journal.post(posting(task)) for task in ("one", "bad", "two")]
    journal.close()
    assert [entry.exception(timeout=0) is None for entry in posted] == [True, False, True]
    assert table.kept == ["one", "two"]
