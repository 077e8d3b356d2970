"""The tables of the store, one per noun; columns beside `body` are what queries look at.

Money is integer minor units, times are microseconds since 1970 (UTC), bodies are the JSON of the domain's records.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy import text as sql_text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

REVISION = "0007"
"""The newest migration; a test holds it against `memory/migrations`."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
POINT_TYPE = "accord.metric.point"
TOLD = sql_text(f"type <> '{POINT_TYPE}'")
"""Condition of the partial index over signals that are no points; queries must repeat it to use the index."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime, stored as whole microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else EPOCH + value * _MICROSECOND


def _number() -> Column[Any]:
    """Position of a row in its table, in order of insertion: what cursors point at.

    Tables that lose rows need `sqlite_autoincrement`, or SQLite would give a position twice.
    """
    return Column("n", Integer, primary_key=True, autoincrement=True)


signals = Table(
    "signals",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("source", String, nullable=False),
    Column("id", String, nullable=False),
    Column("type", String, nullable=False),
    Column("at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("newest_at", Instant, nullable=False),
    Column("trust", String, nullable=False),
    Column("raw", Text, nullable=False),
    UniqueConstraint("source", "id"),
    Index("ix_signals_told", "type", "at", "seq", sqlite_where=TOLD, postgresql_where=TOLD),
)

series = Table(
    "series",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("metric", String, nullable=False),
    Column("entity", String, nullable=False),
    Column("dims", String, nullable=False),
    Column("unit", String, nullable=False),
    Column("grain_s", Integer),
    Column("born", BigInteger, nullable=False),
    UniqueConstraint("metric", "entity", "dims"),
)

points = Table(
    "points",
    metadata,
    Column("series", Integer, ForeignKey("series.id"), primary_key=True, autoincrement=False),
    Column("at_s", Float(53), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("value", Float(53), nullable=False),
    Index("ix_points_seq", "seq"),
    sqlite_with_rowid=False,
)

entities = Table(
    "entities",
    metadata,
    Column("id", String, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)

rounds = Table(
    "rounds",
    metadata,
    _number(),
    Column("id", String, nullable=False, unique=True),
    Column("at", Instant, nullable=False),
    Column("signal_seq", BigInteger, nullable=False),
)

findings = Table(
    "findings",
    metadata,
    Column("key", String, primary_key=True),
    Column("digest", String, nullable=False),
)

situations = Table(
    "situations",
    metadata,
    _number(),
    Column("id", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("status", String, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "status", "n"),
)

proposals = Table(
    "proposals",
    metadata,
    _number(),
    Column("id", String, nullable=False, unique=True),
    Column("situation", String, nullable=False, index=True),
    Column("status", String, nullable=False),
    Column("fingerprint", String, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "status", "n"),
)

decisions = Table(
    "decisions",
    metadata,
    _number(),
    Column("id", String, nullable=False, unique=True),
    Column("proposal", String, ForeignKey("proposals.id"), nullable=False, index=True),
    Column("body", Text, nullable=False),
)

actions = Table(
    "actions",
    metadata,
    _number(),
    Column("id", String, nullable=False, unique=True),
    Column("proposal", String, ForeignKey("proposals.id"), nullable=False, index=True),
    Column("place", Integer, nullable=False),
    Column("entity", String, index=True),
    Column("status", String, nullable=False),
    Column("due_at", Instant),
    Column("moved_at", Instant),
    Column("measure_at", Instant),
    Column("delta_minor", BigInteger, nullable=False),
    Column("outcome", String),
    Column("body", Text, nullable=False),
    Index(None, "due_at", "id"),
    Index(None, "status", "n"),
    sqlite_autoincrement=True,
)

effects = Table(
    "effects",
    metadata,
    _number(),
    Column("idempotency_key", String, nullable=False, unique=True),
    Column("action", String, nullable=False, index=True),
    Column("status", String, nullable=False, index=True),
    Column("body", Text, nullable=False),
)

outcomes = Table(
    "outcomes",
    metadata,
    _number(),
    Column("id", String, nullable=False, unique=True),
    Column("action", String, nullable=False, unique=True),
    Column("proposal", String, nullable=False, index=True),
    Column("body", Text, nullable=False),
)

lessons = Table(
    "lessons",
    metadata,
    _number(),
    Column("id", String, nullable=False, unique=True),
    Column("about", String, nullable=False, index=True),
    Column("body", Text, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("subject", String, nullable=False, index=True),
    Column("fact", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

clear_texts = Table(
    "clear_texts",
    metadata,
    Column("seq", BigInteger, ForeignKey("audit.seq"), primary_key=True, autoincrement=False),
    Column("path", String, primary_key=True),
    Column("salt", String, nullable=False),
    Column("value", Text, nullable=False),
)

keys = Table(
    "keys",
    metadata,
    _number(),
    Column("id", String, nullable=False, unique=True),
    Column("name", String, nullable=False),
    Column("person", String, nullable=False),
    Column("scopes", String, nullable=False),
    Column("secret_hash", String(64), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("expires_at", Instant),
)

people = Table("people", metadata, Column("id", String, primary_key=True), Column("body", Text, nullable=False))

calls = Table(
    "calls",
    metadata,
    _number(),
    Column("id", String, nullable=False, unique=True),
    Column("at", Instant, nullable=False),
    Column("provider", String, nullable=False),
    Column("task", String, nullable=False),
    Column("key", String),
    Column("charged_nano", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "at", "charged_nano"),
    Index(None, "provider", "at", "charged_nano"),
    Index(None, "task", "at", "charged_nano"),
    Index(None, "key", "at", "charged_nano"),
)

spend = Table(
    "spend",
    metadata,
    Column("scope", String, primary_key=True),
    Column("month", String(7), primary_key=True),
    Column("charged_nano", BigInteger, nullable=False),
)

holds = Table(
    "holds",
    metadata,
    Column("id", String, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("provider", String, nullable=False),
    Column("task", String, nullable=False),
    Column("key", String),
    Column("held_nano", BigInteger, nullable=False),
    Index(None, "at"),
)

questions = Table(
    "questions",
    metadata,
    _number(),
    Column("id", String, nullable=False, unique=True),
    Column("proposal", String, ForeignKey("proposals.id"), nullable=False, index=True),
    Column("body", Text, nullable=False),
)

delegations = Table(
    "delegations",
    metadata,
    _number(),
    Column("id", String, nullable=False, unique=True),
    Column("person", String, nullable=False, index=True),
    Column("until", Instant, nullable=False, index=True),
    Column("body", Text, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    _number(),
    Column("id", String, nullable=False, unique=True),
    Column("proposal", String, nullable=False, index=True),
    Column("status", String, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "status", "due_at"),
)

qualities = Table(
    "qualities",
    metadata,
    _number(),
    Column("id", String),
    Column("task", String, nullable=False),
    Column("provider", String, nullable=False),
    Column("model", String, nullable=False),
    Column("quality", Float(53), nullable=False),
    Column("weight", Float(53), nullable=False),
    Column("source", String, nullable=False),
    Column("at", Instant, nullable=False, index=True),
    Index(None, "id", unique=True),
)

flags = Table("flags", metadata, Column("name", String, primary_key=True), Column("value", Text, nullable=False))

recalled = Table(
    "recalled",
    metadata,
    _number(),
    Column("collection", String, nullable=False),
    Column("id", String, nullable=False),
    Column("state", String, nullable=False),
    Column("origin", String, nullable=False),
    Column("trust", String, nullable=False),
    Column("at", Instant),
    Column("text", Text, nullable=False),
    Column("hash", String(64), nullable=False, index=True),
    UniqueConstraint("collection", "id"),
    Index(None, "state", "n"),
    sqlite_autoincrement=True,
)

vectors = Table(
    "vectors",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("model", String, primary_key=True),
    Column("vector", LargeBinary, nullable=False),
)
