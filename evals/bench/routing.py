"""Measures learning on the way: a warm start on recorded outcomes, then only the score of the model that was chosen.

Run it by hand: `python evals/bench/routing.py FOLDER [SEEDS]` on the folder of recorded BFCL outcomes. A part of the
queries (30 %) is recorded in full and warms the router; the others arrive one by one in random order. The trade-off is
chosen on the warm part so that its queries cost at most the budget. Prints one JSON object, cost in USD per 1,000.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evals.routing.curve import PATH
from evals.routing.reading import Columns, read
from evals.routing.recorded import Recorded, seeds
from evals.routing.report import spread
from providers.routing.quality import PRIOR_QUERIES, QualityModel, rows_of

WARM_RATE = 0.3
BUDGET = 1.0e-3
CURIOSITY = 0.25  # standard deviations of its own mean by which a model may be tried


@dataclass(frozen=True, slots=True)
class Stream:
    """What a run came to, over the queries after the warm part."""

    quality: float
    cost: float
    best_single: float


def run(recorded: Recorded, seed: int, curiosity: float) -> Stream:
    """One pass over the queries of `seed`'s order."""
    draw = np.random.default_rng(seed)
    order = draw.permutation(len(recorded.ids))
    cut = int(WARM_RATE * len(order))
    warm, later = recorded.take(order[:cut]), recorded.take(order[cut:])
    model = QualityModel.fit(warm.texts, warm.tasks, warm.scores, warm.costs)
    quality, cost = model.expect(later.texts, later.tasks)
    at = rows_of(model.means.place, later.tasks)
    by_text = quality - model.means.scores[at]
    trade_off = _within_budget(*model.expect(warm.texts, warm.tasks))
    counts = np.bincount(rows_of(model.means.place, warm.tasks), minlength=len(model.means.scores)).astype(float)
    weight = np.repeat(counts[:, None] + PRIOR_QUERIES, len(recorded.models), axis=1)
    mean = model.means.scores.copy()
    picks = np.empty(len(at), dtype=np.int64)
    for step, task in enumerate(at):
        doubt = np.sqrt(mean[task] * (1 - mean[task]) / (weight[task] + 1))
        worth = (
            mean[task] + by_text[step] + curiosity * doubt * draw.standard_normal(len(doubt)) - trade_off * cost[step]
        )
        pick = picks[step] = int(worth.argmax())
        weight[task, pick] += 1
        mean[task, pick] += (later.scores[step, pick] - mean[task, pick]) / weight[task, pick]
    rows = np.arange(len(at))
    return Stream(
        float(later.scores[rows, picks].mean()),
        1000 * float(later.costs[rows, picks].mean()),
        float(later.scores.mean(axis=0).max()),
    )


def _within_budget(quality: np.ndarray, cost: np.ndarray) -> float:
    """The smallest trade-off at which the queries are expected to cost at most the budget."""
    for step in PATH / cost.mean():
        picks = (quality - step * cost).argmax(axis=1)
        if cost[np.arange(len(picks)), picks].mean() <= BUDGET:
            return float(step)
    return float(PATH[-1] / cost.mean())


def main(folder: Path, count: int) -> None:
    """Prints one JSON object for `count` seeds of the recorded outcomes in `folder`."""
    tokens = {"input_tokens": "input_tokens", "output_tokens": "output_tokens"}
    columns = Columns("qid", ["question", "functions_json"], "model", "correct", "category", **tokens)
    files = folder / "bfcl_20240811_questions.parquet", folder / "bfcl_20240811_results.parquet"
    recorded = read(*files, columns, folder / "bfcl_price_table.csv").recorded
    body = {}
    for name, curiosity in (("greedy", 0.0), ("curious", CURIOSITY)):
        runs = [run(recorded, seed, curiosity) for seed in seeds(count)]
        body[name] = {
            "quality": spread([run.quality for run in runs]),
            "cost_per_1k": spread([run.cost for run in runs]),
            "best_single_in_hindsight": spread([run.best_single for run in runs]),
        }
    print(json.dumps({"warm_rate": WARM_RATE, "budget_per_1k": 1000 * BUDGET, "seeds": list(seeds(count)), **body}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5)
