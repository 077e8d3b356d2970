"""How good answers of models were, as evals and people judged them: append-only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from sqlalchemy import insert, select

from memory import tables
from memory.database import Database

_TABLE = tables.qualities.c


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


class Qualities:
    """Every observation that is to outlive the process."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, observation: Judgement, /) -> None:
        names = ("task", "provider", "model", "quality", "weight", "source", "at")
        with self._database.write() as connection:
            connection.execute(insert(tables.qualities).values({name: getattr(observation, name) for name in names}))

    def since(self, at: datetime) -> Iterator[Quality]:
        """Oldest first, from `at` on."""
        wanted = (_TABLE.task, _TABLE.provider, _TABLE.model, _TABLE.quality, _TABLE.weight, _TABLE.source, _TABLE.at)
        with self._database.read() as connection:
            for row in connection.execute(select(*wanted).where(_TABLE.at >= at).order_by(_TABLE.at, _TABLE.n)):
                yield Quality(*row)
