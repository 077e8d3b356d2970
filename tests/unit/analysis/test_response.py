"""Marginal returns: near the truth where history can tell, the stated prior where it cannot."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from analysis.response import BREAK_EVEN, Prior, marginal_return
from analysis.special import Array
from domain.errors import InputError


def history(slope: float, seed: int, noise: float = 100.0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    spend = rng.uniform(50, 150, (12, 40))
    levels = 500 * rng.uniform(0.8, 1.2, (12, 1))
    return spend, levels + slope * spend + rng.normal(0, noise, (12, 40)) + rng.normal(0, 50, (1, 40))


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    held = 0
    for seed in range(100):
        slope = np.random.default_rng(1000 + seed).normal(BREAK_EVEN.mean, BREAK_EVEN.sd)
        found = marginal_return(*history(slope, seed))
        held += found.low <= slope <= found.high
    assert 80 <= held <= 98


def test_the_published_return_of_a_geo_experiment_is_found(shared: Path) -> None:
    with (shared / "data/marketing/geo/google_salesandcost.csv").open() as file:
        rows = list(csv.DictReader(file))
    days = sorted({row["date"] for row in rows})[:91]
    cells = {(row["geo"], row["date"]): (float(row["cost"]), float(row["sales"])) for row in rows}
    geos = [geo for geo in sorted({geo for geo, _ in cells}) if all((geo, day) in cells for day in days)]
    weekly = np.array([[cells[geo, day] for day in days] for geo in geos]).reshape(len(geos), 13, 7, 2).sum(axis=2)
    found = marginal_return(weekly[:, :, 0], weekly[:, :, 1], carry=1)
    assert found.low < 2.95 < found.high
    assert found.high - found.low < 1.2


def test_what_history_cannot_tell_is_the_prior() -> None:
    spend, outcome = history(2.0, 1)
    assert marginal_return(spend[:3], outcome[:3]).history_rate == 0
    assert marginal_return(spend[:, :5], outcome[:, :5], prior=Prior(0.1, 0.3)).mean == 0.1
    assert marginal_return(np.full_like(spend, 80.0), outcome).n == 0
    noisy = marginal_return(*history(2.0, 1, noise=1e6))
    assert noisy.history_rate < 0.01


def test_value_scales_the_estimate() -> None:
    spend, outcome = history(2.0, 2, noise=1.0)
    assert marginal_return(spend, outcome, value_per_outcome=0.5).mean == pytest.approx(1.0, abs=0.05)


def test_impossible_input_is_refused() -> None:
    with pytest.raises(InputError, match="Align"):
        marginal_return(np.ones((5, 9)), np.ones((5, 8)))
