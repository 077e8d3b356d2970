"""The track record of rules, as rows: what people answered to proposals and what their effects measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Table, select

from domain.actions import Action, ActionStatus
from domain.decisions import Decision
from domain.outcomes import Outcome
from domain.proposals import Proposal
from memory import tables
from memory.database import Database
from memory.page import AnyRow

_OVERLAP = 500
"""Positions read again each time: on Postgres a row may become visible after one with a higher position."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far decisions and outcomes were read."""

    decision: int = 0
    outcome: int = 0


class Track:
    """Decisions and outcomes from a mark on, the last few of before once more; their proposals without actions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def decided(self, mark: Mark) -> tuple[list[tuple[Decision, Proposal]], Mark]:
        """Answers after `mark` with what their proposals are by now, oldest first."""
        rows = self._after(tables.decisions, mark.decision)
        told = [(Decision.model_validate_json(row.body), _bare(row.about)) for row in rows]
        return told, replace(mark, decision=rows[-1].n) if rows else mark

    def measured(self, mark: Mark) -> tuple[list[tuple[Outcome, Proposal]], Mark]:
        """Outcomes after `mark` with their proposals, oldest first."""
        rows = self._after(tables.outcomes, mark.outcome)
        told = [(Outcome.model_validate_json(row.body), _bare(row.about)) for row in rows]
        return told, replace(mark, outcome=rows[-1].n) if rows else mark

    def _after(self, table: Table, position: int) -> Sequence[AnyRow]:
        """Rows of `table` from a little before `position` on, each with its proposal; none when nothing is newer."""
        column = table.c
        query = select(column.n, column.body, tables.proposals.c.body.label("about"))
        query = query.join(tables.proposals, tables.proposals.c.id == column.proposal)
        with self._database.read() as connection:
            newest = connection.execute(select(column.n).order_by(column.n.desc()).limit(1)).scalar() or 0
            if newest == position:
                return []
            return connection.execute(query.where(column.n > position - _OVERLAP).order_by(column.n)).all()

    def undone(self) -> list[Action]:
        """Every action that was set back."""
        table = tables.actions.c
        query = select(table.body).where(table.status == ActionStatus.COMPENSATED).order_by(table.n)
        with self._database.read() as connection:
            return [Action.model_validate_json(row.body) for row in connection.execute(query)]


def _bare(body: str) -> Proposal:
    return Proposal.model_validate({**json.loads(body), "actions": (), "decisions": ()})
