"""An ads tool in a file of its own: it logs every raw call, and keeps a ledger of what it changed, by key.

Any number of processes may call it at once. It goes wrong by the name of what it is asked to change.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.contract import Connector, Diff
from connectors.manifest import Manifest
from domain.actions import ActionKind, ActionSpec, Receipt
from domain.errors import Conflict, TerminalError, TransientError
from memory.crash import reached

KIND = ActionKind.BUDGET_SET.value
ACTED = "tool.acted"
"""A place to die that is the tool's: it acted, and nobody knows yet."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS state (entity TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS calls (seq INTEGER PRIMARY KEY, key TEXT NOT NULL, entity TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS ledger (
    seq INTEGER PRIMARY KEY, key TEXT NOT NULL, entity TEXT NOT NULL, before INTEGER NOT NULL, after INTEGER NOT NULL
);
"""


class LedgerTool:
    """`native` tools recognise a repeated key; others act again."""

    def __init__(self, path: Path, *, native: bool = True, hold: Callable[[], None] | None = None) -> None:
        """`hold` is waited for while a call is under way."""
        self._path, self.native, self._hold = path, native, hold
        with self._open() as db:
            db.executescript(_SCHEMA)

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        db = sqlite3.connect(self._path, isolation_level=None, timeout=30)
        try:
            db.execute("PRAGMA journal_mode=WAL")
            yield db
        finally:
            db.close()

    def set(self, entity: str, value: int) -> None:
        """Somebody sets it by hand."""
        with self._open() as db:
            db.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (entity, value))

    def show(self, entity: str) -> int | None:
        with self._open() as db:
            row = db.execute("SELECT value FROM state WHERE entity = ?", (entity,)).fetchone()
        return row[0] if row else None

    def connector(self) -> Connector:
        idempotency = "native" if self.native else "none"
        manifest = Manifest(name="ledger", owner="tests", kinds=(KIND,), undo=(KIND,), idempotency=idempotency)
        return Connector("ads", manifest, None, self)

    def preview(self, action: ActionSpec) -> Diff:
        before = self.show(str(action.entity))
        return Diff(action.kind, action.entity, before, action.value, action.currency, before != action.expect)

    def read_back(self, action: ActionSpec) -> dict[str, Any]:
        value = self.show(str(action.entity))
        return {} if value is None else {KIND: value, "currency": "EUR"}

    def apply(self, action: ActionSpec, idempotency_key: str) -> Receipt:
        entity = str(action.entity)
        with self._open() as db:
            db.execute("INSERT INTO calls (key, entity) VALUES (?, ?)", (idempotency_key, entity))
            calls = db.execute("SELECT count(*) FROM calls WHERE entity = ?", (entity,)).fetchone()[0]
            if self._hold is not None:
                self._hold()
            if calls == 1 and entity.endswith("-busy"):
                raise TransientError("429: too many requests. Wait as told.")
            if entity.endswith("-shut"):
                raise TerminalError("403: the account is closed. Open it.")
            if calls == 1 and entity.endswith("-mute"):
                raise TransientError("No answer in time.", outcome="unknown")
            self._act(db, action, entity, idempotency_key)
        reached(ACTED)
        if calls == 1 and entity.endswith("-slow"):
            raise TransientError("No answer in time.", outcome="unknown")
        return Receipt(idempotency_key=idempotency_key, at=datetime.now(UTC), vendor_id=f"ledger:{idempotency_key}")

    def _act(self, db: sqlite3.Connection, action: ActionSpec, entity: str, key: str) -> None:
        db.execute("BEGIN IMMEDIATE")
        try:
            done = db.execute("SELECT 1 FROM ledger WHERE key = ?", (key,)).fetchone()
            if done and self.native:
                return
            before = db.execute("SELECT value FROM state WHERE entity = ?", (entity,)).fetchone()[0]
            if action.expect is not None and before != action.expect:
                raise Conflict(f"{entity} is {before!r}, not {action.expect!r}.", state={KIND: before})
            db.execute(
                "INSERT INTO ledger (key, entity, before, after) VALUES (?, ?, ?, ?)",
                (key, entity, before, action.value),
            )
            db.execute("UPDATE state SET value = ? WHERE entity = ?", (action.value, entity))
        finally:
            db.execute("COMMIT")


def dumped(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Everything that the tool's file holds."""
    db = sqlite3.connect(path)
    db.row_factory = sqlite3.Row
    found = {name: [dict(row) for row in db.execute(f"SELECT * FROM {name}")] for name in ("state", "calls", "ledger")}  # noqa: S608 — constants
    db.close()
    return json.loads(json.dumps(found))
