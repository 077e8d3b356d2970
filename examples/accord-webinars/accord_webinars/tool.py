"""The webinar tool itself: one SQLite file that stands for a vendor's service. Nothing in here knows Accord."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE IF NOT EXISTS webinar (id TEXT PRIMARY KEY, reminder_h INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS log (seq INTEGER PRIMARY KEY, at TEXT NOT NULL, what TEXT NOT NULL, data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS write (key TEXT PRIMARY KEY, webinar TEXT NOT NULL, before INTEGER, after INTEGER);
"""


class UnknownWebinar(LookupError):
    """The tool has no such webinar."""


class ReminderChanged(RuntimeError):
    """The reminder is not what the caller believed; `args[0]` is what it is, in hours."""


class WebinarTool:
    """Webinars, who registered, and at how many hours before the start a reminder goes out (0: none)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._open() as db:
            db.executescript(_TABLES)

    def announce(self, webinar: str, title: str, starts: datetime, seats: int, now: datetime) -> None:
        with self._open() as db:
            db.execute("INSERT INTO webinar (id) VALUES (?)", (webinar,))
            _log(db, now, "announced", webinar=webinar, title=title, starts=starts.isoformat(), seats=seats)

    def register(self, webinar: str, person: str, account: str | None, now: datetime) -> None:
        with self._open() as db:
            _log(db, now, "registered", webinar=webinar, person=person, account=account)

    def log(self, after: int, most: int) -> list[tuple[int, str, str, dict[str, Any]]]:
        """(sequence, time, what, data) of at most `most` entries after `after`, in order."""
        with self._open() as db:
            rows = db.execute("SELECT * FROM log WHERE seq > ? ORDER BY seq LIMIT ?", (after, most)).fetchall()
        return [(seq, at, what, json.loads(data)) for seq, at, what, data in rows]

    def reminder(self, webinar: str) -> int:
        with self._open() as db:
            return _reminder(db, webinar)

    def set_reminder(self, webinar: str, hours: int, expect: int | None, key: str) -> bool:
        """Whether something was written now; False when `key` did it before. Raises ReminderChanged, UnknownWebinar."""
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            if _write(db, key) is not None:
                return False
            before = _reminder(db, webinar)
            if expect is not None and before != expect:
                raise ReminderChanged(before)
            db.execute("UPDATE webinar SET reminder_h = ? WHERE id = ?", (hours, webinar))
            db.execute("INSERT INTO write VALUES (?, ?, ?, ?)", (key, webinar, before, hours))
            return True

    def take_back(self, key: str) -> tuple[str, int] | None:
        """Webinar and reminder after undoing the write of `key`; None for an unknown key. Raises ReminderChanged."""
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            written = _write(db, key)
            if written is None:
                return None
            webinar, before, after = written
            now = _reminder(db, webinar)
            if now not in {before, after}:
                raise ReminderChanged(now)
            if now == before and _overwritten(db, key, webinar):
                raise ReminderChanged(now)
            db.execute("UPDATE webinar SET reminder_h = ? WHERE id = ?", (before, webinar))
            return webinar, before

    def writes(self) -> int:
        """How often the tool was really changed by a key."""
        with self._open() as db:
            return int(db.execute("SELECT count(*) FROM write").fetchone()[0])

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        """A connection of its own for each call, since calls come from any thread; commits, or rolls back."""
        with closing(sqlite3.connect(self._path, timeout=5)) as db, db:
            yield db


def _log(db: sqlite3.Connection, at: datetime, what: str, **data: object) -> None:
    db.execute("INSERT INTO log (at, what, data) VALUES (?, ?, ?)", (at.isoformat(), what, json.dumps(data)))


def _reminder(db: sqlite3.Connection, webinar: str) -> int:
    row = db.execute("SELECT reminder_h FROM webinar WHERE id = ?", (webinar,)).fetchone()
    if row is None:
        raise UnknownWebinar(webinar)
    return int(row[0])


def _write(db: sqlite3.Connection, key: str) -> tuple[str, int, int] | None:
    return db.execute("SELECT webinar, before, after FROM write WHERE key = ?", (key,)).fetchone()


def _overwritten(db: sqlite3.Connection, key: str, webinar: str) -> bool:
    """Whether another key wrote the same webinar after `key` did."""
    later = "SELECT 1 FROM write WHERE webinar = ? AND rowid > (SELECT rowid FROM write WHERE key = ?)"
    return db.execute(later, (webinar, key)).fetchone() is not None
