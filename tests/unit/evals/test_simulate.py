"""The simulation finds nothing where promises hold, repeats itself, and finds what is broken on purpose."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from agents import execute
from domain.actions import ActionStatus
from evals.simulate import simulate


@pytest.fixture(autouse=True)
def quiet() -> Any:
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


def test_promises_hold_whatever_goes_wrong() -> None:
    report = simulate(seed=11, steps=25_000)
    assert report.violations == []
    assert report.effects > 100
    assert sum(report.faults.values()) > 1_500


def test_a_seed_repeats_itself() -> None:
    first, second = simulate(seed=5, steps=4_000), simulate(seed=5, steps=4_000)
    assert (first.faults, first.effects, first.steps) == (second.faults, second.effects, second.steps)


def test_what_is_broken_on_purpose_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever takes silence for a no denies what was done."""

    def bold(runtime: Any, _proposal: Any, action: Any, _effect: Any, why: str) -> None:
        execute._close(runtime, action, ActionStatus.DENIED, "effect.failed", why)

    monkeypatch.setattr(execute, "_after_silence", bold)
    assert simulate(seed=1, steps=30_000).violations


@pytest.mark.soak
def test_a_million_faults() -> None:
    met = 0
    for seed in range(1, 40):
        report = simulate(seed=seed, steps=400_000)
        assert report.violations == []
        met += sum(report.faults.values())
        if met > 1_000_000:
            return
