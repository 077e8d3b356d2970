"""The log of model calls: what each attempt was charged, in one transaction with the spend of its scopes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import ColumnElement, func, insert, select

from domain.errors import InputError
from memory import spend, tables
from memory.database import Database
from memory.page import AnyRow, Page, Slice, fetch_page

_TABLE = tables.calls.c


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


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which attempts are asked for; None asks for all. `outcome` is answered or failed."""

    provider: str | None = None
    task: str | None = None
    outcome: str | None = None
    since: datetime | None = None


class Calls:
    """Every attempt of a model call."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._catch_up: Callable[[], None] = _nothing

    def read_after(self, catch_up: Callable[[], None]) -> None:
        """From now on reading begins with `catch_up`, so that it finds what this process has yet to write."""
        self._catch_up = catch_up

    def write(self, postings: Sequence[spend.Posting[Call]]) -> list[spend.Refusal | None]:
        """One transaction: what each posting holds and charges, and the records of the calls that are over.

        A posting that a limit refuses leaves nothing, and its place in the answer says why; a call recorded before
        changes nothing.
        """
        over = {posting.id: posting.call for posting in postings if posting.call is not None}
        with self._database.write() as connection:
            known = set(connection.execute(select(_TABLE.id).where(_TABLE.id.in_(over))).scalars())
            refusals = spend.post(connection, postings, known)
            rows = [_row(call) for id_, call in over.items() if id_ not in known]
            if rows:
                connection.execute(insert(tables.calls), rows)
        return refusals

    def charged_nano(self, scope: str, month: str) -> int:
        """Charged to `all`, `provider:NAME`, `task:NAME` or `key:ID` in `month` (`2026-11`), with what is held."""
        self._catch_up()
        with self._database.read() as connection:
            return spend.charged_nano(connection, scope, month)

    def unsettled(self, before: datetime) -> list[spend.Hold]:
        """Reservations from before `before` that were never settled: charged in full, since their process died."""
        with self._database.read() as connection:
            return spend.unsettled(connection, before)

    def in_month(self, month: str) -> Iterator[dict[str, Any]]:
        """Every call of `month` (`2026-11`) as it was recorded, oldest first. Raises InputError for no month."""
        self._catch_up()
        since, until = _bounds(month)
        query = select(_TABLE.body).where(_TABLE.at >= since, _TABLE.at < until).order_by(_TABLE.n)
        with self._database.read() as connection:
            for row in connection.execution_options(yield_per=1000).execute(query):
                yield _body(row)

    def page(
        self, limit: int = 50, cursor: str | None = None, wanted: CallFilter | None = None
    ) -> Page[dict[str, Any]]:
        """Newest first, each as it was recorded; only those that are `wanted`."""
        self._catch_up()
        query = select(_TABLE.body).where(*_conditions(wanted or CallFilter()))
        with self._database.read() as connection:
            return fetch_page(connection, query, _TABLE.n, Slice(limit, cursor), _body)

    def totals(self) -> CallTotals:
        self._catch_up()
        query = select(_TABLE.provider, func.count(), func.sum(_TABLE.charged_nano))
        with self._database.read() as connection:
            rows = connection.execute(query.group_by(_TABLE.provider).order_by(_TABLE.provider)).all()
        return CallTotals(sum(row[1] for row in rows), int(sum(row[2] for row in rows)), tuple(row[0] for row in rows))


def _nothing() -> None:
    """There is nothing to wait for."""


def _conditions(wanted: CallFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.provider is not None:
        yield _TABLE.provider == wanted.provider
    if wanted.task is not None:
        yield _TABLE.task == wanted.task
    if wanted.since is not None:
        yield _TABLE.at >= wanted.since
    if wanted.outcome is not None:
        # Quotes within a record's texts are escaped, so only the field itself reads like this.
        yield _TABLE.body.contains(f'"outcome":{json.dumps(wanted.outcome)}', autoescape=True)


def _row(call: Call) -> dict[str, Any]:
    names = ("id", "at", "provider", "task", "key", "charged_nano")
    return {**{name: getattr(call, name) for name in names}, "body": call.model_dump_json()}


def _bounds(month: str) -> tuple[datetime, datetime]:
    try:
        since = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    except ValueError as error:
        raise InputError(f"`month` {month!r} is none. Write it as 2026-11.") from error
    return since, (since + timedelta(days=32)).replace(day=1)


def _body(row: AnyRow) -> dict[str, Any]:
    return json.loads(row.body)
