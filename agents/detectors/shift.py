"""How far a metric moved in some units since a moment, against the units where nothing happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import isfinite

from agents.detectors.panel import Panel, channel_of, complete, panel_of
from analysis import conformal, synthetic
from analysis.lift import LEAST_PRE
from analysis.special import student_p, student_quantile
from domain.ports import SeriesKey, View

PRE_PERIODS = 56
LOOK_BACK = timedelta(days=400)
HISTORY_DAYS = 120


@dataclass(frozen=True, slots=True)
class Shift:
    """Change of `metric` from onset to the newest complete period.

    `rate` is against the counterfactual made of the other units where there are some (`compared`), else against the
    four weeks before. `common_rate` is how the other units moved themselves; `after` counts periods since onset.
    """

    metric: str
    rate: float
    low: float
    high: float
    p_value: float
    mde_rate: float | None
    common_rate: float
    after: int
    compared: bool

    @property
    def clear(self) -> bool:
        """Whether chance is an unlikely reading (10 % level), or the move is large where nothing can be compared."""
        return self.p_value <= 0.1 if self.compared else abs(self.rate) >= 0.15


def keys_of(view: View, metric: str, channel: str | None = None) -> list[SeriesKey]:
    """Series of `metric`; with `channel` those of that channel only."""
    return [key for key in view.keys(metric) if channel is None or channel_of(key, view.tree) == channel]


def recent_panel(view: View, metric: str, channel: str | None = None) -> Panel:
    """Complete periods of the last months, late reports filled."""
    keys = keys_of(view, metric, channel)
    return complete(panel_of(view, keys, since=view.as_of - _span(view, keys), until_s=view.as_of.timestamp()))


def _span(view: View, keys: Sequence[SeriesKey]) -> timedelta:
    """Four months of daily points; a year of coarser ones."""
    grain_s = view.series(keys[0], view.as_of - LOOK_BACK).grain_s if keys else None
    return LOOK_BACK if (grain_s or 86_400) > 2 * 86_400 else timedelta(days=HISTORY_DAYS)


def shift_of(panel: Panel, units: Sequence[str], onset_s: float) -> Shift | None:
    """The shift of `units` since `onset_s`; None without enough history or anything after it.

    Synthetic control judged by effect-free windows before the onset: quick enough to screen every episode of every
    round. The verdict on an action of ours is conformal and is made elsewhere.
    """
    start = panel.period_of(onset_s)
    first = max(0, start - PRE_PERIODS)
    places = panel.places(units)
    if not places or start - first < LEAST_PRE or start >= len(panel.times):
        return None
    others = [unit for unit in panel.units if unit not in set(units)]
    if len(others) >= 2:
        return _compared(panel, places, first, start) or _before_after(panel, units, start)
    return _before_after(panel, units, start)


def change_of(panel: Panel, units: Sequence[str], onset_s: float) -> float | None:
    """How `units` grew since `onset_s` beyond the other units: a difference of differences; None when unknown."""
    start = panel.period_of(onset_s)
    if not panel.places(units) or start < LEAST_PRE or start >= len(panel.times):
        return None
    others = [unit for unit in panel.units if unit not in set(units)]
    return _growth(panel, units, start) - (_growth(panel, others, start) if others else 0.0)


def _compared(panel: Panel, places: Sequence[int], first: int, start: int) -> Shift | None:
    import numpy as np

    matrix = np.array([row[first:] for row in panel.rows])
    inside = np.isin(np.arange(len(matrix)), places)
    usable = np.isfinite(matrix).all(axis=1) & (np.ptp(matrix[:, : start - first], axis=1) > 0)
    treated, donors = matrix[inside].mean(axis=0), matrix[~inside & usable]
    if len(donors) < 2 or not np.isfinite(treated).all():
        return None
    cut = start - first
    path = synthetic.fit(treated, donors, np.arange(cut)).counterfactual
    base = float(path[cut:].sum())
    if base <= 0:
        return None
    after = treated.size - cut
    rate = float(treated[cut:].sum()) / base - 1.0
    placebos = conformal.placebo_lifts(treated, donors, cut, after)
    free = max(1, cut // max(after, 1))
    spread = max(float(np.sqrt((placebos**2).mean())) if placebos.size else 0.05, 1e-6)
    reach = student_quantile(0.95, free) * spread
    others = [unit for place, unit in enumerate(panel.units) if place not in set(places)]
    return Shift(
        metric=panel.metric,
        rate=rate,
        low=rate - reach,
        high=rate + reach,
        p_value=student_p(rate / spread, free),
        mde_rate=conformal.detectable_rate(placebos, free, 0.1),
        common_rate=_growth(panel, others, start),
        after=after,
        compared=True,
    )


def _growth(panel: Panel, units: Sequence[str] | None, start: int) -> float:
    before = panel.mean(units, max(0, start - 28), start)
    after = panel.mean(units, start, len(panel.times))
    return after / before - 1 if isfinite(before) and isfinite(after) and before > 0 else 0.0


def _before_after(panel: Panel, units: Sequence[str], start: int) -> Shift:
    others = [unit for unit in panel.units if unit not in set(units)]
    rate = _growth(panel, units, start)
    return Shift(
        metric=panel.metric,
        rate=rate,
        low=rate - 0.5 * abs(rate),
        high=rate + 0.5 * abs(rate),
        p_value=0.5,
        mde_rate=None,
        common_rate=_growth(panel, others, start) if others else 0.0,
        after=len(panel.times) - start,
        compared=False,
    )
