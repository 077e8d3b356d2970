"""The curve of quality over cost: hull, AIQ, the path of trade-offs, and the trade-off that keeps an accuracy.

AIQ follows RouterBench (2403.12031): the mean quality of the non-decreasing convex hull between the mean costs of the
cheapest and the dearest single model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from evals.routing.recorded import Matrix, Rows

PATH = np.concatenate([[0.0], np.logspace(-4, 6, 200)]) * 0.01
"""Trade-offs tried, in quality points for the mean cost of a call: from quality alone to price alone."""
_STEPS = 2001
_TIE = 1e-9


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """Mean cost and mean quality of one way to route."""

    cost: float
    quality: float


@dataclass(frozen=True, slots=True)
class Judged:
    """Quality and cost that a method expects of each model on each query."""

    quality: Matrix
    cost: Matrix


def hull(points: Iterable[Point]) -> list[Point]:
    """The non-decreasing upper hull: what mixing the given ways can reach, cheapest first."""
    rising: list[Point] = []
    for point in sorted(set(points)):
        if not rising or point.quality > rising[-1].quality:
            rising.append(point)
    found: list[Point] = []
    for point in rising:
        while len(found) >= 2 and not _bends_down(found[-2], found[-1], point):
            found.pop()
        found.append(point)
    return found


def _bends_down(first: Point, middle: Point, last: Point) -> bool:
    rise = (middle.quality - first.quality) * (last.cost - first.cost)
    return rise > (last.quality - first.quality) * (middle.cost - first.cost)


def aiq(points: Iterable[Point], low: float, high: float) -> float:
    """Mean quality of the hull over costs from `low` to `high`; where all models cost the same, its best quality."""
    outline = hull(points)
    if high <= low:
        return outline[-1].quality
    at = np.interp(np.linspace(low, high, _STEPS), [p.cost for p in outline], [p.quality for p in outline])
    return float(np.mean(at))


def pick(judged: Judged, trade_off: float, asked: Matrix) -> Rows:
    """The model of each query by quality − trade_off · cost, among those with a recorded score (`asked`)."""
    worth = judged.quality - trade_off * judged.cost
    return np.where(np.isnan(asked), -np.inf, worth).argmax(axis=1)


def reached(picks: Rows, scores: Matrix, costs: Matrix) -> Point:
    """What the picks cost and scored on average."""
    rows = np.arange(len(picks))
    return Point(float(costs[rows, picks].mean()), float(scores[rows, picks].mean()))


def sweep(judged: Judged, scores: Matrix, costs: Matrix, mean_cost: float | None = None) -> list[Point]:
    """What each trade-off of the path reaches, from quality alone to price alone.

    `mean_cost` is that of a call, by which the trade-offs are scaled; by default that of `costs`.
    """
    unit = (costs.mean() if mean_cost is None else mean_cost) + 1e-12
    return [reached(pick(judged, step / unit, scores), scores, costs) for step in PATH]


@dataclass(frozen=True, slots=True)
class Mix:
    """Two neighbours on a hull, as indices of points, and the share of queries that go by the second."""

    first: int
    second: int
    share: float

    def of(self, points: Sequence[Point]) -> Point:
        """What the same mix reaches among other points."""
        first, second = points[self.first], points[self.second]
        cost = (1 - self.share) * first.cost + self.share * second.cost
        return Point(cost, (1 - self.share) * first.quality + self.share * second.quality)


def cheapest_mix(points: Sequence[Point], quality: float) -> Mix:
    """The cheapest mix of two points that reaches `quality`; the best point alone when none does."""
    outline = hull(points)
    after = next((at for at, point in enumerate(outline) if point.quality >= quality - _TIE), len(outline) - 1)
    above, below = outline[after], outline[max(after - 1, 0)]
    rise = above.quality - below.quality
    share = 1.0 if rise <= 0 else min((quality - below.quality) / rise, 1.0)
    return Mix(points.index(below), points.index(above), share)


def mean_of(curves: Sequence[Sequence[Point]]) -> list[Point]:
    """Point by point, the mean of curves along the same path."""
    return [
        Point(sum(p.cost for p in at) / len(at), sum(p.quality for p in at) / len(at))
        for at in zip(*curves, strict=True)
    ]


def oracle_point(scores: Matrix, costs: Matrix) -> Point:
    """The cheapest of the best-scoring models of each query."""
    best = np.nanmax(scores, axis=1, keepdims=True)
    right = np.where(scores >= best - _TIE, costs, np.inf)
    return Point(float(right.min(axis=1).mean()), float(best.mean()))
