"""The declared entities as a tree, parsed once for all views: entities change rarely and are asked for always."""

from __future__ import annotations

import threading

from sqlalchemy import func, select

from domain.entities import Entity, EntityTree
from memory import tables
from memory.database import Database


class Entities:
    """Holds the tree of the newest declaration. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._alone = threading.Lock()
        self._known: tuple[tuple[int, int], EntityTree] = ((0, 0), EntityTree(()))

    def tree(self) -> EntityTree:
        """Every entity declared so far."""
        table = tables.entities.c
        with self._alone, self._database.read() as connection:
            newest = connection.execute(select(func.count(), func.coalesce(func.max(table.seq), 0))).one()
            stamp = (int(newest[0]), int(newest[1]))
            if stamp != self._known[0]:
                bodies = connection.execute(select(table.body).order_by(table.id)).scalars().all()
                self._known = stamp, EntityTree(Entity.model_validate_json(body) for body in bodies)
            return self._known[1]
