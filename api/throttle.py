"""How often somebody may call: token buckets for requests, growing waits for wrong secrets. No clock of its own.

Both are kept in this process and forgotten at a restart: secrets are long and random, so that what is bounded here is
load and noise, not the strength of a key.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

_MOST_NAMES = 10_000
"""Names remembered at once; the one unheard of for longest is forgotten first."""


@dataclass(slots=True)
class _Level:
    tokens: float
    at_s: float


class TokenBuckets:
    """One bucket for each name: `burst` calls at once, then `per_s` a second. Safe to share between threads."""

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s, self._burst = per_s, burst
        self._levels: OrderedDict[str, _Level] = OrderedDict()
        self._alone = threading.Lock()

    def take(self, name: str, now_s: float) -> float:
        """Takes one token of `name`; 0 when there was one, else seconds until there is."""
        with self._alone:
            level = self._levels.pop(name, None) or _Level(self._burst, now_s)
            self._levels[name] = level
            if len(self._levels) > _MOST_NAMES:
                self._levels.popitem(last=False)
            gained = max(0.0, now_s - level.at_s) * self._per_s
            level.tokens, level.at_s = min(self._burst, level.tokens + gained), now_s
            if level.tokens >= 1:
                level.tokens -= 1
                return 0.0
            return (1 - level.tokens) / self._per_s

    def wait_s(self, name: str, now_s: float) -> float:
        """Seconds until `name` has a token; nothing is taken."""
        with self._alone:
            level = self._levels.get(name)
            missing = 0.0 if level is None else 1 - level.tokens
        return 0.0 if level is None else max(0.0, missing / self._per_s - max(0.0, now_s - level.at_s))


@dataclass(slots=True)
class _Failures:
    count: int = 0
    until_s: float = 0.0


class Backoff:
    """Waits after wrong secrets: none for the first `free`, then 1, 2, 4 … seconds, at most `longest_s`."""

    def __init__(self, free: int = 5, longest_s: float = 900.0) -> None:
        self._free, self._longest_s = free, longest_s
        self._failures: OrderedDict[str, _Failures] = OrderedDict()
        self._alone = threading.Lock()

    def wait_s(self, name: str, now_s: float) -> float:
        """Seconds in which `name` may not try; 0 when it may."""
        with self._alone:
            found = self._failures.get(name)
            return max(0.0, found.until_s - now_s) if found else 0.0

    def failed(self, name: str, now_s: float) -> None:
        """One more wrong secret of `name`."""
        with self._alone:
            found = self._failures.pop(name, None) or _Failures()
            self._failures[name] = found
            if len(self._failures) > _MOST_NAMES:
                self._failures.popitem(last=False)
            found.count += 1
            if found.count > self._free:
                wait = min(self._longest_s, 2.0 ** min(30, found.count - self._free - 1))
                found.until_s = now_s + wait

    def succeeded(self, name: str) -> None:
        with self._alone:
            self._failures.pop(name, None)
