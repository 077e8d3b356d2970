"""Signals in the store: each kept once, durable before it is acknowledged, in order of arrival."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, func, insert, select

from domain.entities import Entity
from domain.errors import InputError, NotFound
from domain.implied import implied_entities
from domain.signals import EntityDeclared, MetricPoint, Note, Signal, parse_event
from memory import tables
from memory.arrivals import Catalogue, Draft, apart, insert_implied, insert_points, mark_outside, upsert_entities
from memory.database import Database
from memory.page import AnyRow, Page, Slice, fetch_page
from memory.remember import remember_signals

_IDS_PER_QUERY = 500


@dataclass(frozen=True, slots=True)
class Rejected:
    """A signal that was not stored, and why."""

    id: str
    error: str


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a batch."""

    accepted: int
    duplicate: int
    rejected: tuple[Rejected, ...] = ()


@dataclass(slots=True)
class _Batch:
    """Rows of one transaction, gathered before they are written together."""

    seq: int
    newest_at: datetime | None
    draft: Draft
    duplicate: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    points: list[tuple[int, float, int, float]] = field(default_factory=list[tuple[int, float, int, float]])
    declared: list[tuple[int, Signal, EntityDeclared]] = field(default_factory=list[tuple[int, Signal, EntityDeclared]])
    implied: list[tuple[int, Entity]] = field(default_factory=list[tuple[int, Entity]])
    worded: list[Signal] = field(default_factory=list[Signal])
    rejected: list[Rejected] = field(default_factory=list[Rejected])
    outside: bool = False

    def take(self, signal: Signal) -> None:
        """Raises InputError when the signal contradicts what is stored; then nothing of it is kept."""
        seq = self.seq + 1
        inside = signal.trust == "internal"
        if isinstance(signal.data, MetricPoint):
            series = self.draft.find(signal.data if inside else apart(signal.data), seq)
            self.points.append((series.id, signal.time.timestamp(), seq, signal.data.value))
        elif isinstance(signal.data, EntityDeclared):
            # Actions aim at declared entities: only who is trusted declares them.
            if inside:
                self.declared.append((seq, signal, signal.data))
        else:
            self.worded.append(signal)
            self.implied.extend((seq, entity) for entity in implied_entities(signal))
        self.seq = seq
        self.outside = self.outside or (not inside and not isinstance(signal.data, Note))
        # Untrusted senders do not move the day that detectors take for today.
        self.newest_at = max(self.newest_at or tables.EPOCH, signal.time if inside else tables.EPOCH)
        self.rows.append(
            {
                "seq": seq,
                "source": signal.source,
                "id": signal.id,
                "type": signal.type,
                "at": signal.time,
                "received_at": signal.received_at,
                "newest_at": self.newest_at,
                "trust": signal.trust,
                "raw": _text(signal),
            }
        )


class Signals:
    """Every accepted signal, by `seq`, which grows by one with each arrival."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._catalogue = Catalogue()

    def add(self, signals: Sequence[Signal]) -> Added:
        """Stores a batch with its points and entities in one durable transaction, in the given order.

        The same (source, id) with the same content is a duplicate; with other content it is rejected.
        """
        if not signals:
            return Added(0, 0)
        with self._database.write() as connection:
            seq, newest_at = _latest(connection)
            batch = _Batch(seq, newest_at, self._catalogue.draft(connection))
            self._gather(connection, signals, batch)
            if batch.rows:
                connection.execute(insert(tables.signals), batch.rows)
                insert_points(connection, batch.draft, batch.points)
                upsert_entities(connection, batch.declared)
                insert_implied(connection, batch.implied)
                remember_signals(connection, batch.worded)
            if batch.outside:
                mark_outside(connection)
        self._catalogue.keep(batch.draft)
        return Added(len(batch.rows), batch.duplicate, tuple(batch.rejected))

    def _gather(self, connection: Connection, signals: Sequence[Signal], batch: _Batch) -> None:
        known = _known(connection, signals)
        for signal in signals:
            name = (signal.source, signal.id)
            earlier = known.get(name)
            try:
                if earlier is None:
                    batch.take(signal)
                    known[name] = batch.rows[-1]["raw"]
                else:
                    _refuse_contradiction(signal, earlier)
                    batch.duplicate += 1
            except InputError as error:
                batch.rejected.append(Rejected(signal.id, error.detail))

    def get(self, source: str, id: str) -> Signal:  # noqa: A002 — the CloudEvents attribute
        """Raises NotFound."""
        query = select(tables.signals).where(tables.signals.c.source == source, tables.signals.c.id == id)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise NotFound(f"No signal {id!r} of source {source!r} is stored. Check both names.")
        return signal_of(row)

    def page(self, type_: str | None = None, limit: int = 50, cursor: str | None = None) -> Page[Signal]:
        """Oldest arrival first."""
        query = select(tables.signals)
        if type_ is not None:
            query = query.where(tables.signals.c.type == type_)
        column = tables.signals.c.seq
        with self._database.read() as connection:
            return fetch_page(connection, query, column, Slice(limit, cursor), signal_of, newest_first=False)

    def latest_seq(self) -> int:
        """Position of the newest signal; 0 in an empty store."""
        with self._database.read() as connection:
            return _latest(connection)[0]

    def count(self) -> int:
        """Number of signals: positions have no gaps."""
        return self.latest_seq()


def _text(signal: Signal) -> str:
    return to_json(signal.raw, fallback=str).decode()


def _content(raw: Mapping[str, Any]) -> tuple[object, ...]:
    """What happened, without when we heard of it: the parts of `Signal.content_hash`."""
    return raw.get("type"), raw.get("time"), raw.get("data")


def _refuse_contradiction(signal: Signal, earlier: str) -> None:
    # As JSON on both sides: a sender in this process may hold decimals and times where the store holds text.
    if _content(json.loads(earlier)) != _content(json.loads(_text(signal))):
        raise InputError(
            f"`id` {signal.id!r} of source {signal.source!r} is stored with other content. "
            "Send a correction under a new id."
        )


def _latest(connection: Connection) -> tuple[int, datetime | None]:
    table = tables.signals
    newest = select(func.max(table.c.seq)).scalar_subquery()
    row = connection.execute(select(table.c.seq, table.c.newest_at).where(table.c.seq == newest)).first()
    return (row.seq, row.newest_at) if row else (0, None)


def _known(connection: Connection, signals: Sequence[Signal]) -> dict[tuple[str, str], str]:
    """Raw events of the stored signals that share (source, id) with one of `signals`."""
    ids: dict[str, list[str]] = {}
    for signal in signals:
        ids.setdefault(signal.source, []).append(signal.id)
    table, known = tables.signals, dict[tuple[str, str], str]()
    for source, wanted in ids.items():
        for start in range(0, len(wanted), _IDS_PER_QUERY):
            part = wanted[start : start + _IDS_PER_QUERY]
            query = select(table.c.id, table.c.raw).where(table.c.source == source, table.c.id.in_(part))
            known.update({(source, row.id): row.raw for row in connection.execute(query)})
    return known


def signal_of(row: AnyRow) -> Signal:
    """A stored row as the signal it was."""
    return parse_event(json.loads(row.raw), received_at=row.received_at, trust=row.trust)
