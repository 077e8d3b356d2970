"""What the next unit of money on a lever brings, from its own history, shrunk towards a stated belief.

History is a panel of spend and outcome: with each unit's level and the common season removed, what is left of spend
explains what is left of the outcome, over the same period and the `carry` periods after it. Give weeks, not days, or
weekdays pose as effects. Budgets that chase demand still inflate this; only a test ends that doubt. So the estimate is
averaged, by precision, with a prior, and says how much it weighs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.special import Array, normal_quantile, student_quantile
from domain.errors import InputError


@dataclass(frozen=True, slots=True)
class Prior:
    """Belief before history, contribution per unit of money, and where it comes from."""

    mean: float = 1.0
    sd: float = 1.0
    source: str = "a budget set with care earns its last unit back, give or take as much (argument, not data)"


BREAK_EVEN = Prior()


@dataclass(frozen=True, slots=True)
class Return:
    """Contribution per unit of money added, 90 % interval. `history_rate` is the weight of history against the prior.

    `n` counts the unit-periods used; 0 with `history_rate` 0 means the prior speaks alone.
    """

    mean: float
    low: float
    high: float
    n: int
    history_rate: float
    prior: Prior


def marginal_return(
    spend: ArrayLike,
    outcome: ArrayLike,
    *,
    value_per_outcome: float = 1.0,
    carry: int = 0,
    prior: Prior = BREAK_EVEN,
) -> Return:
    """Contribution per unit of `spend`, both (units, times), with `value_per_outcome` in money of contribution.

    Fewer than five units, fewer than `carry` + 8 periods or spend that never moved on its own return the prior.
    Raises InputError for unequal shapes or missing values.
    """
    x, y = np.atleast_2d(np.asarray(spend, dtype=np.float64)), np.atleast_2d(np.asarray(outcome, dtype=np.float64))
    if x.shape != y.shape:
        raise InputError(f"`spend` is {x.shape!r} and `outcome` {y.shape!r}. Align them on units and periods.")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError("`spend` or `outcome` has missing values. Fill them or leave those units out.")
    found = _history(x, y * value_per_outcome, carry)
    if found is None:
        return _posterior(prior.mean, math.inf, 0, prior)
    slope, error = found
    return _posterior(slope, error, x.size, prior)


def _history(x: Array, y: Array, carry: int) -> tuple[float, float] | None:
    """Summed response to own spend and its standard error, clustered by unit; None when history cannot tell."""
    size = y.mean(axis=1, keepdims=True)
    kept = size[:, 0] > 0
    # In shares of each unit's outcome a season is the same for large and small units, so period means remove it.
    x, y = x[kept] / size[kept], y[kept] / size[kept]
    units, periods = len(x), len(x.T)
    if units < 5 or periods < carry + 8:
        return None
    lagged = np.stack([_within(x[:, carry - lag : periods - lag]) for lag in range(carry + 1)])
    target = _within(y[:, carry:])
    flat = lagged.reshape(carry + 1, -1)
    gram = flat @ flat.T
    if float(np.linalg.eigvalsh(gram)[0]) <= 1e-9 * float((x * x).sum()):
        return None
    bread = np.linalg.inv(gram)
    beta = bread @ (flat @ target.reshape(-1))
    scores = (lagged * (target - np.tensordot(beta, lagged, axes=1))).sum(axis=2)
    total = bread.sum(axis=0)
    variance = float(total @ scores @ scores.T @ total) * units / (units - 1)
    # Few clusters make the plain error too small: widen it by Student's over the normal quantile.
    widen = student_quantile(0.95, units - 1) / normal_quantile(0.95)
    return float(beta.sum()), math.sqrt(variance) * widen


def _within(panel: Array) -> Array:
    panel = panel - panel.mean(axis=1, keepdims=True)
    return panel - panel.mean(axis=0, keepdims=True)


def _posterior(slope: float, error: float, n: int, prior: Prior) -> Return:
    """Precision-weighted mean of estimate and prior, both taken as normal."""
    weight = prior.sd**2 / (prior.sd**2 + error**2) if math.isfinite(error) else 0.0
    mean = weight * slope + (1.0 - weight) * prior.mean
    reach = normal_quantile(0.95) * prior.sd * math.sqrt(1.0 - weight)
    return Return(mean, mean - reach, mean + reach, n, weight, prior)
