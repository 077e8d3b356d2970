"""What a batch of signals adds besides the signals: points of series, and the newest state of entities."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from domain.entities import Entity
from domain.errors import InputError
from domain.ports import SeriesKey
from domain.signals import EntityDeclared, MetricPoint, Signal
from memory import tables

OUTSIDE_DIM = ("trust", "external")
"""Marks the series of numbers that untrusted senders told."""
_OUTSIDE_FLAG = "heard:outside"
_BEFORE_ANY = datetime(1970, 1, 1, tzinfo=UTC)


def series_key(point: MetricPoint) -> SeriesKey:
    return SeriesKey(point.metric, point.entity, tuple(sorted(point.dims.items())))


def apart(point: MetricPoint) -> MetricPoint:
    """A point of an untrusted sender in a series of its own: it never mixes with the company's numbers."""
    return point.model_copy(update={"dims": {**point.dims, OUTSIDE_DIM[0]: OUTSIDE_DIM[1]}})


def mark_outside(connection: Connection) -> None:
    """Keeps that untrusted senders told of more than notes: views then offer what they told apart."""
    if not heard_outside(connection):
        connection.execute(insert(tables.flags), {"name": _OUTSIDE_FLAG, "value": "true"})


def heard_outside(connection: Connection) -> bool:
    """Whether any untrusted sender ever told of more than notes."""
    flag = select(tables.flags.c.name).where(tables.flags.c.name == _OUTSIDE_FLAG)
    return connection.execute(flag).first() is not None


def dims_text(dims: Iterable[tuple[str, str]]) -> str:
    """The stored form of `dims`: canonical, so that equal splits are equal texts."""
    return json.dumps(list(dims), separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """A series as stored. `born` is the position of its first point."""

    id: int
    key: SeriesKey
    unit: str
    grain_s: int | None
    born: int


def read_series(connection: Connection, after: int = 0) -> list[SeriesRow]:
    """Series with an id above `after`, in order of id."""
    rows = connection.execute(select(tables.series).where(tables.series.c.id > after).order_by(tables.series.c.id))
    return [
        SeriesRow(
            row.id,
            SeriesKey(row.metric, row.entity, tuple((name, value) for name, value in json.loads(row.dims))),
            row.unit,
            row.grain_s,
            row.born,
        )
        for row in rows
    ]


def _is_currency(unit: str) -> bool:
    return len(unit) == 3 and unit.isupper()


@dataclass(slots=True)
class Catalogue:
    """Known series by key. A transaction works on `draft()`, kept by the caller only once it has committed."""

    by_key: dict[SeriesKey, SeriesRow] = field(default_factory=dict[SeriesKey, SeriesRow])
    last: int = 0

    def draft(self, connection: Connection) -> Draft:
        """The catalogue as `connection` sees it, ready for additions."""
        newest = connection.execute(select(func.max(tables.series.c.id))).scalar() or 0
        unseen = read_series(connection, self.last) if newest > self.last else []
        return Draft(self, {row.key: row for row in unseen}, newest)

    def keep(self, draft: Draft) -> None:
        self.by_key.update(draft.added)
        self.last = draft.last


@dataclass(slots=True)
class Draft:
    """Series found or founded within one transaction."""

    catalogue: Catalogue
    added: dict[SeriesKey, SeriesRow]
    last: int
    founded: list[SeriesRow] = field(default_factory=list[SeriesRow])

    def find(self, point: MetricPoint, seq: int) -> SeriesRow:
        """The series of `point`. Raises InputError when its currency is another than the series'."""
        key = series_key(point)
        found = self.added.get(key) or self.catalogue.by_key.get(key)
        if found is None:
            self.last += 1
            found = SeriesRow(self.last, key, point.unit, point.grain_s, seq)
            self.added[key] = found
            self.founded.append(found)
        if found.unit != point.unit and _is_currency(found.unit) and _is_currency(point.unit):
            raise InputError(
                f"`unit` {point.unit!r}: {point.metric} of {point.entity!r} is in {found.unit!r} so far. "
                "Convert it, or send it under a metric of its own."
            )
        return found


def insert_points(connection: Connection, draft: Draft, rows: Sequence[tuple[int, float, int, float]]) -> None:
    """Writes series founded by the batch, then its points (series, at_s, seq, value)."""
    if draft.founded:
        founded = [
            {
                "id": row.id,
                "metric": row.key.metric,
                "entity": row.key.entity,
                "dims": dims_text(row.key.dims),
                "unit": row.unit,
                "grain_s": row.grain_s,
                "born": row.born,
            }
            for row in draft.founded
        ]
        connection.execute(insert(tables.series), founded)
    if rows:
        names = ("series", "at_s", "seq", "value")
        connection.execute(insert(tables.points), [dict(zip(names, row, strict=True)) for row in rows])


def upsert_entities(connection: Connection, declared: Sequence[tuple[int, Signal, EntityDeclared]]) -> None:
    """The newest declaration of each entity by event time, then by arrival."""
    newest: dict[str, tuple[int, Signal, EntityDeclared]] = {}
    for item in sorted(declared, key=lambda entry: (entry[1].time, entry[0])):
        newest[item[2].id] = item
    if not newest:
        return
    rows: list[dict[str, Any]] = []
    for seq, signal, data in newest.values():
        entity = Entity(id=data.id, name=data.name, parent=data.parent, attrs=data.attrs)
        rows.append({"id": data.id, "at": signal.time, "seq": seq, "body": entity.model_dump_json()})
    make = sqlite_insert if connection.dialect.name == "sqlite" else postgres_insert
    statement = make(tables.entities)
    new = statement.excluded
    newer = or_(new.at > tables.entities.c.at, (new.at == tables.entities.c.at) & (new.seq > tables.entities.c.seq))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["id"], set_={"at": new.at, "seq": new.seq, "body": new.body}, where=newer
        ),
        rows,
    )


def insert_implied(connection: Connection, implied: Sequence[tuple[int, Entity]]) -> None:
    """Entities nobody declared yet, with the position of who told of them; older than any declaration."""
    rows = {
        entity.id: {"id": entity.id, "at": _BEFORE_ANY, "seq": seq, "body": entity.model_dump_json()}
        for seq, entity in reversed(implied)
    }
    if rows:
        make = sqlite_insert if connection.dialect.name == "sqlite" else postgres_insert
        connection.execute(make(tables.entities).on_conflict_do_nothing(index_elements=["id"]), list(rows.values()))
