"""Which worker processes are alive: each says so every few seconds, and says when it ends."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import delete, insert, select

from memory import tables
from memory.database import Database

_PREFIX = "worker:"
_TABLE = tables.flags.c


class Workers:
    """Heartbeats by the name of the worker, in the table of flags."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def beat(self, worker: str, at: datetime) -> None:
        """The worker is alive."""
        value = json.dumps(at.isoformat())
        with self._database.write() as connection:
            connection.execute(delete(tables.flags).where(_TABLE.name == _PREFIX + worker))
            connection.execute(insert(tables.flags), {"name": _PREFIX + worker, "value": value})

    def leave(self, worker: str) -> None:
        """The worker ends, and carries nothing any more."""
        with self._database.write() as connection:
            connection.execute(delete(tables.flags).where(_TABLE.name == _PREFIX + worker))

    def alive(self, since: datetime) -> set[str]:
        """Workers that were heard of since then; those that were not are forgotten by `leave`."""
        with self._database.read() as connection:
            rows = connection.execute(
                select(_TABLE.name, _TABLE.value).where(_TABLE.name.startswith(_PREFIX, autoescape=True))
            ).all()
        return {
            row.name.removeprefix(_PREFIX) for row in rows if datetime.fromisoformat(json.loads(row.value)) >= since
        }
