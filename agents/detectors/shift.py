"""How far a metric moved in some units since a moment, against the units where nothing happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import isfinite

from agents.detectors.panel import Panel, channel_of, complete, panel_of
from analysis.lift import LEAST_PRE, lift
from domain.errors import InputError
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
    """The shift of `units` since `onset_s`; None without enough history or anything after it."""
    start = panel.period_of(onset_s)
    first = max(0, start - PRE_PERIODS)
    places = panel.places(units)
    if not places or start - first < LEAST_PRE or start >= len(panel.times):
        return None
    others = [unit for unit in panel.units if unit not in set(units)]
    common = _growth(panel, others, first, start) if others else 0.0
    if len(others) >= 2:
        try:
            found = lift([row[first:] for row in panel.rows], places, start - first, alpha=0.1)
        except InputError:
            return _before_after(panel, units, first, start, common)
        return Shift(
            panel.metric, found.lift_rate, found.low, found.high, found.p_value, found.mde_rate, common,
            len(panel.times) - start, compared=True,
        )  # fmt: skip
    return _before_after(panel, units, first, start, common)


def _growth(panel: Panel, units: Sequence[str] | None, first: int, start: int) -> float:
    before = panel.mean(units, max(first, start - 28), start)
    after = panel.mean(units, start, len(panel.times))
    return after / before - 1 if isfinite(before) and isfinite(after) and before > 0 else 0.0


def _before_after(panel: Panel, units: Sequence[str], first: int, start: int, common: float) -> Shift:
    rate = _growth(panel, units, first, start)
    return Shift(panel.metric, rate, rate - 0.5 * abs(rate), rate + 0.5 * abs(rate), 0.5, None, common,
                 len(panel.times) - start, compared=False)  # fmt: skip
