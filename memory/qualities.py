"""How good answers of models were, as evals and people judged them: append-only.

An observation with an id is kept once, whoever tells of it and how often.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from memory import tables
from memory.database import Database

_TABLE = tables.qualities.c
_COLUMNS = (
    *(_TABLE.task, _TABLE.provider, _TABLE.model),
    *(_TABLE.quality, _TABLE.weight, _TABLE.source, _TABLE.at, _TABLE.id),
)


class Judgement(Protocol):
    """One observation as routing makes it; `quality` 0..1, `weight` 1 for one judged answer."""

    @property
    def task(self) -> str: ...
    @property
    def provider(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def quality(self) -> float: ...
    @property
    def weight(self) -> float: ...
    @property
    def source(self) -> Literal["eval", "human", "check"]: ...
    @property
    def at(self) -> datetime: ...
    @property
    def id(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Quality:
    """A stored observation."""

    task: str
    provider: str
    model: str
    quality: float
    weight: float
    source: Literal["eval", "human", "check"]
    at: datetime
    id: str | None = None


class Qualities:
    """Every observation that is to outlive the process."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, observation: Judgement, /) -> None:
        """An id that is known already changes nothing."""
        values = {column.name: getattr(observation, column.name) for column in _COLUMNS}
        with self._database.write() as connection:
            make = sqlite_insert if connection.dialect.name == "sqlite" else postgres_insert
            connection.execute(make(tables.qualities).values(values).on_conflict_do_nothing(index_elements=["id"]))

    def since(self, at: datetime) -> Iterator[Quality]:
        """Oldest first, from `at` on."""
        with self._database.read() as connection:
            for row in connection.execute(select(*_COLUMNS).where(_TABLE.at >= at).order_by(_TABLE.at, _TABLE.n)):
                yield Quality(*row)
