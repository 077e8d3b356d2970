"""One database: its engine, and the two ways in, `read` and `write`.

Every write transaction is alone: SQLite by BEGIN IMMEDIATE, Postgres by an advisory lock. That makes a
check followed by a write safe, keeps the audit one chain, and makes positions equal the order of commits.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import StaticPool

from domain.errors import ConfigError
from memory.crash import reached

_BUSY_MS = 30_000
_LOCK = 7_305_814_142
"""Any fixed number: names our writers' lock within a Postgres database."""


class Database:
    """An engine with its dialect's rules for being alone. Safe to share between threads."""

    def __init__(self, url: str, audit_key: bytes = b"") -> None:
        parsed = _parse(url)
        self.url = url
        self.audit_key = audit_key
        self.embedded = parsed.get_backend_name() == "sqlite"
        self.volatile = self.embedded and parsed.database in {None, "", ":memory:"}
        self.engine = _sqlite_engine(parsed, volatile=self.volatile) if self.embedded else create_engine(parsed)
        self._alone = threading.RLock()
        self._here = threading.local()

    @contextmanager
    def read(self) -> Generator[Connection]:
        """A connection that sees one moment of the database."""
        if (outer := self._outer()) is not None:
            yield outer
            return
        # The one connection of a database in memory is shared, so that its readers must be alone too.
        with self._alone if self.volatile else nullcontext(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self, name: str | None = None) -> Generator[Connection]:
        """A transaction without any other writer in it: committed at the end, rolled back on an error.

        Within `alone` it is a part of that one. `name` makes its two edges places of `memory.crash`.
        """
        if (outer := self._outer()) is not None:
            yield outer
            return
        with self._alone if self.embedded else nullcontext(), self.engine.connect() as connection:
            connection.execution_options(accord_write=True)
            with connection.begin():
                if not self.embedded:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
                yield connection
                if name is not None:
                    reached(f"{name}.committing")
        if name is not None:
            reached(f"{name}.committed")

    @contextmanager
    def alone(self, name: str) -> Generator[None]:
        """Everything this thread reads and writes within is one transaction, and no other writer is in it."""
        with self.write(name) as connection:
            self._here.connection = connection
            try:
                yield
            finally:
                self._here.connection = None

    def _outer(self) -> Connection | None:
        """The connection of the transaction that this thread is in."""
        return getattr(self._here, "connection", None)

    def close(self) -> None:
        self.engine.dispose()


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigError(
            f"`storage.url` {url!r} is no address. Write sqlite:///accord.db or postgresql://…"
        ) from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return parsed
    if backend in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg")
    raise ConfigError(f"`storage.url` names {backend!r}. Use sqlite or postgresql.")


def _sqlite_engine(url: URL, *, volatile: bool) -> Engine:
    pool: dict[str, Any] = {"poolclass": StaticPool} if volatile else {"pool_size": 10, "max_overflow": 30}
    engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": _BUSY_MS / 1000}, **pool)
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def plain_engine(url: str) -> Engine:
    """An engine for a library that manages its own transactions; as durable as ours on SQLite."""
    parsed = _parse(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed)
    engine = create_engine(parsed, connect_args={"check_same_thread": False, "timeout": _BUSY_MS / 1000})
    event.listen(engine, "connect", _set_pragmas)
    return engine


def _on_connect(dbapi_connection: sqlite3.Connection, _record: object) -> None:
    # The driver would begin transactions by itself, too late and never IMMEDIATE.
    dbapi_connection.isolation_level = None
    _set_pragmas(dbapi_connection, _record)


def _set_pragmas(dbapi_connection: sqlite3.Connection, _record: object) -> None:
    cursor = dbapi_connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={_BUSY_MS}", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.execute("PRAGMA cache_size=-16384")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("accord_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
