"""People the store knows of, beside those of the configuration."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from domain.decisions import Person
from memory import tables
from memory.database import Database


class People:
    """Persons by id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, person: Person) -> None:
        """Adds `person` or replaces the one of the same id."""
        with self._database.write() as connection:
            connection.execute(delete(tables.people).where(tables.people.c.id == person.id))
            connection.execute(insert(tables.people), {"id": person.id, "body": person.model_dump_json()})

    def get(self, id: str) -> Person | None:  # noqa: A002 — our word for it
        with self._database.read() as connection:
            body = connection.execute(select(tables.people.c.body).where(tables.people.c.id == id)).scalar()
        return None if body is None else Person.model_validate_json(body)

    def all(self) -> list[Person]:
        """Sorted by id."""
        with self._database.read() as connection:
            bodies = connection.execute(select(tables.people.c.body).order_by(tables.people.c.id)).scalars().all()
        return [Person.model_validate_json(body) for body in bodies]
