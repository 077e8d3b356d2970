"""Effects in the store: written before a tool is called and after it answered; none is begun twice.

One that failed wrote nothing, so it may be begun anew; it is then as open as the first time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from domain.actions import Receipt
from domain.audit import Fact
from domain.effects import Effect, EffectStatus
from domain.errors import NotFound
from memory import tables
from memory.audit import record
from memory.database import Database
from memory.page import AnyRow, Page, Slice, fetch_page

_TABLE = tables.effects.c


def _effect(row: AnyRow) -> Effect:
    return Effect.model_validate_json(row.body)


def _find(connection: Connection, key: str) -> Effect | None:
    row = connection.execute(select(_TABLE.body).where(_TABLE.idempotency_key == key)).first()
    return None if row is None else _effect(row)


class Effects:
    """Every intended call of a tool, by its idempotency key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, effect: Effect, *, facts: Sequence[Fact] = ()) -> bool:
        """Durable before the tool is called; False when an effect with its key exists, unless that one failed.

        One that is open is marked as repeated.
        """
        same = _TABLE.idempotency_key == effect.idempotency_key
        with self._database.write("effect.started") as connection:
            before = _find(connection, effect.idempotency_key)
            if before is not None and before.status is not EffectStatus.FAILED:
                again = before.model_copy(update={"repeated": True})
                connection.execute(update(tables.effects).where(same), {"body": again.model_dump_json()})
                return False
            values = {"action": effect.action, "status": effect.status, "body": effect.model_dump_json()}
            if before is None:
                connection.execute(insert(tables.effects), {"idempotency_key": effect.idempotency_key, **values})
            else:
                connection.execute(update(tables.effects).where(same), values)
            record(connection, facts, self._database.audit_key)
            return True

    def finish(
        self,
        key: str,
        status: EffectStatus,
        *,
        at: datetime,
        receipt: Receipt | None = None,
        detail: str | None = None,
        facts: Sequence[Fact] = (),
    ) -> bool:
        """What became of it; False for one that is confirmed, which is final. Raises NotFound.

        An unknown effect may be settled later.
        """
        with self._database.write() as connection:
            effect = _find(connection, key)
            if effect is None:
                raise NotFound(f"No effect was begun under {key!r}. Begin it before the tool is called.")
            if effect.status is EffectStatus.CONFIRMED:
                return False
            ended = effect.model_copy(
                update={
                    "status": status,
                    "finished_at": at,
                    "receipt": receipt or effect.receipt,
                    "detail": detail or effect.detail,
                }
            )
            values = {"status": status, "body": ended.model_dump_json()}
            connection.execute(update(tables.effects).where(_TABLE.idempotency_key == key), values)
            record(connection, facts, self._database.audit_key)
            return True

    def get(self, key: str) -> Effect | None:
        with self._database.read() as connection:
            return _find(connection, key)

    def page(self, limit: int = 50, cursor: str | None = None) -> Page[Effect]:
        """Newest first."""
        with self._database.read() as connection:
            return fetch_page(connection, select(_TABLE.body), _TABLE.n, Slice(limit, cursor), _effect)

    def unfinished(self) -> list[Effect]:
        """Effects of which nobody wrote the end, oldest first."""
        query = select(_TABLE.body).where(_TABLE.status == EffectStatus.STARTED).order_by(_TABLE.n)
        with self._database.read() as connection:
            return [_effect(row) for row in connection.execute(query)]
