"""What each model is expected to score and to cost on a query: the known task first, its text second.

Quality is the mean of model and task, drawn towards the model's overall mean by a few queries' worth, plus what the
text tells about one model against the others. That second part is a ridge regression on the text's directions, taken
both as they are (tasks with like texts lend to each other) and within the task (what sets a text apart from the rest of
its task). Only differences between models are learnt: how hard a query is for all of them moves no choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from providers.routing.costs import CostModel
from providers.routing.text import Directions, Matrix

PRIOR_QUERIES = 2.0
"""Queries that a model's overall mean counts for within each task."""
PENALTIES = (20.0, 40.0, 80.0, 160.0, 320.0, 640.0)
CAUTION = 3.0
"""The penalty that predicts best is multiplied by this: the best of many noisy expectations is chosen, so that errors
which favour a model are followed and those against it are not."""
_FOLDS = 5
_CONTENDING = 0.05  # quality points behind the task's best at which a model matters a third as much


@dataclass(frozen=True, slots=True)
class TaskMeans:
    """Mean score by task and model, `(tasks, models)`; the last row stands for tasks never seen."""

    place: dict[str, int]
    scores: Matrix

    @classmethod
    def fit(cls, tasks: Sequence[str], scores: Matrix) -> TaskMeans:
        place = {task: row for row, task in enumerate(sorted(set(tasks)))}
        at = rows_of(place, tasks)
        overall = _means(np.nansum(scores, axis=0), (~np.isnan(scores)).sum(axis=0), 0.5, PRIOR_QUERIES)
        sums, counts = _sums(at, scores, len(place))
        by_task = _means(sums, counts, overall, PRIOR_QUERIES)
        return cls(place, np.vstack([by_task, overall]))

    @staticmethod
    def out_of_fold(tasks: Sequence[str], scores: Matrix, draw: int) -> Matrix:
        """What a fit on the other folds would have expected of each query, `(queries, models)`; `draw` deals folds."""
        order = np.random.default_rng(draw).permutation(len(tasks))
        found = np.empty_like(scores)
        for held in np.array_split(order, min(_FOLDS, len(tasks))):
            rest = np.setdiff1d(order, held)
            fitted = TaskMeans.fit(_at(tasks, rest), scores[rest])
            found[held] = fitted.scores[rows_of(fitted.place, _at(tasks, held))]
        return found


def rows_of(place: dict[str, int], tasks: Sequence[str]) -> NDArray[np.int64]:
    """Row of each task; the row after the last for one never seen."""
    return np.array([place.get(task, len(place)) for task in tasks], dtype=np.int64)


def _at(tasks: Sequence[str], rows: NDArray[np.int64]) -> list[str]:
    places: list[int] = rows.tolist()
    return [tasks[place] for place in places]


def _sums(at: NDArray[np.int64], scores: Matrix, tasks: int) -> tuple[Matrix, Matrix]:
    sums, counts = np.zeros((tasks, scores.shape[1])), np.zeros((tasks, scores.shape[1]))
    np.add.at(sums, at, np.nan_to_num(scores))
    np.add.at(counts, at, ~np.isnan(scores))
    return sums, counts


def _means(sums: Matrix, counts: Matrix, prior: Matrix | float, weight: float) -> Matrix:
    return (sums + weight * prior) / (counts + weight)


@dataclass(frozen=True, slots=True)
class TextPart:
    """How a text moves each model's expected quality. `centres` are the mean places of each task's texts, the last of
    all texts; `weights` has a row for each feature and a column for each model.
    """

    directions: Directions
    centres: Matrix
    weights: Matrix
    penalty: float

    def features(self, places: Matrix, at: NDArray[np.int64]) -> Matrix:
        """The places themselves, and what sets each apart from its task, both of at most unit length."""
        return text_features(places, self.centres[at])


def text_features(places: Matrix, centres: Matrix) -> Matrix:
    """Two views of the same text, each weighing half."""
    apart = places - centres
    lengths = np.linalg.norm(apart, axis=1, keepdims=True)
    return np.hstack([places, apart / np.maximum(lengths, 1e-9)]) * np.sqrt(0.5)


