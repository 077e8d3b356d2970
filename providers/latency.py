"""How fast each provider answered lately: time to its first content and to its end, as percentiles."""

from __future__ import annotations

import math
import threading
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass

_KEPT = 200


@dataclass(frozen=True, slots=True)
class Tail:
    """Seconds: nearest-rank percentiles."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class Latency:
    """Of the last `calls` answers (at most 200). `first` is None when no answer told when its first content came."""

    calls: int
    first: Tail | None
    total: Tail


class Latencies:
    """The record of all providers, safe under threads."""

    def __init__(self) -> None:
        self._first: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_KEPT))
        self._total: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_KEPT))
        self._lock = threading.Lock()

    def note(self, provider: str, first_s: float | None, total_s: float) -> None:
        """One answer more."""
        with self._lock:
            self._total[provider].append(total_s)
            if first_s is not None:
                self._first[provider].append(first_s)

    def of(self, provider: str) -> Latency | None:
        """What is known of `provider`, None when it has not answered yet."""
        with self._lock:
            first, total = tuple(self._first.get(provider, ())), tuple(self._total.get(provider, ()))
        if not total:
            return None
        return Latency(len(total), tail(first) if first else None, tail(total))


def tail(seconds: Iterable[float]) -> Tail:
    """The percentiles of at least one value."""
    ordered = sorted(seconds)

    def at(rate: float) -> float:
        return ordered[max(0, math.ceil(rate * len(ordered)) - 1)]

    return Tail(at(0.5), at(0.95), at(0.99))
