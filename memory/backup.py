"""Backups of an SQLite store, taken while it runs, and restoring one without repeating what was under way."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import make_url

from domain.actions import ActionStatus
from domain.audit import Fact
from domain.errors import ConfigError, Conflict
from memory.store import Store
from memory.tables import REVISION

READ_ONLY = "read_only"
_PAGES = 4096
_DETAIL = "it was under way when the backup was taken; look into the tool before it is done again"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds: version of its tables, number of signals, rows of its audit and the last one's hash."""

    revision: str
    at: str
    signals: int
    audit_rows: int
    audit_head: str


def backup(store: Store, path: Path, now: datetime) -> Manifest:
    """A consistent copy of `store` at `path`, with a manifest beside it (`path` + `.json`).

    Other threads and processes may write meanwhile. Raises ConfigError on Postgres, Conflict when `path` exists.
    """
    if not store.database.embedded:
        raise ConfigError("Accord backs up SQLite stores only. Use `pg_dump` for a store on Postgres.")
    if path.exists():
        raise Conflict(f"{str(path)!r} exists. Name a file that does not, or move that one away.")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    with store.database.read() as connection, closing(sqlite3.connect(partial)) as target:
        source = connection.connection.driver_connection
        if not isinstance(source, sqlite3.Connection):
            raise AssertionError(source)
        source.backup(target, pages=_PAGES)
        target.execute("PRAGMA journal_mode=DELETE")
    manifest = _describe(partial, store.database.audit_key, now)
    _manifest_path(path).write_text(json.dumps(asdict(manifest), indent=2) + "\n", encoding="utf-8")
    partial.rename(path)
    return manifest


def _manifest_path(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _describe(path: Path, key: bytes, now: datetime) -> Manifest:
    """Read from the copy, so that the manifest speaks of what was copied. Raises Conflict for a broken audit."""
    with Store.open(f"sqlite:///{path}", audit_key=key, create=False) as copy:
        check = copy.audit.verify()
        if check.fault is not None:
            raise Conflict(f"The audit is broken: {check.fault}. Run `accord audit verify` before a backup is trusted.")
        return Manifest(REVISION, now.isoformat(), copy.signals.count(), check.rows, check.head)


def restore(path: Path, url: str, now: datetime, *, audit_key: bytes = b"") -> Manifest:
    """Puts the backup at `path` in place of an absent store at `url`, read-only until a person switches that off.

    Actions that were being executed become unknown, with a fact each: whether the tool was changed cannot be
    known. Raises ConfigError for an address that is no SQLite file or a file that is no backup, Conflict
    when a store is there or the copy is not what its manifest says.
    """
    manifest = _read_manifest(path)
    target = Path(make_url(url).database or "")
    if make_url(url).get_backend_name() != "sqlite" or not target.name:
        raise ConfigError(f"{url!r} is no SQLite file. Use `pg_restore` for a store on Postgres.")
    if target.exists():
        raise Conflict(f"A store exists at {str(target)!r}. Move it away first; nothing is overwritten.")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    _drop_journals(partial)
    shutil.copyfile(path, partial)
    with Store.open(f"sqlite:///{partial}", audit_key=audit_key, create=False) as store:
        check = store.audit.verify()
        fault = check.fault
        if fault is None and (check.rows, check.head) != (manifest.audit_rows, manifest.audit_head):
            fault = f"its audit ends at row {check.rows} with {check.head!r}"
        if fault is not None:
            raise Conflict(f"The backup is not what its manifest says: {fault}. Take another one.")
        _make_safe(store, path.name, now)
    _drop_journals(partial)
    partial.rename(target)
    return manifest


def _drop_journals(path: Path) -> None:
    """A closed store needs none, and those of an earlier attempt would be played into another file."""
    for journal in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + journal).unlink(missing_ok=True)


def _read_manifest(path: Path) -> Manifest:
    try:
        return Manifest(**json.loads(_manifest_path(path).read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError) as error:
        raise ConfigError(f"{str(path)!r} has no manifest: {error}. Name a file that `accord backup` made.") from error


def _make_safe(store: Store, name: str, now: datetime) -> None:
    """Switches to read-only, and admits not to know what became of actions under way."""
    fact = Fact(at=now, actor="cli", verb="store.restored", subject="accord", facts={"from": name})
    store.flags.set(READ_ONLY, value=True, facts=[fact])
    cursor: str | None = None
    while True:
        page = store.actions.page(status=ActionStatus.EXECUTING, limit=500, cursor=cursor)
        for action in page.items:
            fact = Fact(at=now, actor="cli", verb="action.unknown", subject=action.id, facts={"because": _DETAIL})
            store.actions.move(
                action.id, ActionStatus.EXECUTING, ActionStatus.UNKNOWN, due_at=None, facts=[fact], detail=_DETAIL
            )
        cursor = page.next
        if cursor is None:
            return
