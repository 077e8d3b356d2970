"""Vectors by content: a text that was embedded once is never embedded again."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sqlalchemy import Connection, delete, insert, select

from memory import tables
from memory.database import Database
from memory.embedder import Embedder, Vector


def embed(database: Database, embedder: Embedder, texts: Mapping[str, str]) -> dict[str, Vector]:
    """Vectors of `texts` (content hash → text); the missing ones are computed and kept."""
    table = tables.vectors
    query = select(table.c.hash, table.c.vector).where(table.c.model == embedder.model, table.c.hash.in_(list(texts)))
    with database.read() as connection:
        found = {row.hash: np.frombuffer(row.vector, dtype=np.float32) for row in connection.execute(query)}
    missing = [name for name in texts if name not in found]
    if not missing:
        return found
    made = dict(zip(missing, embedder.passages([texts[name] for name in missing]), strict=True))
    rows = [{"hash": name, "model": embedder.model, "vector": made[name].tobytes()} for name in missing]
    with database.write() as connection:
        known = set(connection.execute(query.with_only_columns(table.c.hash)).scalars())
        fresh = [row for row in rows if row["hash"] not in known]
        if fresh:
            connection.execute(insert(table), fresh)
    return {**found, **made}


def drop_orphans(connection: Connection) -> None:
    """Forgets vectors whose text is no longer remembered: they could tell of it."""
    kept = select(tables.recalled.c.hash)
    connection.execute(delete(tables.vectors).where(tables.vectors.c.hash.not_in(kept)))
