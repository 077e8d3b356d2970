"""Flights: times and places at which our own exposure of a channel stepped up or down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agents.detectors.episodes import AGAIN_S, JOIN_S, Alarm


@dataclass(frozen=True, slots=True)
class Flight:
    """Exposure of `channel` moved in `units` from `onset_s` on; `metric` showed it first."""

    channel: str
    metric: str
    units: tuple[str, ...]
    onset_s: float
    last_s: float
    up: bool


def flights_of(alarms: Sequence[Alarm]) -> list[Flight]:
    """Alarms of exposure metrics, grouped by channel, direction and time."""
    groups: list[list[Alarm]] = []
    for alarm in alarms:
        fitting = next((group for group in reversed(groups) if _joins(group, alarm)), None)
        if fitting is None:
            groups.append([alarm])
        else:
            fitting.append(alarm)
    return [_flight(group) for group in groups]


def _joins(group: list[Alarm], alarm: Alarm) -> bool:
    first = group[0]
    last_s = max(member.at_s for member in group)
    again = alarm.unit in {member.unit for member in group}
    # A step that lasts alarms again once the detector's silence is over: still the same flight.
    near = abs(alarm.at_s - last_s) <= (AGAIN_S if again else JOIN_S)
    return near and alarm.up == first.up and _name(alarm) == _name(first)


def _name(alarm: Alarm) -> str:
    return alarm.channel or alarm.key.entity


def _flight(group: list[Alarm]) -> Flight:
    return Flight(
        channel=_name(group[0]),
        metric=group[0].key.metric,
        units=tuple(sorted({alarm.unit for alarm in group})),
        onset_s=min(alarm.at_s for alarm in group),
        last_s=max(alarm.at_s for alarm in group),
        up=group[0].up,
    )
