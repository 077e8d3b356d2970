"""The entities of a simulated company as its tools declare them, money in decimal major units."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.sandbox.company.board import Asset
from connectors.sandbox.company.engine import Engine
from connectors.sandbox.company.parameters import CURRENCY
from connectors.sandbox.company.words import CHANNELS

Declared = dict[str, Any]
CONTENT_CHANNEL = "channel:content"


def catalogue(engine: Engine) -> list[Declared]:
    """Every entity known today, parents first."""
    return [
        *_structure(engine),
        *(campaign(engine, r, c) for r in range(len(engine.plan.market.regions)) for c in range(len(CHANNELS))),
        *(budget(engine, r, c) for r in range(len(engine.plan.market.regions)) for c in range(len(CHANNELS))),
        *_buyers(engine),
        *(asset_entity(asset) for asset in engine.board.assets.values()),
    ]


def _structure(engine: Engine) -> Iterator[Declared]:
    for channel in CHANNELS:
        yield {"id": f"channel:{channel}", "name": channel.replace("-", " "), "attrs": {"connector": "ads"}}
    hours = {"connector": "content", "hours_per_week": engine.board.hours_per_week}
    yield {"id": CONTENT_CHANNEL, "name": "content board", "attrs": hours}
    for region in engine.plan.market.regions:
        yield {"id": f"region:{region}", "name": region.replace("-", " ").title(), "attrs": {}}
    for product in engine.plan.market.products:
        yield {"id": f"product:{product.lower()}", "name": product, "attrs": {}}


def campaign(engine: Engine, r: int, c: int) -> Declared:
    """The campaign of region `r` and channel `c`."""
    market, levers = engine.plan.market, engine.demand
    return {
        "id": f"campaign:{CHANNELS[c]}-{market.regions[r]}",
        "name": f"{CHANNELS[c]} {market.regions[r]}",
        "parent": f"channel:{CHANNELS[c]}",
        "attrs": {
            **_place(engine, r, c),
            "product": f"product:{market.products[market.product_of[r]].lower()}",
            "bid": round(float(levers.bids[r, c]), 2),
            "status": "active" if levers.active[r, c] else "paused",
        },
    }


def budget(engine: Engine, r: int, c: int) -> Declared:
    """The daily budget of region `r` and channel `c`."""
    name = f"{CHANNELS[c]}-{engine.plan.market.regions[r]}"
    return {
        "id": f"budget:{name}",
        "name": f"{name} budget",
        "parent": f"campaign:{name}",
        "attrs": {**_place(engine, r, c), "daily_budget": round(float(engine.demand.budgets[r, c]), 2)},
    }


def _place(engine: Engine, r: int, c: int) -> dict[str, str]:
    region = f"region:{engine.plan.market.regions[r]}"
    return {"region": region, "channel": f"channel:{CHANNELS[c]}", "currency": CURRENCY, "connector": "ads"}


def _buyers(engine: Engine) -> Iterator[Declared]:
    for index, account in enumerate(engine.plan.buyers.accounts):
        play = engine.pipeline.plays.get(index, "educate")
        attrs = {"domain": account.domain, "size": account.size, "play": play, "connector": "crm"}
        yield {"id": account.id, "name": account.name, "attrs": attrs}
        for person in account.people:
            known = {"email": person.email, "role": person.role, "connector": "crm"}
            yield {"id": person.id, "name": person.name, "parent": account.id, "attrs": known}
    for index, deal in enumerate(engine.plan.buyers.deals):
        if engine.pipeline.is_open(index, engine.day):
            account = engine.plan.account_of(index)
            attrs = {"product": f"product:{deal.product.lower()}", "owner": deal.owner, "connector": "crm"}
            yield {"id": deal.id, "name": f"{account.name} {deal.product}", "parent": account.id, "attrs": attrs}


def asset_entity(asset: Asset) -> Declared:
    attrs = {**asset_data(asset), "connector": "content"}
    return {"id": asset.id, "name": asset.title, "parent": CONTENT_CHANNEL, "attrs": attrs}


def asset_data(asset: Asset) -> dict[str, Any]:
    """Kind, topics, stage, status, priority and hours, as `accord.asset.changed` names them."""
    return {
        "kind": asset.kind,
        "topics": list(asset.topics),
        "stage": asset.stage,
        "status": asset.status,
        "priority": asset.priority,
        "hours": asset.hours,
    }
