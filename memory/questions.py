"""Threads of questions and answers in the store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select

from domain.audit import Fact
from domain.questions import Question
from memory import tables
from memory.audit import record
from memory.database import Database
from memory.page import AnyRow, Page, Slice, fetch_page
from memory.proposals import extend

_TABLE = tables.questions.c


def _question(row: AnyRow) -> Question:
    return Question.model_validate_json(row.body)


class Questions:
    """Appended here, never changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, question: Question, *, until: datetime | None = None, facts: Sequence[Fact] = ()) -> bool:
        """Appends `question`; False when it was said already. `until` moves its pending proposal's expiry, once."""
        with self._database.write() as connection:
            if connection.execute(select(_TABLE.n).where(_TABLE.id == question.id)).first() is not None:
                return False
            values = {"id": question.id, "proposal": question.proposal, "body": question.model_dump_json()}
            connection.execute(insert(tables.questions), values)
            if until is not None:
                extend(connection, question.proposal, until)
            record(connection, facts, self._database.audit_key)
            return True

    def find(self, id: str) -> Question | None:  # noqa: A002 — our word for it
        with self._database.read() as connection:
            row = connection.execute(select(_TABLE.body).where(_TABLE.id == id)).first()
        return None if row is None else _question(row)

    def of(self, proposal: str) -> list[Question]:
        """The thread of a proposal, oldest first."""
        query = select(_TABLE.body).where(_TABLE.proposal == proposal).order_by(_TABLE.n)
        with self._database.read() as connection:
            return [_question(row) for row in connection.execute(query)]

    def page(self, proposal: str | None = None, limit: int = 50, cursor: str | None = None) -> Page[Question]:
        """Newest first."""
        query = select(_TABLE.body)
        if proposal is not None:
            query = query.where(_TABLE.proposal == proposal)
        with self._database.read() as connection:
            return fetch_page(connection, query, _TABLE.n, Slice(limit, cursor), _question)
