"""Recorded outcomes: what each of several models scored and cost on the same queries, as matrices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Rows = NDArray[np.int64]
TRAIN_RATE = 0.7
FIRST_SEED = 20261122


@dataclass(frozen=True, slots=True)
class Recorded:
    """Queries by models. `scores` are 0..1, NaN where a model was not asked; `costs` are all known, in one currency."""

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    tasks: tuple[str, ...]
    models: tuple[str, ...]
    scores: Matrix
    costs: Matrix

    def take(self, rows: Rows) -> Recorded:
        """The queries at `rows`, in that order."""
        at: list[int] = rows.tolist()
        return Recorded(
            ids=tuple(self.ids[row] for row in at),
            texts=tuple(self.texts[row] for row in at),
            tasks=tuple(self.tasks[row] for row in at),
            models=self.models,
            scores=self.scores[rows],
            costs=self.costs[rows],
        )


def seeds(count: int) -> Sequence[int]:
    """The first `count` seeds of every published table: 20261122 and on."""
    return range(FIRST_SEED, FIRST_SEED + count)


def split(queries: int, seed: int) -> tuple[Rows, Rows]:
    """Rows of train (70 %) and test: a permutation of the sorted ids by numpy's legacy generator."""
    order = np.random.RandomState(seed).permutation(queries).astype(np.int64)
    cut = int(TRAIN_RATE * queries)
    return order[:cut], order[cut:]


def mean_scores(scores: Matrix) -> Matrix:
    """Mean of each model over the queries it was asked; 0 for one that was never asked."""
    asked = (~np.isnan(scores)).sum(axis=0)
    return np.nansum(scores, axis=0) / np.maximum(asked, 1)


def singles(recorded: Recorded) -> tuple[Matrix, Matrix]:
    """Mean cost and mean score of each model by itself, over the queries it was asked."""
    asked = ~np.isnan(recorded.scores)
    costs = np.where(asked, recorded.costs, 0.0).sum(axis=0) / np.maximum(asked.sum(axis=0), 1)
    return costs, mean_scores(recorded.scores)
