"""Measures whether a few numbers about a text help a router that learns on the way from the score of its picks alone.

Run it by hand: `python evals/bench/routing_features.py FOLDER [SEEDS]` on the folder of recorded BFCL outcomes. Beside
the mean of task and model stands a ridge regression of what that mean missed on ten features of the text, kept by model
or by task and model; the penalty says how many observations it takes to be heard. Features are centred by task, so that
they tell what the task does not. Both ways see the same queries in the same order, the same luck in exploring and the
same costs: the means of the whole set. Worth is quality less the trade-off times cost. Prints a line of JSON for each.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evals.routing.reading import Columns, read
from evals.routing.recorded import Matrix, Recorded, Rows, seeds
from evals.routing.report import paired, spread
from providers.routing.quality import PRIOR_QUERIES

STARTS = {"warm": (0.3, 0.0), "cold": (0.0, 0.05)}
"""Share of the queries recorded in full beforehand, and of those after it whose model is drawn."""
TRADE_OFFS = {"quality": 0.0, "balanced": 25.0}
"""Quality given up to save one USD of a call."""
SCOPES = ("model", "task and model")
PENALTIES = (10.0, 50.0, 200.0)
_FIRST_GUESS = 0.8
_MARKS = frozenset("{}()[]=<>;_`\"'/\\")
_SENTENCE_END = re.compile(r"[.!?]+")


def features(text: str) -> list[float]:
    """Lengths, tools and their arguments, shares of digits, code marks, capitals and accents, questions, sentences."""
    question, _, tools = text.partition(" || ")
    bare = "".join(question.split())
    length = max(len(bare), 1)
    return [
        math.log(length),
        math.log1p(len("".join(tools.split()))),
        min(tools.count('"name"'), 10),
        min(tools.count('"type"'), 40),
        math.sqrt(sum(sign.isdigit() for sign in bare) / length),
        math.sqrt(sum(sign in _MARKS for sign in bare) / length),
        math.sqrt(sum(sign.isupper() for sign in bare) / length),
        math.sqrt(sum(not sign.isascii() for sign in bare) / length),
        min(bare.count("?"), 3),
        math.log1p(len(question.split()) / max(len(_SENTENCE_END.findall(question)), 1)),
    ]


def scaled(texts: Sequence[str]) -> Matrix:
    """Features of mean 0 and standard deviation 1, cut at 3, of about unit length together."""
    raw = np.array([features(text) for text in texts], dtype=np.float64)
    even = (raw - raw.mean(axis=0)) / np.maximum(raw.std(axis=0), 1e-9)
    return np.clip(even, -3.0, 3.0) / math.sqrt(raw.shape[1])


class Means:
    """Mean quality by task and model, drawn to the model's mean over its other tasks by two queries' worth."""

    def __init__(self, tasks: int, models: int) -> None:
        self._good, self._seen = np.zeros((tasks, models)), np.zeros((tasks, models))

    def expect(self, task: int) -> Matrix:
        good, seen = self._good.sum(axis=0) - self._good[task], self._seen.sum(axis=0) - self._seen[task]
        elsewhere = (good + PRIOR_QUERIES * _FIRST_GUESS) / (seen + PRIOR_QUERIES)
        return (self._good[task] + PRIOR_QUERIES * elsewhere) / (self._seen[task] + PRIOR_QUERIES)

    def learn(self, task: int, model: int, quality: float) -> None:
        self._good[task, model] += quality
        self._seen[task, model] += 1


class Residual:
    """Ridge regressions of what the means missed, one for each row of `slots`; all zero before the first answer."""

    def __init__(self, slots: Rows, width: int, penalty: float) -> None:
        count = int(slots.max()) + 1
        self._slots = slots
        self._gram = np.repeat(penalty * np.eye(width)[None], count, axis=0)
        self._pull, self._weights = np.zeros((count, width)), np.zeros((count, width))

    def expect(self, task: int, place: Matrix) -> Matrix:
        return self._weights[self._slots[task]] @ place

    def learn(self, task: int, model: int, place: Matrix, missed: float) -> None:
        slot = self._slots[task, model]
        self._gram[slot] += np.outer(place, place)
        self._pull[slot] += missed * place
        self._weights[slot] = np.linalg.solve(self._gram[slot], self._pull[slot])


@dataclass(frozen=True, slots=True)
class Way:
    """How to expect: by means alone without a scope, else with features too."""

    scope: str | None = None
    penalty: float = 0.0

    def residual(self, tasks: int, models: int, width: int) -> Residual | None:
        if self.scope is None:
            return None
        each = np.arange(tasks * models).reshape(tasks, models)
        return Residual(each if self.scope == SCOPES[1] else each % models, width, self.penalty)


@dataclass(frozen=True, slots=True)
class Queries:
    """Recorded outcomes with the row of each query's task, its features, and mean costs by task and model."""

    recorded: Recorded
    tasks: Rows
    places: Matrix
    costs: Matrix

    @classmethod
    def of(cls, recorded: Recorded) -> Queries:
        names, tasks = np.unique(np.array(recorded.tasks), return_inverse=True)
        costs = np.stack([recorded.costs[tasks == task].mean(axis=0) for task in range(len(names))])
        return cls(recorded, tasks.astype(np.int64), scaled(recorded.texts), costs)


