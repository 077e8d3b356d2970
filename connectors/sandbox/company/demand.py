"""The media market, day by day: what spend does to branded queries, clicks and revenue in every region at once."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np

from connectors.sandbox.company.dice import Floats
from connectors.sandbox.company.parameters import Market
from connectors.sandbox.company.weather import Weather
from connectors.sandbox.company.words import BRAND, CTV, NONBRAND

_STEP_RATE = 0.2


@dataclass(frozen=True, slots=True)
class MediaDay:
    """One day's truth. R regions, C channels; money in major units."""

    spend: Floats  # (R, C)
    clicks: Floats  # (R, C)
    orders_by_channel: Floats  # (R, C) orders a perfect observer would see pass through the channel
    queries: Floats  # (R,)
    ctr: Floats  # (R,) of brand search
    coverage: Floats  # (R,) impression share of brand search
    revenue: Floats  # (R,)
    orders: Floats  # (R,)
    contribution: Floats  # (R,) revenue x margin - spend


class Demand:
    """State of the media market. `budgets`, `bids` (major units) and `active` are the levers, shape (R, C)."""

    def __init__(self, market: Market, weather: Weather) -> None:
        self.market, self.weather = market, weather
        self.budgets = market.budgets.copy()
        self.bids = np.tile(np.round(market.click_costs, 2), (len(market.regions), 1))
        self.active = np.ones(self.budgets.shape, dtype=bool)
        self._base_bids = self.bids.copy()
        self._yesterday = self.budgets.copy()
        self._stock = np.ones(self.budgets.shape)
        self._penalty_days = np.zeros(self.budgets.shape)
        # Cost of showing an ad on every branded query of an ordinary day.
        self._full_cost = market.budgets[:, BRAND] / market.coverage_start

    def fork(self) -> Demand:
        """An independent copy at the same day, for looking ahead."""
        other = copy(self)
        for name in ("budgets", "bids", "active", "_yesterday", "_stock", "_penalty_days"):
            setattr(other, name, getattr(self, name).copy())
        return other

    def step(self, day: int) -> MediaDay:
        """Simulate `day` with the levers as they stand."""
        market, weather = self.market, self.weather
        planned = np.where(self.active, self.budgets, 0.0)
        response = self._response(planned) * weather.response[day][:, None]
        level = market.level[day] * weather.demand[day]
        lift = weather.queries[day] * weather.ctr[day]
        intent = level * lift
        worth = level * (np.minimum(lift, 1.0) + market.curious_value * np.maximum(lift - 1, 0.0))
        coverage, brand_spend = self._brand(day, planned[:, BRAND], intent)

        spend = planned.copy()
        spend[:, CTV] += weather.flight[day] * market.budgets[:, CTV]
        spend[:, BRAND] = brand_spend
        share = market.reach * self._saturation(spend / market.budgets) * response
        effective = coverage * response[:, BRAND]
        brand = market.brand_share * worth * (1 - market.incremental_share * (1 - effective))
        base = market.size * weather.revenue[day] * market.measurement[day]
        revenue = base * (level * (market.organic + share.sum(axis=1)) + brand)

        credited = base[:, None] * level[:, None] * share
        credited[:, BRAND] = base * market.brand_share * worth * coverage
        queries = market.size * market.brand_share * level * weather.queries[day] / market.query_value
        return MediaDay(
            spend=spend,
            clicks=self._clicks(spend, day),
            orders_by_channel=credited / market.order_value,
            queries=queries,
            ctr=np.minimum(0.9, market.base_ctr * weather.ctr[day]),
            coverage=coverage,
            revenue=revenue,
            orders=revenue / market.order_value * weather.orders[day],
            contribution=revenue * weather.margin_rate[day] - spend.sum(axis=1),
        )

    def _response(self, planned: Floats) -> Floats:
        """1, or less for some days after a step of more than 20 % (platforms learn anew)."""
        before = self._yesterday
        jump = np.abs(planned - before) > _STEP_RATE * np.maximum(before, 1.0) + 0.01
        self._penalty_days = np.where(jump, self.market.step_penalty_days, np.maximum(0, self._penalty_days - 1))
        self._yesterday = planned
        return np.where(self._penalty_days > 0, 1 - self.market.step_penalty_rate, 1.0)

    def _saturation(self, relative_spend: Floats) -> Floats:
        """Hill(adstock): stock and half saturation in units of the initial spend."""
        market = self.market
        bid_gain = (self.bids[:, NONBRAND] / self._base_bids[:, NONBRAND]) ** 0.15
        self._stock = market.retention * self._stock + (1 - market.retention) * relative_spend
        powered = self._stock**market.hill_power
        saturation = powered / (market.hill_half**market.hill_power + powered)
        saturation[:, NONBRAND] *= bid_gain / (0.5 + 0.5 * bid_gain**2)
        return saturation

    def _brand(self, day: int, budget: Floats, intent: Floats) -> tuple[Floats, Floats]:
        """Impression share of brand search and its spend: budget and auction both limit it."""
        rivals = self.weather.competitor[day]
        bid = self.bids[:, BRAND] / self._base_bids[:, BRAND]
        win_rate = bid**3 / (bid**3 + 0.12 * rivals**3)
        price = bid**0.7 * rivals**0.5
        full_cost = self._full_cost * intent * price
        affordable = budget / np.maximum(full_cost, 1e-9)
        # A smooth minimum: budgets bind a little before they are spent.
        coverage = affordable / (1 + (affordable / win_rate) ** 6) ** (1 / 6)
        return coverage, coverage * full_cost

    def _clicks(self, spend: Floats, day: int) -> Floats:
        price = self.market.click_costs * (self.bids / self._base_bids) ** 0.7
        price[:, BRAND] *= self.weather.competitor[day] ** 0.5
        return spend / price
