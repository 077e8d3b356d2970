"""Event time: single-threaded, so that weeks pass in seconds through the same code as wall time.

Whoever moves the clock calls `run_due`; what is due is read from the store, so a killed run goes on
where it stood.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime

from agents.drivers.port import Work
from domain.errors import ExternalError

log = logging.getLogger(__name__)


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
        """Everything due by now, and what becomes due by it; returns how many looks that took.

        An action whose tool failed is left for the next call: time stands still in this one.
        """
        if self._work is None:
            return 0
        looks, failed = 0, set[str]()
        while due := [action for action in self._due(self._now()) if action not in failed]:
            for action in due:
                looks += 1
                try:
                    self._work.act(action)
                except ExternalError as error:
                    log.warning("action %s waits: %s", action, error.detail)
                    failed.add(action)
        return looks