def worth(queries: Queries, seed: int, way: Way, start: str, trade_off: float) -> float:
    """Mean worth of the picks after the warm part, in `seed`'s order."""
    count, models = len(queries.recorded.ids), len(queries.recorded.models)
    warm_rate, explored = STARTS[start]
    draw = np.random.default_rng(seed)
    order = draw.permutation(count)
    dice, drawn = draw.random(count), draw.integers(models, size=count)
    means = Means(len(queries.costs), models)
    residual = way.residual(len(queries.costs), models, queries.places.shape[1])
    centre, seen = np.zeros((len(queries.costs), queries.places.shape[1])), np.zeros(len(queries.costs))
    found: list[float] = []
    for step, row in enumerate(order):
        task, scores = int(queries.tasks[row]), queries.recorded.scores[row]
        seen[task] += 1
        centre[task] += (queries.places[row] - centre[task]) / seen[task]
        place, by_task = queries.places[row] - centre[task], means.expect(task)
        told = range(models)
        if step >= warm_rate * count:
            expected = by_task if residual is None else by_task + residual.expect(task, place)
            best = int((expected - trade_off * queries.costs[task]).argmax())
            pick = int(drawn[step]) if dice[step] < explored else best
            found.append(float(scores[pick] - trade_off * queries.recorded.costs[row, pick]))
            told = (pick,)
        for model in told:
            means.learn(task, model, float(scores[model]))
            if residual is not None:
                residual.learn(task, model, place, float(scores[model] - by_task[model]))
    return float(np.mean(found))


def compared(queries: Queries, count: int) -> Iterator[dict[str, object]]:
    """Worth with features less that without, paired by seed."""
    for start in STARTS:
        for name, trade_off in TRADE_OFFS.items():
            label = [worth(queries, seed, Way(), start, trade_off) for seed in seeds(count)]
            yield {"start": start, "prefer": name, "label": spread(label)}
            for way in (Way(scope, penalty) for scope in SCOPES for penalty in PENALTIES):
                ours = [worth(queries, seed, way, start, trade_off) for seed in seeds(count)]
                gain = paired(ours, label)
                yield {"start": start, "prefer": name, "by": way.scope, "penalty": way.penalty, "gain": gain}


def main(folder: Path, count: int) -> None:
    tokens = {"input_tokens": "input_tokens", "output_tokens": "output_tokens"}
    columns = Columns("qid", ["question", "functions_json"], "model", "correct", "category", **tokens)
    files = folder / "bfcl_20240811_questions.parquet", folder / "bfcl_20240811_results.parquet"
    queries = Queries.of(read(*files, columns, folder / "bfcl_price_table.csv").recorded)
    for line in compared(queries, count):
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5)
