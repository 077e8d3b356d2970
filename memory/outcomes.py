"""Outcomes and lessons in the store: each action is measured once."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert, select, update

from domain.audit import Fact
from domain.errors import NotFound
from domain.outcomes import Lesson, Outcome
from memory import tables
from memory.actions import get_action
from memory.audit import record
from memory.database import Database
from memory.page import AnyRow, Page, Slice, fetch_page


def _outcome(row: AnyRow) -> Outcome:
    return Outcome.model_validate_json(row.body)


def _lesson(row: AnyRow) -> Lesson:
    return Lesson.model_validate_json(row.body)


class Outcomes:
    """What was measured, and what was learnt from it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, outcome: Outcome, lesson: Lesson | None = None, *, facts: Sequence[Fact] = ()) -> bool:
        """Writes both and names the outcome in its action, which is then closed.

        False when the action was measured already, or the outcome was written for another action of its proposal.

        Raises NotFound for an unknown action.
        """
        with self._database.write("outcome") as connection:
            action = get_action(connection, outcome.action)
            known = select(tables.outcomes.c.n).where(tables.outcomes.c.id == outcome.id)
            if action.outcome is not None or connection.execute(known).first() is not None:
                return False
            measured = action.model_copy(update={"outcome": outcome.id})
            change = update(tables.actions).where(tables.actions.c.id == action.id, tables.actions.c.outcome.is_(None))
            values = {"outcome": outcome.id, "due_at": None, "body": measured.model_dump_json()}
            connection.execute(change, values)
            row = {"id": outcome.id, "action": outcome.action, "proposal": outcome.proposal}
            connection.execute(insert(tables.outcomes), {**row, "body": outcome.model_dump_json()})
            if lesson is not None:
                row = {"id": lesson.id, "about": lesson.about, "body": lesson.model_dump_json()}
                connection.execute(insert(tables.lessons), row)
            record(connection, facts, self._database.audit_key)
            return True

    def get(self, id: str) -> Outcome:  # noqa: A002 — our word for it
        """Raises NotFound."""
        with self._database.read() as connection:
            row = connection.execute(select(tables.outcomes.c.body).where(tables.outcomes.c.id == id)).first()
        if row is None:
            raise NotFound(f"There is no outcome {id!r}. See `outcomes` for the measured ones.")
        return _outcome(row)

    def page(self, proposal: str | None = None, limit: int = 50, cursor: str | None = None) -> Page[Outcome]:
        """Newest first."""
        query = select(tables.outcomes.c.body)
        if proposal is not None:
            query = query.where(tables.outcomes.c.proposal == proposal)
        with self._database.read() as connection:
            return fetch_page(connection, query, tables.outcomes.c.n, Slice(limit, cursor), _outcome)

    def lessons(self) -> dict[str, Lesson]:
        """The newest lesson by what it is about."""
        query = select(tables.lessons.c.body).order_by(tables.lessons.c.n)
        with self._database.read() as connection:
            found = [_lesson(row) for row in connection.execute(query)]
        newest = {lesson.about: lesson for lesson in found}
        return {about: newest[about] for about in sorted(newest)}

    def lesson_page(self, limit: int = 50, cursor: str | None = None) -> Page[Lesson]:
        """Newest first."""
        query = select(tables.lessons.c.body)
        with self._database.read() as connection:
            return fetch_page(connection, query, tables.lessons.c.n, Slice(limit, cursor), _lesson)
