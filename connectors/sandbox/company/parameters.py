"""The hidden market parameters of one simulated company, drawn from its seed and never shown to a policy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from connectors.sandbox.company.dice import Floats, autoregressive, dice
from connectors.sandbox.company.words import BRAND, CHANNELS, PRODUCTS, REGIONS

MARGIN_RATE = 0.6
CURRENCY = "EUR"
# Share of a region's revenue spent per day and channel, in the order of CHANNELS.
SPEND_RATES = np.array([0.065, 0.06, 0.05, 0.025, 0.03])
# Typical contribution earned by the last euro of each channel; brand search follows from its incremental share.
MARGINAL_RETURNS = np.array([1.9, 1.0, 1.2, 1.0, 0.7])
CLICK_COSTS = np.array([0.02, 0.8, 1.6, 4.5, 0.35])


@dataclass(frozen=True, slots=True)
class Market:
    """Everything fixed about the market. R regions, C channels, T days (the horizon plus a margin to look ahead)."""

    regions: tuple[str, ...]
    products: tuple[str, ...]
    product_of: tuple[int, ...]  # product sold by each region's campaigns
    size: Floats  # (R,) base revenue per day, major units
    budgets: Floats  # (R, C) initial budget per day, major units
    click_costs: Floats  # (C,)
    level: Floats  # (T, R) demand level: season, trend and noise
    turbulence: float  # exponent of every event's strength: 1 as drawn, near 0 a market that nothing moves
    measurement: Floats  # (T, R) factor of day-to-day revenue that no model explains
    retention: Floats  # (C,) share of yesterday's adstock kept
    hill_power: Floats  # (C,)
    hill_half: Floats  # (C,) half saturation, in units of the initial spend
    reach: Floats  # (R, C) revenue share at full saturation
    organic: Floats  # (R,)
    brand_share: float  # revenue share of branded demand when fully captured
    incremental_share: float  # of uncovered branded demand, the part lost to competitors
    coverage_start: float  # initial brand budget over the cost of covering all branded demand
    over_attribution: Floats  # (C,)
    conversion_lag: Floats  # (6,) weights of days 0..5
    step_penalty_rate: float  # response lost after a step above 20 %
    step_penalty_days: int
    order_value: float
    query_value: float  # revenue per branded query at full capture
    curious_value: float  # worth of a query beyond the usual number, relative to a usual one
    base_ctr: float


def draw_market(seed: int, weekday: int, days: int) -> Market:
    """The market of `seed` over `days`, whose first day falls on `weekday` (Monday is 0)."""
    rng = dice(seed, "market")
    count = int(rng.integers(16, 21))
    regions = tuple(REGIONS[i] for i in _sample(rng, len(REGIONS), count))
    offered = _sample(rng, len(PRODUCTS), int(rng.integers(3, 6)))
    products = tuple(PRODUCTS[i] for i in offered)
    size = np.round(rng.lognormal(np.log(9000), 0.4, count), 0)
    budgets = np.maximum(40.0, np.round(size[:, None] * SPEND_RATES * rng.uniform(0.9, 1.1, (count, 5))))
    incremental = rng.uniform(0.0, 0.06) if rng.random() < 0.3 else rng.uniform(0.35, 0.6)
    brand_share, power, half = rng.uniform(0.65, 0.78), rng.uniform(0.8, 1.5, 5), rng.uniform(0.6, 1.5, 5)
    reach = _reach(rng, power, half, count)
    used = (reach * (1 / (1 + half**power))).sum(axis=1)
    return Market(
        regions=regions,
        products=products,
        product_of=tuple(int(p) for p in rng.integers(0, len(products), count)),
        size=size,
        budgets=budgets,
        click_costs=CLICK_COSTS * rng.uniform(0.85, 1.15, 5),
        level=_level(rng, weekday, days, count),
        turbulence=float(dice(seed, "turbulence").uniform(0.15, 1.0)),
        measurement=np.exp(rng.normal(0.0, 0.006, (days, count))),
        retention=rng.uniform(0.2, 0.7, 5) ** (1 / 7),
        hill_power=power,
        hill_half=half,
        reach=reach,
        organic=np.maximum(0.12, 1 - brand_share - used),
        brand_share=float(brand_share),
        incremental_share=float(incremental),
        coverage_start=float(rng.uniform(0.5, 0.85)),
        over_attribution=rng.uniform(1.2, 2.0, 5),
        conversion_lag=_lag_weights(rng),
        step_penalty_rate=float(rng.uniform(0.1, 0.2)),
        step_penalty_days=int(rng.integers(7, 15)),
        order_value=float(rng.uniform(60, 160)),
        query_value=float(rng.uniform(1.2, 2.4)),
        curious_value=float(rng.uniform(0.05, 0.15)),
        base_ctr=float(rng.uniform(0.1, 0.2)),
    )


def _reach(rng: np.random.Generator, power: Floats, half: Floats, count: int) -> Floats:
    """Revenue share at saturation such that the last euro earns its drawn return at the initial spend."""
    slope = power * half**power / (1 + half**power) ** 2
    returns = MARGINAL_RETURNS * rng.lognormal(-0.1, 0.7, len(CHANNELS))
    reach = returns * SPEND_RATES / (MARGIN_RATE * slope) * rng.uniform(0.88, 1.12, (count, len(CHANNELS)))
    reach[:, BRAND] = 0.0
    return reach


def _level(rng: np.random.Generator, weekday: int, days: int, count: int) -> Floats:
    day = np.arange(days)[:, None]
    week = np.array([1.08, 1.05, 1.03, 1.02, 1.0, 0.88, 0.94]) * rng.uniform(0.95, 1.05, 7)
    local_week = week[(weekday + day) % 7] * np.exp(rng.normal(0, 0.01, (7, count)))[(weekday + day[:, 0]) % 7]
    year = 1 + rng.uniform(0.03, 0.09) * np.sin(2 * np.pi * (day / 365.25 + rng.random()))
    trend = np.exp(rng.uniform(-0.1, 0.2) * day / 365.25)
    national = autoregressive(rng, days, 1, 0.8, 0.02)
    local = autoregressive(rng, days, count, rng.uniform(0.3, 0.5), rng.uniform(0.015, 0.04))
    return local_week * year * trend * np.exp(national + local)


def _lag_weights(rng: np.random.Generator) -> Floats:
    weights = rng.uniform(0.3, 1.0, 6) * np.array([0.3, 1.0, 0.8, 0.5, 0.3, 0.2])
    return weights / weights.sum()


def _sample(rng: np.random.Generator, total: int, count: int) -> list[int]:
    """`count` different places out of `total`, in order."""
    return sorted(int(place) for place in rng.permutation(total)[:count])
