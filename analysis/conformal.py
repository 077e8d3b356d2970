"""Conformal inference for a synthetic control, and what it could have seen at all.

After Chernozhukov, Wüthrich and Zhu 2021: suppose the lift were r, take it out of the treated periods, and ask how
often another block of the series misses its counterfactual by as much as the treated block does. Every block, the
treated one too, is predicted from the periods outside it: residuals of a fit that has seen its own block shrink and
cost power, and the published sum of absolute residuals could not be inverted on real data (it rejects every r when
the treated weeks are noisier). The interval is the set of r that survive.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from analysis.special import Array, student_quantile
from analysis.synthetic import fit

LOWEST, HIGHEST = -1.0, 10.0  # ends of the search; an interval that reaches one is unbounded there

_LEAST_BLOCKS = 40
_BLOCK_BUDGET = 420_000  # blocks times periods times donors, so that a verdict stays under a second
_WIDENINGS, _HALVINGS = 12, 5
_PLACEBOS = 24

Mask = NDArray[np.bool_]
PValue = Callable[[float, float], float]


def p_value_of(treated: Array, donors: Array, start: int) -> PValue:
    """p-value, as a function of r, of the null "from `start` on the outcome is 1 + r times what it would have been".

    Its second argument ends the count early, once the p-value is known to lie above it.
    """
    periods = treated.size
    blocks = min(periods, max(_LEAST_BLOCKS, _BLOCK_BUDGET // donors.size))
    lefts = {(start - round(turn * periods / blocks)) % periods for turn in range(blocks)}
    others = [_block(left, periods - start, periods) for left in sorted(lefts - {start})]
    path = fit(treated, donors, np.arange(start)).counterfactual[start:]

    def p_value(rate: float, enough: float = 1.0) -> float:
        null = treated.copy()
        null[start:] /= 1.0 + rate
        own = abs(float((null[start:] - path).sum())) * (1.0 - 1e-9)
        count = 1
        for inside in others:
            count += _miss(null, donors, inside) >= own
            if count > enough * (1 + len(others)):
                break
        return count / (1 + len(others))

    return p_value


def _block(left: int, length: int, periods: int) -> Mask:
    """Periods of the cyclic block from `left`, as a mask."""
    inside = np.zeros(periods, dtype=bool)
    inside[np.arange(left, left + length) % periods] = True
    return inside


def _miss(null: Array, donors: Array, inside: Mask) -> float:
    path = fit(null, donors, np.flatnonzero(~inside)).counterfactual
    return abs(float((null - path)[inside].sum()))


def interval(p_value: PValue, centre: float, spread: float, alpha: float) -> tuple[float, float]:
    """Ends of the rates not rejected at `alpha` around the estimate `centre`, first sought `spread` away from it."""
    return _end(p_value, centre, -spread, alpha), _end(p_value, centre, spread, alpha)


def _end(p_value: PValue, centre: float, step: float, alpha: float) -> float:
    limit = LOWEST if step < 0 else HIGHEST
    inside, outside = centre, 0.0 if centre * step < 0 else centre + step
    for _ in range(_WIDENINGS):
        if not LOWEST + 0.05 < outside < HIGHEST:
            return limit
        if p_value(outside, alpha) <= alpha:
            break
        inside, step = outside, step * 1.5
        outside = inside + step
    else:
        return limit
    for _ in range(_HALVINGS):
        middle = 0.5 * (inside + outside)
        if p_value(middle, alpha) > alpha:
            inside = middle
        else:
            outside = middle
    return inside


def placebo_lifts(treated: Array, donors: Array, start: int, length: int) -> Array:
    """Lift rates measured in effect-free windows of `length` periods before `start`, each left out of its own fit.

    Windows are shortened to a third of the history when that is too short for them.
    """
    width = max(1, min(length, start // 3))
    lefts = sorted({round(left) for left in np.linspace(0, start - width, _PLACEBOS)})
    lifts: list[float] = []
    for left in lefts:
        rows = np.delete(np.arange(start), np.s_[left : left + width])
        path = fit(treated[:start], donors[:, :start], rows).counterfactual[left : left + width]
        if path.sum() > 0:
            lifts.append(float(treated[left : left + width].sum() / path.sum() - 1.0))
    return np.array(lifts)


def detectable_rate(placebos: Array, independent: int, alpha: float, power: float = 0.8) -> float:
    """Smallest lift found with `power` at two-sided `alpha`: (t₁₋α/₂ + t_power) times the placebos' root mean square.

    `independent` is the number of non-overlapping windows, the degrees of freedom of that spread.
    """
    if placebos.size < 2:
        return math.inf
    freedom = max(independent, 1)
    quantiles = student_quantile(1 - alpha / 2, freedom) + student_quantile(power, freedom)
    return quantiles * float(np.sqrt((placebos**2).mean()))
