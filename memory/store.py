"""The store: one small class for each noun over one database."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from domain.entities import EntityTree
from domain.errors import AccordError
from domain.ports import View
from memory import schema
from memory.actions import Actions
from memory.audit import Audit
from memory.calls import Calls
from memory.database import Database
from memory.decisions import Decisions
from memory.delegations import Delegations
from memory.effects import Effects
from memory.entities import Entities
from memory.flags import Flags
from memory.keys import Keys
from memory.outbox import Outbox
from memory.outcomes import Outcomes
from memory.people import People
from memory.proposals import Proposals
from memory.qualities import Qualities
from memory.questions import Questions
from memory.rounds import Rounds
from memory.signals import Signals
from memory.situations import Situations
from memory.told import Payloads
from memory.view import StoreView


class Store:
    """Everything Accord remembers. Safe to share between threads; close it at the end."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.signals = Signals(database)
        self.rounds = Rounds(database)
        self.situations = Situations(database)
        self.proposals = Proposals(database)
        self.decisions = Decisions(database)
        self.questions = Questions(database)
        self.delegations = Delegations(database)
        self.outbox = Outbox(database)
        self.actions = Actions(database)
        self.effects = Effects(database)
        self.outcomes = Outcomes(database)
        self.audit = Audit(database)
        self.keys = Keys(database)
        self.people = People(database)
        self.calls = Calls(database)
        self.qualities = Qualities(database)
        self.flags = Flags(database)
        self._payloads = Payloads(database)
        self._entities = Entities(database)

    @classmethod
    def open(cls, url: str, *, audit_key: bytes = b"", create: bool = True) -> Store:
        """The store at `url`; `sqlite://` is one in memory, gone when it is closed.

        Raises ConfigError for a bad address, a database that is missing (without `create`), one that
        `accord migrate` has to bring up to date, or one of a newer Accord.
        """
        database = Database(url, audit_key)
        if database.embedded and not database.volatile and create:
            Path(make_url(url).database or "").parent.mkdir(parents=True, exist_ok=True)
        try:
            schema.prepare(database, create=create)
        except (AccordError, SQLAlchemyError):
            database.close()
            raise
        return cls(database)

    @property
    def engine(self) -> Engine:
        return self.database.engine

    @property
    def url(self) -> str:
        return self.database.url

    def alone(self, name: str) -> AbstractContextManager[None]:
        """One transaction for all that this thread reads and writes within; no other writer of any process is in it.

        What is asked within must come from the store alone: nobody can write meanwhile.
        """
        return self.database.alone(name)

    def view(self, now: datetime) -> StoreView:
        """The company as known at `now`: a snapshot of the signals stored so far."""
        return StoreView(self.database, now, self._payloads, self._entities)

    def tree(self) -> EntityTree:
        """Every entity declared so far."""
        return self._entities.tree()

    def close(self) -> None:
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def migrate(url: str) -> None:
    """Brings the database at `url` to the version of this code. Raises ConfigError when it cannot be."""
    database = Database(url)
    try:
        schema.migrate(database)
    finally:
        database.close()


def satisfies_port(view: StoreView) -> View:
    """Held by the type checker: a store's view is a `domain.ports.View`."""
    return view
