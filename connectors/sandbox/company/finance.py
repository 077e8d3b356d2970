"""The finance desk of one simulated company: caps, freezes and floors with their dates and exceptions."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from connectors.sandbox.company.agenda import WARM_UP_DAYS
from connectors.sandbox.company.dice import dice
from connectors.sandbox.company.parameters import Market
from connectors.sandbox.company.words import CHANNELS, DISPLAY, LINKEDIN


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit. A cap's `amount` is money per day (major units) summed over `scope`; None for other kinds."""

    kind: str
    scope: str
    told: int  # day on which the desk tells
    onset: int
    end: int | None
    amount: int | None = None
    rate: float | None = None
    days: int | None = None
    exceptions: tuple[str, ...] = ()

    def in_force(self, day: int) -> bool:
        return self.onset <= day and (self.end is None or day < self.end)


def draw_limits(seed: int, market: Market, days: int) -> tuple[Limit, ...]:
    """A standing margin floor and payback limit, a cap on all media, and freezes with approved exceptions."""
    rng = dice(seed, "finance")
    total = float(market.budgets.sum())
    last = max(WARM_UP_DAYS + 1, days - 30)
    limits = [
        Limit("margin_floor", "*", 0, 0, None, rate=round(float(rng.uniform(0.15, 0.3)), 2)),
        Limit("payback", "*", 0, 0, None, days=int(rng.choice([90, 120, 180]))),
        Limit("cap", "*", 0, 0, None, amount=ceil(total * rng.uniform(1.08, 1.2) / 100) * 100),
    ]
    for channel in rng.choice([DISPLAY, LINKEDIN, 0, 2], 2, replace=False):
        onset = int(rng.integers(WARM_UP_DAYS, last))
        excepted = market.regions[int(rng.integers(len(market.regions)))]
        name = CHANNELS[int(channel)]
        limits.append(
            Limit(
                "freeze", f"channel:{name}", onset - int(rng.integers(0, 2)), onset, onset + int(rng.integers(10, 29)),
                exceptions=(f"budget:{name}-{excepted}",),
            )
        )  # fmt: skip
    channel = int(rng.choice([0, 1, 2]))
    onset = int(rng.integers(WARM_UP_DAYS, last))
    amount = ceil(float(market.budgets[:, channel].sum()) * rng.uniform(1.0, 1.1) / 10) * 10
    limits.append(Limit("cap", f"channel:{CHANNELS[channel]}", onset, onset, onset + 21, amount=amount))
    return tuple(sorted(limits, key=lambda limit: (limit.told, limit.kind, limit.scope)))
