"""Pages of a list: opaque cursors over the position of a row, so that new rows never shift a page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select

from domain.errors import InputError

T = TypeVar("T")
AnyRow: TypeAlias = Row[*tuple[Any, ...]]
AnySelect: TypeAlias = Select[*tuple[Any, ...]]
MAX_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items of a list, and the cursor of the next page; None at the end."""

    items: tuple[T, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Slice:
    """Which part of a list is asked for. Raises InputError for a limit outside 1..1000 or a foreign cursor."""

    limit: int = 50
    cursor: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MAX_LIMIT:
            raise InputError(f"`limit` {self.limit!r} must lie in 1..{MAX_LIMIT}. Ask for fewer and follow `next`.")

    @property
    def position(self) -> int | None:
        return None if self.cursor is None else _position(self.cursor)


def _position(cursor: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(cursor.encode()).decode("ascii").removeprefix("n"))
    except (binascii.Error, ValueError) as error:
        raise InputError(f"`cursor` {cursor!r} is none of ours. Use the `next` of the page before, or none.") from error


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(f"n{position}".encode()).decode()


def fetch_page(
    connection: Connection,
    query: AnySelect,
    column: ColumnElement[int],
    part: Slice,
    build: Callable[[AnyRow], T],
    *,
    newest_first: bool = True,
) -> Page[T]:
    """The page of `query` after the cursor, ordered by `column`, each row made by `build`."""
    if part.position is not None:
        query = query.where(column < part.position if newest_first else column > part.position)
    ordered = query.order_by(column.desc() if newest_first else column).limit(part.limit + 1)
    rows = connection.execute(ordered.add_columns(column.label("position"))).all()
    more = len(rows) > part.limit
    shown = rows[: part.limit]
    return Page(tuple(build(row) for row in shown), _cursor(shown[-1].position) if more else None)
