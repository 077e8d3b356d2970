"""The outbox: what is to be told to people, kept until it was. A sender claims a row for a while, then settles it.

A sender killed between the receiver's yes and `settle` sends once more after its claim has run out: at least once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from domain.audit import Fact
from domain.notices import Notice
from memory import tables
from memory.audit import record
from memory.database import Database
from memory.page import AnyRow, Page, Slice, fetch_page

_TABLE = tables.outbox.c
_AT_ONCE = 1000
"""Ids in one query; databases bound them."""


def _notice(row: AnyRow) -> Notice:
    return Notice.model_validate_json(row.body)


def _columns(notice: Notice) -> dict[str, object]:
    return {"status": notice.status, "due_at": notice.due_at, "body": notice.model_dump_json()}


class Outbox:
    """Notices by id; a known id is never queued again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def queue(self, notices: Iterable[Notice], fact: Callable[[Notice], Fact]) -> list[Notice]:
        """Adds those that are not known, each with its fact; returns them."""
        with self._database.read() as connection:
            new = _unknown(connection, list(notices))
        if not new:
            return []
        with self._database.write("notice.queued") as connection:
            added = _unknown(connection, new)
            for each in added:
                connection.execute(insert(tables.outbox), {"id": each.id, "proposal": each.proposal, **_columns(each)})
            record(connection, map(fact, added), self._database.audit_key)
            return added

    def claim(self, now: datetime, until: datetime, limit: int = 20) -> list[Notice]:
        """Waiting notices that are due, the oldest first; nobody else is given them before `until`."""
        query = select(_TABLE.body).where(_TABLE.status == "waiting", _TABLE.due_at <= now)
        with self._database.read() as connection:
            if connection.execute(query.limit(1)).first() is None:
                return []
        with self._database.write("notice.claimed") as connection:
            rows = connection.execute(query.order_by(_TABLE.due_at, _TABLE.n).limit(limit)).all()
            claimed = [
                known.model_copy(update={"attempts": known.attempts + 1, "due_at": until})
                for known in map(_notice, rows)
            ]
            for each in claimed:
                connection.execute(update(tables.outbox).where(_TABLE.id == each.id), _columns(each))
            return claimed

    def settle(self, notice: Notice, facts: Sequence[Fact] = ()) -> None:
        """Keeps what became of `notice`."""
        with self._database.write("notice.settled") as connection:
            connection.execute(update(tables.outbox).where(_TABLE.id == notice.id), _columns(notice))
            record(connection, facts, self._database.audit_key)

    def open_cards(self) -> list[Notice]:
        """Cards that were sent and may still change, oldest first."""
        query = select(_TABLE.body).where(_TABLE.status == "open").order_by(_TABLE.n)
        with self._database.read() as connection:
            return [_notice(row) for row in connection.execute(query)]

    def page(
        self, status: str | None = None, proposal: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Notice]:
        """Newest first."""
        query = select(_TABLE.body)
        for column, value in ((_TABLE.status, status), (_TABLE.proposal, proposal)):
            if value is not None:
                query = query.where(column == value)
        with self._database.read() as connection:
            return fetch_page(connection, query, _TABLE.n, Slice(limit, cursor), _notice)


def _unknown(connection: Connection, notices: Sequence[Notice]) -> list[Notice]:
    """Those that are not queued yet, each once."""
    by_id = {notice.id: notice for notice in notices}
    ids, known = list(by_id), set[str]()
    for start in range(0, len(ids), _AT_ONCE):
        query = select(_TABLE.id).where(_TABLE.id.in_(ids[start : start + _AT_ONCE]))
        known.update(connection.execute(query).scalars())
    return [notice for id_, notice in by_id.items() if id_ not in known]
