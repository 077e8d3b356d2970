"""The company as known at a moment: the store's side of `domain.ports.View`."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from sqlalchemy import Select, func, select

from domain.entities import EntityTree
from domain.limits import ActiveLimit
from domain.ports import Point, Series, SeriesKey, Told
from domain.signals import AssetChanged, ContentEngaged, DealChanged, FinanceLimit, Note, SignalData, Trust
from memory import tables
from memory.arrivals import OUTSIDE_DIM, SeriesRow, heard_outside, read_series
from memory.database import Database
from memory.entities import Entities
from memory.limits import standing
from memory.told import Payloads, payload, told, told_rows

D = TypeVar("D", bound=SignalData)
P = TypeVar("P")
_BATCH = 5000


class StoreView:
    """A snapshot: signals that arrive after it was made stay unseen, and each answer is read once.

    Series, deals, engagements, notes and signals end at `now`; `points_after` and `limits` do not, so
    that a sender whose clock runs ahead loses no point and finance is heard at once.

    Of untrusted senders it knows their notes alone, which carry their trust; `outside` knows the rest too.
    """

    def __init__(
        self,
        database: Database,
        now: datetime,
        payloads: Payloads,
        entities: Entities,
        *,
        beside: StoreView | None = None,
    ) -> None:
        """With `beside` the same moment as that view, and what untrusted senders told besides."""
        self._database, self._payloads, self._entities = database, payloads, entities
        self._now, self._open = now, beside is not None
        with database.read() as connection:
            newest = select(func.max(tables.signals.c.seq)).scalar_subquery()
            query = select(tables.signals.c.seq, tables.signals.c.newest_at).where(tables.signals.c.seq == newest)
            row = connection.execute(query).first()
        self.seq: int = beside.seq if beside else (row.seq if row else 0)
        """Position of the newest signal the view knows."""
        self._as_of: datetime = min(row.newest_at, now) if row and row.newest_at > tables.EPOCH else now
        self._series: dict[tuple[SeriesKey, datetime | None], Series] = {}
        self._told: dict[tuple[str, datetime | None], Sequence[Told[Any]]] = {}

    def outside(self) -> StoreView | None:
        """The same snapshot with everything that untrusted senders told; None when that is nothing but notes."""
        with self._database.read() as connection:
            if not heard_outside(connection):
                return None
        return StoreView(self._database, self._now, self._payloads, self._entities, beside=self)

    def _knows(self, trust: Trust) -> bool:
        return self._open or trust == "internal"

    @property
    def now(self) -> datetime:
        return self._now

    @property
    def as_of(self) -> datetime:
        return self._as_of

    @property
    def tree(self) -> EntityTree:
        return self._tree

    @cached_property
    def _tree(self) -> EntityTree:
        return self._entities.tree()

    @cached_property
    def _catalogue(self) -> dict[SeriesKey, SeriesRow]:
        with self._database.read() as connection:
            rows = read_series(connection)
        known = (row for row in rows if row.born <= self.seq and (self._open or OUTSIDE_DIM not in row.key.dims))
        return {row.key: row for row in sorted(known, key=lambda row: row.key)}

    def keys(self, metric: str | None = None) -> Sequence[SeriesKey]:
        """Keys of every series, sorted."""
        return [key for key in self._catalogue if metric is None or key.metric == metric]

    def series(self, key: SeriesKey, since: datetime | None = None) -> Series:
        """Points of `key` up to `now`, the newest value of each time; empty for an unknown key."""
        if key not in self._catalogue:
            return Series(key, "count", None, array("d"), array("d"))
        if (key, since) not in self._series:
            self._read_together(key, since)
        return self._series[key, since]

    def _read_together(self, key: SeriesKey, since: datetime | None) -> None:
        """Reads `key` and, when only its recent points are wanted, every other series of its metric with it.

        Who asks for the recent points of one place asks for the others next; one query for all is many times faster.
        """
        rows = [self._catalogue[key]]
        if since is not None:
            rows = [row for each, row in self._catalogue.items() if each.metric == key.metric]
        values: dict[int, dict[float, float]] = {row.id: {} for row in rows}
        with self._database.read() as connection:
            # Plain tuples of the driver: a Row for each point would double the time of a long series.
            cursor = connection.execute(self._points_of([row.id for row in rows], since)).cursor
            for series, at_s, value in cursor.fetchall() if cursor is not None else ():
                values[series][at_s] = value
        for row in rows:
            found = values[row.id]
            series = Series(row.key, row.unit, row.grain_s, array("d", found), array("d", found.values()))
            self._series[row.key, since] = series

    def _points_of(self, series: Sequence[int], since: datetime | None) -> Select[Any, Any, Any]:
        table = tables.points.c
        query = select(table.series, table.at_s, table.value).where(table.series.in_(series), table.seq <= self.seq)
        query = query.where(table.at_s <= self._now.timestamp()).order_by(table.series, table.at_s, table.seq)
        return query if since is None else query.where(table.at_s >= since.timestamp())

    def points_after(self, seq: int) -> Iterator[Point]:
        table = tables.points.c
        by_id = {row.id: row for row in self._catalogue.values()}
        while seq < self.seq:
            query = select(table.seq, table.series, table.at_s, table.value)
            query = query.where(table.seq > seq, table.seq <= self.seq).order_by(table.seq).limit(_BATCH)
            with self._database.read() as connection:
                rows = connection.execute(query).all()
            for at, series, at_s, value in rows:
                found = by_id.get(series)
                if found is not None:
                    yield Point(at, found.key, found.unit, at_s, value)
            if len(rows) < _BATCH:
                return
            seq = rows[-1][0]

    def deals(self, since: datetime | None = None) -> Sequence[Told[DealChanged]]:
        return self._typed("accord.deal.changed", DealChanged, since)

    def engagements(self, since: datetime | None = None) -> Sequence[Told[ContentEngaged]]:
        return self._typed("accord.content.engaged", ContentEngaged, since)

    def notes(self, since: datetime | None = None) -> Sequence[Told[Note]]:
        return self._typed("accord.note", Note, since)

    def assets(self) -> Sequence[Told[AssetChanged]]:
        newest = {each.data.asset: each for each in self._typed("accord.asset.changed", AssetChanged, None)}
        return [newest[asset] for asset in sorted(newest)]

    @cached_property
    def _limits(self) -> tuple[ActiveLimit, ...]:
        told = self._payloads.read("accord.finance.limit", FinanceLimit, self.seq)
        every = (heard for heard in told if self._knows(heard.told.trust))
        return standing([(heard.source, heard.told) for heard in every], self._now)

    def limits(self) -> Sequence[ActiveLimit]:
        return self._limits

    def signals(self, type_: str, since: datetime | None = None) -> Sequence[Told[Mapping[str, Any]]]:
        rows = told_rows(self._database, type_, seq=self.seq, since=since, until=self._now)
        return [told(row, payload(row)) for row in rows if self._knows(row.trust)]

    def _typed(self, type_: str, model: type[D], since: datetime | None) -> Sequence[Told[D]]:
        cached = self._told.get((type_, since))
        if cached is None:
            every = self._payloads.read(type_, model, self.seq)
            known = (each.told for each in every if model is Note or self._knows(each.told.trust))
            within = (each for each in known if each.at <= self._now)
            cached = [each for each in within if since is None or each.at >= since]
            self._told[type_, since] = cached
        return cached
