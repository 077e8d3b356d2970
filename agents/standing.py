"""How each model provider stands: usable or not, how fast, how often it fails, what it cost, what is left for it."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from memory.calls import CallFilter
from providers.facts import known
from providers.ledger import month_of
from providers.pricing import NANO

if TYPE_CHECKING:
    from agents.settings import BudgetSettings
    from memory.store import Store
    from providers.registry import Provider

WINDOW = timedelta(days=7)
JUDGED = timedelta(days=90)
MOST = 1000
"""Attempts looked at for each provider: the newest within the window."""


@dataclass(frozen=True, slots=True)
class Tail:
    """Seconds that 50, 95 and 99 % of attempts stayed within."""

    p50_s: float
    p95_s: float
    p99_s: float


@dataclass(frozen=True, slots=True)
class History:
    """What the log tells of a provider's newest attempts. `latency` is of answers, `first_token` of streams too."""

    attempts: int
    answered: int
    failures: Mapping[str, int]
    latency: Tail | None
    first_token: Tail | None


@dataclass(frozen=True, slots=True)
class Left:
    """A budget: what is left of it this month, in nano-units of the objective's currency."""

    scope: str
    month_nano: int
    charged_nano: int

    @property
    def left_nano(self) -> int:
        return self.month_nano - self.charged_nano


def history_of(calls: Iterable[Mapping[str, Any]]) -> History:
    """The sums and tails of recorded attempts."""
    seen = list(calls)
    answered = [call for call in seen if call["outcome"] == "answered"]
    return History(
        attempts=len(seen),
        answered=len(answered),
        failures=dict(Counter(str(call["error_code"]) for call in seen if call["outcome"] == "failed").most_common()),
        latency=tail([call["latency_s"] for call in answered]),
        first_token=tail([s for call in answered if (s := call.get("first_token_s")) is not None]),
    )


def tail(seconds: Sequence[float]) -> Tail | None:
    """Nearest-rank percentiles; None when there is nothing to rank."""
    if not seconds:
        return None
    ranked = sorted(seconds)

    def at(share: float) -> float:
        return ranked[math.ceil(share * len(ranked)) - 1]

    return Tail(at(0.5), at(0.95), at(0.99))


def history(store: Store, provider: str, now: datetime) -> History:
    """What the log tells of `provider`."""
    wanted = CallFilter(provider=provider, since=now - WINDOW)
    return history_of(store.calls.page(limit=MOST, wanted=wanted).items)


def budgets(store: Store, settings: Iterable[BudgetSettings], now: datetime) -> Iterator[Left]:
    """Every budget with what is left of it this month."""
    month = month_of(now)
    for budget in settings:
        limit = int(Decimal(str(budget.month)) * NANO)
        yield Left(budget.scope, limit, store.calls.charged_nano(budget.scope, month))


def qualities(store: Store, now: datetime) -> dict[str, dict[str, float]]:
    """By provider and task: the weighted mean of what evals, people and checks judged within `JUDGED`."""
    sums: defaultdict[tuple[str, str], tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
    for seen in store.qualities.since(now - JUDGED):
        total, weight = sums[seen.provider, seen.task]
        sums[seen.provider, seen.task] = total + seen.quality * seen.weight, weight + seen.weight
    found: dict[str, dict[str, float]] = {}
    for (provider, task), (total, weight) in sorted(sums.items()):
        found.setdefault(provider, {})[task] = total / weight
    return found


def price_source(provider: Provider) -> str:
    """Where the price of `provider` comes from."""
    if provider.spec.price is not None:
        return "configured"
    if provider.rates is None:
        return "unknown"
    return "free" if provider.rates.free else f"table of {known().version}"
