"""The log of model calls: what each attempt was charged, and sums over budgets' scopes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import func, insert, select

from domain.errors import InputError
from memory import tables
from memory.database import Database
from memory.page import AnyRow, Page, Slice, fetch_page

_TABLE = tables.calls.c
_SCOPES = {"provider": _TABLE.provider, "task": _TABLE.task, "key": _TABLE.key}


class Call(Protocol):
    """One attempt as the providers' ledger tells it; amounts are nano-units of the objective's currency."""

    @property
    def id(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def provider(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def key(self) -> str | None: ...
    @property
    def charged_nano(self) -> int: ...
    def model_dump_json(self) -> str: ...


@dataclass(frozen=True, slots=True)
class CallTotals:
    """All calls together. `cost_nano` is what was charged, in nano-units of the objective's currency."""

    calls: int
    cost_nano: int
    providers: tuple[str, ...]


class Calls:
    """Every attempt of a model call."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, call: Call) -> None:
        """Stores `call`; the same id again changes nothing."""
        values = {
            "id": call.id,
            "at": call.at,
            "provider": call.provider,
            "task": call.task,
            "key": call.key,
            "charged_nano": call.charged_nano,
            "body": call.model_dump_json(),
        }
        with self._database.write() as connection:
            if connection.execute(select(_TABLE.n).where(_TABLE.id == call.id)).first() is None:
                connection.execute(insert(tables.calls), values)

    def charged_nano(self, scope: str, since: datetime) -> int:
        """Sum charged from `since` on over `all`, `provider:NAME`, `task:NAME` or `key:ID`. Raises InputError."""
        query = select(func.coalesce(func.sum(_TABLE.charged_nano), 0)).where(_TABLE.at >= since)
        kind, _, name = scope.partition(":")
        if scope != "all":
            if kind not in _SCOPES:
                raise InputError(f"`scope` {scope!r} is none. Write all, provider:NAME, task:NAME or key:ID.")
            query = query.where(_SCOPES[kind] == name)
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def page(self, limit: int = 50, cursor: str | None = None) -> Page[dict[str, Any]]:
        """Newest first, each as it was recorded."""
        with self._database.read() as connection:
            return fetch_page(connection, select(_TABLE.body), _TABLE.n, Slice(limit, cursor), _body)

    def totals(self) -> CallTotals:
        query = select(_TABLE.provider, func.count(), func.sum(_TABLE.charged_nano))
        with self._database.read() as connection:
            rows = connection.execute(query.group_by(_TABLE.provider).order_by(_TABLE.provider)).all()
        return CallTotals(sum(row[1] for row in rows), int(sum(row[2] for row in rows)), tuple(row[0] for row in rows))


def _body(row: AnyRow) -> dict[str, Any]:
    return json.loads(row.body)
