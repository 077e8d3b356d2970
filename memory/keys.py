"""API keys: a secret is shown once and kept as a keyed hash only, under the key of the audit.

A stolen database alone lets nobody try secrets, not even a short one that somebody chose. Keys of before are found
by their plain SHA-256.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, update

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
    expires_at: datetime | None = None


def _plain_hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _key(row: AnyRow) -> ApiKey:
    return ApiKey(
        row.id, row.name, row.person, tuple(json.loads(row.scopes)), row.created_at, row.revoked_at, row.expires_at
    )


def _live(now: datetime) -> ColumnElement[bool]:
    return and_(_TABLE.revoked_at.is_(None), or_(_TABLE.expires_at.is_(None), _TABLE.expires_at > now))


class Keys:
    """Keys of people and services."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(  # noqa: PLR0913 — the columns of a row
        self,
        name: str,
        person: str,
        scopes: Iterable[str],
        at: datetime,
        *,
        secret: str | None = None,
        expires_at: datetime | None = None,
        facts: Sequence[Fact] = (),
    ) -> tuple[str, str]:
        """Id and secret of a new key; the secret cannot be had again. A given `secret` takes the place of chance."""
        with self._database.write() as connection:
            made = self._insert(connection, (name, person, tuple(scopes)), at, secret, expires_at)
            record(connection, facts, self._database.audit_key)
        return made

    def rotate(self, id: str, at: datetime, overlap: timedelta, *, facts: Sequence[Fact] = ()) -> tuple[str, str]:  # noqa: A002 — our word for it
        """Id and secret of a key that may do what `id` may; the old one ends after `overlap`. Raises NotFound.

        What expires goes on to expire when it would have.
        """
        with self._database.write() as connection:
            row = connection.execute(select(tables.keys).where(_TABLE.id == id, _live(at))).first()
            if row is None:
                raise NotFound(f"There is no live key {id!r}. See `keys` for the known ones.")
            old = _key(row)
            made = self._insert(connection, (old.name, old.person, old.scopes), at, None, old.expires_at)
            ends = at + overlap if old.expires_at is None else min(at + overlap, old.expires_at)
            connection.execute(update(tables.keys).where(_TABLE.id == id), {"expires_at": ends})
            record(connection, facts, self._database.audit_key)
        return made

    def _insert(
        self,
        connection: Connection,
        owner: tuple[str, str, tuple[str, ...]],
        at: datetime,
        secret: str | None,
        expires_at: datetime | None,
    ) -> tuple[str, str]:
        name, person, scopes = owner
        made = secret or f"ak_{secrets.token_urlsafe(_SECRET_BYTES)}"
        values = {
            "id": derive_id("key", self._hash(made)),
            "name": name,
            "person": person,
            "scopes": json.dumps(sorted(set(scopes))),
            "secret_hash": self._hash(made),
            "created_at": at,
            "expires_at": expires_at,
        }
        connection.execute(insert(tables.keys), values)
        return str(values["id"]), made

    def _hash(self, secret: str) -> str:
        text = f"api key\n{secret}".encode("utf-8", "surrogatepass")
        return hmac.new(self._database.audit_key, text, hashlib.sha256).hexdigest()

    def find(self, secret: str, now: datetime) -> ApiKey | None:
        """The key of `secret` that is live at `now`. Found by its hash, so time tells nothing of the secret."""
        hashes = (self._hash(secret), _plain_hash(secret))
        query = select(tables.keys).where(_TABLE.secret_hash.in_(hashes), _live(now))
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _key(row)

    def is_live(self, id: str, now: datetime) -> bool:  # noqa: A002 — our word for it
        """Whether the key exists, is not revoked and has not expired."""
        query = select(_TABLE.n).where(_TABLE.id == id, _live(now))
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
