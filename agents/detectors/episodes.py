"""Gathers alarms of many series into episodes: ten regional alarms of one week are one thing that happened."""

from __future__ import annotations

from dataclasses import dataclass, field

from agents.detectors.panel import DAY_S, channel_of, moment, unit_of
from analysis.detect import Anomaly, Detector
from domain.entities import EntityTree
from domain.ports import Point, SeriesKey, View

EXPOSURE = frozenset({"impressions", "spend", "cost", "grp", "reach"})
"""What we put out; everything else is what came back."""
NOT_DEMAND = frozenset({"impression_share", "bid", "daily_budget", "price"})
JOIN_S = 4 * DAY_S
AGAIN_S = 14 * DAY_S
"""A level that stays moved alarms again; in a series that alarmed already this is no news."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm with where it stands in the company."""

    key: SeriesKey
    unit: str
    channel: str | None
    at_s: float
    value: float
    expected: float
    score: float
    up: bool


@dataclass(slots=True)
class Episode:
    """Alarms of one direction close in time. Its name is fixed by its first alarm."""

    alarms: list[Alarm] = field(default_factory=list[Alarm])

    @property
    def first(self) -> Alarm:
        return self.alarms[0]

    @property
    def key(self) -> str:
        place = self.first.channel or self.first.unit
        side = "rise" if self.first.up else "drop"
        return f"{self.first.key.metric}:{side}@{place}@{moment(self.onset_s):%Y-%m-%d}"

    @property
    def onset_s(self) -> float:
        return self.first.at_s

    @property
    def last_s(self) -> float:
        return max(alarm.at_s for alarm in self.alarms)

    @property
    def units(self) -> tuple[str, ...]:
        return tuple(sorted({alarm.unit for alarm in self.alarms}))

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(sorted({alarm.channel for alarm in self.alarms if alarm.channel}))

    @property
    def metrics(self) -> tuple[str, ...]:
        return tuple(sorted({alarm.key.metric for alarm in self.alarms}))

    def takes(self, alarm: Alarm) -> bool:
        """Same direction, close in time, and the same channel or an overlap of units where one has no channel."""
        again = any(alarm.key == member.key for member in self.alarms)
        if alarm.up != self.first.up or abs(alarm.at_s - self.last_s) > (AGAIN_S if again else JOIN_S):
            return False
        if alarm.channel is not None and self.channels:
            return alarm.channel in self.channels
        return alarm.unit in self.units or alarm.key.metric in self.metrics


class Watch:
    """One streaming detector per series, fed with what arrived since it was last asked.

    Its state follows from the stored points in order of arrival alone, so a fresh process rebuilds it.
    """

    def __init__(self) -> None:
        self._seq = 0
        self._detectors: dict[SeriesKey, Detector] = {}
        self._last_s: dict[SeriesKey, float] = {}
        self.exposure: list[Alarm] = []
        self.episodes: list[Episode] = []

    def hear(self, view: View) -> None:
        """Takes the points that are new. A point older than its series' newest is passed over: alarms are causal."""
        tree = view.tree
        for point in view.points_after(self._seq):
            self._seq = point.seq
            if point.at_s <= self._last_s.get(point.key, float("-inf")):
                continue
            self._last_s[point.key] = point.at_s
            detector = self._detectors.get(point.key)
            if detector is None:
                detector = self._detectors[point.key] = Detector()
            anomaly = detector.update(point.at_s, point.value)
            if anomaly is not None:
                self._absorb(_alarm(point, anomaly, tree))

    def _absorb(self, alarm: Alarm) -> None:
        if alarm.key.metric in EXPOSURE:
            self.exposure.append(alarm)
            return
        if alarm.key.metric in NOT_DEMAND:
            return
        for episode in reversed(self.episodes):
            if episode.takes(alarm):
                episode.alarms.append(alarm)
                return
        self.episodes.append(Episode([alarm]))


def _alarm(point: Point, anomaly: Anomaly, tree: EntityTree) -> Alarm:
    return Alarm(
        key=point.key,
        unit=unit_of(point.key, tree),
        channel=channel_of(point.key, tree),
        at_s=point.at_s,
        value=anomaly.value,
        expected=anomaly.expected,
        score=anomaly.score,
        up=anomaly.value >= anomaly.expected,
    )
