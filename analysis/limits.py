"""What finance still allows each budget per day, when several caps and freezes bind at once, and what that frees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.entities import EntityTree
from domain.limits import ActiveLimit, binding
from domain.money import to_minor


@dataclass(frozen=True, slots=True)
class Allowance:
    """One budget's day, minor units: what it spends, the most it may, and the difference when it spends too much.

    `ceiling_minor` None means no cap or freeze binds; `frozen` forbids any rise. `margin_floor_rate` and
    `payback_days` are the strictest in force. `bound_by` are the signals of all limits that bind, in order.
    """

    entity: str
    current_minor: int
    ceiling_minor: int | None
    freed_minor: int
    frozen: bool
    margin_floor_rate: float | None
    payback_days: int | None
    bound_by: tuple[str, ...]


def allowances(
    spend: Mapping[str, int], limits: Iterable[ActiveLimit], tree: EntityTree, now: datetime, currency: str
) -> dict[str, Allowance]:
    """Allowance of every budget in `spend` (minor units of `currency` a day) under the limits in force at `now`.

    A cap holds for the sum of what it binds and is shared in proportion to present spend; each cap is reckoned from
    present spend by itself and the tightest counts, so an exception to one limit never tightens another budget. A cap
    in another currency is skipped: converting is the caller's work.
    """
    known = tuple(limits)
    bound = {entity: binding(known, entity, tree, now) for entity in spend}
    caps = [_ceilings(active, spend, bound, currency) for active in known]
    return {
        entity: _allowance(entity, current, bound[entity], [cap[entity] for cap in caps if entity in cap])
        for entity, current in spend.items()
    }


def freed(found: Mapping[str, Allowance]) -> int:
    """Money per day, minor units, that the limits take from present spend and that other budgets may be offered."""
    return sum(allowance.freed_minor for allowance in found.values())


def _ceilings(
    active: ActiveLimit, spend: Mapping[str, int], bound: Mapping[str, tuple[ActiveLimit, ...]], currency: str
) -> dict[str, int]:
    """What `active` lets each budget it binds spend; evenly when none of them spends yet; empty for no usable cap."""
    limit = active.limit
    mine = [entity for entity, binding_it in bound.items() if active in binding_it]
    if limit.kind != "cap" or limit.amount is None or limit.currency not in {None, currency}:
        return {}
    amount = to_minor(limit.amount, currency)
    total = sum(spend[entity] for entity in mine)
    return {entity: amount * spend[entity] // total if total > 0 else amount // len(mine) for entity in mine}


def _allowance(entity: str, current: int, mine: tuple[ActiveLimit, ...], ceilings: list[int]) -> Allowance:
    frozen = any(active.limit.kind == "freeze" for active in mine)
    ceiling = min([*ceilings, current] if frozen else ceilings, default=None)
    floors = [active.limit.rate for active in mine if active.limit.kind == "margin_floor" and active.limit.rate]
    paybacks = [active.limit.days for active in mine if active.limit.kind == "payback" and active.limit.days]
    return Allowance(
        entity=entity,
        current_minor=current,
        ceiling_minor=ceiling,
        freed_minor=0 if ceiling is None else max(0, current - ceiling),
        frozen=frozen,
        margin_floor_rate=max(floors, default=None),
        payback_days=min(paybacks, default=None),
        bound_by=tuple(dict.fromkeys(active.signal for active in mine)),
    )
