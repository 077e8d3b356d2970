"""Does one metric lead another across units (regions, accounts), at which lag, and how strongly?

Both panels are divided by their unit means (in logs unless near zero) and stripped of unit and period means, so
common seasons and campaigns cannot pose as a link; with fewer than five units, or when a panel wanders like a random
walk, steps are compared instead of levels. The lag with the largest correlation is chosen; its p-value comes from
circular time shifts of the driver that search all lags anew, which corrects for the choice and keeps each series' own
memory. The same shifts say up to which lag the link lasts. A link is association with order in time, not proof.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.special import Array, Indices, student_quantile
from domain.errors import InputError

LEAST_UNITS = 5  # below which period means would swallow the link itself
_LOGS_ABOVE = 0.05  # least share of its mean at which a metric is compared in logs, where shared seasons cancel
_WANDERING = 0.9  # step-to-step correlation above which levels of independent series look linked


@dataclass(frozen=True, slots=True)
class Link:
    """The lag of the strongest link (periods the driver leads by) and the last lag, `until`, that is no chance at 5 %.

    `strength` is the correlation at `lag`; `p_value` is corrected for the search; `elasticity` is the share by which
    the response moves, summed over lags 0 to `until`, when the driver moves by its mean, with a 95 % interval that
    takes the lags as given; `n` pairs used.
    """

    lag: int
    until: int
    strength: float
    p_value: float
    elasticity: float
    low: float
    high: float
    n: int


def link(driver: ArrayLike, response: ArrayLike, max_lag: int, *, rng: np.random.Generator, shifts: int = 499) -> Link:
    """Link of `driver` to `response`, both (units, times), searched over lags 0 to `max_lag`.

    Raises InputError for unequal shapes, missing values, a mean that is not positive, or too few periods.
    """
    x, y = _panel(driver, "driver"), _panel(response, "response")
    if x.shape != y.shape:
        raise InputError(f"`driver` is {x.shape!r} and `response` {y.shape!r}. Align them on units and periods.")
    if max_lag < 0 or x.shape[1] < 3 * (max_lag + 1) + 8:
        raise InputError(f"{x.shape[1]} periods cannot tell lags up to {max_lag!r}. Give more periods or fewer lags.")
    steps = len(x) < LEAST_UNITS or max(_memory(_within(x)), _memory(_within(y))) > _WANDERING
    x, y = (np.diff(x, axis=1), np.diff(y, axis=1)) if steps else (x, y)
    x, y = _within(x), _within(y)
    found = _correlations(x, y, max_lag)
    lag = int(np.argmax(np.abs(found)))
    best = float(abs(found[lag]))
    chance = [
        float(np.abs(_correlations(_shifted(x, max_lag, rng), y, max_lag)).max()) if best > 0 else 1.0
        for _ in range(shifts)
    ]
    count = sum(value >= best * (1 - 1e-9) for value in chance)
    beyond = np.flatnonzero(np.abs(found) > np.quantile(chance, 0.95))
    until = max(lag, int(beyond[-1])) if beyond.size else lag
    slope, spread = _elasticity(x, y, lag if until == lag else 0, until)
    return Link(
        lag=lag,
        until=until,
        strength=float(found[lag]),
        p_value=(1 + count) / (1 + shifts),
        elasticity=slope,
        low=slope - spread,
        high=slope + spread,
        n=len(x) * (x.shape[1] - until),
    )


def _panel(values: ArrayLike, name: str) -> Array:
    panel = np.atleast_2d(np.asarray(values, dtype=np.float64))
    if not np.isfinite(panel).all():
        raise InputError(f"`{name}` has missing values. Fill them or leave those units out.")
    means = panel.mean(axis=1, keepdims=True)
    if not (means > 0).all():
        raise InputError(f"A unit of `{name}` has a mean of 0 or less. Leave it out or use a metric that counts up.")
    scaled = panel / means
    return np.log(scaled) if scaled.min() > _LOGS_ABOVE else scaled


def _within(panel: Array) -> Array:
    panel = panel - panel.mean(axis=1, keepdims=True)
    return panel if len(panel) < LEAST_UNITS else panel - panel.mean(axis=0, keepdims=True)


def _memory(panel: Array) -> float:
    """Correlation of each value with the one before it, over all units."""
    base = float((panel[:, :-1] ** 2).sum())
    return float((panel[:, 1:] * panel[:, :-1]).sum()) / base if base > 0 else 0.0


def _correlations(x: Array, y: Array, max_lag: int) -> Array:
    """Correlation of `x` with the `y` that follows it, per lag; 0 where one of them stands still."""
    periods = x.shape[1]
    found = np.zeros(max_lag + 1, dtype=np.float64)
    for lag in range(max_lag + 1):
        a, b = x[:, : periods - lag], y[:, lag:]
        size = float(np.sqrt((a * a).sum() * (b * b).sum()))
        found[lag] = float((a * b).sum()) / size if size > 1e-12 else 0.0
    return found


def _shifted(x: Array, max_lag: int, rng: np.random.Generator) -> Array:
    """`x` moved in time by more than the lags searched: units apart when period means are out, else together."""
    periods = x.shape[1]
    draws = len(x) if len(x) >= LEAST_UNITS else 1
    offsets: Indices = rng.integers(max_lag + 1, periods - max_lag, size=(draws, 1))
    columns: Indices = np.mod(np.arange(int(periods))[None, :] - offsets, periods)
    return x[np.arange(len(x))[:, None], columns]


def _elasticity(x: Array, y: Array, first: int, last: int) -> tuple[float, float]:
    """Sum of the response's coefficients on lags `first` to `last`, and the half-width of its 95 % interval.

    Clustered by unit; with few units, by blocks of time.
    """
    periods = x.shape[1]
    lagged = np.stack([x[:, last - lag : periods - lag] for lag in range(first, last + 1)])
    target = y[:, last:]
    flat = lagged.reshape(len(lagged), -1)
    bread = np.linalg.pinv(flat @ flat.T)
    beta = bread @ (flat @ target.reshape(-1))
    scores = lagged * (target - np.tensordot(beta, lagged, axes=1))
    if len(x) >= LEAST_UNITS:
        groups = scores.sum(axis=2)
    else:
        blocks = np.array_split(scores.sum(axis=1), max(2, round(target.shape[1] ** 0.5)), axis=1)
        groups = np.stack([block.sum(axis=1) for block in blocks], axis=1)
    freedom = groups.shape[1] - 1
    error = float(np.sqrt((bread.sum(axis=0) @ groups @ groups.T @ bread.sum(axis=0)) * (1 + 1 / freedom)))
    return float(beta.sum()), student_quantile(0.975, freedom) * error
