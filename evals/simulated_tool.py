"""An ads tool that goes wrong in every way a vendor's does, on a fake clock; its ledger is the truth."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from agents.clock import ManualClock
from connectors.contract import Diff
from domain.actions import ActionKind, ActionSpec, Receipt
from domain.errors import Conflict, TerminalError, TransientError

KIND = ActionKind.BUDGET_SET.value
BUDGETS = tuple(f"budget:b{number}" for number in range(6))
LATEST = timedelta(minutes=30)
"""A request that was sent arrives within this time; people look into the tool later than that."""


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the tool's ledger."""

    key: str
    entity: str
    value: int
    at: datetime


@dataclass
class Tool:
    """An ads tool: it answers late, twice, never, wrongly or not at all; its ledger is the truth."""

    chance: random.Random
    clock: ManualClock
    native: bool
    turn: Callable[[str], None]
    faults: Counter[str]
    calm: bool = False
    state: dict[str, int] = field(default_factory=lambda: dict.fromkeys(BUDGETS, 100_000))
    before: dict[str, int] = field(default_factory=dict[str, int])
    ledger: list[Change] = field(default_factory=list[Change])
    calls: list[str] = field(default_factory=list[str])
    late: deque[tuple[datetime, ActionSpec, str]] = field(default_factory=deque[tuple[datetime, ActionSpec, str]])

    def preview(self, action: ActionSpec) -> Diff:
        shown = self.state[str(action.entity)]
        return Diff(KIND, action.entity, shown, action.value, action.currency, shown != action.expect)

    def read_back(self, action: ActionSpec) -> dict[str, Any]:
        self.turn("tool.read")
        entity = str(action.entity)
        if self._goes_wrong(0.02, "unreadable"):
            raise TransientError("503: try later.")
        if entity in self.before and self._goes_wrong(0.03, "stale read"):
            return {KIND: self.before[entity], "currency": "EUR"}
        return {KIND: self.state[entity], "currency": "EUR"}

    def validate(self, action: ActionSpec) -> None:
        self.turn("tool.validate")
        if self._goes_wrong(0.01, "dry run refused"):
            raise TerminalError("The tool refused: the account is closed.")

    def apply(self, action: ActionSpec, idempotency_key: str) -> Receipt:
        key = idempotency_key
        self.turn("tool.apply")
        self.calls.append(key)
        if self._goes_wrong(0.05, "429"):
            raise TransientError("429: too many requests.")
        if self._goes_wrong(0.02, "refused"):
            raise TerminalError("403: not allowed.")
        if self._goes_wrong(0.04, "timeout before"):
            raise TransientError("No answer in time.", outcome="unknown")
        if self._goes_wrong(0.04, "delayed"):
            arrives = self.clock.now() + LATEST * self.chance.random()
            self.late.append((arrives, action, key))
            raise TransientError("No answer in time.", outcome="unknown")
        self._write(action, key)
        if self.native and self._goes_wrong(0.03, "duplicated"):
            self._write(action, key)
        self.turn("tool.acted")
        if self._goes_wrong(0.05, "timeout after"):
            raise TransientError("No answer in time.", outcome="unknown")
        return Receipt(idempotency_key=key, at=self.clock.now(), vendor_id=key)

    def arrive(self) -> None:
        """Requests that were under way reach the tool, in any order."""
        due = [each for each in self.late if each[0] <= self.clock.now()]
        self.chance.shuffle(due)
        for each in due:
            self.late.remove(each)
            try:
                self._write(each[1], each[2])
            except Conflict:
                continue

    def drift(self, entity: str, value: int) -> None:
        self.before[entity], self.state[entity] = self.state[entity], value

    def _write(self, action: ActionSpec, key: str) -> None:
        entity = str(action.entity)
        if self.native and any(change.key == key for change in self.ledger):
            return
        if self.state[entity] != action.expect:
            raise Conflict(f"{entity} is {self.state[entity]!r}.", state={KIND: self.state[entity]})
        self.drift(entity, action.value)
        self.ledger.append(Change(key, entity, action.value, self.clock.now()))

    def _goes_wrong(self, rate: float, name: str) -> bool:
        if self.calm or self.chance.random() >= rate:
            return False
        self.faults[name] += 1
        return True
