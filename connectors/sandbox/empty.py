"""An empty company: nothing happens, but it holds the state of the entities it is told of, like any tool would."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.sandbox.lever import CREATE_KINDS, ENTITY_OPTIONAL, refusal
from connectors.sandbox.world import Policy
from domain.money import to_minor

COMPANY_ENTITY = "*"
_START = datetime(2026, 1, 5, tzinfo=UTC)

# What can be done to an entity of a kind, and the attribute that holds its state.
_STATES: dict[str, dict[str, str]] = {
    "budget": {"ads.budget.set": "daily_budget", "ads.status.set": "status"},
    "campaign": {"ads.bid.set": "bid", "ads.status.set": "status"},
    "keyword": {"ads.bid.set": "bid", "ads.status.set": "status"},
    "account": {"account.play.set": "play"},
    "asset": {"content.priority.set": "priority"},
}
_CREATED: dict[str, tuple[str, ...]] = {
    "budget": ("experiment.start",),
    "campaign": ("experiment.start",),
    "account": ("task.create",),
    "deal": ("task.create",),
    COMPANY_ENTITY: tuple(sorted(ENTITY_OPTIONAL)),
}
_MONEY_ATTRS = ("daily_budget", "bid")
# What a tool shows of a thing nobody set yet; money has no such state.
_UNSET: dict[str, Any] = {"ads.status.set": "active", "account.play.set": "educate", "content.priority.set": 0}


class EmptyCompany:
    """Fits the World Protocol without events. Declared attributes (money in major units) become the state."""

    def __init__(self, start: datetime = _START, currency: str = "EUR") -> None:
        self._start, self._currency = start, currency
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Forget everything; there is no chance here, so `seed` says nothing."""
        self._day = 0
        self._declared: dict[str, dict[str, Any]] = {}
        self._states: dict[str, dict[str, Any]] = {COMPANY_ENTITY: _blank(COMPANY_ENTITY)}
        self._truth: list[dict[str, Any]] = []

    def adopt(self, entity: Mapping[str, Any]) -> None:
        """Take over `entity` (data of `accord.entity.declared`); attributes told later replace the state.

        Raises InputError when money in `attrs` is no number.
        """
        name, attrs = str(entity["id"]), dict(entity.get("attrs") or {})
        kind = name.partition(":")[0]
        currency = str(attrs.get("currency") or self._currency)
        state = self._states.get(name) or _blank(kind)
        for action, attr in _STATES.get(kind, {}).items():
            if attr in attrs:
                state[action] = to_minor(attrs[attr], currency) if attr in _MONEY_ATTRS else attrs[attr]
        if any(attr in _MONEY_ATTRS for attr in _STATES.get(kind, {}).values()):
            state["currency"] = currency
        self._declared[name], self._states[name] = dict(entity), state

    def now(self) -> datetime:
        return self._start + timedelta(days=self._day)

    def entities(self) -> list[dict[str, Any]]:
        """What was adopted, as it was told."""
        return deepcopy(list(self._declared.values()))

    def signals(self) -> list[dict[str, Any]]:
        return []

    def read(self, entity: str) -> dict[str, Any]:
        return deepcopy(self._states.get(entity, {}))

    def apply(self, action: Mapping[str, Any]) -> dict[str, Any]:
        entity = str(action.get("entity") or COMPANY_ENTITY)
        state = self._states.get(entity, {})
        why = refusal(action, state)
        if why is not None:
            return {"ok": False, "state": self.read(entity), "error": why}
        kind = str(action["kind"])
        if kind in CREATE_KINDS:
            state[kind].append(deepcopy(action["value"]))
        else:
            state[kind] = action["value"]
        onset = self.now().isoformat()
        row = {"onset": onset, "kind": kind, "entities": [entity], "decoy": False, "action": dict(action), "effect": 0}
        self._truth.append(row)
        return {"ok": True, "state": self.read(entity)}

    def advance(self) -> bool:
        """A day passes; there is always another."""
        self._day += 1
        return True

    def value(self) -> int:
        return 0

    def truth(self) -> list[dict[str, Any]]:
        """Applied actions, each without effect."""
        return deepcopy(self._truth)

    def oracle(self) -> Policy | None:
        return None


def _blank(kind: str) -> dict[str, Any]:
    """Nothing set, nothing created."""
    made = {action: list[Any]() for action in _CREATED.get(kind, ())}
    return {**{action: _UNSET.get(action) for action in _STATES.get(kind, {})}, **made}
