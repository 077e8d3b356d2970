"""Ways to route that a claim must be held against, each fitted on train alone.

The text baselines repeat the published ones: TF-IDF of words and word pairs, then the mean of 100 neighbours or one
logistic regression for each model. A method also says what it would have expected of the train queries had it not
seen them, so that a trade-off can be chosen there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from evals.routing.curve import Judged
from evals.routing.recorded import Matrix, Recorded, Rows, mean_scores
from providers.routing.quality import QualityModel, TaskMeans

NEIGHBOURS = 100
_LR_FOLDS, _LABEL_FOLDS, _DEALS = 3, 5, 5


@dataclass(frozen=True, slots=True)
class Expected:
    """What a method expects of the test queries, and out of fold of the train queries, dealt once or more."""

    test: Judged
    train: Sequence[Judged]


def label(train: Recorded, test: Recorded) -> Expected:
    """The mean score of each model on the known task, and its mean cost."""
    at = _label_means(train, test.tasks)
    return Expected(Judged(at, _mean_cost(train, len(test.ids))), _label_inside(train))


def knn(train: Recorded, test: Recorded) -> Expected:
    """The mean of the 100 nearest train queries by cosine of TF-IDF."""
    from sklearn.neighbors import NearestNeighbors

    seen, new = _tfidf(train, test)
    count = min(NEIGHBOURS, len(train.ids))
    index = cast("Any", NearestNeighbors(n_neighbors=count, metric="cosine")).fit(seen)
    near: Rows = index.kneighbors(new, return_distance=False)
    others: Rows = index.kneighbors(n_neighbors=min(count, len(train.ids) - 1), return_distance=False)
    means = [_neighbour_means(train.scores, rows) for rows in (near, others)]
    return Expected(Judged(means[0], _mean_cost(train, len(test.ids))), [Judged(means[1], _own_cost(train))])


def lr(train: Recorded, test: Recorded) -> Expected:
    """One logistic regression for each model on TF-IDF; ridge where scores are not binary."""
    seen, new = _tfidf(train, test)
    inside = np.empty_like(train.scores)
    for held in _folds(len(train.ids), 0, _LR_FOLDS):
        rest = np.setdiff1d(np.arange(len(train.ids)), held)
        inside[held] = _regressed(seen[rest], seen[held], train.scores[rest])
    at = _regressed(seen, new, train.scores)
    return Expected(Judged(at, _mean_cost(train, len(test.ids))), [Judged(inside, _own_cost(train))])


def accord(train: Recorded, test: Recorded) -> Expected:
    """The product's own model: task prior, text, and cost predicted for each query."""
    model = QualityModel.fit(train.texts, train.tasks, train.scores, train.costs)
    quality, cost = model.expect(test.texts, test.tasks)
    by_text, inside_cost = model.inside
    folds = [TaskMeans.out_of_fold(train.tasks, train.scores, draw) for draw in range(_DEALS)]
    return Expected(Judged(quality, cost), [Judged(fold + by_text, inside_cost) for fold in folds])


def oracle(train: Recorded, test: Recorded) -> Expected:
    """Knows every score and cost: what no router can pass."""
    return Expected(Judged(np.nan_to_num(test.scores), test.costs), [Judged(np.nan_to_num(train.scores), train.costs)])


ROUTERS: Mapping[str, Callable[[Recorded, Recorded], Expected]] = {
    "accord": accord,
    "label": label,
    "knn": knn,
    "lr": lr,
    "oracle": oracle,
}


def _by_task(recorded: Recorded) -> dict[str, Rows]:
    tasks = np.array(recorded.tasks)
    return {str(task): np.flatnonzero(tasks == task) for task in np.unique(tasks)}


def _mean_cost(train: Recorded, queries: int) -> Matrix:
    return np.repeat(train.costs.mean(axis=0)[None], queries, axis=0)


def _own_cost(train: Recorded) -> Matrix:
    return _mean_cost(train, len(train.ids))


def _label_inside(train: Recorded) -> list[Judged]:
    """The label's expectations of train, each query by the folds it is not in."""
    found: list[Judged] = []
    for deal in range(_DEALS):
        inside = np.empty_like(train.scores)
        for held in _folds(len(train.ids), deal, _LABEL_FOLDS):
            rest = train.take(np.setdiff1d(np.arange(len(train.ids)), held))
            inside[held] = _label_means(rest, train.take(held).tasks)
        found.append(Judged(inside, _own_cost(train)))
    return found


def _label_means(train: Recorded, tasks: Sequence[str]) -> Matrix:
    means = {task: mean_scores(train.scores[rows]) for task, rows in _by_task(train).items()}
    overall = mean_scores(train.scores)
    return np.stack([means.get(task, overall) for task in tasks])


def _tfidf(train: Recorded, test: Recorded) -> tuple[Any, Any]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    for floor in (2, 1):
        words = cast("Any", TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=floor, max_features=60000))
        try:
            return words.fit_transform(train.texts), words.transform(test.texts)
        except ValueError:  # no term is frequent enough
            continue
    blank = np.ones((1, 1))
    return np.repeat(blank, len(train.ids), axis=0), np.repeat(blank, len(test.ids), axis=0)


def _neighbour_means(scores: Matrix, near: Rows) -> Matrix:
    overall = mean_scores(scores)
    found = np.empty((len(near), scores.shape[1]))
    for place, rows in enumerate(near):
        asked = ~np.isnan(scores[rows])
        count = asked.sum(axis=0)
        found[place] = np.where(count > 0, np.nansum(scores[rows], axis=0) / np.maximum(count, 1), overall)
    return found


def _regressed(seen: Any, new: Any, scores: Matrix) -> Matrix:
    from sklearn.linear_model import LogisticRegression, Ridge

    found = np.empty((new.shape[0], scores.shape[1]))
    binary = set(np.unique(scores[~np.isnan(scores)])) <= {0.0, 1.0}
    for column in range(scores.shape[1]):
        asked = np.flatnonzero(~np.isnan(scores[:, column]))
        target = scores[asked, column]
        if len(asked) == 0 or target.min() == target.max():
            found[:, column] = target.mean() if len(asked) else 0.0
        elif binary:
            fitted = cast("Any", LogisticRegression(max_iter=300, solver="liblinear")).fit(seen[asked], target)
            found[:, column] = fitted.predict_proba(new)[:, 1]
        else:
            found[:, column] = cast("Any", Ridge(alpha=2.0)).fit(seen[asked], target).predict(new)
    return found


def _folds(queries: int, deal: int, count: int) -> list[Rows]:
    order = np.random.default_rng(deal).permutation(queries)
    return [np.sort(part) for part in np.array_split(order, min(count, queries))]
