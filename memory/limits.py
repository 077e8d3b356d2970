"""Which of the finance limits that were told still stand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.limits import ActiveLimit
from domain.ports import Told
from domain.signals import FinanceLimit

Word = tuple[str, Told[FinanceLimit]]
"""A limit with the source that sent it."""


def standing(told: Sequence[Word], now: datetime) -> tuple[ActiveLimit, ...]:
    """The limits that no newer word of the same source replaces, in the order they were told.

    A limit replaces an earlier one of the same source, scope and kind if it restates its `from`, or for as
    long as both are in force at `now`. A less trusted sender replaces nothing of a more trusted one.
    """
    kept: list[Word] = []
    for newer in told:
        kept = [older for older in kept if not _replaces(newer, older, now)]
        kept.append(newer)
    return tuple(_active(limit) for _, limit in kept)


def _replaces(newer: Word, older: Word, now: datetime) -> bool:
    (source, new), (earlier_source, old) = newer, older
    if (source, new.data.scope, new.data.kind) != (earlier_source, old.data.scope, old.data.kind):
        return False
    if new.trust == "external" and old.trust == "internal":
        return False
    return new.data.from_ == old.data.from_ or (_active(new).in_force(now) and _active(old).in_force(now))


def _active(told: Told[FinanceLimit]) -> ActiveLimit:
    return ActiveLimit(limit=told.data, signal=told.signal)
