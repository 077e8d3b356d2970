"""After a restore: the world went on since the backup, so nothing may happen before a person has looked."""

from __future__ import annotations

from datetime import datetime

from agents.modes import READ_ONLY
from domain.actions import ActionStatus
from domain.audit import Fact
from domain.effects import EffectStatus
from memory.store import Store

_ACTOR = "cli"
_DETAIL = "restored from a backup while it was under way: look in the tool whether it happened"


def quarantine(store: Store, now: datetime) -> tuple[str, ...]:
    """Switches to read-only and calls every action in flight unknown; returns their ids."""
    restored = Fact(at=now, actor=_ACTOR, verb="store.restored", subject="accord")
    store.flags.set(READ_ONLY, value=True, facts=[restored])
    for effect in store.effects.unfinished():
        store.effects.finish(effect.idempotency_key, EffectStatus.UNKNOWN, at=now, detail=_DETAIL, facts=[])
    return tuple(_give_up(store, now))


def _give_up(store: Store, now: datetime) -> list[str]:
    found: list[str] = []
    while page := store.actions.page(status=ActionStatus.EXECUTING, limit=200).items:
        for action in page:
            fact = Fact(at=now, actor=_ACTOR, verb="action.unknown", subject=action.id, facts={"why": _DETAIL})
            store.actions.move(
                action.id, ActionStatus.EXECUTING, ActionStatus.UNKNOWN, due_at=None, facts=[fact], detail=_DETAIL
            )
            found.append(action.id)
    return found
