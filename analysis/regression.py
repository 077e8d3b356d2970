"""Counterfactual of a single series from covariates the action cannot have touched.

Linear regression with AR(1) errors (Prais-Winsten); forecasts carry the last error forward. The autocorrelation is
corrected for its small-sample bias (Kendall 1954: rho + (1 + 3 rho) / n), without which intervals are far too narrow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.special import Array, least_squares

_ROUNDS = 20
_MOST_RHO = 0.98


@dataclass(frozen=True, slots=True)
class Forecast:
    """Path over all periods up to `end`, standard error of its sum over the treated ones, and residual freedom."""

    path: Array
    coefficients: Array
    rho: float
    sum_se: float
    freedom: int


def forecast(y: Array, covariates: Array, start: int) -> Forecast:
    """Fit `y` (times,) on `covariates` (series, times) before `start` and forecast from there."""
    design = np.vstack([np.ones(y.size), _standard(covariates, start)]).T
    known, past = design[:start], y[:start]
    rho = 0.0
    beta = np.zeros(design.shape[1])
    for _ in range(_ROUNDS):
        beta = least_squares(_whiten(known, rho), _whiten(past, rho))
        rho = _autocorrelation(past - known @ beta)
    errors = past - known @ beta
    rho = min(_MOST_RHO, max(0.0, rho + (1.0 + 3.0 * rho) / start))
    white, noise = _whiten(known, rho), _whiten(errors, rho)
    freedom = start - design.shape[1]
    variance = float(noise @ noise) / freedom
    path = design @ beta
    steps = np.arange(1, y.size - start + 1)
    path[start:] += rho**steps * errors[-1]
    carried = (1.0 - rho**steps) / (1.0 - rho)
    totals = design[start:].sum(axis=0)
    bread = np.linalg.pinv(white.T @ white)
    spread = variance * (float(carried @ carried) + float(totals @ bread @ totals))
    return Forecast(path, beta, rho, float(np.sqrt(spread)), freedom)


def inflation(y: Array, covariates: Array, start: int, length: int) -> float:
    """By how much placebo forecasts before `start` missed beyond their stated error, root mean square; at least 1.

    Each window of `length` is forecast from what lies before it, at least half the history; 1 when none fits.
    """
    misses: list[float] = []
    for begin in range(start - length, max(start // 2, 3 * len(covariates) + 3) - 1, -length):
        known = forecast(y[: begin + length], covariates[:, : begin + length], begin)
        error = float((y[begin : begin + length] - known.path[begin:]).sum())
        misses.append(error / known.sum_se if known.sum_se > 0 else 0.0)
    return max(1.0, float(np.sqrt(np.mean(np.square(misses))))) if misses else 1.0


def _standard(covariates: Array, start: int) -> Array:
    centre = covariates[:, :start].mean(axis=1, keepdims=True)
    spread = covariates[:, :start].std(axis=1, keepdims=True)
    return (covariates - centre) / np.where(spread > 0, spread, 1.0)


def _whiten(rows: Array, rho: float) -> Array:
    first = np.sqrt(1.0 - rho**2) * rows[:1]
    return np.concatenate([first, rows[1:] - rho * rows[:-1]])


def _autocorrelation(errors: Array) -> float:
    base = float(errors[:-1] @ errors[:-1])
    return float(np.clip(errors[1:] @ errors[:-1] / base, 0.0, _MOST_RHO)) if base > 0 else 0.0
