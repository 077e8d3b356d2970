"""What a query will cost with each model: its task's mean, moved by the length of its text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from providers.routing.text import Matrix

_LEAST, _MOST = 0.2, 5.0  # no text is expected to cost less or more than this share of its task's mean


@dataclass(frozen=True, slots=True)
class CostModel:
    """`means` and `lengths` by task, the last row of all tasks; `slope` is how far a model's cost follows the length,
    0 for not at all and 1 for in proportion.
    """

    means: Matrix
    lengths: Matrix
    slope: Matrix

    @classmethod
    def fit(cls, texts: Sequence[str], at: NDArray[np.int64], costs: Matrix, tasks: int) -> CostModel:
        """`at` is the row of each query's task; `costs` are `(queries, models)`."""
        length = _lengths(texts)
        counts = np.bincount(at, minlength=tasks)[:, None]
        sums, sizes = np.zeros((tasks, costs.shape[1])), np.zeros((tasks, 1))
        np.add.at(sums, at, costs)
        np.add.at(sizes, at, length)
        means = np.vstack([sums / counts, costs.mean(axis=0)])
        lengths = np.vstack([sizes / counts, length.mean(axis=0)])
        longer = length / lengths[at] - 1
        dearer = np.divide(costs, means[at], out=np.ones_like(costs), where=means[at] > 0) - 1
        spread = float((longer**2).sum())
        slope = (longer * dearer).sum(axis=0) / spread if spread > 0 else np.zeros(costs.shape[1])
        return cls(means, lengths, np.clip(slope, 0.0, 1.0))

    def expect(self, texts: Sequence[str], at: NDArray[np.int64]) -> Matrix:
        """Expected cost, `(queries, models)`, in the unit of the costs it was fitted on."""
        longer = _lengths(texts) / self.lengths[at] - 1
        return self.means[at] * np.clip(1 + self.slope * longer, _LEAST, _MOST)


def _lengths(texts: Sequence[str]) -> Matrix:
    return np.array([[len(text) + 1.0] for text in texts])
