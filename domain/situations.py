"""Situations: what several signals amount to, with rival explanations and evidence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from domain.ids import derive_id
from domain.record import Moment, Record
from domain.signals import Trust

Origin = Literal["rules", "model"]
"""Who wrote or chose it: deterministic code, or a language model."""


class SituationKind(StrEnum):
    """What Accord recognises by itself; extensions add kinds of their own."""

    DEMAND_RISE = "demand.rise"
    DEMAND_DROP = "demand.drop"
    EXPOSURE_LIFT = "demand.exposure_lift"
    TRACKING_FAULT = "tracking.fault"
    BUYING_GROUP = "account.buying_group"
    LOSS_PATTERN = "deals.loss_pattern"
    LATE_COLLAPSE = "deals.late_collapse"
    FINANCE_LIMIT = "finance.limit"
    FREED_BUDGET = "finance.freed_budget"
    CONTEXT_CHANGE = "context.change"


class Evidence(Record):
    """One fact a number or claim rests on: words, the figures, and where to look."""

    text: str
    figures: Mapping[str, float | int | str | None] = Field(default_factory=dict)
    source: str
    """Query that finds it again: `series:queries@region:idf`, `signal:sandbox/crm#d-17`, `outcome:out_…`."""
    quote: str | None = None
    trust: Trust = "internal"


class Hypothesis(Record):
    """One rival explanation. Odds over a situation's hypotheses sum to 1."""

    name: str
    odds: float = Field(ge=0, le=1)
    because: str
    origin: Origin = "rules"


class Finding(Record):
    """What a detector reports: not yet weighed, not yet told to anybody."""

    kind: str
    key: str
    """Names the occurrence (`queries@region:idf@2026-03-04`); the same key is the same situation."""
    entities: tuple[str, ...]
    onset: Moment
    seen: Moment
    title: str
    summary: str
    evidence: tuple[Evidence, ...]
    hypotheses: tuple[Hypothesis, ...] = ()
    worth_minor: int = 0
    """Contribution margin at stake over the objective's horizon, minor units."""
    facts: Mapping[str, Any] = Field(default_factory=dict)
    """Computed figures for the specialists; JSON only."""
    trust: Trust = "internal"
    teams: tuple[str, ...] = ()


class Situation(Finding):
    """A finding that was given a name, recalled context and words; it lives until it is closed."""

    id: str
    status: Literal["open", "closed"] = "open"
    opened_at: Moment
    updated_at: Moment
    origin: Origin = "rules"
    recalled: tuple[str, ...] = ()
    """Ids of past situations and notes that shaped the reading."""

    @classmethod
    def open(cls, finding: Finding, now: datetime) -> Situation:
        return cls(**finding.model_dump(), id=situation_id(finding.key), opened_at=now, updated_at=now)

    def renew(self, finding: Finding, now: datetime) -> Situation:
        """The same situation with newer findings; its id, opening and words of a model stay."""
        worded = {"title", "summary", "hypotheses"} if self.origin == "model" else set[str]()
        newer = {name: value for name, value in finding if name not in worded}
        return self.model_copy(update={**newer, "updated_at": now})


def situation_id(key: str) -> str:
    return derive_id("sit", key)
