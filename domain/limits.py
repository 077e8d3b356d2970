"""Finance limits in force: which caps and freezes bind an entity now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from domain.actions import ActionKind, ActionSpec
from domain.entities import EntityTree
from domain.money import to_minor
from domain.record import Record
from domain.signals import FinanceLimit


class ActiveLimit(Record):
    """A finance limit with the signal that brought it, so that a refusal can name it."""

    limit: FinanceLimit
    signal: str

    def in_force(self, now: datetime) -> bool:
        return self.limit.from_ <= now and (self.limit.until is None or now < self.limit.until)

    def binds(self, entity: str, tree: EntityTree) -> bool:
        """Whether the scope covers `entity` and no approved exception does."""
        excepted = any(tree.covers(exception, entity) for exception in self.limit.exceptions)
        return tree.covers(self.limit.scope, entity) and not excepted


def binding(limits: Iterable[ActiveLimit], entity: str, tree: EntityTree, now: datetime) -> tuple[ActiveLimit, ...]:
    """The limits in force at `now` that bind `entity`."""
    return tuple(limit for limit in limits if limit.in_force(now) and limit.binds(entity, tree))


def breach(spec: ActionSpec, limits: Iterable[ActiveLimit], tree: EntityTree, now: datetime) -> ActiveLimit | None:
    """The first limit that this one action would pass; None when it stays within all of them.

    A freeze forbids any rise; a cap forbids a rise above its amount. Sums under a wider scope are
    the arbiter's and the executor's work, since they need the other budgets' states.
    """
    if spec.kind != ActionKind.BUDGET_SET or spec.entity is None or spec.currency is None:
        return None
    rises = int(spec.value) > int(spec.expect or 0)
    for active in binding(limits, spec.entity, tree, now):
        if active.limit.kind == "freeze" and rises:
            return active
        amount = active.limit.amount
        if (
            active.limit.kind == "cap"
            and amount is not None
            and rises
            and int(spec.value) > to_minor(amount, spec.currency)
        ):
            return active
    return None
