"""Rounds: what one pass of reasoning concluded, written as a whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from domain.audit import Fact
from domain.proposals import Proposal
from domain.situations import Finding, Situation
from memory import tables
from memory.audit import record
from memory.database import Database
from memory.proposals import insert_proposals
from memory.situations import note_findings, upsert_situations


@dataclass(frozen=True, slots=True)
class RoundMark:
    """A round's name, its time, and the position of the last signal it took into account."""

    id: str
    at: datetime
    signal_seq: int


class Rounds:
    """The chain of rounds: each names the one before it, so that of two at once one is refused."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last(self) -> RoundMark | None:
        with self._database.read() as connection:
            return _last(connection)

    def commit(  # noqa: PLR0913 — a round is written whole
        self,
        mark: RoundMark,
        *,
        previous: str | None,
        situations: Sequence[Situation] = (),
        proposals: Sequence[Proposal] = (),
        facts: Sequence[Fact] = (),
        due: Mapping[str, datetime | None] | None = None,
        findings: Sequence[Finding] | None = None,
    ) -> bool:
        """One transaction; False if `previous` is not the last round or `mark` is committed already.

        `due` gives the first look at each new action by its id. `findings` are what was seen this round,
        for `Situations.digests`; without them the situations stand for their findings.
        """
        with self._database.write("round") as connection:
            last = _last(connection)
            if (last.id if last else None) != previous or _known(connection, mark.id):
                return False
            upsert_situations(connection, situations)
            note_findings(connection, situations if findings is None else findings)
            insert_proposals(connection, proposals, dict(due or {}))
            values = {"id": mark.id, "at": mark.at, "signal_seq": mark.signal_seq}
            connection.execute(insert(tables.rounds), values)
            record(connection, facts, self._database.audit_key)
            return True


def _last(connection: Connection) -> RoundMark | None:
    row = connection.execute(select(tables.rounds).order_by(tables.rounds.c.n.desc()).limit(1)).first()
    return RoundMark(row.id, row.at, row.signal_seq) if row else None


def _known(connection: Connection, mark: str) -> bool:
    return connection.execute(select(tables.rounds.c.n).where(tables.rounds.c.id == mark)).first() is not None
