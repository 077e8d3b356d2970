"""A policy that knows what nobody knows: it looks ahead in the true market and keeps to the finance limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from connectors.sandbox.company.blueprint import LOOK_AHEAD_DAYS
from connectors.sandbox.company.board import Asset
from connectors.sandbox.company.dice import Floats
from connectors.sandbox.company.engine import Engine
from connectors.sandbox.company.finance import Limit
from connectors.sandbox.company.parameters import CURRENCY
from connectors.sandbox.company.pipeline import group_active
from connectors.sandbox.company.words import CHANNELS
from domain.money import to_minor

_EVERY_DAYS, _AHEAD_DAYS, _STEP_RATE = 7, 28, 0.19
_FOCUS_DAYS = 21  # content work starts this long before the losses


@dataclass(frozen=True, slots=True)
class _Step:
    """A budget change considered: its place, the new daily budget (major units) and its gain ahead."""

    region: int
    channel: int
    budget: float
    gain: float


class Oracle:
    """Budgets once a week in steps under 20 %, plays when groups are real, content ahead of losses."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(self, signals: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Actions for today; `signals` are ignored, the truth is known."""
        budgets = list(self._budgets()) if self._engine.day % _EVERY_DAYS == 0 else []
        return [*budgets, *self._plays(), *self._content()]

    def _budgets(self) -> Iterator[dict[str, Any]]:
        engine = self._engine
        spent = engine.demand.budgets.copy()
        for step in sorted(self._steps(), key=lambda s: (s.budget > spent[s.region, s.channel], -s.gain)):
            before = float(engine.demand.budgets[step.region, step.channel])
            trial = spent.copy()
            trial[step.region, step.channel] = step.budget
            if step.budget > before and not self._allowed(step, trial):
                continue
            spent = trial
            name = f"budget:{CHANNELS[step.channel]}-{engine.plan.market.regions[step.region]}"
            yield _action("ads.budget.set", name, to_minor(step.budget, CURRENCY), to_minor(before, CURRENCY))

    def _steps(self) -> Iterator[_Step]:
        """The better of a step up and a step down for each budget, where either gains."""
        base = self._ahead(None, 1.0)
        for channel in range(len(CHANNELS)):
            up, down = (self._ahead(channel, 1 + sign * _STEP_RATE) - base for sign in (1, -1))
            for region in range(len(base)):
                gain, rate = max((float(up[region]), 1 + _STEP_RATE), (float(down[region]), 1 - _STEP_RATE))
                budget = round(float(self._engine.demand.budgets[region, channel]) * rate)
                if gain > 0.02 * budget * _AHEAD_DAYS and budget >= 20:
                    yield _Step(region, channel, float(budget), gain)

    def _ahead(self, channel: int | None, factor: float) -> Floats:
        """Contribution per region of the coming weeks with one channel's budgets scaled in all regions."""
        demand = self._engine.demand.fork()
        if channel is not None:
            demand.budgets[:, channel] *= factor
        last = min(self._engine.day + _AHEAD_DAYS, self._engine.plan.days + LOOK_AHEAD_DAYS)
        days = [demand.step(day).contribution for day in range(self._engine.day, last)]
        return np.sum(days, axis=0)

    def _allowed(self, step: _Step, trial: Floats) -> bool:
        channel, region = CHANNELS[step.channel], self._engine.plan.market.regions[step.region]
        for limit in self._engine.plan.limits:
            binds = limit.scope in ("*", f"channel:{channel}") and f"budget:{channel}-{region}" not in limit.exceptions
            if binds and limit.in_force(self._engine.day) and _breaks(limit, step, trial):
                return False
        return True

    def _plays(self) -> Iterator[dict[str, Any]]:
        engine = self._engine
        verify = {d.account for d in engine.plan.buyers.deals if group_active(d, engine.day)}
        for index, account in enumerate(engine.plan.buyers.accounts):
            now = engine.pipeline.plays.get(index, "educate")
            wanted = "verify" if index in verify else "educate"
            if now != wanted:
                yield _action("account.play.set", account.id, wanted, now)

    def _content(self) -> Iterator[dict[str, Any]]:
        day, plan = self._engine.day, self._engine.plan
        coming = (e for e in plan.agenda if e.kind in ("loss_wave", "compliance_collapse"))
        topics = {event.subject for event in coming if event.onset - _FOCUS_DAYS <= day < event.end}
        best = {asset.id: asset for asset in map(self._nearest_proof, sorted(topics))}
        for asset in best.values():
            if asset.priority < 95:
                yield _action("content.priority.set", asset.id, 95, asset.priority)

    def _nearest_proof(self, topic: str) -> Asset:
        """The published or else quickest asset on `topic`."""
        assets = [asset for asset in self._engine.board.assets.values() if topic in asset.topics]
        return max(assets, key=lambda a: (a.status == "published", -a.hours, a.id))


def _breaks(limit: Limit, step: _Step, trial: Floats) -> bool:
    if limit.kind == "freeze":
        return True
    if limit.kind != "cap" or limit.amount is None:
        return False
    total = trial.sum() if limit.scope == "*" else trial[:, step.channel].sum()
    return bool(total > limit.amount)


def _action(kind: str, entity: str, value: str | int, expect: str | int) -> dict[str, Any]:
    money = {"currency": CURRENCY} if kind.startswith("ads.") else {}
    return {"kind": kind, "entity": entity, "value": value, "expect": expect, "reason": "known truth", **money}
