"""What each scope was charged in each month, held to limits by conditional updates, and what is held but not settled.

Of every scope and month, `spend` is the sum of the charges of its calls and of the amounts held.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import Connection, delete, func, insert, select, text

from memory import tables

# Both databases read this the same way; the row that would pass the limit is left alone and counted as 0 rows.
_TAKE = text(
    "INSERT INTO spend (scope, month, charged_nano) VALUES (:scope, :month, :amount) "
    "ON CONFLICT (scope, month) DO UPDATE SET charged_nano = spend.charged_nano + excluded.charged_nano "
    "WHERE spend.charged_nano + excluded.charged_nano <= :limit"
)
_ADD = text(
    "INSERT INTO spend (scope, month, charged_nano) VALUES (:scope, :month, :amount) "
    "ON CONFLICT (scope, month) DO UPDATE SET charged_nano = spend.charged_nano + excluded.charged_nano"
)

Refusal = tuple[str, int]
"""The scope whose limit would be passed, and what it is charged already, in nano-units."""


class Charged(Protocol):
    """The part of a call's record that is counted."""

    @property
    def charged_nano(self) -> int: ...


C_co = TypeVar("C_co", bound=Charged, covariant=True)


class Posting(Protocol, Generic[C_co]):
    """What shall be held for one call from now on, and its record once it is over. `limits` (nano-units) may refuse."""

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
    def scopes(self) -> tuple[str, ...]: ...
    @property
    def held_nano(self) -> int: ...
    @property
    def limits(self) -> Mapping[str, int]: ...
    @property
    def call(self) -> C_co | None: ...


@dataclass(frozen=True, slots=True)
class Hold:
    """Money reserved for a call that was never settled; amounts in nano-units of the objective's currency."""

    id: str
    at: datetime
    provider: str
    task: str
    key: str | None
    held_nano: int


def post(connection: Connection, postings: Sequence[Posting[Charged]], known: Iterable[str]) -> list[Refusal | None]:
    """Move the spend of every posting in order, and keep what is held; None for each that no limit refused.

    `known` are the ids of calls that are recorded already: recording them again changes nothing.
    `connection` must come from `Database.write`.
    """
    held, recorded = _held(connection, [posting.id for posting in postings]), set(known)
    before = dict(held)
    pending: Counter[tuple[str, str]] = Counter()
    refusals: list[Refusal | None] = []
    for posting in postings:
        change = posting.held_nano - held.get(posting.id, 0)
        if posting.call is not None and posting.id not in recorded:
            change += posting.call.charged_nano
            recorded.add(posting.id)
        refusal = _take(connection, posting, change, pending) if posting.limits else None
        refusals.append(refusal)
        if refusal is None:
            held[posting.id] = posting.held_nano
            pending.update({(s, month_of(posting.at)): change for s in posting.scopes if s not in posting.limits})
    _flush(connection, pending)
    _keep(connection, postings, before, held)
    return refusals


def charged_nano(connection: Connection, scope: str, month: str) -> int:
    """What `scope` is charged in `month` (`2026-11`), with what is held."""
    table = tables.spend.c
    query = select(table.charged_nano).where(table.scope == scope, table.month == month)
    return int(connection.execute(query).scalar() or 0)


def unsettled(connection: Connection, before: datetime) -> list[Hold]:
    """What has been held since before `before`, oldest first."""
    query = select(tables.holds).where(tables.holds.c.at < before).order_by(tables.holds.c.at)
    return [Hold(**row) for row in connection.execute(query).mappings()]


def held_nano(connection: Connection) -> int:
    """The sum of all that is held."""
    return int(connection.execute(select(func.coalesce(func.sum(tables.holds.c.held_nano), 0))).scalar_one())


def month_of(at: datetime) -> str:
    """The calendar month of `at` in UTC, as `2026-11`."""
    return f"{at.astimezone(UTC):%Y-%m}"


def _held(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    query = select(tables.holds.c.id, tables.holds.c.held_nano).where(tables.holds.c.id.in_(ids))
    return {row.id: int(row.held_nano) for row in connection.execute(query)}


def _take(
    connection: Connection, posting: Posting[Charged], amount: int, pending: Counter[tuple[str, str]]
) -> Refusal | None:
    """Add `amount` to every limited scope, or to none of them and say which refused."""
    month = month_of(posting.at)
    if any((scope, month) in pending for scope in posting.limits):
        _flush(connection, pending)
    taken: list[dict[str, Any]] = []
    for scope, limit in sorted(posting.limits.items()):
        row = {"scope": scope, "month": month, "amount": amount}
        if amount > limit or connection.execute(_TAKE, {**row, "limit": limit}).rowcount == 0:
            if taken:
                connection.execute(_ADD, [{**each, "amount": -amount} for each in taken])
            return scope, charged_nano(connection, scope, month)
        taken.append(row)
    return None


def _flush(connection: Connection, pending: Counter[tuple[str, str]]) -> None:
    rows = [{"scope": s, "month": m, "amount": amount} for (s, m), amount in sorted(pending.items()) if amount]
    if rows:
        connection.execute(_ADD, rows)
    pending.clear()


def _keep(
    connection: Connection, postings: Sequence[Posting[Charged]], before: Mapping[str, int], held: Mapping[str, int]
) -> None:
    """Make the rows of `holds` what they now are."""
    gone = [id_ for id_ in before if not held[id_]]
    if gone:
        connection.execute(delete(tables.holds).where(tables.holds.c.id.in_(gone)))
    fresh = {posting.id: posting for posting in postings if held.get(posting.id) and posting.id not in before}
    if fresh:
        names = ("id", "at", "provider", "task", "key", "held_nano")
        connection.execute(insert(tables.holds), [{n: getattr(p, n) for n in names} for p in fresh.values()])
