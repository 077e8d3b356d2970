"""Turns one true day into the signals of all tools."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connectors.sandbox.company import catalogue
from connectors.sandbox.company.board import Asset
from connectors.sandbox.company.delivery import CloudEvent, Delivery, cloud_event, stamp
from connectors.sandbox.company.dice import slug
from connectors.sandbox.company.engagement import Engagement
from connectors.sandbox.company.engine import Day, Engine
from connectors.sandbox.company.finance import Limit
from connectors.sandbox.company.notes import Notes
from connectors.sandbox.company.parameters import CURRENCY
from connectors.sandbox.company.report_ads import AdsReport
from connectors.sandbox.company.report_crm import CrmReport
from connectors.sandbox.company.words import ASSETS


class Reports:
    """All reporters of one company, and the delivery they share."""

    def __init__(self, engine: Engine) -> None:
        self._engine, plan = engine, engine.plan
        self.delivery = Delivery(plan.seed)
        self._ads, self._crm, self._notes = AdsReport(plan), CrmReport(plan), Notes(plan)

    def opening(self) -> None:
        """What the content board shows before the first day."""
        self.delivery.send(0, [self._asset(asset, 0) for asset in self._engine.board.assets.values()])

    def send(self, day: Day, touched: Iterable[str]) -> None:
        """Report `day`; `touched` are entities that actions changed since yesterday."""
        number, out, plan = day.number, self.delivery, self._engine.plan
        if day.media is not None:
            self._ads.send(number, day.media, out)
        self._crm.send(number, day.moves, out)
        self._notes.send(number, out)
        for place, limit in enumerate(plan.limits):
            if limit.told == number:
                out.send(number, [self._limit(place, limit)])
        visits = plan.schedule.by_day.get(number, [])
        out.send(number, [self._visit(place, visit) for place, visit in enumerate(visits)])
        assets = {asset.id: asset for asset in day.assets}
        for entity in dict.fromkeys((*day.edited, *touched)):
            if entity in self._engine.board.assets:
                assets[entity] = self._engine.board.assets[entity]
            elif entity in plan.cells:
                out.send(number, [self._declared(entity, number)])
        out.send(number, [self._asset(asset, number) for asset in assets.values()])

    def _declared(self, entity: str, day: int) -> CloudEvent:
        r, c = self._engine.plan.cells[entity]
        make = catalogue.budget if entity.startswith("budget:") else catalogue.campaign
        return self._event("ads", "entity.declared", f"declared:{entity}:{day}", day, entity, make(self._engine, r, c))

    def _asset(self, asset: Asset, day: int) -> CloudEvent:
        data = {"asset": asset.id, "title": asset.title, **catalogue.asset_data(asset)}
        name = f"{asset.id}:{asset.status}:{asset.priority}:{day}"
        return self._event("content", "asset.changed", name, day, asset.id, data)

    def _visit(self, place: int, visit: Engagement) -> CloudEvent:
        asset = f"asset:{slug(ASSETS[visit.asset][0])}"
        account = self._engine.plan.buyers.accounts[visit.person.account].id if visit.tells_account else None
        known = visit.identity == visit.person.id
        told = {"email": visit.email, "account": account, "role": visit.person.role if known else None}
        data = {"person": visit.identity, "asset": asset, "platform": visit.platform, "seconds": visit.seconds}
        data |= {key: value for key, value in told.items() if value is not None}
        name = f"visit:{visit.day}:{place}"
        return self._event("content", "content.engaged", name, visit.day, visit.identity, data)

    def _limit(self, place: int, limit: Limit) -> CloudEvent:
        plan = self._engine.plan
        data: dict[str, object] = {"scope": limit.scope, "kind": limit.kind, "from": stamp(plan.at(limit.onset))}
        if limit.amount is not None:
            data |= {"amount": limit.amount, "currency": CURRENCY}
        told = {"rate": limit.rate, "days": limit.days, "until": stamp(plan.at(limit.end)) if limit.end else None}
        data |= {key: value for key, value in told.items() if value is not None}
        if limit.exceptions:
            data["exceptions"] = list(limit.exceptions)
        return self._event("finance", "finance.limit", f"limit:{place}", limit.told, limit.scope, data)

    def _event(
        self, source: str, kind: str, name: str, day: int, subject: str, data: Mapping[str, object]
    ) -> CloudEvent:
        return cloud_event(source, kind, name, stamp(self._engine.plan.at(day + 0.5)), subject, data)
