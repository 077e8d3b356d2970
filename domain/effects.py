"""Effects: the executed side of an action, written before and after the tool is called."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from domain.actions import Receipt
from domain.record import Moment, Record


class EffectStatus(StrEnum):
    STARTED = "started"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Effect(Record):
    """One intended call of one tool. `idempotency_key` is unique: it is never begun twice."""

    id: str
    action: str
    proposal: str
    connector: str
    idempotency_key: str
    argument_hash: str
    authorised_by: str
    status: EffectStatus = EffectStatus.STARTED
    repeated: bool = False
    """Whether another worker took the call up again: then one failure says nothing of the other call."""
    state_before: Any = None
    started_at: Moment
    finished_at: Moment | None = None
    receipt: Receipt | None = None
    detail: str | None = None
