"""Event time: single-threaded, so that weeks pass in seconds through the same code as wall time.

Whoever moves the clock calls `run_due`; what is due is read from the store, so a killed run goes on
where it stood.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from agents.drivers.port import Work


class EventTimeDriver:
    """Carries out what is due at the clock's time, in the order of (due, id)."""

    def __init__(self, due: Callable[[datetime], list[str]], now: Callable[[], datetime]) -> None:
        self._due, self._now = due, now
        self._work: Work | None = None

    def start(self, work: Work) -> None:
        self._work = work

    def poke(self) -> None:
        """Rounds are run by whoever moves the clock."""

    def wake(self, actions: Iterable[str]) -> None:
        """Due times stand in the store already."""

    def stop(self) -> None:
        self._work = None

    def run_due(self) -> int:
        """Everything due by now, and what becomes due by it; returns how many looks that took."""
        if self._work is None:
            return 0
        looks = 0
        while due := self._due(self._now()):
            for action in due:
                self._work.act(action)
                looks += 1
        return looks
