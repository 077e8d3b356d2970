"""Decisions in the store: appended by `Proposals.decide`, read here."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, insert, select

from domain.decisions import Decision
from memory import tables
from memory.database import Database
from memory.page import AnyRow, Page, Slice, fetch_page

_TABLE = tables.decisions.c


def insert_decision(connection: Connection, decision: Decision) -> None:
    """The same decision again changes nothing."""
    if connection.execute(select(_TABLE.n).where(_TABLE.id == decision.id)).first() is not None:
        return
    values = {"id": decision.id, "proposal": decision.proposal, "body": decision.model_dump_json()}
    connection.execute(insert(tables.decisions), values)


def decisions_of(connection: Connection, proposals: Iterable[str]) -> dict[str, tuple[Decision, ...]]:
    """Decisions by proposal, oldest first."""
    query = select(_TABLE.proposal, _TABLE.body).where(_TABLE.proposal.in_(list(proposals))).order_by(_TABLE.n)
    found: dict[str, tuple[Decision, ...]] = {}
    for row in connection.execute(query):
        found[row.proposal] = (*found.get(row.proposal, ()), _decision(row))
    return found


def _decision(row: AnyRow) -> Decision:
    return Decision.model_validate_json(row.body)


class Decisions:
    """Every recorded answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, proposal: str | None = None, limit: int = 50, cursor: str | None = None) -> Page[Decision]:
        """Newest first."""
        query = select(_TABLE.body)
        if proposal is not None:
            query = query.where(_TABLE.proposal == proposal)
        with self._database.read() as connection:
            return fetch_page(connection, query, _TABLE.n, Slice(limit, cursor), _decision)
