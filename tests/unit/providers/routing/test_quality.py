"""The learned expectation: shrunk means by hand, texts that tell models apart, and noise that must not move it."""

from __future__ import annotations

import numpy as np
import pytest

from providers.routing.quality import QualityModel, Ridge, TaskMeans, contenders, text_features
from providers.routing.text import Directions, words

SCORES = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, np.nan]])


def test_a_task_is_drawn_towards_the_model_by_two_queries() -> None:
    means = TaskMeans.fit(["a", "a", "b", "b"], SCORES)
    overall = (2 + 2 * 0.5) / (4 + 2)
    assert means.scores[-1, 0] == pytest.approx(overall)
    assert means.scores[means.place["a"], 0] == pytest.approx((2 + 2 * overall) / (2 + 2))
    assert means.scores[means.place["b"], 1] == pytest.approx((1 + 2 * (1 + 1) / 5) / (1 + 2))


def test_left_out_predictions_equal_refits() -> None:
    draw = np.random.default_rng(3)
    features, target = draw.standard_normal((12, 4)), draw.standard_normal((12, 2))
    left_out = Ridge.of(features, target).left_out(2.0)
    for row in range(12):
        rest = np.arange(12) != row
        refit = Ridge.of(features[rest], target[rest]).weights(2.0)
        assert left_out[row] == pytest.approx(features[row] @ refit)


def test_contenders_weigh_most_near_the_best() -> None:
    weights = contenders(np.array([[0.9, 0.85, 0.1]]))
    assert weights.sum() == pytest.approx(1)
    assert weights[0, 1] / weights[0, 0] == pytest.approx(np.exp(-1))


def test_spacing_case_digits_and_forms_do_not_count() -> None:
    assert words("Pay  ４2\nEUROS, now") == words("pay 17 euros  now")


def _world(queries: int) -> tuple[list[str], list[str], np.ndarray]:
    """Two equally good models within one task, one right on poems, the other on sums."""
    draw = np.random.default_rng(1)
    kinds = draw.integers(0, 2, queries)
    filler = [" ".join(f"w{n}" for n in draw.integers(0, 40, 8)) for _ in range(queries)]
    texts = [
        f"{'write a poem' if kind else 'add these numbers'} {rest}" for kind, rest in zip(kinds, filler, strict=True)
    ]
    right = np.stack([kinds, 1 - kinds], axis=1).astype(float)
    flips = draw.random(right.shape) < 0.1
    return texts, ["one"] * queries, np.where(flips, 1 - right, right)


def test_text_tells_models_apart_that_the_task_cannot() -> None:
    texts, tasks, scores = _world(600)
    model = QualityModel.fit(texts[:400], tasks[:400], scores[:400], np.ones((400, 2)))
    expected, costs = model.expect(texts[400:], tasks[400:])
    reached = scores[400:][np.arange(200), expected.argmax(axis=1)].mean()
    assert reached > 0.85
    assert costs == pytest.approx(np.ones((200, 2)))


def test_an_unseen_task_falls_back_to_the_models_means() -> None:
    texts, tasks, scores = _world(100)
    model = QualityModel.fit(texts, tasks, scores, np.ones((100, 2)))
    expected, _ = model.expect(["zzz"], ["never seen"])
    assert expected[0] == pytest.approx(model.means.scores[-1], abs=0.05)


def test_costs_follow_the_length_where_they_did() -> None:
    texts = ["word " * n for n in range(1, 61)]
    lengths = np.array([len(text) + 1.0 for text in texts])
    costs = np.stack([lengths * 2, np.full(60, 7.0)], axis=1)
    _, expected = QualityModel.fit(texts, ["t"] * 60, np.ones((60, 2)), costs).expect(["word " * 30], ["t"])
    assert expected[0] == pytest.approx([2 * 151.0, 7.0])


def test_tiny_and_empty_texts_fit() -> None:
    model = QualityModel.fit(["", "", "a"], ["x", "y", "x"], np.array([[1, 0], [0, 1], [1, np.nan]]), np.ones((3, 2)))
    expected, _ = model.expect(["", "b"], ["x", "z"])
    assert np.isfinite(expected).all()


def test_places_of_seen_texts_are_those_of_the_fit() -> None:
    texts = ["a b c", "b c d", "c d e a"]
    directions, places = Directions.fit(texts)
    assert directions.along(texts) == pytest.approx(places, abs=1e-5)
    assert np.linalg.norm(text_features(places, places * 0), axis=1).max() <= 1 + 1e-6