@dataclass(frozen=True, slots=True)
class Ridge:
    """Solutions of one regression for any penalty, with what each query would have got had it not been there."""

    features: Matrix
    values: Matrix
    target: Matrix
    _turn: Matrix

    @classmethod
    def of(cls, features: Matrix, target: Matrix) -> Ridge:
        values, turn = np.linalg.eigh(features.T @ features)
        return cls(features @ turn, np.maximum(values, 0.0), target, turn)

    def weights(self, penalty: float) -> Matrix:
        shrunk = (self.features.T @ self.target) / (self.values + penalty)[:, None]
        return self._turn @ shrunk

    def left_out(self, penalty: float) -> Matrix:
        """Leave-one-out predictions, exact: target − residual / (1 − leverage)."""
        factor = 1.0 / (self.values + penalty)
        fitted = self.features @ (factor[:, None] * (self.features.T @ self.target))
        leverage = (self.features**2) @ factor
        return self.target - (self.target - fitted) / (1.0 - np.minimum(leverage, 0.999))[:, None]

    def best_penalty(self, weights: Matrix) -> float:
        """The penalty whose left-out errors between contenders are smallest, times `CAUTION`."""
        return CAUTION * min(PENALTIES, key=lambda penalty: self._loss(penalty, weights))

    def _loss(self, penalty: float, weights: Matrix) -> float:
        missed = self.target - self.left_out(penalty)
        between = missed - (weights * missed).sum(axis=1, keepdims=True)
        return float((weights * between**2).sum(axis=1).mean())


@dataclass(frozen=True, slots=True)
class QualityModel:
    """Learned from recorded outcomes; asks nothing of a vendor and needs no library but numpy once it is fitted."""

    means: TaskMeans
    text: TextPart
    costs: CostModel
    inside: tuple[Matrix, Matrix]
    """Of the queries it was fitted on: what their texts would have moved had each been left out, and expected cost."""

    @classmethod
    def fit(cls, texts: Sequence[str], tasks: Sequence[str], scores: Matrix, costs: Matrix) -> QualityModel:
        """From `(queries, models)` of scores 0..1, NaN where a model was not asked, and of costs."""
        means = TaskMeans.fit(tasks, scores)
        at = rows_of(means.place, tasks)
        directions, places = Directions.fit(texts)
        centres = _centres(places, at, len(means.place))
        base = means.scores[at]
        ridge = Ridge.of(text_features(places, centres[at]), _between_models(scores - base))
        penalty = ridge.best_penalty(contenders(base))
        cost_model = CostModel.fit(texts, at, costs, len(means.place))
        inside = (ridge.left_out(penalty), cost_model.expect(texts, at))
        return cls(means, TextPart(directions, centres, ridge.weights(penalty), penalty), cost_model, inside)

    def expect(self, texts: Sequence[str], tasks: Sequence[str]) -> tuple[Matrix, Matrix]:
        """Expected score and cost of each model on each query, `(queries, models)`."""
        at = rows_of(self.means.place, tasks)
        features = self.text.features(self.text.directions.along(texts), at)
        return self.means.scores[at] + features @ self.text.weights, self.costs.expect(texts, at)


def contenders(base: Matrix) -> Matrix:
    """How much each model matters for the choice on each query: rows sum to 1, most of it near the best."""
    weights = np.exp((base - base.max(axis=1, keepdims=True)) / _CONTENDING)
    return weights / weights.sum(axis=1, keepdims=True)


def _between_models(surprise: Matrix) -> Matrix:
    """Surprises of the models against their mean on the same query; 0 where a model was not asked."""
    asked = ~np.isnan(surprise)
    middle = np.nansum(surprise, axis=1, keepdims=True) / np.maximum(asked.sum(axis=1, keepdims=True), 1)
    return np.where(asked, surprise - middle, 0.0)


def _centres(places: Matrix, at: NDArray[np.int64], tasks: int) -> Matrix:
    found = np.zeros((tasks, places.shape[1]))
    np.add.at(found, at, places)
    found /= np.bincount(at, minlength=tasks)[:, None]
    return np.vstack([found, places.mean(axis=0)])
