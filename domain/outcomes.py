"""Outcomes and lessons: what an action brought against its counterfactual, and what to remember."""

from __future__ import annotations

from enum import StrEnum

from domain.record import Moment, Record


class OutcomeVerdict(StrEnum):
    WORKED = "worked"
    NO_EFFECT = "no_effect"
    HARMFUL = "harmful"
    UNKNOWABLE = "unknowable"


class Outcome(Record):
    """The measured effect of one proposal's executed actions, whole window, treated units together."""

    id: str
    proposal: str
    action: str
    situation: str
    kind: str
    """Kind of the action, so that outcomes can be compared over channels and platforms."""
    entities: tuple[str, ...]
    metric: str
    verdict: OutcomeVerdict
    lift_rate: float | None = None
    low_rate: float | None = None
    high_rate: float | None = None
    p_value: float | None = None
    mde_rate: float | None = None
    value_minor: int = 0
    """Measured contribution margin, minor units; 0 when unknowable."""
    low_minor: int | None = None
    high_minor: int | None = None
    expected_minor: int = 0
    currency: str
    measured_at: Moment
    method: str
    detail: str


class Lesson(Record):
    """What an outcome says about the next similar choice; learnt from measurements only, never from text."""

    id: str
    outcome: str
    about: str
    """What it generalises over: `demand:brand-search` (specialist and channel)."""
    text: str
    factor: float
    """Multiplier on expectations of later candidates of the same `about`, shrunk towards 1."""
    at: Moment
