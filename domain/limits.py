"""Finance limits in force: which caps and freezes bind an entity now."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from domain.actions import MONEY_KINDS, ActionKind, ActionSpec
from domain.entities import EntityTree
from domain.money import to_minor
from domain.prose import day_text
from domain.record import Record
from domain.signals import FinanceLimit


class ActiveLimit(Record):
    """A finance limit with the signal that brought it."""

    limit: FinanceLimit
    signal: str

    def in_force(self, now: datetime) -> bool:
        return self.limit.from_ <= now and (self.limit.until is None or now < self.limit.until)

    def binds(self, entity: str, tree: EntityTree) -> bool:
        """Whether the scope covers `entity` and no approved exception does."""
        excepted = any(tree.covers(exception, entity) for exception in self.limit.exceptions)
        return tree.covers(self.limit.scope, entity) and not excepted

    def text(self, tree: EntityTree) -> str:
        """The limit as the reason why something cannot be."""
        return f"finance set a {self.limit.kind} on {tree.name(self.limit.scope)} on {day_text(self.limit.from_)}"


def binding(limits: Iterable[ActiveLimit], entity: str, tree: EntityTree, now: datetime) -> tuple[ActiveLimit, ...]:
    """The limits in force at `now` that bind `entity`."""
    return tuple(limit for limit in limits if limit.in_force(now) and limit.binds(entity, tree))


def breach(spec: ActionSpec, limits: Iterable[ActiveLimit], tree: EntityTree, now: datetime) -> ActiveLimit | None:
    """The first limit that this one action would pass; None when it stays within all of them.

    A freeze forbids any rise of a budget or bid and any resuming; a cap forbids a rise of a budget above its
    amount, or any rise when its currency is another. Sums under a wider scope are judged by `over_cap`.
    """
    if spec.entity is None or not _rises(spec):
        return None
    for active in binding(limits, spec.entity, tree, now):
        if active.limit.kind == "freeze" or (active.limit.kind == "cap" and _passes(spec, active.limit)):
            return active
    return None


def _rises(spec: ActionSpec) -> bool:
    """Whether more could be spent after the action than before."""
    if spec.kind == ActionKind.STATUS_SET:
        return spec.value == "active" and spec.expect != "active"
    return spec.kind in MONEY_KINDS and spec.value > (spec.expect or 0)


def _passes(spec: ActionSpec, cap: FinanceLimit) -> bool:
    if spec.kind != ActionKind.BUDGET_SET or spec.currency is None or cap.amount is None:
        return False
    return cap.currency not in {None, spec.currency} or spec.value > to_minor(cap.amount, spec.currency)


Shown = Mapping[str, Mapping[str, Any]]
"""What the connected tools show, by entity and kind of action; money in minor units."""


def over_cap(
    specs: Sequence[ActionSpec], limits: Iterable[ActiveLimit], tree: EntityTree, now: datetime, shown: Shown
) -> ActiveLimit | None:
    """The first cap whose budgets `specs` would together raise above its amount; None when every sum stays within.

    What a cap binds is the money a day of the budgets in its scope that are not paused.
    """
    rising = [spec for spec in specs if spec.entity is not None and _rises(spec)]
    caps = [active for active in limits if active.limit.kind == "cap" and active.in_force(now)] if rising else []
    then = _overlaid(specs, shown)
    for active in caps:
        amount, currency = active.limit.amount, active.limit.currency or rising[0].currency
        touched = any(active.binds(entity, tree) for spec in rising for entity in _budgets_of(spec, tree))
        if amount is None or currency is None or not touched:
            continue
        if daily_sum(active, tree, then) > max(to_minor(amount, currency), daily_sum(active, tree, shown)):
            return active
    return None


def daily_sum(active: ActiveLimit, tree: EntityTree, shown: Shown) -> int:
    """Money a day that the limit binds, minor units: its budgets without those of paused campaigns."""
    return sum(
        int(shown.get(budget.id, {}).get(ActionKind.BUDGET_SET) or 0)
        for budget in tree.of_kind("budget")
        if active.binds(budget.id, tree) and not _paused(budget.id, tree, shown)
    )


def _paused(budget: str, tree: EntityTree, shown: Shown) -> bool:
    return any(shown.get(above, {}).get(ActionKind.STATUS_SET) == "paused" for above in tree.chain(budget))


def _budgets_of(spec: ActionSpec, tree: EntityTree) -> list[str]:
    """The budgets whose spend the action changes: its own, or those below what it resumes."""
    if spec.kind == ActionKind.BUDGET_SET:
        return [spec.entity or ""]
    return [budget.id for budget in tree.of_kind("budget") if tree.covers(spec.entity or "", budget.id)]


def _overlaid(specs: Sequence[ActionSpec], shown: Shown) -> Shown:
    """`shown` as it would be after `specs`."""
    then: dict[str, Mapping[str, Any]] = {}
    for spec in specs:
        if spec.entity is not None:
            then[spec.entity] = {**then.get(spec.entity, shown.get(spec.entity, {})), spec.kind: spec.value}
    return ChainMap(then, cast("dict[str, Mapping[str, Any]]", shown))
