"""Delegations in the store: who answers for whom, and until when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select, update

from domain.audit import Fact
from domain.delegations import Delegation
from domain.errors import NotFound
from memory import tables
from memory.audit import record
from memory.database import Database
from memory.page import AnyRow, Page, Slice, fetch_page

_TABLE = tables.delegations.c


def _delegation(row: AnyRow) -> Delegation:
    return Delegation.model_validate_json(row.body)


class Delegations:
    """They end by themselves; `end` takes one back earlier."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, delegation: Delegation, facts: Sequence[Fact] = ()) -> bool:
        """False when the same absence was told before; one that was taken back is set up anew."""
        with self._database.write() as connection:
            row = connection.execute(select(_TABLE.body).where(_TABLE.id == delegation.id)).first()
            if row is not None and _delegation(row).ended_at is None:
                return False
            values = {"until": delegation.until, "body": delegation.model_dump_json()}
            if row is None:
                connection.execute(
                    insert(tables.delegations), {"id": delegation.id, "person": delegation.person, **values}
                )
            else:
                connection.execute(update(tables.delegations).where(_TABLE.id == delegation.id), values)
            record(connection, facts, self._database.audit_key)
            return True

    def end(self, id: str, at: datetime, facts: Sequence[Fact] = ()) -> Delegation:  # noqa: A002 — our word for it
        """Takes one back; a second time changes nothing. Raises NotFound."""
        with self._database.write() as connection:
            row = connection.execute(select(_TABLE.body).where(_TABLE.id == id)).first()
            if row is None:
                raise NotFound(f"There is no delegation {id!r}. See `people/…/delegations` for the known ones.")
            known = _delegation(row)
            if known.ended_at is not None:
                return known
            ended = known.model_copy(update={"ended_at": at})
            connection.execute(update(tables.delegations).where(_TABLE.id == id), {"body": ended.model_dump_json()})
            record(connection, facts, self._database.audit_key)
            return ended

    def get(self, id: str) -> Delegation:  # noqa: A002 — our word for it
        """Raises NotFound."""
        with self._database.read() as connection:
            row = connection.execute(select(_TABLE.body).where(_TABLE.id == id)).first()
        if row is None:
            raise NotFound(f"There is no delegation {id!r}. See `people/…/delegations` for the known ones.")
        return _delegation(row)

    def in_force(self, now: datetime) -> list[Delegation]:
        """Those by which somebody may answer for somebody at `now`, oldest first."""
        query = select(_TABLE.body).where(_TABLE.until > now).order_by(_TABLE.n)
        with self._database.read() as connection:
            found = [_delegation(row) for row in connection.execute(query)]
        return [each for each in found if each.in_force(now)]

    def page(self, person: str | None = None, limit: int = 50, cursor: str | None = None) -> Page[Delegation]:
        """Newest first; `person` is who is away."""
        query = select(_TABLE.body)
        if person is not None:
            query = query.where(_TABLE.person == person)
        with self._database.read() as connection:
            return fetch_page(connection, query, _TABLE.n, Slice(limit, cursor), _delegation)
