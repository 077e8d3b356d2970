"""Tells whether a provider's answers to the same questions have changed: in quality, or in length. Pure.

The last runs are held against the provider's own earlier ones by an exact permutation test, two-sided, which assumes
nothing of the figures but that without a change their order means nothing. Quality and length share `ALPHA`: without a
change at most that share of runs raises an alarm.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from itertools import combinations
from typing import Literal

from pydantic import BaseModel, ConfigDict

from providers.types import Message, ModelAnswer, ModelRequest

ALPHA = 0.002
LATEST = 3
LEAST_BEFORE = 17
"""Fewer earlier runs could never show a change at `ALPHA`: C(20, 3) = 1140 orders."""
MOST_BEFORE = 30
LEAST_QUALITY_RATE, LEAST_LENGTH_RATE = 0.05, 0.15
"""Smaller shifts are not worth waking anybody, however certain."""
TASK = "canary"
_MOST_TOKENS = 120


class Canary(BaseModel):
    """A question; `right` is a pattern that a right answer holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    ask: str
    right: str

    def request(self, provider: str, deadline_s: float) -> ModelRequest:
        """The question to one provider, always answered anew."""
        return ModelRequest(
            task=TASK,
            messages=(Message(role="user", content=self.ask),),
            max_tokens=_MOST_TOKENS,
            data_class="public",
            deadline_s=deadline_s,
            provider=provider,
            cache=False,
        )

    def answered(self, text: str) -> bool:
        return re.search(self.right, text, re.IGNORECASE) is not None


class CanaryRun(BaseModel):
    """All questions once. `quality_rate` is the share answered rightly, `length` the mean logarithm of an answer's
    signs, `latency_s` the median.
    """

    model_config = ConfigDict(frozen=True)

    at: datetime
    quality_rate: float
    length: float
    latency_s: float


class Shift(BaseModel):
    """A change from `before` to `now` (a rate of right answers, or signs of a typical answer) with its p-value."""

    model_config = ConfigDict(frozen=True)

    what: Literal["quality", "length"]
    before: float
    now: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Watched:
    """Which figure of a run is watched, the least change worth telling, and how it is shown."""

    what: Literal["quality", "length"]
    least: float
    of: Callable[[CanaryRun], float]
    shown: Callable[[float], float]


_WATCHED = (
    Watched("quality", LEAST_QUALITY_RATE, lambda run: run.quality_rate, float),
    Watched("length", math.log1p(LEAST_LENGTH_RATE), lambda run: run.length, math.exp),
)


@cache
def canaries() -> tuple[Canary, ...]:
    """The questions shipped with this version of Accord."""
    text = files("providers").joinpath("canaries.toml").read_text(encoding="utf-8")
    return tuple(Canary.model_validate(each) for each in tomllib.loads(text)["canary"])


def summed_up(at: datetime, answers: Sequence[tuple[Canary, ModelAnswer]]) -> CanaryRun | None:
    """One run from what came back; None when nothing did, which is the breaker's matter."""
    if not answers:
        return None
    right = sum(canary.answered(answer.text) for canary, answer in answers)
    lengths = [math.log(len(answer.text) + 1) for _, answer in answers]
    waits = sorted(answer.latency_s for _, answer in answers)
    return CanaryRun(
        at=at,
        quality_rate=right / len(answers),
        length=sum(lengths) / len(lengths),
        latency_s=waits[len(waits) // 2],
    )


def shifts(history: Sequence[CanaryRun], since: datetime | None = None) -> list[Shift]:
    """What has changed with the last runs of `history` (oldest first); nothing while there are too few before them.

    While an alarm stands, `since` is its beginning: the last runs are held against those from before it.
    """
    now = history[-LATEST:]
    before = [run for run in history[:-LATEST] if since is None or run.at < since][-MOST_BEFORE:]
    if len(before) < LEAST_BEFORE:
        return []
    found: list[Shift] = []
    for watched in _WATCHED:
        old, new = [watched.of(run) for run in before], [watched.of(run) for run in now]
        change = _mean(new) - _mean(old)
        p_value = permutation_p(old, new)
        if abs(change) >= watched.least and p_value <= ALPHA / len(_WATCHED):
            shown = watched.shown
            found.append(Shift(what=watched.what, before=shown(_mean(old)), now=shown(_mean(new)), p_value=p_value))
    return found


def remembered(history: Sequence[CanaryRun], since: datetime | None) -> list[CanaryRun]:
    """The runs of `history` that later ones are held against, with those of an alarm that stands."""
    if since is None:
        return list(history[-(MOST_BEFORE + LATEST) :])
    return [run for run in history if run.at < since][-MOST_BEFORE:] + [run for run in history if run.at >= since]


def outlived(history: Sequence[CanaryRun], since: datetime | None) -> bool:
    """Whether an alarm has stood so long that what the answers have become is the new measure."""
    return since is not None and sum(run.at >= since for run in history) >= MOST_BEFORE


def permutation_p(before: Sequence[float], now: Sequence[float]) -> float:
    """Share of all ways to pick `len(now)` of all values whose sum is as far from its mean as that of `now`."""
    values = [*before, *now]
    centre = sum(values) * len(now) / len(values)
    seen = abs(sum(now) - centre) - 1e-9
    sums = [abs(sum(picked) - centre) >= seen for picked in combinations(values, len(now))]
    return sum(sums) / len(sums)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
