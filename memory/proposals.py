"""Proposals in the store: who answers first is decided here, by compare-and-set."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from domain.actions import Action
from domain.audit import Fact
from domain.decisions import Decision
from domain.errors import NotFound
from domain.lifecycle import already
from domain.proposals import Proposal, ProposalStatus
from memory import tables
from memory.actions import actions_of, insert_actions, replace_actions, wake_actions
from memory.audit import record
from memory.database import Database
from memory.decisions import decisions_of, insert_decision
from memory.page import AnyRow, AnySelect, Page, Slice, fetch_page

_TABLE = tables.proposals.c


def insert_proposals(
    connection: Connection, proposals: Sequence[Proposal], due: dict[str, datetime | None]
) -> list[str]:
    """Adds proposals with their actions and decisions; a known id is left as it is. Returns the new ids."""
    added: list[str] = []
    for proposal in proposals:
        if connection.execute(select(_TABLE.n).where(_TABLE.id == proposal.id)).first() is not None:
            continue
        values = {"id": proposal.id, "situation": proposal.situation, **_columns(proposal)}
        connection.execute(insert(tables.proposals), values)
        insert_actions(connection, proposal.actions, due)
        for decision in proposal.decisions:
            insert_decision(connection, decision)
        added.append(proposal.id)
    return added


def _columns(proposal: Proposal) -> dict[str, Any]:
    body = proposal.model_dump_json(exclude={"actions", "decisions"})
    return {"status": proposal.status, "fingerprint": proposal.fingerprint, "body": body}


def _joined(connection: Connection, rows: Sequence[AnyRow]) -> list[Proposal]:
    ids = [row.id for row in rows]
    actions, decisions = actions_of(connection, ids), decisions_of(connection, ids)
    return [_proposal(row, actions.get(row.id, ()), decisions.get(row.id, ())) for row in rows]


def _proposal(row: AnyRow, actions: tuple[Action, ...], decisions: tuple[Decision, ...]) -> Proposal:
    bare = Proposal.model_validate({**json.loads(row.body), "actions": (), "decisions": ()})
    return bare.model_copy(update={"actions": actions, "decisions": decisions})


def _select() -> AnySelect:
    return select(_TABLE.id, _TABLE.body)


def _get(connection: Connection, proposal: str) -> Proposal:
    rows = connection.execute(_select().where(_TABLE.id == proposal)).all()
    if not rows:
        raise NotFound(f"There is no proposal {proposal!r}. See `proposals` for the known ones.")
    return _joined(connection, rows)[0]


def extend(connection: Connection, proposal: str, until: datetime) -> None:
    """Moves the expiry of a pending proposal, once in its life; its actions find the new time at their next look."""
    stored = _get(connection, proposal)
    if stored.status is not ProposalStatus.PENDING or stored.extended or until <= stored.expires_at:
        return
    later = stored.model_copy(update={"expires_at": until, "extended": True})
    connection.execute(update(tables.proposals).where(_TABLE.id == proposal), _columns(later))


class Proposals:
    """Written by rounds; answered, expired and voided here."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, id: str) -> Proposal:  # noqa: A002 — our word for it
        """With its actions and decisions as they are now. Raises NotFound."""
        with self._database.read() as connection:
            return _get(connection, id)

    def find(self, id: str) -> Proposal | None:  # noqa: A002 — our word for it
        """As `get`, but None when there is none."""
        with self._database.read() as connection:
            rows = connection.execute(_select().where(_TABLE.id == id)).all()
            return _joined(connection, rows)[0] if rows else None

    def page(
        self, status: str | None = None, situation: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Proposal]:
        """Newest first."""
        query = _select()
        if status is not None:
            query = query.where(_TABLE.status == status)
        if situation is not None:
            query = query.where(_TABLE.situation == situation)
        with self._database.read() as connection:
            rows = fetch_page(connection, query, _TABLE.n, Slice(limit, cursor), lambda row: row)
            return Page(tuple(_joined(connection, rows.items)), rows.next)

    def pending(self) -> list[Proposal]:
        """Every proposal that waits for an answer, oldest first."""
        query = _select().where(_TABLE.status == ProposalStatus.PENDING).order_by(_TABLE.n)
        with self._database.read() as connection:
            return _joined(connection, connection.execute(query).all())

    def decide(self, before: Proposal, decision: Decision, after: Proposal, *, facts: Sequence[Fact] = ()) -> Proposal:
        """Records `decision` and `after` if the proposal still is as `before`, and wakes its actions at once.

        Compared are status, fingerprint and number of decisions. Raises Conflict that names who was first.
        """
        with self._database.write("decision") as connection:
            stored = _get(connection, before.id)
            if _version(stored) != _version(before):
                raise already(stored)
            merged = _merged(stored, before, after)
            insert_decision(connection, decision)
            connection.execute(update(tables.proposals).where(_TABLE.id == before.id), _columns(merged))
            if merged.actions != stored.actions:
                replace_actions(connection, before.id, merged.actions, decision.at)
            wake_actions(connection, before.id, decision.at)
            record(connection, facts, self._database.audit_key)
            return _get(connection, before.id)

    def move(
        self,
        id: str,  # noqa: A002 — our word for it
        from_: ProposalStatus,
        to: ProposalStatus,
        *,
        facts: Sequence[Fact] = (),
        detail: str | None = None,
        escalated: bool | None = None,
    ) -> bool:
        """Sets the status if it is `from_`; False when it is not. Its pending actions become due at the facts' time.

        Raises NotFound.
        """
        with self._database.write(f"proposal.{to}") as connection:
            proposal = _get(connection, id)
            if proposal.status is not from_:
                return False
            given = {"detail": detail, "escalated": escalated}
            patch = {name: value for name, value in given.items() if value is not None}
            moved = proposal.model_copy(update={**patch, "status": to})
            connection.execute(update(tables.proposals).where(_TABLE.id == id), _columns(moved))
            if facts:
                wake_actions(connection, id, facts[0].at)
            record(connection, facts, self._database.audit_key)
            return True

    def reword(
        self,
        id: str,  # noqa: A002 — our word for it
        *,
        title: str,
        why: str,
        worded_by: str | None = None,
        facts: Sequence[Fact] = (),
    ) -> bool:
        """A model's words, of the provider `worded_by`, in place of the rules'; False once somebody has answered.

        Nothing that is decided on changes.
        """
        with self._database.write() as connection:
            proposal = _get(connection, id)
            if proposal.status is not ProposalStatus.PENDING or proposal.decisions:
                return False
            words = {"title": title, "why": why, "origin": "model", "worded_by": worded_by}
            worded = proposal.model_copy(update=words)
            connection.execute(update(tables.proposals).where(_TABLE.id == id), _columns(worded))
            record(connection, facts, self._database.audit_key)
            return True


def _version(proposal: Proposal) -> tuple[ProposalStatus, str, int]:
    return proposal.status, proposal.fingerprint, len(proposal.decisions)


def _merged(stored: Proposal, before: Proposal, after: Proposal) -> Proposal:
    """What the answer changed, on top of what is stored: an escalation or new words meanwhile are kept."""
    untouched = [name for name in Proposal.model_fields if getattr(after, name) == getattr(before, name)]
    return after.model_copy(update={name: getattr(stored, name) for name in untouched})
