"""When a provider may be called: circuit breakers with probes, and the calls per minute its configuration allows."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

_LONGEST_WAIT_S = 600.0  # a vendor's Retry-After is believed up to here


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Breaker:
    """`trips` are openings without lasting health between them: they set how long it stays open. No call before
    `open_until`, None while closed; `asked` when the vendor itself named that time; `probe_until` while one call looks.
    `misses` are failures in a row of the kind that opens it only after several; `well_since` is when it closed, or when
    a trip was last forgiven.
    """

    trips: int = 0
    misses: int = 0
    open_until: datetime | None = None
    asked: bool = False
    probe_until: datetime | None = None
    well_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """Seconds: the first opening lasts `first_s`, each further one twice as long up to `longest_s`; a fault that nobody
    mends in a minute `lasting_s`. Soft failures open it after `misses` in a row.
    """

    first_s: float = 1.0
    longest_s: float = 120.0
    lasting_s: float = 60.0
    misses: int = 3

    def cooldown_s(self, trips: int) -> float:
        """How long the opening number `trips` lasts."""
        return min(self.first_s * 2.0 ** min(trips - 1, 30), self.longest_s)


@dataclass(frozen=True, slots=True)
class Pass:
    """Leave to call a provider; a `probe` decides whether an open breaker closes."""

    probe: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a failure says of the provider: `soft` ones may be chance, `lasting` ones stay, `wait_s` it named itself."""

    soft: bool = False
    lasting: bool = False
    wait_s: float | None = None


def state_of(breaker: Breaker, now: datetime) -> BreakerState:
    """Open until its time has come, then half open until a probe succeeds."""
    if breaker.open_until is None:
        return BreakerState.CLOSED
    return BreakerState.OPEN if now < breaker.open_until else BreakerState.HALF_OPEN


def after_failure(breaker: Breaker, rule: BreakerRule, now: datetime, passed: Pass, trouble: Trouble) -> Breaker:
    """The breaker after a failed call. Of many calls that fail together only the first trips it."""
    if trouble.wait_s is not None:
        # The vendor's wait is the least: one that names none, or always the same, must not be asked again and again.
        first = breaker.open_until is None or passed.probe
        trips = breaker.trips + first
        named_s, least_s = min(trouble.wait_s, _LONGEST_WAIT_S), rule.cooldown_s(trips) if first else 0.0
        until = now + timedelta(seconds=max(named_s, least_s))
        latest = max(until, breaker.open_until or until)
        return replace(breaker, trips=trips, open_until=latest, asked=named_s >= least_s, probe_until=None)
    if breaker.open_until is not None and not passed.probe:
        return breaker
    if trouble.soft and not passed.probe and breaker.misses + 1 < rule.misses:
        return replace(breaker, misses=breaker.misses + 1)
    trips = breaker.trips + 1
    cooldown = max(rule.cooldown_s(trips), rule.lasting_s if trouble.lasting else 0.0)
    return Breaker(trips=trips, open_until=now + timedelta(seconds=cooldown))


def after_success(breaker: Breaker, rule: BreakerRule, now: datetime, passed: Pass) -> Breaker:
    """The breaker after an answer: a probe closes it, and a trip is forgiven for each cooldown of health after that."""
    if breaker.open_until is not None:
        # An answer that was under way when it opened proves nothing about now.
        return Breaker(trips=breaker.trips, well_since=now) if passed.probe else breaker
    healed = breaker.trips and now - (breaker.well_since or now) >= timedelta(seconds=rule.cooldown_s(breaker.trips))
    return replace(
        breaker, misses=0, trips=breaker.trips - bool(healed), well_since=now if healed else breaker.well_since
    )


class Health:
    """The breakers of all providers, safe under threads."""

    def __init__(self, rule: BreakerRule | None = None) -> None:
        self._rule = rule or BreakerRule()
        self._breakers: dict[str, Breaker] = {}
        self._lock = threading.Lock()

    def admit(self, provider: str, now: datetime) -> Pass | None:
        """Leave to call `provider` now, if it may be called. Half open, one caller at a time gets it, as the probe."""
        with self._lock:
            breaker = self._breakers.get(provider, Breaker())
            match state_of(breaker, now):
                case BreakerState.CLOSED:
                    return Pass()
                case BreakerState.OPEN:
                    return None
                case BreakerState.HALF_OPEN:
                    if breaker.probe_until is not None and now < breaker.probe_until:
                        return None
                    # A probe that never reports (its thread died) must not keep the provider shut for ever.
                    lease = now + timedelta(seconds=self._rule.longest_s)
                    self._breakers[provider] = replace(breaker, probe_until=lease)
                    return Pass(probe=True)

    def succeeded(self, provider: str, now: datetime, passed: Pass) -> None:
        """An answer came."""
        with self._lock:
            breaker = after_success(self._breakers.get(provider, Breaker()), self._rule, now, passed)
            if breaker == Breaker():
                self._breakers.pop(provider, None)
            else:
                self._breakers[provider] = breaker

    def failed(self, provider: str, now: datetime, passed: Pass, trouble: Trouble) -> None:
        """The provider failed, by its own fault."""
        with self._lock:
            breaker = self._breakers.get(provider, Breaker())
            self._breakers[provider] = after_failure(breaker, self._rule, now, passed, trouble)

    def returned(self, provider: str, passed: Pass) -> None:
        """The call ended without telling anything about the provider: the next one may probe."""
        with self._lock:
            if passed.probe and (breaker := self._breakers.get(provider)) is not None:
                self._breakers[provider] = replace(breaker, probe_until=None)

    def breaker(self, provider: str) -> Breaker:
        """All that is known of the provider's health."""
        with self._lock:
            return self._breakers.get(provider, Breaker())

    def state(self, provider: str, now: datetime) -> BreakerState:
        return state_of(self.breaker(provider), now)


class RateWindow:
    """Calls per minute, sliding, of each provider with a limit; safe under threads."""

    def __init__(self) -> None:
        self._calls: defaultdict[str, deque[datetime]] = defaultdict(deque)
        self._lock = threading.Lock()

    def admit(self, provider: str, rpm: int | None, now: datetime) -> bool:
        """Count a call now, unless the last minute already holds `rpm` of them."""
        if rpm is None:
            return True
        with self._lock:
            calls = self._calls[provider]
            while calls and now - calls[0] >= timedelta(minutes=1):
                calls.popleft()
            if len(calls) >= rpm:
                return False
            calls.append(now)
            return True
