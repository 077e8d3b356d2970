"""How often a provider is believed to be right on a task: what was observed, aged, around a prior. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from providers.registry import Provider

HALF_LIFE_S = 30 * 86400.0
"""After this long an observation weighs half: vendors change models without a word."""
FORGOTTEN = timedelta(days=365)
"""What is older weighs less than a thousandth."""
PRIOR_WEIGHT = 2.0
"""Observations that what is known of a provider elsewhere counts for on a task, as in `quality.PRIOR_QUERIES`."""
_PRICED_AT_ONE = 0.75  # expected quality at one major unit per million output tokens
_PER_TENFOLD = 0.07  # each tenfold price buys this much more, the slope between the cheap and the dear of public boards
_UNPRICED, _LOCAL = 0.7, 0.5


@dataclass(frozen=True, slots=True)
class Belief:
    """Weighted observations up to `at`: `good` is the sum of qualities times weights, `weight` that of weights."""

    good: float = 0.0
    weight: float = 0.0
    at: datetime | None = None

    def aged(self, now: datetime) -> Belief:
        """As it weighs at `now`; time never runs backwards."""
        if self.at is None or now <= self.at:
            return self
        left = 0.5 ** ((now - self.at).total_seconds() / HALF_LIFE_S)
        return Belief(self.good * left, self.weight * left, now)

    def plus(self, quality: float, weight: float, at: datetime) -> Belief:
        """With one more observation; one from before `at` joins as if aged until then."""
        if self.at is None:
            return Belief(quality * weight, weight, at)
        if at < self.at:
            late = Belief(quality * weight, weight, at).aged(self.at)
            return replace(self, good=self.good + late.good, weight=self.weight + late.weight)
        old = self.aged(at)
        return Belief(old.good + quality * weight, old.weight + weight, at)

    def without(self, part: Belief) -> Belief:
        """The rest once `part` of it, of the same age, is taken away."""
        return Belief(max(self.good - part.good, 0.0), max(self.weight - part.weight, 0.0), self.at)

    def mean(self, prior: float) -> float:
        """Expected quality, 0..1, with `prior` weighing `PRIOR_WEIGHT` observations."""
        return (self.good + PRIOR_WEIGHT * prior) / (self.weight + PRIOR_WEIGHT)

    def spread(self, prior: float) -> float:
        """Standard deviation of the Beta distribution behind `mean`."""
        mean = self.mean(prior)
        return math.sqrt(mean * (1 - mean) / (self.weight + PRIOR_WEIGHT + 1))


def before_any_observation(provider: Provider) -> float:
    """What to expect of a provider nobody has judged: vendors price by strength, and a small local model is weak."""
    if provider.spec.vendor == "local":
        return _LOCAL
    if provider.rates is None or provider.rates.free:
        return _UNPRICED
    output = max(provider.rates.price.output, Decimal("0.01"))
    return min(max(_PRICED_AT_ONE + _PER_TENFOLD * math.log10(output), 0.5), 0.95)
