"""One company in motion: levers, one day at a time, and the margin earned; knows no signals and no expectations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from connectors.sandbox.company.blueprint import Blueprint
from connectors.sandbox.company.board import Asset, Board
from connectors.sandbox.company.demand import Demand, MediaDay
from connectors.sandbox.company.parameters import CURRENCY
from connectors.sandbox.company.pipeline import DealMove, Pipeline
from connectors.sandbox.company.words import CHANNELS
from domain.money import to_major, to_minor

Half = Literal["media", "sales"]
COMPANY_ENTITY = "*"
"""Under which actions without an entity are read back."""


@dataclass(frozen=True, slots=True)
class Day:
    """What truly happened on one day; `media` is None when that half is not simulated."""

    number: int
    media: MediaDay | None
    moves: tuple[DealMove, ...]
    assets: tuple[Asset, ...]
    edited: tuple[str, ...]


class Engine:
    """`media` and `sales` do not touch each other, so either can be simulated alone."""

    def __init__(self, plan: Blueprint, halves: tuple[Half, ...] = ("media", "sales")) -> None:
        self.plan, self.halves = plan, halves
        self.day = 0
        self.earned = 0.0
        self.demand = Demand(plan.market, plan.weather)
        self.board = Board(plan.seed)
        self.pipeline = Pipeline(plan.buyers, plan.agenda)
        self.records: dict[tuple[str, str], list[Any]] = defaultdict(list)

    def step(self) -> Day:
        """Simulate the current day and move to the next."""
        day, media = self.day, None
        moves: list[DealMove] = []
        assets: list[Asset] = []
        edited = self._manual_edits(day)
        if "media" in self.halves:
            media = self.demand.step(day)
            self.earned += float(media.contribution.sum())
        if "sales" in self.halves:
            assets, reach = self.board.step((self.plan.start.weekday() + day) % 7)
            moves, margin = self.pipeline.step(day, self.board)
            self.earned += reach + margin
        self.day += 1
        return Day(day, media, tuple(moves), tuple(assets), edited)

    def _manual_edits(self, day: int) -> tuple[str, ...]:
        """Somebody changes a budget by hand in the ads tool."""
        edited: list[str] = []
        for event in self.plan.agenda:
            if event.kind == "manual_edit" and event.onset == day:
                place = (event.regions[0], CHANNELS.index(event.subject))
                self.demand.budgets[place] = round(self.demand.budgets[place] * event.strength)
                edited.append(f"budget:{event.subject}-{self.plan.market.regions[event.regions[0]]}")
        return tuple(edited)

    def set(self, action: Mapping[str, Any]) -> None:
        """Pull the lever of `action`, whatever it stands at. The action must have been checked."""
        entity = str(action.get("entity") or COMPANY_ENTITY)
        _LEVERS[str(action["kind"])](self, entity, action)

    def state(self, entity: str) -> dict[str, Any]:
        """State of `entity` by action kind, money in minor units; empty for what cannot be acted on."""
        kind = entity.partition(":")[0]
        return _SHOWN[kind](self, entity) if kind in _SHOWN else {}

    def recorded(self, kind: str, entity: str) -> list[Any]:
        return list(self.records[kind, entity])


def half_of(kind: str) -> Half:
    return "media" if kind.startswith("ads.") else "sales"


_Lever = Callable[["Engine", str, Mapping[str, Any]], None]


def _set_budget(engine: Engine, entity: str, action: Mapping[str, Any]) -> None:
    engine.demand.budgets[engine.plan.cells[entity]] = float(to_major(action["value"], CURRENCY))


def _set_bid(engine: Engine, entity: str, action: Mapping[str, Any]) -> None:
    engine.demand.bids[engine.plan.cells[entity]] = float(to_major(action["value"], CURRENCY))


def _set_status(engine: Engine, entity: str, action: Mapping[str, Any]) -> None:
    engine.demand.active[engine.plan.cells[entity]] = action["value"] == "active"


def _set_play(engine: Engine, entity: str, action: Mapping[str, Any]) -> None:
    engine.pipeline.plays[engine.plan.account_index[entity]] = str(action["value"])


def _set_priority(engine: Engine, entity: str, action: Mapping[str, Any]) -> None:
    engine.board.prioritise(entity, int(action["value"]))


def _create_brief(engine: Engine, entity: str, action: Mapping[str, Any]) -> None:
    engine.board.add(action["value"])
    engine.records["content.brief.create", entity].append(action["value"])


def _create_task(engine: Engine, entity: str, action: Mapping[str, Any]) -> None:
    engine.records["task.create", entity].append(action["value"])
    if entity in engine.plan.deal_index:
        engine.pipeline.add_task([engine.plan.deal_index[entity]])
    else:
        account = engine.plan.account_index[entity]
        engine.pipeline.add_task(engine.pipeline.open_deals(account, engine.day))


def _record(kind: str) -> _Lever:
    def record(engine: Engine, entity: str, action: Mapping[str, Any]) -> None:
        engine.records[kind, entity].append(action["value"])

    return record


_LEVERS: dict[str, _Lever] = {
    "ads.budget.set": _set_budget,
    "ads.bid.set": _set_bid,
    "ads.status.set": _set_status,
    "account.play.set": _set_play,
    "content.priority.set": _set_priority,
    "content.brief.create": _create_brief,
    "task.create": _create_task,
    "message.post": _record("message.post"),
    "experiment.start": _record("experiment.start"),
}


def _show_ads(engine: Engine, entity: str) -> dict[str, Any]:
    place = engine.plan.cells.get(entity)
    if place is None:
        return {}
    kind, levers = entity.partition(":")[0], engine.demand
    money, table = ("ads.budget.set", levers.budgets) if kind == "budget" else ("ads.bid.set", levers.bids)
    return {
        money: to_minor(round(float(table[place]), 4), CURRENCY),
        "ads.status.set": "active" if levers.active[place] else "paused",
        "currency": CURRENCY,
        "experiment.start": engine.recorded("experiment.start", entity),
    }


def _show_account(engine: Engine, entity: str) -> dict[str, Any]:
    index = engine.plan.account_index.get(entity)
    if index is None:
        return {}
    play = engine.pipeline.plays.get(index, "educate")
    return {"account.play.set": play, "task.create": engine.recorded("task.create", entity)}


def _show_deal(engine: Engine, entity: str) -> dict[str, Any]:
    known = entity in engine.plan.deal_index
    return {"task.create": engine.recorded("task.create", entity)} if known else {}


def _show_asset(engine: Engine, entity: str) -> dict[str, Any]:
    asset = engine.board.assets.get(entity)
    return {"content.priority.set": asset.priority} if asset else {}


def _show_company(engine: Engine, entity: str) -> dict[str, Any]:
    return {kind: engine.recorded(kind, entity) for kind in ("content.brief.create", "message.post")}


_SHOWN: dict[str, Callable[[Engine, str], dict[str, Any]]] = {
    "budget": _show_ads,
    "campaign": _show_ads,
    "account": _show_account,
    "deal": _show_deal,
    "asset": _show_asset,
    COMPANY_ENTITY: _show_company,
}
