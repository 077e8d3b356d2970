"""Payloads of signals, parsed once for all views: a round reads every deal and engagement, and few of them are new."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from domain.ports import Told
from domain.signals import SignalData
from memory import tables
from memory.database import Database
from memory.page import AnyRow

MAX_KEPT = 50_000
"""Payloads of one type kept in memory (some 50 MB); a longer list is read from the database each time."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A payload with its place in the order of arrival and its sender."""

    seq: int
    source: str
    told: Told[Any]


@dataclass(slots=True)
class _Kept:
    seq: int = 0
    heard: list[Heard] = field(default_factory=list[Heard])


class Payloads:
    """Typed payloads in order of event time, then arrival. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: dict[str, _Kept] = {}
        self._alone = threading.Lock()

    def read(self, type_: str, model: type[SignalData], seq: int) -> Sequence[Heard]:
        """Every payload of `type_` that had arrived at position `seq`."""
        with self._alone:
            kept = self._kept.setdefault(type_, _Kept())
            if kept.seq < seq:
                kept.heard = sorted(
                    (*kept.heard, *self._arrived(type_, model, kept.seq, seq)),
                    key=lambda heard: (heard.told.at, heard.seq),
                )
                kept.seq = seq
            heard = kept.heard
            if len(heard) > MAX_KEPT:
                del self._kept[type_]
        return [each for each in heard if each.seq <= seq]

    def _arrived(self, type_: str, model: type[SignalData], after: int, seq: int) -> list[Heard]:
        rows = told_rows(self._database, type_, after=after, seq=seq)
        return [Heard(row.seq, row.source, told(row, model.model_validate(payload(row)))) for row in rows]


def told_rows(
    database: Database,
    type_: str,
    *,
    after: int = 0,
    seq: int,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Sequence[AnyRow]:
    """Signals of one type at positions `after` < … ≤ `seq`, in order of event time, then arrival."""
    table = tables.signals.c
    query = select(table.seq, table.source, table.id, table.at, table.trust, table.raw)
    query = query.where(table.type == type_, table.seq > after, table.seq <= seq).order_by(table.at, table.seq)
    if type_ != tables.POINT_TYPE:
        query = query.where(tables.TOLD)
    if since is not None:
        query = query.where(table.at >= since)
    if until is not None:
        query = query.where(table.at <= until)
    with database.read() as connection:
        return connection.execute(query).all()


def payload(row: AnyRow) -> dict[str, Any]:
    return json.loads(row.raw).get("data") or {}


def told(row: AnyRow, data: Any) -> Told[Any]:
    return Told(row.at, f"signal:{row.source}#{row.id}", row.trust, data)
