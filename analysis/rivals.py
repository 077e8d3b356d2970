"""Odds of rival explanations of a move in demand, from what else moved, where, and what people wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.prose import listed, term
from domain.situations import Hypothesis

REAL, EXPOSED, SEASON, FAULT, BOTS, RIVAL, PROMOTION, CHANCE = (
    "real demand", "exposure", "season or holiday", "tracking fault", "bot clicks", "competitor", "price promotion",
    "chance",
)  # fmt: skip
ACTABLE = frozenset({REAL, EXPOSED, RIVAL})
"""Explanations on which money may move."""
PLATFORM_METRICS = frozenset({"clicks", "conversions", "ctr"})
"""What advertising platforms count themselves: the first to be wrong."""
EVERYWHERE = 0.8
"""Share of all places from which a move counts as being everywhere."""
MARKET_METRICS = ("sessions", "orders", "revenue", "queries")
"""What others count: it corroborates."""


@dataclass(frozen=True, slots=True)
class Clues:
    """What is known about one episode, its metric first. Rates are changes since onset; None where not measured."""

    up: bool
    metrics: Sequence[str]
    rate: float
    common_rate: float
    units_share: float
    """Share of all units that alarmed; 0 when there is only one unit."""
    market: Mapping[str, float]
    """Change of independently counted metrics in the same units."""
    clear: bool
    exposed: bool = False
    placed: bool = True
    """Whether it is known in which places the exposure ran."""
    told: frozenset[str] = frozenset()
    """Explanations that notes of the own teams name."""
    impression_share_rate: float | None = None


def weigh(clues: Clues) -> tuple[Hypothesis, ...]:
    """Hypotheses by falling odds. Each clue multiplies a prior; the factors are judgement, not estimates."""
    weights = {name: (prior, "nothing speaks for it in particular") for name, prior in _PRIORS.items()}
    for name, factor, because in _factors(clues):
        weight, _ = weights[name]
        weights[name] = (weight * factor, because)
    total = sum(weight for weight, _ in weights.values())
    ranked = sorted(weights.items(), key=lambda item: (-item[1][0], item[0]))
    return tuple(Hypothesis(name=name, odds=weight / total, because=why) for name, (weight, why) in ranked)


_PRIORS = {REAL: 1.0, EXPOSED: 0.1, SEASON: 0.4, FAULT: 0.3, BOTS: 0.15, RIVAL: 0.1, PROMOTION: 0.1, CHANCE: 0.6}


def _factors(clues: Clues) -> list[tuple[str, float, str]]:
    found = [*_told(clues), *_spread(clues), *_platform(clues)]
    sign = 1 if clues.up else -1
    agreeing = [name for name, rate in clues.market.items() if sign * rate >= max(0.03, 0.25 * abs(clues.rate))]
    if agreeing:
        found.append((REAL, 1.0 + len(agreeing), f"{listed([term(name) for name in agreeing])} moved with it"))
    if clues.exposed:
        found.append(
            (
                EXPOSED,
                40.0 if clues.clear else 4.0,
                "our own exposure rose in these places just before"
                if clues.placed
                else "our own exposure rose just before",
            )
        )
    if clues.clear:
        found.append((CHANCE, 0.3, "the places differ from the others by more than chance explains"))
    if clues.impression_share_rate is not None and clues.impression_share_rate <= -0.08 and not clues.up:
        found.append((RIVAL, 15.0, "our share of impressions fell while searches went on"))
    return found


def _told(clues: Clues) -> list[tuple[str, float, str]]:
    return [(name, 15.0, "a note of a team says so") for name in sorted(clues.told)]


def _spread(clues: Clues) -> list[tuple[str, float, str]]:
    """A season is everywhere; a cause of ours or of a region is not."""
    sign = 1 if clues.up else -1
    if clues.units_share >= EVERYWHERE or (clues.units_share and sign * clues.common_rate >= 0.6 * abs(clues.rate) > 0):
        alike = "nearly all places moved alike"
        if not clues.placed:
            return [(SEASON, 3.0, alike)]
        return [(SEASON, 12.0, alike), (EXPOSED, 0.1, "places without exposure moved too")]
    return []


def _platform(clues: Clues) -> list[tuple[str, float, str]]:
    """Only the platform's own counts moved, and far: its counting is the likelier story."""
    if not clues.market or clues.metrics[0] not in PLATFORM_METRICS:
        return _promotion(clues)
    largest = max(abs(rate) for rate in clues.market.values())
    if largest >= max(0.05, 0.25 * abs(clues.rate)):
        return []
    why = "only the platform's own counts moved, nothing that others count"
    bots = "conversions" not in clues.metrics and clues.up
    return [(BOTS if bots else FAULT, 25.0, why), (FAULT, 5.0, why), (REAL, 0.3, why), (SEASON, 0.1, why)]


def _promotion(clues: Clues) -> list[tuple[str, float, str]]:
    orders, revenue = clues.market.get("orders"), clues.market.get("revenue")
    if clues.up and orders is not None and revenue is not None and orders >= 0.08 and revenue <= 0.4 * orders:
        return [(PROMOTION, 20.0, "orders rose, revenue did not")]
    return []
