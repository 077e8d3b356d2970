"""Panels for measuring: a metric by unit and day, built from stored series."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from domain.objective import Objective
from domain.ports import SeriesKey, View

DAY_S = 86_400
CONTRIBUTION = "contribution"
"""The metric of the objective: revenue × margin − spend, major units of its currency."""

Panel = NDArray[np.float64]
"""Units × days."""


def daily_panel(
    view: View, objective: Objective, metric: str, units: Sequence[str], first: datetime, days: int
) -> Panel:
    """`metric` of each unit summed by UTC day over `days` days from `first`; NaN where nothing was reported.

    `contribution` is computed; every other metric is the sum of all its series that belong to the unit.
    """
    if metric != CONTRIBUTION:
        return np.vstack([_summed(view, metric, unit, first, days) for unit in units])
    revenue = daily_panel(view, objective, "revenue", units, first, days)
    spend = np.nan_to_num(daily_panel(view, objective, "spend", units, first, days))
    return revenue * objective.margin_rate - spend


def _summed(view: View, metric: str, unit: str, first: datetime, days: int) -> NDArray[np.float64]:
    """Daily sums over the series of `unit` itself, or else of what lies below it."""
    keys = view.keys(metric)
    own = [key for key in keys if key.entity == unit and not key.dims]
    below = own or [key for key in keys if _belongs(view, key, unit)]
    total = np.full(days, np.nan)
    for key in below:
        total = _add_days(total, view, key, first, days)
    return total


def _belongs(view: View, key: SeriesKey, unit: str) -> bool:
    name = unit.partition(":")[2]
    return view.tree.covers(unit, key.entity) or any(value in {unit, name} for _, value in key.dims)


def _add_days(
    total: NDArray[np.float64], view: View, key: SeriesKey, first: datetime, days: int
) -> NDArray[np.float64]:
    series = view.series(key, since=first)
    at = ((np.asarray(series.times, dtype=float) - first.timestamp()) // DAY_S).astype(int)
    values = np.asarray(series.values, dtype=float)
    inside = (at >= 0) & (at < days)
    sums = np.bincount(at[inside], weights=values[inside], minlength=days)
    seen = np.bincount(at[inside], minlength=days) > 0
    return np.where(seen, np.nan_to_num(total) + sums, total)


def day_start(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
