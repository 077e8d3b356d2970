"""Flags: small named JSON values, such as the read-only switch and the cursors of sources."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, insert, select

from domain.audit import Fact
from memory import tables
from memory.audit import record
from memory.database import Database


class Flags:
    """JSON values by name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str, default: Any = None) -> Any:
        with self._database.read() as connection:
            text = connection.execute(select(tables.flags.c.value).where(tables.flags.c.name == name)).scalar()
        return default if text is None else json.loads(text)

    def under(self, prefix: str) -> dict[str, Any]:
        """Every value whose name starts with `prefix`, by name."""
        named = tables.flags.c.name.startswith(prefix, autoescape=True)
        with self._database.read() as connection:
            rows = connection.execute(select(tables.flags).where(named).order_by(tables.flags.c.name)).all()
        return {row.name: json.loads(row.value) for row in rows}

    def set(self, name: str, value: object, facts: Sequence[Fact] = ()) -> None:
        """`value` is anything JSON can hold."""
        text = json.dumps(value, ensure_ascii=False)
        with self._database.write() as connection:
            connection.execute(delete(tables.flags).where(tables.flags.c.name == name))
            connection.execute(insert(tables.flags), {"name": name, "value": text})
            record(connection, facts, self._database.audit_key)
