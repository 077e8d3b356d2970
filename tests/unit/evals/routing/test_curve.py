"""Figures by hand, and what must hold for any outcomes."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evals.routing.curve import Judged, Point, aiq, cheapest_mix, hull, oracle_point, pick, reached, sweep

CORNERS = [Point(0.0, 0.2), Point(1.0, 0.8), Point(2.0, 1.0), Point(1.5, 0.7), Point(3.0, 0.9)]


def test_hull_drops_what_a_mix_beats_and_what_is_dearer_and_worse() -> None:
    assert hull(CORNERS) == [Point(0.0, 0.2), Point(1.0, 0.8), Point(2.0, 1.0)]


def test_aiq_is_the_mean_height_of_the_hull() -> None:
    # From 0 to 2: (0.2 + 0.8) / 2 for the first half, (0.8 + 1.0) / 2 for the second.
    assert aiq(CORNERS, 0.0, 2.0) == pytest.approx(0.7, abs=1e-3)


def test_aiq_of_models_at_one_price_is_the_best_quality() -> None:
    assert aiq([Point(1.0, 0.4), Point(1.0, 0.6)], 1.0, 1.0) == 0.6


def test_a_mix_reaches_the_quality_exactly() -> None:
    mix = cheapest_mix(CORNERS, 0.5)
    assert (mix.first, mix.second) == (0, 1)
    assert mix.share == pytest.approx(0.5)
    assert mix.of(CORNERS).quality == pytest.approx(0.5)


def test_a_quality_out_of_reach_takes_the_best() -> None:
    assert cheapest_mix(CORNERS, 2.0).of(CORNERS) == Point(2.0, 1.0)


def test_a_model_that_was_not_asked_is_never_picked() -> None:
    judged = Judged(np.array([[0.1, 0.9]]), np.zeros((1, 2)))
    assert pick(judged, 0.0, np.array([[1.0, np.nan]])).tolist() == [0]


def test_the_oracle_takes_the_cheapest_right_model() -> None:
    scores, costs = np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([[1.0, 5.0], [1.0, 5.0]])
    assert oracle_point(scores, costs) == Point(3.0, 1.0)


outcomes = st.integers(2, 12).flatmap(
    lambda n: st.tuples(
        arrays(np.float64, (n, 3), elements=st.sampled_from([0.0, 0.5, 1.0])),
        arrays(np.float64, (n, 3), elements=st.floats(0.1, 5.0)),
    )
)


@given(outcomes)
def test_a_model_worse_and_dearer_everywhere_changes_no_oracle(both: tuple[np.ndarray, np.ndarray]) -> None:
    scores, costs = both
    worse = np.hstack([scores, scores.min(axis=1, keepdims=True) - 0.1])
    dearer = np.hstack([costs, costs.max(axis=1, keepdims=True) + 1])
    assert oracle_point(worse, dearer) == oracle_point(scores, costs)


@given(outcomes, st.randoms(use_true_random=False))
def test_order_of_queries_changes_nothing(both: tuple[np.ndarray, np.ndarray], draw: random.Random) -> None:
    scores, costs = both
    order = list(range(len(scores)))
    draw.shuffle(order)
    judged, shuffled = Judged(scores, costs), Judged(scores[order], costs[order])
    before, after = sweep(judged, scores, costs), sweep(shuffled, scores[order], costs[order])
    assert [p.quality for p in after] == pytest.approx([p.quality for p in before])
    assert [p.cost for p in after] == pytest.approx([p.cost for p in before])


@given(outcomes)
def test_no_router_passes_the_oracle(both: tuple[np.ndarray, np.ndarray]) -> None:
    scores, costs = both
    best = oracle_point(scores, costs).quality
    assert all(point.quality <= best + 1e-9 for point in sweep(Judged(costs, costs), scores, costs))


def test_reached_is_the_mean_of_the_picks() -> None:
    assert reached(np.array([0, 1]), np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[1.0, 2.0], [1.0, 4.0]])) == Point(
        2.5, 0.5
    )
