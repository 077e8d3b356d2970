"""Finance limits in force: which caps and freezes bind an entity now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

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
    amount, or any rise when its currency is another. Sums under a wider scope are the arbiter's work, since they need
    the other budgets' states: they bind what is proposed, and are not judged again.
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
