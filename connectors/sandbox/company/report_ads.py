"""What the ads platforms and finance report of a day: metrics per campaign and per region, faults included."""

from __future__ import annotations

from collections import deque

import numpy as np

from connectors.sandbox.company.blueprint import Blueprint
from connectors.sandbox.company.delivery import CloudEvent, Delivery, cloud_event, stamp
from connectors.sandbox.company.demand import MediaDay
from connectors.sandbox.company.dice import Floats, dice
from connectors.sandbox.company.words import BRAND, CHANNELS, CTV

DAY_S = 86_400
_REVENUE_DELAY = 1
_IMPRESSIONS_PER_CURRENCY = 40.0
_Kind = tuple[str, str, str]  # source, metric, unit
_SESSIONS_PER_CLICK, _SESSIONS_PER_ORDER = 0.85, 18.0


class AdsReport:
    """Reports media days. Platform conversions lag and claim more orders than there were."""

    def __init__(self, plan: Blueprint) -> None:
        self._plan = plan
        self._orders: deque[Floats] = deque(maxlen=len(plan.market.conversion_lag))

    def send(self, day: int, media: MediaDay, out: Delivery) -> None:
        """Hand the events of `day` to `out`."""
        self._orders.appendleft(media.orders_by_channel)
        time = stamp(self._plan.at(day))
        rng = dice(self._plan.seed, "ads-report", day)
        blur = np.exp(rng.normal(0, 0.025, (4, *media.spend.shape)))
        delays = rng.choice(3, len(CHANNELS), p=(0.75, 0.2, 0.05)).tolist()
        for channel, name in enumerate(CHANNELS):
            events: list[CloudEvent] = []
            for metric, unit, column in self._columns(day, channel, media, blur):
                events += self._campaign_points(metric, unit, name, column, time)
            out.send(day, events, delays[channel])
        out.send(day, self._regions(media, blur[3], time), _REVENUE_DELAY)

    def _columns(self, day: int, channel: int, media: MediaDay, blur: Floats) -> list[tuple[str, str, list[float]]]:
        weather = self._plan.weather
        bots = weather.reported_clicks[day, :, channel]
        columns = [("spend", "currency", media.spend[:, channel].round(2).tolist())]
        if channel == CTV:
            seen = media.spend[:, CTV] * _IMPRESSIONS_PER_CURRENCY * blur[0, :, CTV]
            columns.append(("impressions", "count", seen.round(0).tolist()))
        else:
            clicks = media.clicks[:, channel] * blur[0, :, channel] * bots
            columns.append(("clicks", "count", clicks.round(0).tolist()))
        if channel == BRAND:
            queries, ctr = media.queries * blur[1, :, BRAND], np.minimum(0.95, media.ctr * bots * blur[2, :, BRAND])
            columns.append(("queries", "count", queries.round(0).tolist()))
            columns.append(("ctr", "rate", ctr.round(4).tolist()))
            columns.append(("impression_share", "rate", media.coverage.round(4).tolist()))
        columns.append(("conversions", "count", self._conversions(day, channel, blur).round(1).tolist()))
        return columns

    def _conversions(self, day: int, channel: int, blur: Floats) -> Floats:
        market = self._plan.market
        lagged = sum(
            (weight * orders[:, channel] for weight, orders in zip(market.conversion_lag, self._orders, strict=False)),
            start=np.zeros(len(market.regions)),
        )
        claimed = lagged * market.over_attribution[channel] * blur[2, :, channel]
        return claimed * self._plan.weather.reported_conversions[day, :, channel]

    def _campaign_points(
        self, metric: str, unit: str, channel: str, values: list[float], time: str
    ) -> list[CloudEvent]:
        return [
            _point(("ads", metric, unit), f"campaign:{channel}-{region}", value, time)
            for region, value in zip(self._plan.market.regions, values, strict=True)
        ]

    def _regions(self, media: MediaDay, blur: Floats, time: str) -> list[CloudEvent]:
        sessions = media.clicks[:, 1:].sum(axis=1) * _SESSIONS_PER_CLICK + media.orders * _SESSIONS_PER_ORDER
        columns = (
            (("finance", "revenue", "currency"), media.revenue.round(2).tolist()),
            (("finance", "orders", "count"), media.orders.round(0).tolist()),
            (("web", "sessions", "count"), (sessions * blur[:, 0]).round(0).tolist()),
        )
        return [
            _point(kind, f"region:{region}", value, time)
            for kind, values in columns
            for region, value in zip(self._plan.market.regions, values, strict=True)
        ]


def _point(kind: _Kind, entity: str, value: float, time: str) -> CloudEvent:
    source, metric, unit = kind
    dims = {"attribution": "platform"} if metric == "conversions" else {}
    data = {"metric": metric, "entity": entity, "value": value, "unit": unit, "grain_s": DAY_S, "dims": dims}
    return cloud_event(source, "metric.point", f"{metric}:{entity}:{time[:10]}", time, entity, data)
