"""The file behind a durable world: what was done to it, in order, each key at most once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from domain.errors import ConfigError, TransientError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS origin (world TEXT NOT NULL, seed INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS log (
    seq INTEGER PRIMARY KEY, day INTEGER NOT NULL, op TEXT NOT NULL, payload TEXT NOT NULL,
    idempotency_key TEXT UNIQUE, result TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS calls (
    seq INTEGER PRIMARY KEY, idempotency_key TEXT NOT NULL, acted INTEGER NOT NULL
);
"""


_PATIENCE_S = 1.0
"""How long a process that is about to end may still hold the world."""


class WorldHeld(ConfigError):
    """Another process acts on the world."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing done: what, to what, under which key, and what came of it."""

    op: str
    payload: dict[str, Any]
    key: str | None
    result: dict[str, Any]


class WorldLog:
    """SQLite in WAL mode with full synchronisation. Used under the lock of its host."""

    def __init__(self, path: Path | str, world: str, seed: int, *, look: bool = False) -> None:
        """Held against other processes; with `look` only read, whoever holds it. Raises ConfigError (WorldHeld)."""
        self.path = str(path)
        self._hold = None if look or self.path == ":memory:" else _held(self.path)
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            if look:
                self._db.execute("PRAGMA query_only=ON")
            else:
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute("PRAGMA synchronous=FULL")
                self._db.executescript(_SCHEMA)
            self._check_origin(world, seed)
        except sqlite3.Error as error:
            self._let_go()
            raise ConfigError(
                f"The world's file {str(path)!r} cannot be opened: {error}. Check the path and the disk."
            ) from error
        except ConfigError:
            self.close()
            raise

    def _check_origin(self, world: str, seed: int) -> None:
        row = self._db.execute("SELECT world, seed FROM origin").fetchone()
        if row is None:
            self._db.execute("INSERT INTO origin VALUES (?, ?)", (world, seed))
        elif row != (world, seed):
            raise ConfigError(
                f"{self.path!r} holds world {row[0]!r} with seed {row[1]!r}, not {world!r} with seed {seed!r}. "
                "Give the same seed, or another file."
            )

    def entries(self) -> Iterator[Entry]:
        """Everything done so far, in order."""
        rows = self._db.execute("SELECT op, payload, idempotency_key, result FROM log ORDER BY seq")
        return (_entry(row) for row in rows.fetchall())

    def find(self, key: str) -> Entry | None:
        """What was done under `key`."""
        row = self._db.execute("SELECT op, payload, idempotency_key, result FROM log WHERE idempotency_key = ?", (key,))
        found = row.fetchone()
        return _entry(found) if found else None

    def append(self, entry: Entry, day: int) -> None:
        """Write `entry` durably. Raises TransientError when the disk refuses."""
        values = (day, entry.op, json.dumps(entry.payload), entry.key, json.dumps(entry.result))
        query = "INSERT INTO log (day, op, payload, idempotency_key, result) VALUES (?, ?, ?, ?, ?)"
        try:
            with self._transaction():
                self._db.execute(query, values)
                if entry.key is not None:
                    self.count_call(entry.key, acted=True)
        except sqlite3.Error as error:
            raise TransientError(f"The world's file refused a write: {error}. Check the disk and try again.") from error

    @contextmanager
    def _transaction(self) -> Generator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except sqlite3.Error:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def count_call(self, key: str, *, acted: bool) -> None:
        self._db.execute("INSERT INTO calls (idempotency_key, acted) VALUES (?, ?)", (key, acted))

    def calls(self, key: str | None, *, acted: bool | None) -> int:
        """Calls to write, by key and by whether they acted; None means any."""
        query = "SELECT COUNT(*) FROM calls WHERE (?1 IS NULL OR idempotency_key = ?1) AND (?2 IS NULL OR acted = ?2)"
        return int(self._db.execute(query, (key, acted)).fetchone()[0])

    def close(self) -> None:
        self._db.close()
        self._let_go()

    def _let_go(self) -> None:
        if self._hold is not None:
            self._hold.close()


def _held(path: str) -> sqlite3.Connection:
    """A lock beside the file: a second process would act on a world it cannot see. It ends with its holder."""
    hold = sqlite3.connect(f"{path}.lock", isolation_level=None, check_same_thread=False, timeout=_PATIENCE_S)
    try:
        hold.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        hold.close()
        raise WorldHeld(f"The world in {path!r} is used by another process: {error}. Stop that one first.") from error
    return hold


def _entry(row: tuple[str, str, str | None, str]) -> Entry:
    op, payload, key, result = row
    return Entry(op, cast("dict[str, Any]", json.loads(payload)), key, cast("dict[str, Any]", json.loads(result)))
