"""Signals: CloudEvents in the types Accord understands, parsed once at the border."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, InstanceOf, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails

from domain.entities import ENTITY_KINDS, EntityId, kind_of
from domain.errors import InputError
from domain.ids import digest
from domain.money import to_minor
from domain.record import Moment, Record

Trust = Literal["internal", "external"]
MAX_SKEW = timedelta(hours=24)
"""How far ahead of our clock an event's `time` may lie before it is refused."""


class SignalData(BaseModel):
    """Payload of one signal type. Unknown fields are ignored here and kept in the stored event."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, populate_by_name=True)


_YEAR_FIRST = re.compile(r"\d{4}-")
MAJOR_BOUND = Decimal(10) ** 15
"""No amount of money in a signal is larger, major units: sums of them stay within what a database holds."""


MONEY_ATTRS = frozenset({"daily_budget", "bid"})
"""Attributes of entities that are money, decimal major units."""


class EntityDeclared(SignalData):
    """A thing of the company with its state; money in `attrs` is decimal major units."""

    id: EntityId
    name: str = Field(min_length=1, max_length=300)
    parent: EntityId | None = None
    attrs: dict[str, Any] = Field(default_factory=dict)

    @field_validator("id")
    @classmethod
    def _known_kind(cls, value: str) -> str:
        if kind_of(value) not in ENTITY_KINDS:
            raise ValueError(f"kind must be one of {', '.join(sorted(ENTITY_KINDS))}")
        return value

    @field_validator("attrs")
    @classmethod
    def _money_is_money(cls, value: dict[str, Any]) -> dict[str, Any]:
        currency = str(value.get("currency") or "EUR")
        for name in MONEY_ATTRS & set(value):
            amount = value[name]
            try:
                sound = amount is None or (not isinstance(amount, bool) and to_minor(amount, currency) >= 0)
            except InputError:
                sound = False
            if not sound:
                raise ValueError(f"`{name}` must be an amount of money of 0 or more, such as 1200.50")
        return value


class MetricPoint(SignalData):
    metric: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)
    entity: EntityId
    value: float
    unit: str = Field(default="count", max_length=20)
    grain_s: int | None = Field(default=None, gt=0)
    dims: dict[str, str] = Field(default_factory=dict)


class DealChanged(SignalData):
    deal: EntityId
    account: EntityId | None = None
    stage: str
    status: Literal["open", "won", "lost"]
    amount: Decimal | None = Field(default=None, ge=0, lt=MAJOR_BOUND)
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    loss_reason: str | None = None
    competitor: str | None = None
    product: str | None = None
    owner: str | None = None
    note: str | None = Field(default=None, max_length=20_000)


class ContentEngaged(SignalData):
    person: EntityId
    email: str | None = None
    account: EntityId | None = None
    role: str | None = None
    asset: EntityId
    platform: str
    seconds: float | None = Field(default=None, ge=0)


class AssetChanged(SignalData):
    asset: EntityId
    title: str
    kind: str
    topics: list[str] = Field(default_factory=list)
    stage: Literal["learn", "compare", "verify"]
    status: Literal["idea", "queued", "draft", "published"]
    priority: int | None = Field(default=None, ge=0, le=100)
    hours: float | None = Field(default=None, ge=0)


class FinanceLimit(SignalData):
    """What finance allows on `scope` and everything below it: `amount` is a day's spend in major units."""

    scope: str = Field(pattern=r"^(\*|[a-z_]+:\S+)$")
    kind: Literal["cap", "freeze", "margin_floor", "payback"]
    amount: Decimal | None = Field(default=None, ge=0, lt=MAJOR_BOUND, validate_default=True)
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    rate: float | None = Field(default=None, ge=0, le=1)
    days: int | None = Field(default=None, gt=0)
    from_: Moment = Field(alias="from")
    until: Moment | None = None
    exceptions: list[str] = Field(default_factory=list)

    @field_validator("amount")
    @classmethod
    def _cap_has_amount(cls, value: Decimal | None, info: ValidationInfo) -> Decimal | None:
        if value is None and info.data.get("kind") == "cap":
            raise ValueError("a cap needs an amount, or it would bind nothing")
        return value

    @field_validator("until")
    @classmethod
    def _ordered(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        start = info.data.get("from_")
        if value is not None and start is not None and value <= start:
            raise ValueError("must lie after `from`")
        return value


class Note(SignalData):
    team: str
    text: str = Field(min_length=1, max_length=20_000)
    about: list[EntityId] = Field(default_factory=list)
    author: str | None = None
    trust: Trust = "internal"


BUILT_IN_TYPES: dict[str, type[SignalData]] = {
    "accord.entity.declared": EntityDeclared,
    "accord.metric.point": MetricPoint,
    "accord.deal.changed": DealChanged,
    "accord.content.engaged": ContentEngaged,
    "accord.asset.changed": AssetChanged,
    "accord.finance.limit": FinanceLimit,
    "accord.note": Note,
}


class CloudEvent(BaseModel):
    """CloudEvents 1.0 attributes that Accord reads; extension attributes are allowed and kept."""

    model_config = ConfigDict(frozen=True, extra="allow")

    specversion: Literal["1.0"]
    id: str = Field(min_length=1, max_length=300)
    source: str = Field(min_length=1, max_length=300)
    type: str = Field(min_length=1, max_length=200)
    time: Moment | None = None
    subject: str | None = Field(default=None, max_length=300)
    data: dict[str, Any] = Field(default_factory=dict)

    @field_validator("time", mode="before")
    @classmethod
    def _written_out(cls, value: object) -> object:
        """A bare number would be read as seconds since 1970, also `20260304`, which means a day."""
        if isinstance(value, int | float) or (isinstance(value, str) and not _YEAR_FIRST.match(value)):
            raise ValueError("must be RFC 3339, such as 2026-03-04T08:00:00Z")
        return value


class Signal(Record):
    """One accepted event. `data` is typed for known types and a plain mapping for foreign ones."""

    source: str
    id: str
    type: str
    time: Moment
    received_at: Moment
    subject: str | None = None
    trust: Trust
    data: InstanceOf[SignalData] | dict[str, Any]
    """A mapping is never read as an empty `SignalData`."""
    raw: dict[str, Any]

    @property
    def content_hash(self) -> str:
        """Digest of what happened, without when we heard of it: tells a repeat from a contradiction."""
        return digest({"type": self.type, "time": self.raw.get("time"), "data": self.raw.get("data")})


def parse_event(
    raw: Mapping[str, Any],
    *,
    received_at: datetime,
    trust: Trust = "internal",
    types: Mapping[str, type[SignalData]] = BUILT_IN_TYPES,
) -> Signal:
    """A CloudEvent as a Signal; `trust` is the sender's, and the payload may only lower it.

    Types outside `types` are stored as they are. Raises InputError that names the field and the reason.
    """
    try:
        event = CloudEvent.model_validate(raw)
        model = types.get(event.type)
        data = model.model_validate(event.data) if model else dict(event.data)
    except ValidationError as error:
        raise InputError(explain(error)) from error
    if event.time is not None and event.time > received_at + MAX_SKEW:
        raise InputError(
            f"`time` {event.time.isoformat()!r} lies more than 24 h ahead of our clock "
            f"({received_at.isoformat()}). Check the sender's clock and time zone."
        )
    lowered = event.data.get("trust") == "external"
    return Signal(
        source=event.source,
        id=event.id,
        type=event.type,
        time=event.time or received_at,
        received_at=received_at,
        subject=event.subject,
        trust="external" if lowered else trust,
        data=data,
        raw=dict(raw),
    )


def explain(error: ValidationError) -> str:
    """Every fault of `error` in one line each: the field in backticks, then what is wrong."""
    return " ".join(map(_fault, error.errors(include_url=False, include_context=False)[:5])) + (
        " Mend the field and send it again."
    )


def _fault(fault: ErrorDetails) -> str:
    said = fault["msg"].removeprefix("Value error, ")
    if not fault["loc"]:  # of the whole: its fields are named in the words, and it would be too long to repeat
        return f"{said[:1].upper()}{said[1:]}."
    return f"`{'.'.join(map(str, fault['loc']))}`: {said} (got {repr(fault.get('input'))[:80]})."
