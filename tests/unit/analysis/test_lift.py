"""Lift: the published point estimates, honest verdicts, and what it refuses to measure."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.lift import Lift, judge, lift, single_series_lift
from analysis.special import Array, Indices
from domain.errors import InputError


def panel(effect_rate: float, *, noise: float = 0.03, seed: int = 0, units: int = 9, periods: int = 70) -> Array:
    """Unit 0 treated from period 60; units share a common wave and carry own noise."""
    rng = np.random.default_rng(seed)
    wave = 1 + 0.2 * np.sin(np.arange(periods) / 5) + 0.05 * rng.normal(size=periods)
    levels = rng.uniform(50, 200, units)[:, None]
    outcome = levels * wave * (1 + noise * rng.normal(size=(units, periods)))
    outcome[0, 60:] *= 1 + effect_rate
    return outcome


def geolift(shared: Path) -> tuple[Array, list[int]]:
    cities: dict[str, list[float]] = {}
    with (shared / "data/marketing/geo/geolift_test.csv").open() as file:
        for row in sorted(csv.DictReader(file), key=lambda row: row["date"]):
            cities.setdefault(row["location"], []).append(float(row["Y"]))
    names = sorted(cities)
    return np.array([cities[name] for name in names]), [names.index("chicago"), names.index("portland")]


def test_the_published_walkthrough_to_the_unit(shared: Path) -> None:
    outcome, treated = geolift(shared)
    result = lift(outcome, treated, 90)
    assert round(result.lift_rate, 3) == 0.054
    assert round(result.incremental) == 4667
    assert 0 < result.low < result.lift_rate < result.high < 0.12
    assert result.p_value < 0.05
    assert result.verdict == "worked"
    assert result.pre_fit.r2 > 0.95


def test_false_alarms_on_effect_free_windows_stay_near_nominal(shared: Path) -> None:
    outcome, _ = geolift(shared)
    shuffled = np.random.default_rng(5).permutation(len(outcome))
    p_values = [
        lift(outcome[:, : start + 15], list(shuffled[first : first + 2]), start, alpha=0.2).p_value
        for start in (30, 60)
        for first in range(0, 40, 4)
    ]
    assert sum(p <= 0.2 for p in p_values) <= 9  # binomial(20, 0.2) passes 9 once in 100


@pytest.mark.parametrize(
    ("case", "column", "start", "published", "verdict"),
    [
        ("google", "y", 61, (0.14, 0.28), "worked"),
        ("basque", "Basque", 21, (-0.16, -0.023), "harmful"),
        ("comparison", "CHANGED", 90, (-0.026, 0.01), "unknowable"),
    ],
)
def test_single_series_agree_with_the_structural_model_of_r(
    shared: Path, case: str, column: str, start: int, published: tuple[float, float], verdict: str
) -> None:
    names = {"google": "google_data", "basque": "basque", "comparison": "comparison_data"}
    with (shared / f"data/marketing/causalimpact/{names[case]}.csv").open() as file:
        rows = list(csv.DictReader(file))
    others = [name for name in rows[0] if name not in {column, "date", "DATE"}]
    y = [float(row[column]) for row in rows]
    result = single_series_lift(y, [[float(row[name]) for row in rows] for name in others], start)
    assert published[0] <= result.lift_rate <= published[1]
    assert result.verdict == verdict


@pytest.mark.parametrize(
    ("effect", "noise", "verdict"),
    [(0.3, 0.03, "worked"), (-0.3, 0.03, "harmful"), (0.0, 0.004, "no_effect"), (0.0, 0.2, "unknowable")],
)
def test_each_verdict_occurs(effect: float, noise: float, verdict: str) -> None:
    assert lift(panel(effect, noise=noise), [0], 60).verdict == verdict


def test_the_verdict_reads_the_interval_alone() -> None:
    assert judge(0.001, 0.5, 0.02) == "worked"
    assert judge(-0.5, -0.001, 0.02) == "harmful"
    assert judge(-0.02, 0.02, 0.02) == "no_effect"
    assert judge(-0.01, 0.03, 0.02) == "unknowable"


def test_a_short_history_cannot_reject_and_says_so() -> None:
    result = lift(panel(0.5, periods=64)[:, 48:], [0], 12)
    assert (result.low, result.high, result.verdict) == (-1.0, 10.0, "unknowable")


@settings(max_examples=8, deadline=None)
@given(st.floats(1e-3, 1e6), st.permutations(range(1, 9)))
def test_neither_the_unit_of_the_outcome_nor_the_order_of_controls_matters(scale: float, order: list[int]) -> None:
    outcome = panel(0.1)
    result = lift(outcome, [0], 60)
    moved = lift(outcome[[0, *order]] * scale, [0], 60)
    assert moved.lift_rate == pytest.approx(result.lift_rate, rel=1e-5)
    assert (moved.low, moved.high) == pytest.approx((result.low, result.high), rel=1e-3)
    assert {order[unit - 1]: weight for unit, weight in moved.weights.items()} == pytest.approx(
        result.weights, abs=1e-4
    )


def test_order_does_not_matter_with_more_controls_than_periods() -> None:
    outcome = panel(0.1, units=80)
    order = np.random.default_rng(1).permutation(np.arange(1, 80))

    def weight_by_unit(result: Lift, names: Indices) -> Array:
        weights = np.zeros(80)
        for unit, weight in result.weights.items():
            weights[int(names[unit])] = weight
        return weights

    plain = lift(outcome[:, 30:], [0], 30)
    moved = lift(outcome[np.r_[0, order]][:, 30:], [0], 30)
    assert weight_by_unit(moved, np.r_[0, order]) == pytest.approx(weight_by_unit(plain, np.arange(80)), abs=1e-3)


def test_unusable_controls_are_dropped_with_reasons() -> None:
    outcome = panel(0.1)
    clean = lift(np.delete(outcome, [3, 5], axis=0), [0], 60)
    outcome[3, 10] = np.nan
    outcome[5] = 7.0
    result = lift(outcome, [0], 60)
    assert [(drop.unit, drop.reason.split()[1]) for drop in result.dropped] == [(3, "missing"), (5, "constant")]
    assert result.lift_rate == pytest.approx(clean.lift_rate)


def test_what_cannot_be_measured_is_refused_with_the_remedy() -> None:
    outcome = panel(0.1)
    outcome[0, 3] = np.nan
    with pytest.raises(InputError, match="Fill them"):
        lift(outcome, [0], 60)
    with pytest.raises(InputError, match="Add untreated units"):
        lift(outcome[1:2], [0], 60)
    with pytest.raises(InputError, match="one value per period"):
        lift([[1.0, 2.0], [1.0]], [0], 60)
    with pytest.raises(InputError, match="at least 8"):
        lift(outcome, [1], 3)
    with pytest.raises(InputError, match="after it"):
        lift(outcome, [1], 70)
    with pytest.raises(InputError, match="existing units"):
        lift(outcome, [99], 60)
