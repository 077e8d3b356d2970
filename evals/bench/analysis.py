"""Times the numerics in CPU time: detector per point, link, point lift and full verdict; prints one JSON object."""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from analysis.detect import detect
from analysis.lift import lift
from analysis.link import link
from analysis.special import Array
from analysis.synthetic import fit

SEED = 7
POINTS = 100_000
UNITS, PERIODS, START = 40, 105, 90


def seconds(work: Callable[[], Any], repeats: int) -> float:
    """Least CPU time of `repeats` runs after one to warm up: other work on the machine can only add."""
    work()
    found: list[float] = []
    for _ in range(repeats):
        begin = time.process_time()
        work()
        found.append(time.process_time() - begin)
    return min(found)


def panel(rng: np.random.Generator) -> Array:
    """Units sharing a weekly wave, the first two lifted by 5 % from `START`; shaped like a public geo test."""
    wave = 1 + 0.2 * np.sin(np.arange(PERIODS) * 2 * np.pi / 7)
    outcome = rng.uniform(500, 4000, (UNITS, 1)) * wave * np.exp(rng.normal(0, 0.05, (UNITS, PERIODS)))
    outcome[:2, START:] *= 1.05
    return outcome


def main() -> None:
    """Print the figures as one JSON object."""
    rng = np.random.default_rng(SEED)
    times = (np.arange(POINTS) * 300.0).tolist()
    values = (100 + 30 * np.sin(np.arange(POINTS) * 2 * np.pi / 288) + rng.normal(0, 5, POINTS)).tolist()
    outcome = panel(rng)
    treated, controls, rows = outcome[:2].mean(axis=0), outcome[2:], np.arange(START)
    figures = {
        "detect_us_per_point": 1e6 * seconds(lambda: detect(times, values), 3) / POINTS,
        "lift_point_ms": 1e3 * seconds(lambda: fit(treated, controls, rows), 20),
        "lift_verdict_ms": 1e3 * seconds(lambda: lift(outcome, [0, 1], START), 3),
        "link_ms": 1e3 * seconds(lambda: link(controls[:20], controls[18:], 8, rng=np.random.default_rng(SEED)), 3),
    }
    shape = {"points": POINTS, "units": UNITS, "periods": PERIODS, "seed": SEED, "python": platform.python_version()}
    json.dump({**{name: round(value, 3) for name, value in figures.items()}, **shape}, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
