"""Situations in the store, and what was last found about each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from domain.errors import NotFound
from domain.ids import digest
from domain.situations import Finding, Situation
from memory import tables
from memory.database import Database
from memory.page import AnyRow, Page, Slice, fetch_page
from memory.remember import remember_situations


def finding_digest(finding: Finding) -> str:
    """Digest of what was found, without when it was last seen: equal digests have nothing new to tell."""
    fields = set(Finding.model_fields) - {"seen"}
    return digest(finding.model_dump(mode="json", include=fields))


def upsert_situations(connection: Connection, situations: Sequence[Situation]) -> None:
    """Adds new ones and updates open ones; a closed situation stays as it was closed."""
    for situation in situations:
        values = {"kind": situation.kind, "status": situation.status, "body": situation.model_dump_json()}
        known = select(tables.situations.c.status).where(tables.situations.c.id == situation.id)
        status = connection.execute(known).scalar()
        if status is None:
            connection.execute(insert(tables.situations), {"id": situation.id, **values})
        elif status == "open":
            connection.execute(update(tables.situations).where(tables.situations.c.id == situation.id), values)
    remember_situations(connection, situations)


def note_findings(connection: Connection, findings: Sequence[Finding]) -> None:
    """Remembers the digest of each finding under its key."""
    if not findings:
        return
    make = sqlite_insert if connection.dialect.name == "sqlite" else postgres_insert
    statement = make(tables.findings)
    statement = statement.on_conflict_do_update(index_elements=["key"], set_={"digest": statement.excluded.digest})
    newest = {finding.key: finding_digest(finding) for finding in findings}
    connection.execute(statement, [{"key": key, "digest": value} for key, value in newest.items()])


def _situation(row: AnyRow) -> Situation:
    return Situation.model_validate_json(row.body)


class Situations:
    """Written by rounds; closed here."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, id: str) -> Situation:  # noqa: A002 — our word for it
        """Raises NotFound."""
        with self._database.read() as connection:
            return _get(connection, id)

    def page(
        self, status: str | None = None, kind: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Situation]:
        """Newest first."""
        query = select(tables.situations.c.body)
        if status is not None:
            query = query.where(tables.situations.c.status == status)
        if kind is not None:
            query = query.where(tables.situations.c.kind == kind)
        with self._database.read() as connection:
            return fetch_page(connection, query, tables.situations.c.n, Slice(limit, cursor), _situation)

    def open(self) -> list[Situation]:
        """Every open situation, oldest first."""
        query = select(tables.situations.c.body).where(tables.situations.c.status == "open")
        with self._database.read() as connection:
            return [_situation(row) for row in connection.execute(query.order_by(tables.situations.c.n))]

    def digests(self) -> Mapping[str, str]:
        """`finding_digest` of the newest finding by key, as of the last committed round."""
        with self._database.read() as connection:
            rows = connection.execute(select(tables.findings).order_by(tables.findings.c.key)).all()
        return {row.key: row.digest for row in rows}

    def close(self, id: str, at: datetime) -> None:  # noqa: A002 — our word for it
        """Raises NotFound. Closing a closed one changes nothing."""
        with self._database.write() as connection:
            situation = _get(connection, id)
            if situation.status == "closed":
                return
            closed = situation.model_copy(update={"status": "closed", "updated_at": at})
            values = {"status": "closed", "body": closed.model_dump_json()}
            connection.execute(update(tables.situations).where(tables.situations.c.id == id), values)


def _get(connection: Connection, situation: str) -> Situation:
    row = connection.execute(select(tables.situations.c.body).where(tables.situations.c.id == situation)).first()
    if row is None:
        raise NotFound(f"There is no situation {situation!r}. See `situations` for the known ones.")
    return _situation(row)
