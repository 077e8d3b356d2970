"""When a provider may be called: circuit breakers, and the calls per minute its configuration allows."""

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
    """`failures` in a row; no call before `open_until`, None while closed; `probe_until` while one call looks."""

    failures: int = 0
    open_until: datetime | None = None
    probe_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """Opens after `threshold` failures in a row, for `cooldown_s` seconds."""

    threshold: int = 3
    cooldown_s: float = 30.0


def state_of(breaker: Breaker, now: datetime) -> BreakerState:
    """Open until its time has come, then half open until a call succeeds."""
    if breaker.open_until is None:
        return BreakerState.CLOSED
    return BreakerState.OPEN if now < breaker.open_until else BreakerState.HALF_OPEN


def after_failure(breaker: Breaker, rule: BreakerRule, now: datetime, retry_after_s: float | None) -> Breaker:
    """A vendor that names a time to wait is not called before it; a failed probe opens anew."""
    failures = breaker.failures + 1
    if retry_after_s is not None:
        return Breaker(failures, now + timedelta(seconds=min(retry_after_s, _LONGEST_WAIT_S)))
    if failures >= rule.threshold or breaker.open_until is not None:
        return Breaker(failures, now + timedelta(seconds=rule.cooldown_s))
    return Breaker(failures)


class Health:
    """The breakers of all providers, safe under threads."""

    def __init__(self, rule: BreakerRule | None = None) -> None:
        self._rule = rule or BreakerRule()
        self._breakers: dict[str, Breaker] = {}
        self._lock = threading.Lock()

    def admit(self, provider: str, now: datetime) -> bool:
        """Whether to call `provider` now. Half open, one caller at a time is let through as the probe."""
        with self._lock:
            breaker = self._breakers.get(provider, Breaker())
            match state_of(breaker, now):
                case BreakerState.CLOSED:
                    return True
                case BreakerState.OPEN:
                    return False
                case BreakerState.HALF_OPEN:
                    if breaker.probe_until is not None and now < breaker.probe_until:
                        return False
                    # A probe that never reports (its thread died) must not keep the provider shut for ever.
                    lease = now + timedelta(seconds=self._rule.cooldown_s)
                    self._breakers[provider] = replace(breaker, probe_until=lease)
                    return True

    def succeeded(self, provider: str) -> None:
        with self._lock:
            self._breakers.pop(provider, None)

    def failed(self, provider: str, now: datetime, retry_after_s: float | None = None) -> None:
        with self._lock:
            breaker = self._breakers.get(provider, Breaker())
            self._breakers[provider] = after_failure(breaker, self._rule, now, retry_after_s)

    def state(self, provider: str, now: datetime) -> BreakerState:
        with self._lock:
            return state_of(self._breakers.get(provider, Breaker()), now)


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
