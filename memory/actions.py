"""Actions in the store: their status by compare-and-set, and when each has to be looked at next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update

from domain.actions import Action, ActionStatus
from domain.audit import Fact
from domain.decisions import Decision
from domain.errors import Conflict, NotFound
from memory import tables
from memory.audit import record
from memory.database import Database
from memory.decisions import insert_decision
from memory.page import AnyRow, Page, Slice, fetch_page

_TABLE = tables.actions.c
_MOVED = (ActionStatus.DONE, ActionStatus.UNKNOWN, ActionStatus.COMPENSATED)
"""Statuses in which the tool was, or may have been, changed."""
_FAILED = (ActionStatus.DENIED, ActionStatus.DRIFTED)
_UNMEASURED = and_(_TABLE.status == ActionStatus.DONE, _TABLE.measure_at.is_not(None), _TABLE.outcome.is_(None))


def _columns(action: Action) -> dict[str, Any]:
    return {
        "entity": action.spec.entity,
        "status": action.status,
        "measure_at": action.measure_at,
        "delta_minor": action.spec.delta_minor,
        "outcome": action.outcome,
        "body": action.model_dump_json(),
    }


def insert_actions(connection: Connection, actions: Sequence[Action], due: Mapping[str, datetime | None]) -> None:
    """New rows in the order of their proposal."""
    rows = [
        {"id": action.id, "proposal": action.proposal, "place": place, "due_at": due.get(action.id), **_columns(action)}
        for place, action in enumerate(actions)
    ]
    if rows:
        connection.execute(insert(tables.actions), rows)


def replace_actions(connection: Connection, proposal: str, actions: Sequence[Action], at: datetime) -> None:
    """Makes `actions` the actions of `proposal`, each due at `at`; kept ids keep their place in lists."""
    wanted = {action.id: (place, action) for place, action in enumerate(actions)}
    known = set(connection.execute(select(_TABLE.id).where(_TABLE.proposal == proposal)).scalars())
    for gone in sorted(known - set(wanted)):
        connection.execute(delete(tables.actions).where(_TABLE.id == gone))
    for name, (place, action) in wanted.items():
        values = {"place": place, "due_at": at, **_columns(action)}
        if name in known:
            connection.execute(update(tables.actions).where(_TABLE.id == name), values)
        else:
            connection.execute(insert(tables.actions), {"id": name, "proposal": proposal, **values})


def wake_actions(connection: Connection, proposal: str, at: datetime) -> None:
    """Makes every pending action of `proposal` due at `at`, unless it is due earlier."""
    later = or_(_TABLE.due_at.is_(None), _TABLE.due_at > at)
    pending = and_(_TABLE.proposal == proposal, _TABLE.status == ActionStatus.PENDING)
    connection.execute(update(tables.actions).where(pending, later), {"due_at": at})


def actions_of(connection: Connection, proposals: Iterable[str]) -> dict[str, tuple[Action, ...]]:
    """Actions by proposal, each in its order."""
    query = select(_TABLE.proposal, _TABLE.body).where(_TABLE.proposal.in_(list(proposals)))
    found: dict[str, tuple[Action, ...]] = {}
    for row in connection.execute(query.order_by(_TABLE.proposal, _TABLE.place)):
        found[row.proposal] = (*found.get(row.proposal, ()), _action(row))
    return found


def get_action(connection: Connection, action: str) -> Action:
    """Raises NotFound."""
    row = connection.execute(select(_TABLE.body).where(_TABLE.id == action)).first()
    if row is None:
        raise NotFound(f"There is no action {action!r}. A modified proposal gets new ones; see `actions`.")
    return _action(row)


def save_action(connection: Connection, action: Action, from_: ActionStatus, **columns: datetime | None) -> bool:
    """Writes `action` if its status is still `from_`."""
    query = update(tables.actions).where(_TABLE.id == action.id, _TABLE.status == from_)
    return connection.execute(query, {**_columns(action), **columns}).rowcount == 1


def _action(row: AnyRow) -> Action:
    return Action.model_validate_json(row.body)


class Actions:
    """Written by rounds and decisions; moved here."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, id: str) -> Action:  # noqa: A002 — our word for it
        """Raises NotFound."""
        with self._database.read() as connection:
            return get_action(connection, id)

    def page(
        self,
        status: str | None = None,
        proposal: str | None = None,
        entity: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Action]:
        """Newest first."""
        query = select(_TABLE.body)
        for column, value in ((_TABLE.status, status), (_TABLE.proposal, proposal), (_TABLE.entity, entity)):
            if value is not None:
                query = query.where(column == value)
        with self._database.read() as connection:
            return fetch_page(connection, query, _TABLE.n, Slice(limit, cursor), _action)

    def due(self, now: datetime) -> list[str]:
        """Ids with a due time up to `now`, the longest waiting first."""
        query = select(_TABLE.id).where(_TABLE.due_at <= now).order_by(_TABLE.due_at, _TABLE.id)
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def set_due(self, id: str, at: datetime | None) -> None:  # noqa: A002 — our word for it
        """When to look at it next; None when nothing will come by itself."""
        with self._database.write("due") as connection:
            connection.execute(update(tables.actions).where(_TABLE.id == id), {"due_at": at})

    def move(
        self,
        id: str,  # noqa: A002 — our word for it
        from_: ActionStatus,
        to: ActionStatus,
        *,
        due_at: datetime | None,
        facts: Sequence[Fact] = (),
        **patch: object,
    ) -> bool:
        """Sets status and `patch` (fields of Action) if the status is `from_`; False when it is not.

        The newest time of `facts` is kept as the time of the move, that of a claim is `due_at`. Raises NotFound.
        """
        with self._database.write(f"action.{to}") as connection:
            action = get_action(connection, id)
            moved = Action.model_validate({**dict(action), **patch, "status": to})
            told = max((fact.at for fact in facts), default=None)
            at = moved.executed_at or (due_at if to is ActionStatus.EXECUTING else told)
            columns = {"due_at": due_at} if at is None else {"due_at": due_at, "moved_at": at}
            if not save_action(connection, moved, from_, **columns):
                return False
            if to is ActionStatus.DONE and moved.undo_of is not None:
                _compensate(connection, moved.undo_of)
            record(connection, facts, self._database.audit_key)
            return True

    def add_undo(
        self, undoing: Action, decision: Decision, *, undone: str, due_at: datetime, facts: Sequence[Fact] = ()
    ) -> None:
        """Adds an approved action that sets `undone` back; once it is done, `undone` is compensated.

        Raises NotFound, and Conflict when `undone` is not done or another undo of it is under way or done.
        An undo that was denied or drifted may be tried again.
        """
        with self._database.write("undo") as connection:
            action = get_action(connection, undone)
            siblings = actions_of(connection, [action.proposal])[action.proposal]
            earlier = [other for other in siblings if other.undo_of == undone]
            if action.status is not ActionStatus.DONE or any(other.status not in _FAILED for other in earlier):
                raise Conflict(f"{undone} is {action.status} and its undo was asked for. Reload it to see by whom.")
            insert_decision(connection, decision)
            connection.execute(delete(tables.actions).where(_TABLE.id == undoing.id))
            row = {"id": undoing.id, "proposal": undoing.proposal, "place": len(siblings), "due_at": due_at}
            connection.execute(insert(tables.actions), {**row, **_columns(undoing)})
            record(connection, facts, self._database.audit_key)

    def executed_since(self, since: datetime) -> list[Action]:
        """Actions that changed, or may have changed, a tool since then, oldest first."""
        query = select(_TABLE.body).where(_TABLE.status.in_(_MOVED), _TABLE.moved_at >= since)
        with self._database.read() as connection:
            return [_action(row) for row in connection.execute(query.order_by(_TABLE.moved_at, _TABLE.id))]

    def unmeasured(self) -> int:
        """Number of done actions whose outcome is still to come."""
        with self._database.read() as connection:
            return int(connection.execute(select(func.count()).where(_UNMEASURED)).scalar_one())

    def moved_since(self, since: datetime) -> int:
        """Money moved by actions now executing and by those that changed, or may have changed, a tool since then."""
        total = select(func.coalesce(func.sum(_TABLE.delta_minor), 0)).where(
            or_(_TABLE.status == ActionStatus.EXECUTING, and_(_TABLE.status.in_(_MOVED), _TABLE.moved_at >= since))
        )
        with self._database.read() as connection:
            return int(connection.execute(total).scalar_one())

    def last_changes(self) -> dict[str, datetime]:
        """Time of the last change of each entity that was executed, or is being executed now."""
        query = select(_TABLE.entity, func.max(_TABLE.moved_at).label("at"))
        query = query.where(
            _TABLE.status.in_((*_MOVED, ActionStatus.EXECUTING)),
            _TABLE.entity.is_not(None),
            _TABLE.moved_at.is_not(None),
        )
        with self._database.read() as connection:
            rows = connection.execute(query.group_by(_TABLE.entity).order_by(_TABLE.entity)).all()
        return {row.entity: row.at for row in rows}

    def waiting(self) -> list[str]:
        """Ids of actions that are not closed: undecided, under way, or yet to be measured; oldest first."""
        at_work = _TABLE.status.in_((ActionStatus.PENDING, ActionStatus.EXECUTING))
        query = select(_TABLE.id).where(or_(at_work, _UNMEASURED)).order_by(_TABLE.n)
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def measuring(self) -> list[Action]:
        """Executed actions whose effect is yet to be measured, oldest first."""
        query = select(_TABLE.body).where(_UNMEASURED).order_by(_TABLE.n)
        with self._database.read() as connection:
            return [_action(row) for row in connection.execute(query)]


def _compensate(connection: Connection, undone: str) -> None:
    action = get_action(connection, undone)
    save_action(
        connection,
        action.model_copy(update={"status": ActionStatus.COMPENSATED}),
        ActionStatus.DONE,
        due_at=None,
    )
