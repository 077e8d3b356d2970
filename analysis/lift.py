"""What an action changed, against what would have happened: lift, interval, verdict, and what was detectable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from analysis import conformal, regression, synthetic
from analysis.special import Array, student_p, student_quantile
from domain.errors import InputError

Verdict = Literal["worked", "no_effect", "harmful", "unknowable"]

LEAST_PRE = 8  # periods before the action below which nothing is fitted


@dataclass(frozen=True, slots=True)
class PreFit:
    """How well the counterfactual followed before the action: R², and root error over that of equal weights."""

    r2: float
    imbalance: float


@dataclass(frozen=True, slots=True)
class Dropped:
    """A control unit that could not be used, and why."""

    unit: int
    reason: str


@dataclass(frozen=True, slots=True)
class Lift:
    """Effect of an action on its treated units from `start` on.

    `lift_rate`, `low`, `high` and `mde_rate` are shares of the counterfactual total, `incremental` is in the unit of
    the outcome summed over treated units; `low` -1 or `high` 10 means unbounded on that side. `counterfactual` is the
    path of the mean treated unit over all periods; `weights` are by control unit (or covariate coefficient).
    """

    lift_rate: float
    incremental: float
    low: float
    high: float
    p_value: float
    mde_rate: float
    verdict: Verdict
    pre_fit: PreFit
    weights: dict[int, float]
    counterfactual: tuple[float, ...]
    dropped: tuple[Dropped, ...] = ()


def judge(low: float, high: float, min_effect_rate: float) -> Verdict:
    """worked: interval above 0; harmful: below 0; no_effect: inside ± `min_effect_rate`; else unknowable."""
    if low > 0:
        return "worked"
    if high < 0:
        return "harmful"
    return "no_effect" if max(-low, high) <= min_effect_rate else "unknowable"


def lift(
    outcome: ArrayLike,
    treated: Sequence[int],
    start: int,
    end: int | None = None,
    *,
    alpha: float = 0.05,
    min_effect_rate: float = 0.02,
) -> Lift:
    """Effect on the rows `treated` of `outcome` (units, times) in periods `start` to `end` (exclusive; all if None).

    Synthetic control on the mean treated unit with conformal interval and p-value; `mde_rate` (80 % power) comes from
    placebo windows before `start`. Raises InputError for what cannot be measured, saying what to do.
    """
    _check_levels(alpha, min_effect_rate)
    panel = _panel(outcome, start, end)
    rows = _treated(treated, panel)
    donors, dropped = _donors(panel, rows, start)
    y, controls = panel[rows].mean(axis=0), panel[donors]
    fitted = synthetic.fit(y, controls, np.arange(start))
    rate, gap = _rate(y, fitted.counterfactual, start)
    placebos = conformal.placebo_lifts(y, controls, start, y.size - start)
    mde = conformal.detectable_rate(placebos, max(1, start // (y.size - start)), alpha)
    p_value = conformal.p_value_of(y, controls, start)
    spread = max(float(np.sqrt((placebos**2).mean())) if placebos.size else 0.05, 1e-6)
    low, high = conformal.interval(p_value, rate, spread, alpha)
    return Lift(
        lift_rate=rate,
        incremental=gap * len(rows),
        low=low,
        high=high,
        p_value=p_value(0.0, 1.0),
        mde_rate=mde,
        verdict=judge(low, high, min_effect_rate),
        pre_fit=PreFit(*synthetic.imbalance(y, controls, fitted.counterfactual, start)),
        weights={unit: float(weight) for unit, weight in zip(donors, fitted.weights, strict=True) if weight > 1e-9},
        counterfactual=tuple(float(value) for value in fitted.counterfactual),
        dropped=tuple(dropped),
    )


def single_series_lift(
    y: ArrayLike,
    covariates: ArrayLike,
    start: int,
    end: int | None = None,
    *,
    alpha: float = 0.05,
    min_effect_rate: float = 0.02,
) -> Lift:
    """Effect on one series `y` (times,) given `covariates` (series, times) the action cannot have touched.

    Regression with AR(1) errors and Student intervals, widened by what placebo forecasts before `start` missed: a
    model, so weaker evidence than untreated units. Raises
    InputError when a value is missing or the history is shorter than 8 periods or 3 per covariate.
    """
    _check_levels(alpha, min_effect_rate)
    series = _panel(np.atleast_2d(np.asarray(y, dtype=float)), start, end)
    drivers = _panel(np.atleast_2d(np.asarray(covariates, dtype=float)), start, series.shape[1])
    if not (np.isfinite(series).all() and np.isfinite(drivers).all()):
        raise InputError("`y` or `covariates` hold missing values. Fill the gaps or drop the covariate.")
    if start < 3 * (len(drivers) + 1):
        raise InputError(f"{start} periods before the action are too few for {len(drivers)} covariates. Drop some.")
    past = regression.forecast(series[0], drivers, start)
    rate, gap = _rate(series[0], past.path, start)
    base = float(past.path[start:].sum())
    se = max(past.sum_se * regression.inflation(series[0], drivers, start, series.shape[1] - start) / base, 1e-12)
    reach = student_quantile(1 - alpha / 2, past.freedom) * se
    r2, _ = synthetic.imbalance(series[0], drivers, past.path, start)
    return Lift(
        lift_rate=rate,
        incremental=gap,
        low=rate - reach,
        high=rate + reach,
        p_value=student_p(rate / se, past.freedom),
        mde_rate=reach + student_quantile(0.8, past.freedom) * se,
        verdict=judge(rate - reach, rate + reach, min_effect_rate),
        pre_fit=PreFit(r2, float(np.sqrt(max(0.0, 1.0 - r2)))),
        weights={index: float(weight) for index, weight in enumerate(past.coefficients[1:])},
        counterfactual=tuple(float(value) for value in past.path),
    )


def _check_levels(alpha: float, min_effect_rate: float) -> None:
    if not 0.0 < alpha < 1.0:
        raise InputError(f"`alpha` is {alpha!r}, which is no error rate. Give a number between 0 and 1, such as 0.05.")
    if not min_effect_rate >= 0.0:
        raise InputError(f"`min_effect_rate` is {min_effect_rate!r}. Give 0 or more, such as 0.02.")


def _panel(outcome: ArrayLike, start: int, end: int | None) -> Array:
    """`outcome` as floats cut at `end`, when there is something before and after `start`."""
    try:
        panel = np.asarray(outcome, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError("The outcome is no matrix of numbers. Give every unit one value per period.") from error
    if panel.ndim != 2:
        raise InputError(f"The outcome has {panel.ndim} dimensions. Give a matrix of units by periods.")
    panel = panel[:, :end] if end is not None else panel
    periods = panel.shape[1]
    if start < LEAST_PRE:
        raise InputError(f"Only {start!r} periods lie before the action. Give at least {LEAST_PRE}.")
    if start >= periods:
        raise InputError(f"The action starts at period {start!r} of {periods}. Give at least one period after it.")
    return panel


def _treated(treated: Sequence[int], panel: Array) -> list[int]:
    rows = sorted(set(treated))
    if not rows or rows[0] < 0 or rows[-1] >= len(panel):
        raise InputError(
            f"Treated units {list(treated)!r} are not all among the {len(panel)} rows. Name existing units."
        )
    if not np.isfinite(panel[rows]).all():
        raise InputError("A treated unit has missing values. Fill them or start the window after the gap.")
    return rows


def _donors(panel: Array, treated: Sequence[int], start: int) -> tuple[list[int], list[Dropped]]:
    donors: list[int] = []
    dropped: list[Dropped] = []
    for unit in (unit for unit in range(len(panel)) if unit not in treated):
        if not np.isfinite(panel[unit]).all():
            dropped.append(Dropped(unit, "has missing values"))
        elif np.ptp(panel[unit, :start]) == 0.0:
            dropped.append(Dropped(unit, "is constant before the action"))
        else:
            donors.append(unit)
    if not donors:
        raise InputError("No usable control unit is left. Add untreated units with complete, varying history.")
    return donors, dropped


def _rate(y: Array, path: Array, start: int) -> tuple[float, float]:
    """Lift rate and gap over the treated periods."""
    base = float(path[start:].sum())
    if not base > 0.0:
        raise InputError("The counterfactual total is not positive, so no rate exists. Use an outcome that counts up.")
    gap = float(y[start:].sum()) - base
    return gap / base, gap
