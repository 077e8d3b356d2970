"""What a comparison of ways to route says: JSON for a program, a table for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

from evals.routing.compare import METHODS, Comparison, Run
from evals.routing.curve import Point
from evals.routing.methods import ROUTERS

_CURVE_POINTS = 60


def summary(found: Comparison, share: float) -> dict[str, Any]:
    """The JSON of `accord eval routing`: the contract's fields first, then what explains them."""
    aiqs = {method: [run.aiq for run in runs] for method, runs in found.runs.items()}
    return {
        "aiq": {method: spread(values) for method, values in aiqs.items()},
        "saving_at_equal_accuracy": {
            method: {
                **spread([run.kept.saving_rate for run in runs]),
                "accuracy_rate": _rounded(_kept_rate(runs, found.best_single)),
            }
            for method, runs in found.runs.items()
        },
        "seeds": list(found.seeds),
        "accuracy_share": share,
        "paired": {
            f"accord-{other}": paired(aiqs["accord"], aiqs[other]) for other in ("label", "best_single", "zero")
        },
        "oracle_gap_closed": {
            other: _rounded(_closed(aiqs["accord"], aiqs[other], aiqs["oracle"])) for other in ("label", "best_single")
        },
        "accuracy": {method: spread([run.best.quality for run in runs]) for method, runs in found.runs.items()},
        "cost_per_query": {method: spread([run.best.cost for run in runs]) for method, runs in found.runs.items()},
        "trade_offs_on_train": {
            method: [{"between": list(run.kept.trade_offs), "share": run.kept.share} for run in runs]
            for method, runs in found.runs.items()
            if method in ROUTERS
        },
        "aiq_by_seed": {method: [_rounded(value) for value in values] for method, values in aiqs.items()},
        "best_single": {
            "accuracy": spread([point.quality for point in found.best_single]),
            "cost_per_query": spread([point.cost for point in found.best_single]),
        },
        "queries": found.queries,
        "models": list(found.models),
        "tasks": found.tasks,
        "notes": found.notes,
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    """Mean and standard deviation over seeds; 0 for a single one."""
    return {"mean": _rounded(fmean(values)), "sd": _rounded(stdev(values) if len(values) > 1 else 0.0)}


def paired(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, float | None]:
    """Mean difference over seeds with its 95 % interval by Student's t; no interval for a single seed.

    Splits of one set overlap, so the interval speaks of the luck of the split, not of other sets.
    """
    gaps = [a - b for a, b in zip(ours, theirs, strict=True)]
    mean = fmean(gaps)
    if len(gaps) < 2:
        return {"mean": _rounded(mean), "low": None, "high": None}
    from scipy.stats import t

    reach = float(t.ppf(0.975, len(gaps) - 1)) * stdev(gaps) / len(gaps) ** 0.5
    return {"mean": _rounded(mean), "low": _rounded(mean - reach), "high": _rounded(mean + reach)}


def curves(found: Comparison) -> dict[str, list[list[float]]]:
    """By method, the hull of the first seed as pairs of cost and quality."""
    return {
        method: [[_rounded(p.cost), _rounded(p.quality)] for p in runs[0].curve[:_CURVE_POINTS]]
        for method, runs in found.runs.items()
    }


def _kept_rate(runs: Sequence[Run], singles_: Sequence[Point]) -> float:
    """Accuracy kept on test, as a share of the best single model's."""
    return fmean(
        run.kept.accuracy / best.quality if best.quality else 1.0 for run, best in zip(runs, singles_, strict=True)
    )


def _closed(ours: Sequence[float], theirs: Sequence[float], oracle: Sequence[float]) -> float:
    gap = fmean(oracle) - fmean(theirs)
    return (fmean(ours) - fmean(theirs)) / gap if gap > 0 else 0.0


def _rounded(value: float) -> float:
    return float(f"{value:.7g}")


def lines(body: Mapping[str, Any]) -> Iterator[str]:
    """The summary as a table for a person."""
    share = body["accuracy_share"]
    yield (
        f"{body['queries']:,} queries, {len(body['models'])} models, {body['tasks']} tasks, {len(body['seeds'])} seeds"
    )
    yield f"{'method':12s} {'AIQ':>16s} {'accuracy':>9s} {'cost/1k':>9s} {'saving':>7s} {'at accuracy':>12s}"
    for method in METHODS:
        score, saved = body["aiq"][method], body["saving_at_equal_accuracy"][method]
        cost = 1000 * body["cost_per_query"][method]["mean"]
        yield (
            f"{method:12s} {score['mean']:8.4f} ±{score['sd']:.4f} {body['accuracy'][method]['mean']:9.4f} {cost:9.4g} "
            f"{saved['mean']:7.1%} {saved['accuracy_rate']:12.1%}"
        )
    gap = body["paired"]["accord-label"]
    if gap["low"] is not None:
        yield f"accord − label: {gap['mean']:+.4f}, 95 % interval over seeds {gap['low']:+.4f} to {gap['high']:+.4f}"
    closed = body["oracle_gap_closed"]
    yield (
        f"Of the gap to the oracle accord closes {closed['label']:.1%} beyond the label, "
        f"{closed['best_single']:.1%} beyond the best single model."
    )
    yield (
        f"Saving: against the best single model, by a mix of two trade-offs chosen on train to keep {share:.0%} of "
        "its accuracy; beside it the accuracy kept on test."
    )
    for kind, rate in body.get("robustness", {}).items():
        yield f"Picks unchanged by {kind}: {rate:.1%}"
    yield from body["notes"]
