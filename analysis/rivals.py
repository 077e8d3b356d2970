"""Rival explanations of a change in demand, with odds, from what else did or did not move.

Each explanation starts from a prior log-odds and each observation adds to it; the weights are judgement, written down
here to be argued with. They are not calibrated on outcomes, and an observation that was not made adds nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Explanation = Literal["campaign", "season", "holiday", "competitor", "tracking_fault", "bots", "chance"]

# Nothing seen yet: how often each turns out to be the story, as log-odds against `chance`.
PRIORS: dict[Explanation, float] = {
    "campaign": -0.5,
    "season": 0.0,
    "holiday": -1.5,
    "competitor": -1.0,
    "tracking_fault": -1.0,
    "bots": -1.5,
    "chance": 0.0,
}


@dataclass(frozen=True, slots=True)
class Features:
    """What was observed about one change; None where nobody looked. Rates are changes against what was expected."""

    change_rate: float
    surprise: float = 0.0
    """-log10 of the chance of such a point, as the detector scores it."""
    impressions_rate: float | None = None
    queries_rate: float | None = None
    clicks_rate: float | None = None
    conversions_rate: float | None = None
    revenue_rate: float | None = None
    exact_zeros: bool = False
    sources_agreeing: int | None = None
    sources_asked: int | None = None
    same_season_rate: float | None = None
    """Change in the same weeks of last year, or in the seasonal profile."""
    in_holiday: bool | None = None
    link_p_value: float | None = None
    """Of own exposure leading this metric, corrected for the lag search."""
    own_spend_rate: float | None = None
    impression_share_change: float | None = None
    untouched_units_rate: float | None = None
    """Change in regions our campaign did not reach."""


@dataclass(frozen=True, slots=True)
class Rival:
    """One explanation. The odds of all sum to 1; `because` lists what spoke for or against it."""

    name: Explanation
    odds: float
    because: str


Clue = tuple[Explanation, float, str]


def odds(features: Features) -> list[Rival]:
    """All explanations, likeliest first."""
    clues = [
        *_tracking(features), *_bots(features), *_season(features),
        *_campaign(features), *_competitor(features), *_chance(features),
    ]  # fmt: skip
    logs: dict[Explanation, float] = {
        name: prior + sum(weight for of, weight, _ in clues if of == name) for name, prior in PRIORS.items()
    }
    top = max(logs.values())
    total = sum(math.exp(value - top) for value in logs.values())
    rivals = [
        Rival(name, math.exp(value - top) / total, "; ".join(why for of, _, why in clues if of == name) or "prior only")
        for name, value in logs.items()
    ]
    return sorted(rivals, key=lambda rival: (-rival.odds, rival.name))


def _tracking(seen: Features) -> list[Clue]:
    found: list[Clue] = []
    if seen.exact_zeros:
        found.append(("tracking_fault", 4.0, "values are exactly zero"))
    if seen.sources_asked is not None and seen.sources_agreeing is not None and seen.sources_asked > 1:
        alone = seen.sources_agreeing <= 1
        why = f"{seen.sources_agreeing} of {seen.sources_asked} sources show it"
        found.append(("tracking_fault", 2.5 if alone else -2.5, why))
    upstream = _moved(seen, seen.impressions_rate, seen.queries_rate)
    downstream = _moved(seen, seen.revenue_rate)
    counted = _moved(seen, seen.clicks_rate, seen.conversions_rate)
    if counted and upstream is False and downstream is False:
        found.append(("tracking_fault", 3.0, "clicks or conversions moved, neither demand nor revenue did"))
    if upstream and downstream:
        found.append(("tracking_fault", -3.0, "demand and revenue moved together"))
    return found


def _bots(seen: Features) -> list[Clue]:
    clicks, conversions = seen.clicks_rate, seen.conversions_rate
    if clicks is None or conversions is None or clicks < 0.1:
        return []
    if conversions < 0.2 * clicks:
        return [("bots", 3.5, f"clicks {clicks:+.0%}, conversions {conversions:+.0%}")]
    return [("bots", -2.5, "conversions rose with clicks")]


def _season(seen: Features) -> list[Clue]:
    found: list[Clue] = []
    if seen.same_season_rate is not None:
        alike = seen.same_season_rate * seen.change_rate > 0 and _near(seen.same_season_rate, seen.change_rate)
        why = f"the same weeks before moved {seen.same_season_rate:+.0%}"
        found.append(("season", 2.5 if alike else -2.0, why))
    if seen.in_holiday is not None:
        why = "a holiday falls on it" if seen.in_holiday else "no holiday falls on it"
        found.append(("holiday", 3.0 if seen.in_holiday else -3.0, why))
    if seen.untouched_units_rate is not None and _near(seen.untouched_units_rate, seen.change_rate):
        found.append(("season", 1.5, "regions our campaign did not reach moved alike"))
    return found


def _campaign(seen: Features) -> list[Clue]:
    found: list[Clue] = []
    if seen.link_p_value is not None:
        linked = seen.link_p_value <= 0.05
        found.append(("campaign", 2.5 if linked else -1.0, f"link to own exposure has p = {seen.link_p_value:.3f}"))
    if seen.own_spend_rate is not None:
        same = seen.own_spend_rate * seen.change_rate > 0 and abs(seen.own_spend_rate) >= 0.1
        found.append(("campaign", 1.0 if same else -1.5, f"own spend moved {seen.own_spend_rate:+.0%}"))
    if seen.untouched_units_rate is not None:
        alike = _near(seen.untouched_units_rate, seen.change_rate)
        why = "regions without it moved alike" if alike else "regions without it did not move alike"
        found.append(("campaign", -3.0 if alike else 2.0, why))
    return found


def _competitor(seen: Features) -> list[Clue]:
    share = seen.impression_share_change
    if share is None:
        return []
    if share * seen.change_rate > 0 and abs(share) >= 0.05:
        return [("competitor", 3.0, f"our impression share moved {share:+.0%} with it")]
    return [("competitor", -2.0, "our impression share does not explain it")]


def _chance(seen: Features) -> list[Clue]:
    """The more surprising the point, the less it is chance; a factor of ten counts as one step."""
    steps = max(0.0, seen.surprise - 2.0)
    return [("chance", -min(steps, 6.0), f"surprise of {seen.surprise:.1f}")] if steps else []


def _moved(seen: Features, *rates: float | None) -> bool | None:
    """Whether any of `rates` moved along by a quarter of the change; None when none was looked at."""
    known = [rate for rate in rates if rate is not None]
    if not known:
        return None
    return any(rate * seen.change_rate > 0 and abs(rate) >= 0.25 * abs(seen.change_rate) for rate in known)


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= 0.5 * abs(b)
