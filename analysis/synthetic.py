"""Synthetic control: the weighted mean of untreated units that best follows the treated ones before the action.

Demeaned simplex weights (Doudchenko and Imbens 2016; Ferman and Pinto 2021): each series is centred on its own
pre-period mean, weights are non-negative and sum to one, so the control never extrapolates beyond its donors' shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.special import Array, Indices, non_negative_least_squares

_SUM_WEIGHT = 1e3  # how hard the sum of the weights is pulled to one, in units of the mean donor spread
_RIDGE = 1e-5  # makes weights unique, whatever the order, when there are more donors than periods


@dataclass(frozen=True, slots=True)
class Fit:
    """Weights per donor, and the counterfactual over all periods in the unit of the treated series."""

    weights: Array
    counterfactual: Array


def fit(treated: Array, donors: Array, rows: Indices) -> Fit:
    """Fit `treated` (times,) by `donors` (units, times) on the periods `rows`; the path covers all periods."""
    centres = donors[:, rows].mean(axis=1, keepdims=True)
    centre = float(treated[rows].mean())
    centred = donors - centres
    weights = _simplex(centred[:, rows].T, treated[rows] - centre)
    return Fit(weights, weights @ centred + centre)


def _simplex(design: Array, target: Array) -> Array:
    """Least squares over the unit simplex by NNLS with one heavy row for the sum."""
    periods, donors = len(design), len(design.T)
    scale = float(np.sqrt((design**2).sum(axis=0)).mean()) or 1.0
    rows: list[Array] = [design / scale, np.full((1, donors), _SUM_WEIGHT)]
    aims: list[Array] = [target / scale, np.full(1, _SUM_WEIGHT)]
    if donors >= periods:
        rows.append(np.diag(np.full(donors, _RIDGE, dtype=np.float64)))
        aims.append(np.zeros(donors, dtype=np.float64))
    weights = non_negative_least_squares(np.vstack(rows), np.concatenate(aims))
    total = float(weights.sum())
    return weights / total if total > 0 else np.ones_like(weights) / donors


def imbalance(treated: Array, donors: Array, path: Array, start: int) -> tuple[float, float]:
    """R² before `start`, and scaled L2 imbalance: root error over that of equal weights (0 perfect, 1 no better)."""
    gap = treated[:start] - path[:start]
    spread = treated[:start] - treated[:start].mean()
    centred = donors[:, :start] - donors[:, :start].mean(axis=1, keepdims=True)
    plain = spread - centred.mean(axis=0)
    r2 = 1.0 - float(gap @ gap) / float(spread @ spread) if spread.any() else 0.0
    scaled = float(np.sqrt((gap @ gap) / (plain @ plain))) if plain.any() else 0.0
    return r2, scaled
