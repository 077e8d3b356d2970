"""The true effect of applied actions: the same company, the same chance, lived again without them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.company.blueprint import Blueprint
from connectors.sandbox.company.engine import Engine, Half, half_of
from connectors.sandbox.company.parameters import CURRENCY
from domain.money import to_minor


@dataclass(frozen=True, slots=True)
class Applied:
    """An action that took effect at the start of `day`."""

    day: int
    action: Mapping[str, Any]


def relive(plan: Blueprint, actions: Sequence[Applied], days: int, halves: tuple[Half, ...]) -> float:
    """Margin (major units) of the first `days` days of `plan` under `actions`."""
    engine = Engine(plan, halves)
    queue = iter(actions)
    upcoming = next(queue, None)
    for day in range(days):
        while upcoming is not None and upcoming.day <= day:
            engine.set(upcoming.action)
            upcoming = next(queue, None)
        engine.step()
    return engine.earned


def effect_of(plan: Blueprint, actions: Sequence[Applied], without: Collection[int], days: int) -> int:
    """Minor units that the actions at the places `without` earned together up to day `days`, costs included."""
    halves: set[Half] = {half_of(str(actions[place].action["kind"])) for place in without}
    total = 0.0
    for half in sorted(halves):
        own = [a for a in actions if half_of(str(a.action["kind"])) == half]
        rest = [a for place, a in enumerate(actions) if half_of(str(a.action["kind"])) == half and place not in without]
        total += relive(plan, own, days, (half,)) - relive(plan, rest, days, (half,))
    return to_minor(round(total, 2), CURRENCY)
