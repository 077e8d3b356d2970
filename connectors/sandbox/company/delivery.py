"""Carries events to whoever listens: CloudEvents with stable ids, a little late, now and then twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.sandbox.company.dice import dice

CloudEvent = dict[str, Any]
_LATE_RATE, _DUPLICATE_RATE = 0.01, 0.004


def stamp(moment: datetime) -> str:
    """ISO 8601 in UTC with a Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def cloud_event(source: str, kind: str, name: str, time: str, subject: str, data: Mapping[str, Any]) -> CloudEvent:
    """A structured CloudEvent of the sandbox's `source`; `name` is unique within the source."""
    return {
        "specversion": "1.0",
        "id": name,
        "source": f"sandbox/{source}",
        "type": f"accord.{kind}",
        "time": time,
        "subject": subject,
        "datacontenttype": "application/json",
        "data": dict(data),
    }


class Delivery:
    """Events by the day on whose evening they arrive."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._due: dict[int, list[CloudEvent]] = defaultdict(list)

    def send(self, day: int, events: list[CloudEvent], delay: int = 0) -> None:
        """Deliver `events` of `day` after `delay` days; 1 % come up to five days later, some twice."""
        if not events:
            return
        rng = dice(self._seed, f"delivery/{events[0]['id']}", day)
        chance = rng.random(len(events))
        for event, luck in zip(events, chance.tolist(), strict=True):
            late = 1 + int(luck / _LATE_RATE * 5) if luck < _LATE_RATE else 0
            self._due[day + delay + late].append(event)
            if luck > 1 - _DUPLICATE_RATE:
                self._due[day + delay + 1].append(event)

    def collect(self, day: int) -> list[CloudEvent]:
        """Everything due up to and on `day`, once."""
        days = sorted(due for due in self._due if due <= day)
        return [event for due in days for event in self._due.pop(due)]
