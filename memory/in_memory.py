"""A store of the lifecycle in dictionaries, for simulation: what `Store` does for consent, without a database.

It holds what the executor, the approver and the drivers use; a test drives it beside the real one with the same
calls and compares every answer. Single-threaded. `turn` is called before each access, so that a simulation can
stop a worker there or let others go first; within a transaction nobody else gets a turn.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.actions import Action, ActionStatus
from domain.audit import Fact
from domain.decisions import Decision
from domain.effects import Effect, EffectStatus
from domain.entities import EntityTree
from domain.errors import Conflict, NotFound
from domain.lifecycle import already
from domain.limits import ActiveLimit
from domain.proposals import Proposal, ProposalStatus

Turn = Callable[[str], None]
_MOVED = frozenset({ActionStatus.DONE, ActionStatus.UNKNOWN, ActionStatus.COMPENSATED})
_FAILED = frozenset({ActionStatus.DENIED, ActionStatus.DRIFTED})


@dataclass(frozen=True, slots=True)
class Row:
    """An action with when to look at it next and when it moved."""

    action: Action
    due_at: datetime | None = None
    moved_at: datetime | None = None


@dataclass
class Tables:
    """Everything that is stored; values are immutable, so that a shallow copy is a snapshot."""

    proposals: dict[str, Proposal] = field(default_factory=dict[str, Proposal])
    actions: dict[str, Row] = field(default_factory=dict[str, Row])
    decisions: dict[str, Decision] = field(default_factory=dict[str, Decision])
    effects: dict[str, Effect] = field(default_factory=dict[str, Effect])
    flags: dict[str, Any] = field(default_factory=dict[str, Any])
    facts: list[Fact] = field(default_factory=list[Fact])
    limits: tuple[ActiveLimit, ...] = ()
    heard: int = 0
    """Position of the newest signal: a changed one makes a judgement stale."""

    def copy(self) -> Tables:
        return Tables(**{name: each.copy() if hasattr(each, "copy") else each for name, each in vars(self).items()})


class _Base:
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    @property
    def _tables(self) -> Tables:
        return self._store.tables


class InMemoryStore:
    """The parts of `memory.store.Store` that consent rests on."""

    def __init__(self, tree: EntityTree, turn: Turn = lambda _: None) -> None:
        self.tables, self.tree, self.turn = Tables(), tree, turn
        self.depth = 0
        """Above 0 within a transaction."""
        self.actions, self.proposals = InMemoryActions(self), InMemoryProposals(self)
        self.effects, self.flags, self.audit = InMemoryEffects(self), InMemoryFlags(self), InMemoryAudit(self)
        self.delegations, self.people = Nobody(), Nobody()

    @contextmanager
    def alone(self, name: str) -> Generator[None]:
        """A transaction: kept whole, or, when anything is raised, not at all."""
        if self.depth:
            yield
            return
        self.turn(f"{name}.begin")
        before, self.depth = self.tables.copy(), 1
        try:
            yield
            self.depth = 0
            self.turn(f"{name}.committing")
        except BaseException:
            self.tables, self.depth = before, 0
            raise
        self.turn(f"{name}.committed")

    def access(self, name: str) -> None:
        """A read or a write begins."""
        if not self.depth:
            self.turn(name)

    def view(self, now: datetime) -> InMemoryView:
        return InMemoryView(now, self.tables.heard, self.tree, self.tables.limits)

    def add(self, proposal: Proposal, due: datetime | None, facts: Sequence[Fact]) -> None:
        """What a round writes."""
        with self.alone("round"):
            self.tables.proposals[proposal.id] = proposal
            self.tables.actions.update({action.id: Row(action, due) for action in proposal.actions})
            self.tables.facts.extend(facts)


@dataclass(frozen=True, slots=True)
class InMemoryView:
    """What a judgement reads of the company."""

    now: datetime
    seq: int
    tree: EntityTree
    active: tuple[ActiveLimit, ...]

    def limits(self) -> tuple[ActiveLimit, ...]:
        return self.active


class InMemoryActions(_Base):
    """As `memory.actions.Actions`."""

    def get(self, id: str) -> Action:  # noqa: A002 — our word for it
        self._store.access("actions.get")
        return self._row(id).action

    def of(self, proposal: str) -> tuple[Action, ...]:
        return tuple(row.action for row in self._tables.actions.values() if row.action.proposal == proposal)

    def due(self, now: datetime) -> list[str]:
        rows = [(row.due_at, name) for name, row in self._tables.actions.items() if row.due_at and row.due_at <= now]
        return [name for _, name in sorted(rows)]

    def waiting(self) -> list[str]:
        at_work = {ActionStatus.PENDING, ActionStatus.EXECUTING}
        return [name for name, row in self._tables.actions.items() if row.action.status in at_work]

    def set_due(self, id: str, at: datetime | None) -> None:  # noqa: A002 — our word for it
        with self._store.alone("due"):
            row = self._row(id)
            self._tables.actions[id] = Row(row.action, at, row.moved_at)

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
        with self._store.alone(f"action.{to}"):
            row = self._row(id)
            if row.action.status is not from_:
                return False
            moved = row.action.model_copy(update={**patch, "status": to})
            told = max((fact.at for fact in facts), default=None)
            at = moved.executed_at or (due_at if to is ActionStatus.EXECUTING else told)
            self._tables.actions[id] = Row(moved, due_at, at or row.moved_at)
            if to is ActionStatus.DONE and moved.undo_of is not None:
                self._compensate(moved.undo_of)
            self._tables.facts.extend(facts)
            return True

    def _compensate(self, undone: str) -> None:
        row = self._row(undone)
        if row.action.status is ActionStatus.DONE:
            back = row.action.model_copy(update={"status": ActionStatus.COMPENSATED})
            self._tables.actions[undone] = Row(back, None, row.moved_at)

    def add_undo(
        self, undoing: Action, decision: Decision, *, undone: str, due_at: datetime, facts: Sequence[Fact] = ()
    ) -> None:
        with self._store.alone("undo"):
            action = self._row(undone).action
            earlier = [other for other in self.of(action.proposal) if other.undo_of == undone]
            if action.status is not ActionStatus.DONE or any(other.status not in _FAILED for other in earlier):
                raise Conflict(f"{undone} is {action.status} and its undo was asked for. Reload it to see by whom.")
            self._tables.decisions.setdefault(decision.id, decision)
            self._tables.actions[undoing.id] = Row(undoing, due_at)
            self._tables.facts.extend(facts)

    def moved_since(self, since: datetime) -> int:
        return sum(row.action.spec.delta_minor for row in self._tables.actions.values() if _counts(row, since))

    def last_changes(self) -> dict[str, datetime]:
        found: dict[str, datetime] = {}
        for row in self._tables.actions.values():
            entity, at = row.action.spec.entity, row.moved_at
            changed = row.action.status in _MOVED or row.action.status is ActionStatus.EXECUTING
            if changed and entity is not None and at is not None:
                found[entity] = max(at, found.get(entity, at))
        return found

    def _row(self, name: str) -> Row:
        row = self._tables.actions.get(name)
        if row is None:
            raise NotFound(f"There is no action {name!r}. A modified proposal gets new ones; see `actions`.")
        return row


def _counts(row: Row, since: datetime) -> bool:
    if row.action.status is ActionStatus.EXECUTING:
        return True
    return row.action.status in _MOVED and row.moved_at is not None and row.moved_at >= since


class InMemoryProposals(_Base):
    """As `memory.proposals.Proposals`."""

    def get(self, id: str) -> Proposal:  # noqa: A002 — our word for it
        self._store.access("proposals.get")
        return self._joined(id)

    def pending(self) -> list[Proposal]:
        found = [name for name, each in self._tables.proposals.items() if each.status is ProposalStatus.PENDING]
        return [self._joined(name) for name in found]

    def decide(self, before: Proposal, decision: Decision, after: Proposal, *, facts: Sequence[Fact] = ()) -> Proposal:
        with self._store.alone("decision"):
            stored = self._joined(before.id)
            if _version(stored) != _version(before):
                raise already(stored)
            same = [name for name in Proposal.model_fields if getattr(after, name) == getattr(before, name)]
            merged = after.model_copy(update={name: getattr(stored, name) for name in same})
            self._tables.decisions.setdefault(decision.id, decision)
            self._tables.proposals[before.id] = merged
            self._replace(merged, decision.at)
            self._tables.facts.extend(facts)
            return self._joined(before.id)

    def _replace(self, proposal: Proposal, at: datetime) -> None:
        wanted = {action.id: action for action in proposal.actions}
        for gone in [a.id for a in self._store.actions.of(proposal.id) if a.id not in wanted]:
            del self._tables.actions[gone]
        for name, action in wanted.items():
            row = self._tables.actions.get(name, Row(action))
            due = at if action != row.action or row.due_at is None else min(row.due_at, at)
            self._tables.actions[name] = Row(action, due, row.moved_at)

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
        with self._store.alone(f"proposal.{to}"):
            proposal = self._joined(id)
            if proposal.status is not from_:
                return False
            given = {"detail": detail, "escalated": escalated}
            patch = {name: value for name, value in given.items() if value is not None}
            self._tables.proposals[id] = proposal.model_copy(update={**patch, "status": to})
            for name, row in list(self._tables.actions.items()) if facts else ():
                if row.action.proposal == id and row.action.status is ActionStatus.PENDING:
                    due = facts[0].at if row.due_at is None else min(row.due_at, facts[0].at)
                    self._tables.actions[name] = Row(row.action, due, row.moved_at)
            self._tables.facts.extend(facts)
            return True

    def _joined(self, name: str) -> Proposal:
        proposal = self._tables.proposals.get(name)
        if proposal is None:
            raise NotFound(f"There is no proposal {name!r}. See `proposals` for the known ones.")
        decisions = tuple(each for each in self._tables.decisions.values() if each.proposal == name)
        return proposal.model_copy(update={"actions": self._store.actions.of(name), "decisions": decisions})


def _version(proposal: Proposal) -> tuple[ProposalStatus, str, int]:
    return proposal.status, proposal.fingerprint, len(proposal.decisions)


class InMemoryEffects(_Base):
    """As `memory.effects.Effects`."""

    def get(self, key: str) -> Effect | None:
        self._store.access("effects.get")
        return self._tables.effects.get(key)

    def begin(self, effect: Effect, *, facts: Sequence[Fact] = ()) -> bool:
        with self._store.alone("effect.started"):
            before = self._tables.effects.get(effect.idempotency_key)
            if before is not None and before.status is not EffectStatus.FAILED:
                again = before.model_copy(update={"repeated": True})
                self._tables.effects[effect.idempotency_key] = again
                return False
            self._tables.effects[effect.idempotency_key] = effect
            self._tables.facts.extend(facts)
            return True

    def finish(
        self,
        key: str,
        status: EffectStatus,
        *,
        at: datetime,
        receipt: Any = None,
        detail: str | None = None,
        facts: Sequence[Fact] = (),
    ) -> bool:
        with self._store.alone("effect"):
            effect = self._tables.effects.get(key)
            if effect is None:
                raise NotFound(f"No effect was begun under {key!r}. Begin it before the tool is called.")
            if effect.status is EffectStatus.CONFIRMED:
                return False
            said = {"receipt": receipt or effect.receipt, "detail": detail or effect.detail}
            ended = effect.model_copy(update={"status": status, "finished_at": at, **said})
            self._tables.effects[key] = ended
            self._tables.facts.extend(facts)
            return True


class InMemoryFlags(_Base):
    """As `memory.flags.Flags`."""

    def get(self, name: str, default: Any = None) -> Any:
        self._store.access("flags.get")
        return self._tables.flags.get(name, default)

    def set(self, name: str, value: object, facts: Sequence[Fact] = ()) -> None:
        with self._store.alone("flag"):
            self._tables.flags[name] = value
            self._tables.facts.extend(facts)


class InMemoryAudit(_Base):
    """As `memory.audit.Audit`, without a chain."""

    def append(self, fact: Fact) -> None:
        with self._store.alone("fact"):
            self._tables.facts.append(fact)


class Nobody:
    """No delegations, and no people beside the configured ones."""

    def all(self) -> list[Any]:
        return []

    def in_force(self, _: datetime) -> list[Any]:
        return []
