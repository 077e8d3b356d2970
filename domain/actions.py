"""Typed actions: a desired state with what it is now, never a step."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, ValidationInfo, field_validator, model_validator

from domain.entities import EntityId, kind_of
from domain.ids import digest
from domain.record import Moment, Record

Play = Literal["educate", "verify", "expand", "pause"]
RunStatus = Literal["active", "paused"]


class Brief(Record):
    title: str = Field(min_length=3, max_length=200)
    kind: str
    topics: tuple[str, ...]
    stage: Literal["learn", "compare", "verify"]
    evidence: tuple[str, ...] = ()


class Task(Record):
    title: str = Field(min_length=3, max_length=200)
    assignee: str
    due: Moment
    body: str


class Message(Record):
    channel: str
    text: str = Field(min_length=1, max_length=4000)


class Experiment(Record):
    name: str
    treated: tuple[EntityId, ...] = Field(min_length=1)
    control: tuple[EntityId, ...] = Field(min_length=1)
    metric: str
    days: int = Field(gt=0, le=365)


class ActionKind(StrEnum):
    BUDGET_SET = "ads.budget.set"
    BID_SET = "ads.bid.set"
    STATUS_SET = "ads.status.set"
    PLAY_SET = "account.play.set"
    PRIORITY_SET = "content.priority.set"
    BRIEF_CREATE = "content.brief.create"
    TASK_CREATE = "task.create"
    MESSAGE_POST = "message.post"
    EXPERIMENT_START = "experiment.start"


MONEY_KINDS: frozenset[str] = frozenset({ActionKind.BUDGET_SET, ActionKind.BID_SET})
"""Kinds whose value is money: integer minor units."""
MOST_MINOR = 10**17
"""No amount of an action is larger, minor units: sums of them stay within what a database holds."""
_WHOLE_KINDS: frozenset[str] = MONEY_KINDS | {ActionKind.PRIORITY_SET}
REVERSIBLE_KINDS: frozenset[str] = MONEY_KINDS | {
    ActionKind.STATUS_SET,
    ActionKind.PLAY_SET,
    ActionKind.PRIORITY_SET,
}
"""Kinds that set a state which can be set back; creations and messages cannot be unsaid."""

_VALUES: dict[str, TypeAdapter[Any]] = {
    ActionKind.BUDGET_SET: TypeAdapter(int),
    ActionKind.BID_SET: TypeAdapter(int),
    ActionKind.STATUS_SET: TypeAdapter(RunStatus),
    ActionKind.PLAY_SET: TypeAdapter(Play),
    ActionKind.PRIORITY_SET: TypeAdapter(int),
    ActionKind.BRIEF_CREATE: TypeAdapter(Brief),
    ActionKind.TASK_CREATE: TypeAdapter(Task),
    ActionKind.MESSAGE_POST: TypeAdapter(Message),
    ActionKind.EXPERIMENT_START: TypeAdapter(Experiment),
}
_ENTITIES: dict[str, frozenset[str]] = {
    ActionKind.BUDGET_SET: frozenset({"budget"}),
    ActionKind.BID_SET: frozenset({"keyword", "campaign"}),
    ActionKind.STATUS_SET: frozenset({"campaign", "keyword"}),
    ActionKind.PLAY_SET: frozenset({"account"}),
    ActionKind.PRIORITY_SET: frozenset({"asset"}),
    ActionKind.TASK_CREATE: frozenset({"deal", "account"}),
    ActionKind.EXPERIMENT_START: frozenset({"campaign", "budget"}),
}


class ActionSpec(Record):
    """Set `entity` to `value` if it is `expect` now. Money is minor units of `currency`.

    Kinds of extensions carry any JSON value; their connector validates it.
    """

    kind: str = Field(pattern=r"^[a-z_]+(\.[a-z_]+)+$")
    entity: EntityId | None = None
    value: Any
    expect: Any = None
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    reason: str = ""

    @field_validator("value", "expect")
    @classmethod
    def _whole(cls, value: Any, info: ValidationInfo) -> Any:
        """Amounts and priorities as integers, so that `1200`, `1200.0` and `"1200"` have one hash."""
        if info.data.get("kind") not in _WHOLE_KINDS or (value is None and info.field_name == "expect"):
            return value
        try:
            if isinstance(value, bool):
                raise ValueError("true and false are no numbers")
            whole = TypeAdapter(int).validate_python(value)
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"]) from error
        if not 0 <= whole <= MOST_MINOR:
            raise ValueError(f"must be 0 or more, and at most {MOST_MINOR}")
        return whole

    @model_validator(mode="after")
    def _typed_value(self) -> ActionSpec:
        if self.kind not in _VALUES:
            return self
        allowed = _ENTITIES.get(self.kind)
        if allowed is not None and (self.entity is None or kind_of(self.entity) not in allowed):
            raise ValueError(f"`entity` of {self.kind} must be a {' or '.join(sorted(allowed))}, got {self.entity!r}")
        try:
            _VALUES[self.kind].validate_python(self.value)
        except ValidationError as error:
            raise ValueError(f"`value` of {self.kind}: {error.errors()[0]['msg']}") from error
        if self.kind in MONEY_KINDS and self.currency is None:
            raise ValueError(f"{self.kind} needs a `currency`")
        if self.kind == ActionKind.PRIORITY_SET and self.value > 100:
            raise ValueError("`value` of content.priority.set must lie in 0..100")
        return self

    @property
    def argument_hash(self) -> str:
        """Digest of what would be done; the words of `reason` are not part of it."""
        return digest(self.model_dump(mode="json", exclude={"reason"}))

    @property
    def reversible(self) -> bool:
        return self.kind in REVERSIBLE_KINDS

    @property
    def change_minor(self) -> int | None:
        """|value − expect| of a money change, minor units; None when nothing is money."""
        return abs(self.value - (self.expect or 0)) if self.kind in MONEY_KINDS else None

    @property
    def delta_minor(self) -> int:
        """Money moved per day by a budget change, minor units, never negative; 0 for other kinds."""
        return (self.change_minor or 0) if self.kind == ActionKind.BUDGET_SET else 0

    @property
    def step_rate(self) -> float | None:
        """|value − expect| / expect of a money change; None when `expect` is 0 or unknown, or nothing is money."""
        if self.kind not in MONEY_KINDS or not self.expect:
            return None
        return abs(self.value - self.expect) / self.expect


class ActionStatus(StrEnum):
    PENDING = "pending"
    EXECUTING = "executing"
    DONE = "done"
    UNKNOWN = "unknown"
    DRIFTED = "drifted"
    DENIED = "denied"
    COMPENSATED = "compensated"


class Receipt(Record):
    """What the tool answered, and what it showed when read back."""

    idempotency_key: str
    at: Moment
    vendor_id: str | None = None
    read_back: Any = None
    detail: str | None = None


class Action(Record):
    """An action on its way: the argument of a proposal, then what became of it."""

    id: str
    proposal: str
    spec: ActionSpec
    status: ActionStatus = ActionStatus.PENDING
    authorised_by: str | None = None
    """`rule:<id>` for an auto verdict, `dec_…` for a person's decision."""
    state_before: Any = None
    receipt: Receipt | None = None
    undo_of: str | None = None
    executed_at: Moment | None = None
    measure_at: Moment | None = None
    outcome: str | None = None
    detail: str | None = None
    """Why it was denied, drifted or is unknown: written for the person who reads it."""

    @property
    def idempotency_key(self) -> str:
        return f"{self.id}:{self.spec.argument_hash[:16]}"
