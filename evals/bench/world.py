"""Measures the built-in world: speed, how much of it is decoy, and what moving money truly does over seeds.

Run it by hand: `python -m evals.bench.world [SEEDS]`. Prints one JSON object per seed, then the spread.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

from connectors.sandbox.company.blueprint import Blueprint, draw_blueprint
from connectors.sandbox.company.demo import DEFAULT_START, DemoCompany
from connectors.sandbox.company.dice import Floats
from connectors.sandbox.company.engine import Engine
from connectors.sandbox.company.words import BRAND, CTV

DAYS, ONSET, WINDOW, BEFORE = 182, 90, 28, 56
MOVES = {"brand +20 %": (BRAND, (1.2,)), "brand +44 % in two steps": (BRAND, (1.2, 1.2)), "ctv +20 %": (CTV, (1.2,)),
         "ctv -36 % in two steps": (CTV, (0.8, 0.8))}  # fmt: skip


def contribution(plan: Blueprint, channel: int, rates: tuple[float, ...], treated: list[int]) -> Floats:
    """Contribution by day and region when the `treated` take a step of each rate, a week apart, from `ONSET`."""
    engine = Engine(plan, ("media",))
    days: list[Floats] = []
    for day in range(DAYS):
        week, rest = divmod(day - ONSET, 7)
        if rest == 0 and 0 <= week < len(rates):
            engine.demand.budgets[treated, channel] *= rates[week]
        media = engine.step().media
        if media is not None:
            days.append(media.contribution)
    return np.array(days)


def true_effects(plan: Blueprint) -> dict[str, float]:
    """Change of the treated half's contribution over `WINDOW` days after the last step, in percent."""
    treated = list(range(0, len(plan.market.regions), 2))
    still = contribution(plan, BRAND, (), treated)
    found: dict[str, float] = {}
    for name, (channel, rates) in MOVES.items():
        moved = contribution(plan, channel, rates, treated)
        begin = ONSET + 7 * (len(rates) - 1)
        window = slice(begin, begin + WINDOW)
        base = float(still[window][:, treated].sum())
        found[name] = round(100 * (float(moved[window][:, treated].sum()) - base) / base, 2)
    return found


def placebo_sd(plan: Blueprint) -> float:
    """Standard deviation (percent) of the plain difference in differences where nothing was done."""
    count = len(plan.market.regions)
    days = contribution(plan, BRAND, (), [])
    rng = np.random.default_rng(0)
    lifts: list[float] = []
    for _ in range(200):
        order, start = rng.permutation(count), int(rng.integers(BEFORE, DAYS - WINDOW))
        ratios = [
            float(days[start : start + WINDOW, group].sum() / days[start - BEFORE : start, group].sum())
            for group in (order[:8], order[8:])
        ]
        lifts.append(ratios[0] / ratios[1] - 1)
    return round(100 * float(np.std(lifts)), 2)


def measure(seed: int) -> dict[str, object]:
    """Figures of one seed."""
    began = time.process_time()
    world = DemoCompany()
    world.reset(seed)
    signals = len(world.signals())
    while world.advance():
        signals += len(world.signals())
    spent = time.process_time() - began
    events = world.truth()
    plan = draw_blueprint(seed, DEFAULT_START, DAYS)
    return {
        "seed": seed,
        "cpu_s": round(spent, 2),
        "signals": signals,
        "real": sum(not event["decoy"] for event in events),
        "decoy": sum(event["decoy"] for event in events),
        "incremental_share": round(plan.market.incremental_share, 2),
        "effect_percent": true_effects(plan),
        "placebo_sd_percent": placebo_sd(plan),
    }


def main() -> None:
    rows = [measure(seed) for seed in range(int(sys.argv[1]) if len(sys.argv) > 1 else 10)]
    for row in rows:
        sys.stdout.write(json.dumps(row) + "\n")
    effects = [true_effects(draw_blueprint(seed, DEFAULT_START, DAYS)) for seed in range(len(rows))]
    for name in MOVES:
        values = sorted(effect[name] for effect in effects)
        sys.stdout.write(
            f"{name}: min {values[0]:+.1f} %, median {np.median(values):+.1f} %, max {values[-1]:+.1f} %\n"
        )


if __name__ == "__main__":
    main()
