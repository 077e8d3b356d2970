"""Entities that a signal brings into being without a declaration: whoever reports a deal or an asset has it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from domain.entities import Entity
from domain.signals import AssetChanged, DealChanged, Signal


def implied_entities(signal: Signal) -> tuple[Entity, ...]:
    """The asset, or the deal and its account, of which an own tool tells; nothing for what outsiders tell.

    A declaration of the same entity, older or newer, says more and replaces these.
    """
    if signal.trust != "internal":
        return ()
    match signal.data:
        case AssetChanged() as asset:
            attrs: dict[str, Any] = {"status": asset.status}
            if asset.priority is not None:
                attrs["priority"] = asset.priority
            return (Entity(id=asset.asset, name=asset.title, attrs=attrs),)
        case DealChanged() as deal:
            account = () if deal.account is None else (Entity(id=deal.account, name=_bare(deal.account)),)
            return (*account, Entity(id=deal.deal, name=_bare(deal.deal), parent=deal.account))
        case _:
            return ()


def first_of_each(entities: Iterable[Entity]) -> tuple[Entity, ...]:
    """One entity for each id, the first one told."""
    found: dict[str, Entity] = {}
    for entity in entities:
        found.setdefault(entity.id, entity)
    return tuple(found.values())


def _bare(entity: str) -> str:
    return entity.partition(":")[2]
