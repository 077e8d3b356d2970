"""What every call of a gateway shares: who may answer, through which adapter, on which account, and by which clock."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from domain.errors import AccordError
from providers.adapter import Adapter
from providers.cache import ExactCache
from providers.candidates import AsListed, Router
from providers.deadlines import Deadlines
from providers.health import Health, RateWindow
from providers.latency import Latencies
from providers.ledger import Ledger
from providers.registry import Provider, Registry
from providers.types import Attempt, ModelAnswer, ModelRequest


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """`now` dates attempts, budgets and breakers; `elapsed` (s, monotonic) measures; `sleep` waits out a pause."""

    now: Callable[[], datetime] = _utc_now
    elapsed: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Observer(Protocol):
    """Told of every attempt and call, from the loop it ran on; must not block and must not raise."""

    def attempted(self, attempt: Attempt, request: ModelRequest, provider: Provider) -> None: ...

    def called(self, request: ModelRequest, ended: ModelAnswer | AccordError) -> None: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """`adapters` are by vendor, with `*` for every vendor not named; `chance` spreads retries."""

    registry: Registry
    adapters: Mapping[str, Adapter]
    ledger: Ledger
    router: Router = field(default_factory=AsListed)
    deadlines: Deadlines = field(default_factory=Deadlines)
    hedge: bool = False
    health: Health = field(default_factory=Health)
    clock: Clock = field(default_factory=Clock)
    chance: random.Random = field(default_factory=random.Random)
    rates: RateWindow = field(default_factory=RateWindow)
    latencies: Latencies = field(default_factory=Latencies)
    observers: tuple[Observer, ...] = ()
    cache: ExactCache | None = None

    def adapter(self, provider: Provider) -> Adapter:
        """Who speaks to `provider`."""
        return self.adapters.get(provider.spec.vendor) or self.adapters["*"]
