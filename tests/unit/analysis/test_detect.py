"""Detection: what fires, what stays silent, and that the future never reaches back."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.detect import SURPRISE_CAP, Anomaly, Detector, detect
from domain.errors import InputError

DAY_S, HOUR_S = 86_400.0, 3_600.0


def weekly(days: int, seed: int = 0) -> list[float]:
    rng = np.random.default_rng(seed)
    return (100 + 30 * np.sin(np.arange(days) * 2 * np.pi / 7) + rng.normal(0, 6, days)).tolist()


def daily(values: list[float]) -> list[Anomaly]:
    return detect([index * DAY_S for index in range(len(values))], values)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.floats(), st.integers(0, 5).map(float)), min_size=1, max_size=150),
    st.integers(0, 150),
    st.sampled_from([300.0, HOUR_S, DAY_S, 7 * DAY_S]),
)
def test_the_alarms_of_a_prefix_are_the_prefix_of_the_alarms(values: list[float], cut: int, grain_s: float) -> None:
    times = [index * grain_s for index in range(len(values))]
    whole = [alarm for alarm in detect(times, values) if alarm.index < cut]
    assert detect(times[:cut], values[:cut]) == whole
    assert all(math.isfinite(alarm.expected) and alarm.score <= SURPRISE_CAP for alarm in whole)


def test_a_spike_is_told_once_and_does_not_become_the_expectation() -> None:
    values = weekly(180)
    values[120] += 100
    alarms = daily(values)
    assert [(alarm.index, alarm.kind) for alarm in alarms if alarm.index >= 120] == [(120, "spike")]
    assert alarms[-1].value - alarms[-1].expected > 70


def test_a_lasting_rise_is_told_as_a_shift() -> None:
    values = [value + (60 if day >= 120 else 0) for day, value in enumerate(weekly(180, seed=1))]
    alarms = [alarm for alarm in daily(values) if alarm.index >= 120]
    assert "shift_up" in {alarm.kind for alarm in alarms[:2]}
    assert alarms[0].index <= 124
    assert len(alarms) <= 3


def test_a_collapse_to_zero_is_a_drop() -> None:
    values = weekly(120, seed=2)
    values[90:94] = [0.0] * 4
    assert any(alarm.kind == "drop" and 90 <= alarm.index < 94 for alarm in daily(values))


def test_a_regular_week_is_silent() -> None:
    assert sum(len(daily(weekly(180, seed))) for seed in range(20)) <= 6


@pytest.mark.parametrize("rate", [0.1, 3.0])
def test_counts_with_zeros_rarely_alarm(rate: float) -> None:
    rng = np.random.default_rng(7)
    alarms = sum(len(daily(rng.poisson(rate, 365).astype(float).tolist())) for _ in range(20))
    assert alarms <= 14


def test_a_constant_is_silent_until_it_moves() -> None:
    assert daily([5.0] * 200) == []
    assert [(a.index, a.kind) for a in daily([5.0] * 200 + [50.0] + [5.0] * 5)] == [(200, "spike")]


def test_missing_values_and_gaps_are_passed_over() -> None:
    values = weekly(100)
    values[30:40] = [math.nan] * 10
    assert [alarm.index for alarm in daily(values) if 30 <= alarm.index < 40] == []
    assert Detector().update(math.nan, 1.0) is None
    assert Detector().update(0.0, math.inf) is None


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(InputError, match="one time per value"):
        detect([0.0], [1.0, 2.0])
