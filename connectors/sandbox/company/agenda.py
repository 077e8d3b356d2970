"""The calendar of one simulated company: what really happens, and what only looks as if it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from connectors.sandbox.company.dice import dice
from connectors.sandbox.company.parameters import Market
from connectors.sandbox.company.words import CHANNELS, DISPLAY

WARM_UP_DAYS = 28  # quiet days from which a baseline can be learned


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happens from day `onset` to before day `end`, in `regions` (indices) if it is regional."""

    kind: str
    onset: int
    end: int
    decoy: bool
    regions: tuple[int, ...] = ()
    strength: float = 1.0
    detail: dict[str, float] = field(default_factory=dict[str, float])
    subject: str = ""  # a channel, reason or product, by kind
    entities: tuple[str, ...] = ()


@dataclass(slots=True)
class _Draft:
    """Draws events of one seed at days that keep the loud ones apart."""

    rng: np.random.Generator
    market: Market
    days: int

    def onset(self, length: int) -> int:
        last = max(WARM_UP_DAYS + 1, self.days - length - 7)
        return int(self.rng.integers(min(WARM_UP_DAYS, last - 1), last))

    def some_regions(self, low_rate: float, high_rate: float) -> tuple[int, ...]:
        count = len(self.market.regions)
        size = max(1, round(count * self.rng.uniform(low_rate, high_rate)))
        return tuple(int(r) for r in sorted(self.rng.choice(count, size, replace=False)))

    def length(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))


def draw_agenda(seed: int, market: Market, days: int) -> tuple[Event, ...]:
    """All regional and pipeline events of `seed`, by onset; account-level groups and binges come from the CRM."""
    draft = _Draft(dice(seed, "agenda"), market, days)
    plan: tuple[tuple[Callable[[_Draft], Event], int, int], ...] = (
        (_ctv_lift, 2, 2), (_demand_drop, 1, 1), (_competitor_bids, 0, 1), (_loss_wave, 1, 2),
        (_compliance_collapse, 1, 1), (_recall, 1, 1),
        (_idle_ctv, 1, 1), (_press_with_ctv, 1, 1), (_bot_clicks, 1, 3), (_tracking_bug, 1, 3), (_holiday, 2, 3),
        (_price_promo, 1, 2), (_competitor_test, 1, 2), (_random_cluster, 1, 2), (_manual_edit, 2, 4),
    )  # fmt: skip
    events = [draw(draft) for draw, low, high in plan for _ in range(draft.length(low, high))]
    return tuple(sorted(events, key=lambda event: (event.onset, event.kind)))


def _flight(draft: _Draft, kind: str, *, decoy: bool, multiplier: float, ctr: float) -> Event:
    length = draft.length(14, 28)
    onset, regions, rng = draft.onset(length), draft.some_regions(0.3, 0.6), draft.rng
    detail = {"lag": float(rng.integers(0, 5)), "decay": rng.uniform(3, 14), "ctr": ctr, "spend": rng.uniform(0.2, 0.5)}
    return Event(kind, onset, onset + length, decoy, regions, multiplier, detail, subject="ctv")


def _ctv_lift(draft: _Draft) -> Event:
    rng = draft.rng
    return _flight(draft, "ctv_lift", decoy=False, multiplier=rng.uniform(1.4, 2.5), ctr=rng.uniform(1.0, 1.4))


def _idle_ctv(draft: _Draft) -> Event:
    return _flight(draft, "ctv_without_lift", decoy=True, multiplier=1.0, ctr=1.0)


def _press_with_ctv(draft: _Draft) -> Event:
    return _flight(draft, "press_with_ctv", decoy=True, multiplier=draft.rng.uniform(1.3, 1.7), ctr=1.0)


def _demand_drop(draft: _Draft) -> Event:
    length = draft.length(14, 28)
    onset = draft.onset(length)
    return Event(
        "demand_drop", onset, onset + length, False, draft.some_regions(0.15, 0.35), draft.rng.uniform(0.88, 0.93)
    )


def _competitor_bids(draft: _Draft) -> Event:
    length = draft.length(28, 56)
    onset, strength = draft.onset(length), draft.rng.uniform(1.3, 1.6)
    return Event("competitor_bids", onset, onset + length, False, draft.some_regions(0.2, 0.5), strength)


def _loss_wave(draft: _Draft) -> Event:
    length = draft.length(56, 84)
    onset = draft.onset(length)
    reason = ("security", "roi_proof")[int(draft.rng.integers(0, 2))]
    return Event("loss_wave", onset, onset + length, False, (), draft.rng.uniform(4.0, 7.0), subject=reason)


def _compliance_collapse(draft: _Draft) -> Event:
    length = draft.length(42, 70)
    onset = draft.onset(length)
    return Event(
        "compliance_collapse", onset, onset + length, False, (), draft.rng.uniform(5.0, 9.0), subject="compliance"
    )


def _recall(draft: _Draft) -> Event:
    product = int(draft.rng.integers(0, len(draft.market.products)))
    regions = tuple(r for r, p in enumerate(draft.market.product_of) if p == product)
    onset = draft.onset(7)
    return Event("recall", onset, onset + 7, False, regions, 0.7, subject=draft.market.products[product])


def _bot_clicks(draft: _Draft) -> Event:
    length = draft.length(2, 5)
    onset, strength = draft.onset(length), draft.rng.uniform(3, 7)
    return Event(
        "bot_clicks", onset, onset + length, True, draft.some_regions(0.1, 0.3), strength, subject=CHANNELS[DISPLAY]
    )


def _tracking_bug(draft: _Draft) -> Event:
    length = draft.length(4, 8)
    onset, strength = draft.onset(length), draft.rng.uniform(1.8, 4.0)
    channel = CHANNELS[int(draft.rng.integers(1, len(CHANNELS)))]
    return Event("tracking_bug", onset, onset + length, True, draft.some_regions(0.4, 1.0), strength, subject=channel)


def _holiday(draft: _Draft) -> Event:
    length = draft.length(2, 5)
    onset, strength = draft.onset(length), float(draft.rng.choice([0.7, 0.78, 1.25, 1.4]))
    return Event("holiday", onset, onset + length, True, tuple(range(len(draft.market.regions))), strength)


def _price_promo(draft: _Draft) -> Event:
    length = draft.length(7, 12)
    onset, strength = draft.onset(length), draft.rng.uniform(1.15, 1.3)
    return Event("price_promo", onset, onset + length, True, draft.some_regions(0.2, 0.4), strength)


def _competitor_test(draft: _Draft) -> Event:
    length = draft.length(7, 12)
    onset, strength = draft.onset(length), draft.rng.uniform(1.2, 1.4)
    return Event("competitor_test", onset, onset + length, True, draft.some_regions(0.2, 0.5), strength)


def _random_cluster(draft: _Draft) -> Event:
    length = draft.length(7, 12)
    onset = draft.onset(length)
    reason = ("price", "fit", "security", "roi_proof")[int(draft.rng.integers(0, 4))]
    return Event("random_loss_cluster", onset, onset + length, True, subject=reason)


def _manual_edit(draft: _Draft) -> Event:
    onset, region = draft.onset(1), int(draft.rng.integers(0, len(draft.market.regions)))
    channel = CHANNELS[int(draft.rng.integers(0, len(CHANNELS)))]
    return Event("manual_edit", onset, onset + 1, True, (region,), draft.rng.uniform(0.93, 1.07), subject=channel)
