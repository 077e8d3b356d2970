"""Everything the store knows as lines of JSON, one file a noun; secrets and vectors stay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Table, select

from memory import tables
from memory.database import Database
from memory.store import Store

_BATCH = 2000
_BODIES = (
    "situations", "proposals", "decisions", "questions", "delegations", "outbox", "actions", "effects", "outcomes",
    "lessons", "people", "calls",
)  # fmt: skip
_COLUMNS: dict[str, tuple[str, ...]] = {
    "signals": ("seq", "source", "id", "type", "at", "received_at", "trust", "raw"),
    "entities": ("id", "at", "body"),
    "rounds": ("id", "at", "signal_seq"),
    "audit": ("seq", "fact", "previous", "hash"),
    "clear_texts": ("seq", "path", "salt", "value"),
    "keys": ("id", "name", "person", "scopes", "created_at", "revoked_at"),
    "flags": ("name", "value"),
    "recalled": ("collection", "id", "origin", "trust", "at", "text"),
    **dict.fromkeys(_BODIES, ("body",)),
}
_JSON = {"raw", "body", "fact", "scopes", "value"}
"""Columns that hold JSON."""


def export(store: Store, folder: Path) -> dict[str, int]:
    """Writes `<noun>.jsonl` for each noun into `folder`; returns the number of lines by noun.

    `signals.jsonl` holds each CloudEvent under `raw`. Rows that arrive meanwhile may be missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    counts: dict[str, int] = {}
    for name in sorted(_COLUMNS):
        with (folder / f"{name}.jsonl").open("w", encoding="utf-8") as file:
            counts[name] = 0
            for line in _lines(store.database, tables.metadata.tables[name], _COLUMNS[name]):
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
                counts[name] += 1
    return counts


def _lines(database: Database, table: Table, columns: tuple[str, ...]) -> Iterator[Any]:
    """Rows in order of their key, read in batches so that memory stays bounded."""
    key = next(iter(table.primary_key.columns))
    query = select(key.label("position"), *(table.c[name] for name in columns)).order_by(key).limit(_BATCH)
    batch = query
    while True:
        with database.read() as connection:
            rows = connection.execute(batch).all()
        for row in rows:
            values = {name: _plain(name, value) for name, value in zip(columns, row[1:], strict=True)}
            yield values["body"] if columns == ("body",) else values
        if len(rows) < _BATCH:
            return
        batch = query.where(key > rows[-1].position)


def _plain(name: str, value: object) -> object:
    if name in _JSON:
        return json.loads(str(value))
    return value.isoformat() if isinstance(value, datetime) else value
