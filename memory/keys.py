"""API keys: a secret is shown once and kept as its SHA-256 only."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select, update

from domain.audit import Fact
from domain.errors import NotFound
from domain.ids import derive_id
from memory import tables
from memory.audit import record
from memory.database import Database
from memory.page import AnyRow, Page, Slice, fetch_page

_TABLE = tables.keys.c
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret."""

    id: str
    name: str
    person: str
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None = None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(row: AnyRow) -> ApiKey:
    return ApiKey(row.id, row.name, row.person, tuple(json.loads(row.scopes)), row.created_at, row.revoked_at)


class Keys:
    """Keys of people and services."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        name: str,
        person: str,
        scopes: Iterable[str],
        at: datetime,
        *,
        secret: str | None = None,
        facts: Sequence[Fact] = (),
    ) -> tuple[str, str]:
        """Id and secret of a new key; the secret cannot be had again. A given `secret` takes the place of chance."""
        made = secret or f"ak_{secrets.token_urlsafe(_SECRET_BYTES)}"
        values = {
            "id": derive_id("key", _hash(made)),
            "name": name,
            "person": person,
            "scopes": json.dumps(sorted(set(scopes))),
            "secret_hash": _hash(made),
            "created_at": at,
        }
        with self._database.write() as connection:
            connection.execute(insert(tables.keys), values)
            record(connection, facts, self._database.audit_key)
        return str(values["id"]), made

    def find(self, secret: str) -> ApiKey | None:
        """The live key of `secret`."""
        query = select(tables.keys).where(_TABLE.secret_hash == _hash(secret), _TABLE.revoked_at.is_(None))
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _key(row)

    def is_live(self, id: str) -> bool:  # noqa: A002 — our word for it
        """Whether the key exists and is not revoked."""
        query = select(_TABLE.n).where(_TABLE.id == id, _TABLE.revoked_at.is_(None))
        with self._database.read() as connection:
            return connection.execute(query).first() is not None

    def page(self, limit: int = 50, cursor: str | None = None) -> Page[ApiKey]:
        """Newest first, revoked ones included."""
        with self._database.read() as connection:
            return fetch_page(connection, select(tables.keys), _TABLE.n, Slice(limit, cursor), _key)

    def revoke(self, id: str, at: datetime, *, facts: Sequence[Fact] = ()) -> None:  # noqa: A002 — our word for it
        """From now on the secret opens nothing. Raises NotFound; a revoked key stays as it was revoked."""
        with self._database.write() as connection:
            if connection.execute(select(_TABLE.n).where(_TABLE.id == id)).first() is None:
                raise NotFound(f"There is no key {id!r}. See `keys` for the known ones.")
            live = update(tables.keys).where(_TABLE.id == id, _TABLE.revoked_at.is_(None))
            if connection.execute(live, {"revoked_at": at}).rowcount:
                record(connection, facts, self._database.audit_key)

    def count(self) -> int:
        """Number of keys ever made."""
        with self._database.read() as connection:
            return int(connection.execute(select(func.count(_TABLE.n))).scalar_one())
