"""Compares ways to route on recorded outcomes: paired over seeds, trade-offs chosen on train."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from evals.routing.curve import (
    PATH,
    Point,
    aiq,
    cheapest_mix,
    hull,
    mean_of,
    oracle_point,
    sweep,
)
from evals.routing.methods import ROUTERS, Expected
from evals.routing.recorded import Recorded, mean_scores, seeds, singles, split

METHODS = ("accord", "label", "zero", "best_single", "knn", "lr", "oracle")
ACCURACY_SHARE = 0.99


@dataclass(frozen=True, slots=True)
class Kept:
    """The two trade-offs chosen on train to keep the accuracy (quality points per unit of cost), the share of queries
    that go by the second, and what that brought on test.
    """

    trade_offs: tuple[float, ...]
    share: float
    saving_rate: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Run:
    """One method on one split. `best` is what it reaches when quality alone counts."""

    aiq: float
    best: Point
    kept: Kept
    curve: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """Train and test of one seed; `best` is the column of the single model that is best on train."""

    train: Recorded
    test: Recorded
    best: int
    share: float

    @property
    def span(self) -> tuple[float, float]:
        """Mean cost of the cheapest and of the dearest single model on test."""
        costs, _ = singles(self.test)
        return float(costs.min()), float(costs.max())

    def single(self, recorded: Recorded) -> Point:
        """The best single model on `recorded`."""
        costs, quality = singles(recorded)
        return Point(float(costs[self.best]), float(quality[self.best]))

    def saving(self, cost: float) -> float:
        """Share of the best single model's cost on test that a mean cost of `cost` saves; 0 where calls are free."""
        full = self.single(self.test).cost
        return 1 - cost / full if full > 0 else 0.0


@dataclass(slots=True)
class Comparison:
    """All runs, by method in the order of the seeds, and what the set is."""

    seeds: Sequence[int]
    runs: dict[str, list[Run]]
    best_single: list[Point]
    models: Sequence[str]
    queries: int
    tasks: int
    notes: list[str] = field(default_factory=list[str])


def compare(
    recorded: Recorded, count: int, *, share: float = ACCURACY_SHARE, told: Callable[[int], None] = lambda _done: None
) -> Comparison:
    """Every method on `count` splits. `told` hears how many of `count` × methods are done."""
    found = Comparison(
        seeds=seeds(count),
        runs={method: [] for method in METHODS},
        best_single=[],
        models=recorded.models,
        queries=len(recorded.ids),
        tasks=len(set(recorded.tasks)),
    )
    done = 0
    for seed in found.seeds:
        train, test = (recorded.take(rows) for rows in split(len(recorded.ids), seed))
        parts = Split(train, test, int(mean_scores(train.scores).argmax()), share)
        found.best_single.append(parts.single(test))
        for method in METHODS:
            found.runs[method].append(_run(method, parts))
            done += 1
            told(done)
    return found


def _run(method: str, parts: Split) -> Run:
    match method:
        case "zero":
            return _zero(parts)
        case "best_single":
            return _best_single(parts)
        case _:
            return _routed(ROUTERS[method](parts.train, parts.test), parts, knows=method == "oracle")


def _routed(expected: Expected, parts: Split, *, knows: bool) -> Run:
    test = parts.test
    points = sweep(expected.test, test.scores, test.costs)
    if knows:
        points = [oracle_point(test.scores, test.costs), *points]
    return Run(aiq(points, *parts.span), points[0], _kept(expected, parts), tuple(hull(points)))


def _kept(expected: Expected, parts: Split) -> Kept:
    """The cheapest mix of two trade-offs that keeps the accuracy on train, by what was expected there out of fold."""
    train, test = parts.train, parts.test
    inside = mean_of([sweep(judged, train.scores, train.costs) for judged in expected.train])
    mix = cheapest_mix(inside, parts.share * parts.single(train).quality)
    unit = float(train.costs.mean())
    got = mix.of(sweep(expected.test, test.scores, test.costs, unit))
    chosen = tuple(float(PATH[place] / (unit + 1e-12)) for place in (mix.first, mix.second))
    return Kept(chosen, mix.share, parts.saving(got.cost), got.quality)


def _zero(parts: Split) -> Run:
    """Mixes of single models at random, the hull of RouterBench's zero router, drawn on test."""
    points = _points(parts.test)
    best = max(points, key=lambda point: (point.quality, -point.cost))
    return Run(aiq(points, *parts.span), best, _mixed(parts), tuple(hull(points)))


def _mixed(parts: Split) -> Kept:
    """The cheapest mix of two single models that keeps the accuracy on train, on test."""
    mix = cheapest_mix(_points(parts.train), parts.share * parts.single(parts.train).quality)
    got = mix.of(_points(parts.test))
    return Kept((), mix.share, parts.saving(got.cost), got.quality)


def _points(recorded: Recorded) -> list[Point]:
    costs, quality = singles(recorded)
    return [Point(float(c), float(q)) for c, q in zip(costs, quality, strict=True)]


def _best_single(parts: Split) -> Run:
    """The model that is best on train, mixed with the cheapest where less is to be paid."""
    best = parts.single(parts.test)
    points = [min(_points(parts.test)), best]
    return Run(aiq(points, *parts.span), best, Kept((), 1.0, 0.0, best.quality), tuple(hull(points)))
