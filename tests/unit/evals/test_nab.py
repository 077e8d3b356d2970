"""The anomaly benchmark's arithmetic, against values worked out by hand from its definition."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.detect import detect
from evals.nab import Labelled, Profile, evaluate, normalise, probation, scaled_sigmoid, score_series

SERIES = Labelled("s", [float(t) for t in range(1000)], [0.0] * 1000, [(400, 449), (800, 849)])


def percent(alarms: list[int]) -> float:
    return normalise([score_series(SERIES, alarms, Profile())], Profile())


def test_silence_scores_zero_and_the_first_point_of_each_window_a_hundred() -> None:
    assert percent([]) == pytest.approx(0.0)
    assert percent([400, 800]) == pytest.approx(100.0)


def test_only_the_earliest_hit_of_a_window_counts() -> None:
    assert percent([400, 410, 449, 800]) == pytest.approx(100.0)
    assert percent([449, 800]) < percent([425, 800]) < 100.0


def test_false_alarms_cost_their_weight_unless_close_after_a_window() -> None:
    assert percent([200]) == pytest.approx(-100 * 0.11 / 4)
    assert score_series(SERIES, [455], Profile()).raw > score_series(SERIES, [700], Profile()).raw
    assert scaled_sigmoid(3.1) == -1.0


def test_alarms_in_the_probation_are_free() -> None:
    assert probation(1000) == 150
    assert probation(20_000) == 750
    assert percent([10, 149]) == pytest.approx(0.0)


def test_our_detector_stays_above_the_floor_on_the_open_series(shared: Path) -> None:
    totals, series = evaluate(
        shared / "data/marketing/nab", lambda times, values: [alarm.index for alarm in detect(times, values)]
    )
    assert len(series) == 16
    assert totals["standard"] >= 65
