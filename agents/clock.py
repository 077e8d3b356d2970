"""Clocks: what "now" means in wall time, in event time, and in the demo company."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime: ...


class WallClock:
    """The machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class ManualClock:
    """Event time: stands still until it is set, and never goes back."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def set(self, moment: datetime) -> None:
        self._now = max(self._now, moment)


class WorldClock:
    """A simulated company's time: its day, plus the wall time passed since that day began, below one day.

    People decide in wall time while the company's days are advanced by hand; both see one order of events.
    """

    def __init__(self, today: Callable[[], datetime], elapsed: Callable[[], float] = time.monotonic) -> None:
        self._today, self._elapsed = today, elapsed
        self._day, self._began = today(), elapsed()

    def now(self) -> datetime:
        today = self._today()
        if today != self._day:
            self._day, self._began = today, self._elapsed()
        passed = min(self._elapsed() - self._began, timedelta(hours=23, minutes=59).total_seconds())
        return today + timedelta(seconds=passed)
