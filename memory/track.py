"""The track record of rules, as rows: what people answered to proposals and what their effects measured."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import select

from domain.actions import Action, ActionStatus
from domain.decisions import Decision
from domain.outcomes import Outcome
from domain.proposals import Proposal
from memory import tables
from memory.database import Database

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
        table = tables.decisions.c
        query = select(table.n, table.body, tables.proposals.c.body.label("about"))
        query = query.join(tables.proposals, tables.proposals.c.id == table.proposal)
        with self._database.read() as connection:
            newest = connection.execute(select(table.n).order_by(table.n.desc()).limit(1)).scalar() or 0
            if newest == mark.decision:
                return [], mark
            rows = connection.execute(query.where(table.n > mark.decision - _OVERLAP).order_by(table.n)).all()
        told = [(Decision.model_validate_json(row.body), _bare(row.about)) for row in rows]
        return told, Mark(rows[-1].n, mark.outcome)

    def measured(self, mark: Mark) -> tuple[list[tuple[Outcome, Proposal]], Mark]:
        """Outcomes after `mark` with their proposals, oldest first."""
        table = tables.outcomes.c
        query = select(table.n, table.body, tables.proposals.c.body.label("about"))
        query = query.join(tables.proposals, tables.proposals.c.id == table.proposal)
        with self._database.read() as connection:
            newest = connection.execute(select(table.n).order_by(table.n.desc()).limit(1)).scalar() or 0
            if newest == mark.outcome:
                return [], mark
            rows = connection.execute(query.where(table.n > mark.outcome - _OVERLAP).order_by(table.n)).all()
        told = [(Outcome.model_validate_json(row.body), _bare(row.about)) for row in rows]
        return told, Mark(mark.decision, rows[-1].n)

    def undone(self) -> list[Action]:
        """Every action that was set back."""
        table = tables.actions.c
        query = select(table.body).where(table.status == ActionStatus.COMPENSATED).order_by(table.n)
        with self._database.read() as connection:
            return [Action.model_validate_json(row.body) for row in connection.execute(query)]


def _bare(body: str) -> Proposal:
    return Proposal.model_validate({**json.loads(body), "actions": (), "decisions": ()})
