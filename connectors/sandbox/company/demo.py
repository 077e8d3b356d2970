"""The built-in demo company: a world to listen to and act on, with a hidden truth to be judged by."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from connectors.sandbox.company.blueprint import draw_blueprint
from connectors.sandbox.company.catalogue import catalogue
from connectors.sandbox.company.delivery import stamp
from connectors.sandbox.company.effects import Applied, effect_of
from connectors.sandbox.company.engine import COMPANY_ENTITY, Engine
from connectors.sandbox.company.oracle import Oracle
from connectors.sandbox.company.parameters import CURRENCY
from connectors.sandbox.company.reports import Reports
from connectors.sandbox.company.truth import events_truth
from connectors.sandbox.lever import refusal
from connectors.sandbox.world import Policy
from domain.money import to_minor

DEFAULT_START = date(2026, 1, 5)


class DemoCompany:
    """Fits the World Protocol. `weeks` of history from `start` (a date, midnight UTC); a day passes per `advance`."""

    def __init__(self, weeks: int = 26, start: date = DEFAULT_START) -> None:
        self._days, self._start = weeks * 7, start
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Draw the company of `seed` and stand before its first day."""
        self._plan = draw_blueprint(seed, self._start, self._days)
        self._engine = Engine(self._plan)
        self._reports = Reports(self._engine)
        self._applied: list[Applied] = []
        self._touched: list[str] = []
        self._effects: dict[tuple[int, int], int] = {}
        self._reports.opening()

    def now(self) -> datetime:
        """Midnight after the last simulated day."""
        return self._plan.at(self._engine.day)

    def entities(self) -> list[dict[str, Any]]:
        return catalogue(self._engine)

    def signals(self) -> list[dict[str, Any]]:
        """CloudEvents that arrived since the last call."""
        return self._reports.delivery.collect(self._engine.day - 1)

    def read(self, entity: str) -> dict[str, Any]:
        """State by action kind; `*` shows what was made without an entity; empty for unknown entities."""
        return self._engine.state(entity)

    def apply(self, action: Mapping[str, Any]) -> dict[str, Any]:
        """Set what `action` says if the state is as it expects; it counts from the coming day on."""
        entity = str(action.get("entity") or COMPANY_ENTITY)
        why = refusal(action, self.read(entity))
        if why is not None:
            return {"ok": False, "state": self.read(entity), "error": why}
        self._engine.set(action)
        self._applied.append(Applied(self._engine.day, dict(action)))
        self._touched.append(entity)
        return {"ok": True, "state": self.read(entity)}

    def advance(self) -> bool:
        """Simulate one day; False when there is none left."""
        if self._engine.day >= self._days:
            return False
        self._reports.send(self._engine.step(), self._touched)
        self._touched = []
        return True

    def value(self) -> int:
        """True contribution margin so far, minor units."""
        return to_minor(round(self._engine.earned, 2), CURRENCY)

    def effect(self, places: Collection[int]) -> int:
        """Minor units the actions applied at `places` (in order of application) earned together so far."""
        return effect_of(self._plan, self._applied, frozenset(places), self._engine.day)

    def truth(self) -> list[dict[str, Any]]:
        """Events with `decoy`, then one row per applied action with its own `effect` (minor units) so far."""
        rows = [
            {
                "onset": stamp(self._plan.at(applied.day)),
                "kind": str(applied.action["kind"]),
                "entities": [str(applied.action.get("entity") or COMPANY_ENTITY)],
                "decoy": False,
                "action": dict(applied.action),
                "effect": self._effect_once(place),
                "currency": CURRENCY,
            }
            for place, applied in enumerate(self._applied)
        ]
        return [*events_truth(self._plan), *rows]

    def _effect_once(self, place: int) -> int:
        key = (place, self._engine.day)
        if key not in self._effects:
            self._effects[key] = self.effect({place})
        return self._effects[key]

    def oracle(self) -> Policy:
        """A policy that knows the parameters and the calendar, and keeps to the finance limits."""
        return Oracle(self._engine)
