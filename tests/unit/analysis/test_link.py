"""Links between metrics: found where one leads the other, not found where only the season is shared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.link import link
from analysis.special import Array
from domain.errors import InputError


def metric(seed: int, units: int = 12, periods: int = 80) -> Array:
    """A metric with a season all units share and noise of their own."""
    season = 1 + 0.4 * np.sin(np.arange(periods) / 6)
    return 100 * season * np.exp(np.random.default_rng(seed).normal(0, 0.2, (units, periods)))


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_a_lead_of_three_periods_is_found_with_its_elasticity() -> None:
    driver, response = metric(1), metric(2)
    response[:, 3:] *= 1 + 0.5 * (driver[:, :-3] / driver.mean() - 1)
    found = link(driver, response, 6, rng=rng(), shifts=199)
    assert found.lag == 3
    assert 3 <= found.until <= 6
    assert found.p_value < 0.02
    assert 0 < found.low < 0.5 < found.high < 1


def test_a_shared_season_is_no_link() -> None:
    p_values = [link(metric(seed), metric(100 + seed), 6, rng=rng(), shifts=99).p_value for seed in range(20)]
    assert sum(p <= 0.05 for p in p_values) <= 4


def test_independent_wanderers_are_no_link() -> None:
    def wander(seed: int) -> Array:
        return 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.03, (12, 80)), axis=1))

    p_values = [link(wander(seed), wander(100 + seed), 6, rng=rng(), shifts=99).p_value for seed in range(20)]
    assert sum(p <= 0.05 for p in p_values) <= 4


def test_two_single_series_can_be_linked() -> None:
    driver, response = metric(3, units=1), metric(4, units=1)
    response[:, 2:] *= (driver[:, :-2] / driver.mean()) ** 2
    found = link(driver, response, 4, rng=rng(), shifts=199)
    assert found.lag == 2
    assert found.p_value < 0.05


def test_awareness_video_leads_branded_queries_for_weeks(shared: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = parquet.read_table(shared / "data/marketing/mmm/meridian_geo_full_funnel_data.parquet").to_pylist()
    rows.sort(key=lambda row: (row["geo"], row["time"]))

    def panel(column: str) -> Array:
        return np.array([row[column] for row in rows]).reshape(20, -1)

    video, queries = panel("AwarenessVideo_impression"), panel("BrandedGQV_control")
    found = link(video, queries, 10, rng=rng(), shifts=199)
    assert found.p_value <= 0.01
    assert 3 <= found.until <= 8
    assert 0.1 < found.low < found.high < 0.4
    shuffled = rng().permuted(queries, axis=1)
    assert link(video, shuffled, 10, rng=rng(), shifts=199).p_value > 0.05


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(InputError, match="Align them"):
        link(metric(1), metric(2)[:, 1:], 3, rng=rng())
    with pytest.raises(InputError, match="fewer lags"):
        link(metric(1), metric(2), 40, rng=rng())
    with pytest.raises(InputError, match="counts up"):
        link(metric(1), np.zeros((12, 80)), 3, rng=rng())
