"""The few functions taken from scipy, typed, and imported on first use because scipy is slow to load."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


def non_negative_least_squares(design: Array, target: Array) -> Array:
    """The x ≥ 0 that minimises |design x - target|."""
    import scipy.optimize

    solve = cast("Any", scipy.optimize.nnls)
    return np.asarray(solve(design, target, maxiter=30 * design.shape[1])[0], dtype=np.float64)


def least_squares(design: Array, target: Array) -> Array:
    """The shortest x that minimises |design x - target|."""
    return np.asarray(np.linalg.lstsq(design, target, rcond=None)[0], dtype=np.float64)


def student_quantile(share: float, freedom: float) -> float:
    """Quantile of Student's t."""
    import scipy.special

    return float(cast("Any", scipy.special.stdtrit)(freedom, share))


def student_p(value: float, freedom: float) -> float:
    """Two-sided p-value of Student's t."""
    import scipy.special

    return float(2.0 * cast("Any", scipy.special.stdtr)(freedom, -abs(value)))


def normal_quantile(share: float) -> float:
    """Quantile of the standard normal."""
    import scipy.special

    return float(cast("Any", scipy.special.ndtri)(share))


def beta_above(share: float, a: float, b: float) -> float:
    """Probability that a Beta(a, b) variable exceeds `share`."""
    import scipy.special

    return float(cast("Any", scipy.special.betaincc)(a, b, share))


def beta_quantile(share: float, a: float, b: float) -> float:
    """Quantile of Beta(a, b)."""
    import scipy.special

    return float(cast("Any", scipy.special.betaincinv)(a, b, share))
