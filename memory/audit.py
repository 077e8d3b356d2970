"""The audit in the store: facts are appended inside the transaction of what they speak of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, func, insert, select

from domain.audit import GENESIS, AuditCheck, AuditRow, Fact, check_chain, link
from memory import tables
from memory.database import Database
from memory.page import AnyRow, Page, Slice, fetch_page

_BATCH = 2000


def record(connection: Connection, facts: Iterable[Fact], key: bytes) -> None:
    """Appends `facts` to the chain; `connection` must come from `Database.write`."""
    head = _last(connection)
    seq, previous = (head.seq, head.hash) if head else (0, GENESIS)
    rows: list[dict[str, Any]] = []
    for fact in facts:
        # What is signed is what a reader gets back from the JSON, also where it holds tuples or decimals.
        stored = Fact.model_validate_json(fact.model_dump_json())
        seq, before = seq + 1, previous
        previous = link(before, stored, seq, key)
        body = json.dumps(stored.model_dump(mode="json"), ensure_ascii=False)
        rows.append({"seq": seq, "subject": stored.subject, "fact": body, "previous": before, "hash": previous})
    if rows:
        connection.execute(insert(tables.audit), rows)


def _last(connection: Connection) -> AnyRow | None:
    query = select(tables.audit.c.seq, tables.audit.c.hash).order_by(tables.audit.c.seq.desc()).limit(1)
    return connection.execute(query).first()


def _row(row: AnyRow) -> AuditRow:
    return AuditRow(**json.loads(row.fact), seq=row.seq, previous=row.previous, hash=row.hash)


class Audit:
    """The chain of facts, oldest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, fact: Fact) -> None:
        """One fact that belongs to no other write."""
        with self._database.write() as connection:
            record(connection, [fact], self._database.audit_key)

    def page(self, limit: int = 50, cursor: str | None = None, subject: str | None = None) -> Page[AuditRow]:
        query = select(tables.audit)
        if subject is not None:
            query = query.where(tables.audit.c.subject == subject)
        with self._database.read() as connection:
            return fetch_page(connection, query, tables.audit.c.seq, Slice(limit, cursor), _row, newest_first=False)

    def head(self) -> str:
        """Hash of the last row; keep it elsewhere to see later whether the tail was cut."""
        with self._database.read() as connection:
            last = _last(connection)
            return last.hash if last else GENESIS

    def rows(self) -> Iterator[AuditRow]:
        """Every row in order, read in batches, as many as there were at the start."""
        with self._database.read() as connection:
            end = connection.execute(select(func.max(tables.audit.c.seq))).scalar() or 0
        start = 0
        while start < end:
            query = select(tables.audit).where(tables.audit.c.seq > start, tables.audit.c.seq <= end)
            with self._database.read() as connection:
                batch = connection.execute(query.order_by(tables.audit.c.seq).limit(_BATCH)).all()
            if not batch:
                return
            yield from map(_row, batch)
            start = batch[-1].seq

    def verify(self, head: str | None = None) -> AuditCheck:
        """Walks the whole chain with the store's key; `head` additionally shows a cut tail."""
        return check_chain(self.rows(), self._database.audit_key, head)
