"""A company held in memory: `domain.ports.View` over parsed signals, for rehearsals, replays and tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from domain.entities import Entity, EntityTree
from domain.implied import implied_entities
from domain.limits import ActiveLimit
from domain.ports import Point, Series, SeriesKey, Told
from domain.signals import (
    AssetChanged,
    ContentEngaged,
    DealChanged,
    EntityDeclared,
    FinanceLimit,
    MetricPoint,
    Note,
    Signal,
    SignalData,
    Trust,
    parse_event,
)

D = TypeVar("D", bound=SignalData)


def rehearse(events: Iterable[Mapping[str, Any]], now: datetime, *, trust: Trust = "internal") -> HeardCompany:
    """The company told by `events` (CloudEvents as they come in). Raises InputError for a malformed one."""
    return HeardCompany([parse_event(event, received_at=now, trust=trust) for event in events], now)


class HeardCompany:
    """What the given signals amount to, in order of arrival. Satisfies `domain.ports.View`.

    `now` is the moment asked about; `hear` takes further signals. Nothing is forgotten.
    """

    def __init__(self, signals: Iterable[Signal], now: datetime) -> None:
        self.now = now
        self._told: list[tuple[Signal, Told[Any]]] = []
        self._points: list[Point] = []
        self._series: dict[SeriesKey, dict[float, float]] = {}
        self._forms: dict[SeriesKey, tuple[str, int | None]] = {}
        self._entities: dict[str, Entity] = {}
        self._implied: dict[str, Entity] = {}
        self._tree = EntityTree(())
        self._newest: datetime | None = None
        self.hear(signals)

    def hear(self, signals: Iterable[Signal], now: datetime | None = None) -> None:
        """Takes signals that arrived since; `now` moves the moment asked about."""
        self.now = now or self.now
        heard = list(signals)
        for signal in heard:
            told = Told(signal.time, f"signal:{signal.source}/{signal.id}", signal.trust, signal.data)
            self._told.append((signal, told))
            self._newest = max(self._newest or signal.time, signal.time)
            match signal.data:
                case EntityDeclared() as declared:
                    self._entities[declared.id] = Entity(**declared.model_dump())
                case MetricPoint() as point:
                    self._take_point(point, signal.time.timestamp())
                case _:
                    for entity in implied_entities(signal):
                        self._implied.setdefault(entity.id, entity)
        known = self._implied | self._entities
        if known != self._tree.by_id:
            self._tree = EntityTree(known.values())

    def _take_point(self, point: MetricPoint, at_s: float) -> None:
        key = SeriesKey(point.metric, point.entity, tuple(sorted(point.dims.items())))
        self._series.setdefault(key, {})[at_s] = point.value
        self._forms.setdefault(key, (point.unit, point.grain_s))
        self._points.append(Point(len(self._points) + 1, key, point.unit, at_s, point.value))

    @property
    def as_of(self) -> datetime:
        return self.now if self._newest is None else min(self.now, self._newest)

    @property
    def tree(self) -> EntityTree:
        return self._tree

    def keys(self, metric: str | None = None) -> Sequence[SeriesKey]:
        return sorted(key for key in self._series if metric in (None, key.metric))

    def series(self, key: SeriesKey, since: datetime | None = None) -> Series:
        after = since.timestamp() if since else float("-inf")
        rows = sorted((at_s, value) for at_s, value in self._series.get(key, {}).items() if at_s >= after)
        unit, grain_s = self._forms.get(key, ("count", None))
        return Series(key, unit, grain_s, [at_s for at_s, _ in rows], [value for _, value in rows])

    def points_after(self, seq: int) -> Iterable[Point]:
        return self._points[seq:]

    def _of(self, data: type[D], since: datetime | None) -> list[Told[D]]:
        found = [told for _, told in self._told if isinstance(told.data, data) and (since is None or told.at >= since)]
        return sorted(found, key=lambda told: (told.at, told.signal))

    def deals(self, since: datetime | None = None) -> Sequence[Told[DealChanged]]:
        return self._of(DealChanged, since)

    def engagements(self, since: datetime | None = None) -> Sequence[Told[ContentEngaged]]:
        return self._of(ContentEngaged, since)

    def assets(self) -> Sequence[Told[AssetChanged]]:
        newest = {told.data.asset: told for told in self._of(AssetChanged, None)}
        return [newest[asset] for asset in sorted(newest)]

    def limits(self) -> Sequence[ActiveLimit]:
        newest = {
            (told.data.scope, told.data.kind): ActiveLimit(limit=told.data, signal=told.signal)
            for told in self._of(FinanceLimit, None)
        }
        return [newest[key] for key in sorted(newest)]

    def notes(self, since: datetime | None = None) -> Sequence[Told[Note]]:
        return self._of(Note, since)

    def signals(self, type_: str, since: datetime | None = None) -> Sequence[Told[Mapping[str, Any]]]:
        found: list[Told[Mapping[str, Any]]] = [
            Told(told.at, told.signal, told.trust, dict(signal.raw.get("data") or {}))
            for signal, told in self._told
            if signal.type == type_ and (since is None or told.at >= since)
        ]
        return sorted(found, key=lambda told: (told.at, told.signal))
