"""How far a rule is trusted: ask, notify or silent; moved by what was measured and answered, within people's bounds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from pydantic import model_validator

from domain.record import Record

TrustLevel = Literal["ask", "notify", "silent"]
TrustEventKind = Literal["worked", "no_effect", "harmful", "agreed", "refused", "undone"]

LEVELS: tuple[TrustLevel, ...] = ("ask", "notify", "silent")
"""From least to most trusted: ask first; act, then tell; act and be silent."""
WORKED_TO_RISE = 3
"""Effects measured as `worked`, with none harmful, undone or refused between them, for one level more."""
AGREED_TO_RISE = 20
"""Unchanged approvals in a row for one level more, where nothing the rule did could ever be measured."""


class TrustBounds(Record):
    """How far measured outcomes may move a rule."""

    min: TrustLevel = "ask"
    max: TrustLevel = "ask"

    @model_validator(mode="after")
    def _ordered(self) -> TrustBounds:
        if LEVELS.index(self.min) > LEVELS.index(self.max):
            raise ValueError(f"`min` {self.min!r} trusts more than `max` {self.max!r}")
        return self

    def hold(self, level: TrustLevel) -> TrustLevel:
        """`level`, or the bound that it passes."""
        return LEVELS[min(max(LEVELS.index(level), LEVELS.index(self.min)), LEVELS.index(self.max))]


@dataclass(frozen=True, slots=True)
class TrustEvent:
    """What became of one thing the rule let happen or asked for; `subject` is the outcome, decision or action."""

    at: datetime
    rule: str
    kind: TrustEventKind
    subject: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a rule stands. `worked` and `agreed` count from `since` on, when it last moved or began anew."""

    level: TrustLevel
    because: str = "nothing was measured yet"
    since: datetime | None = None
    worked: int = 0
    agreed: int = 0
    measurable: bool = False


def stand(bounds: TrustBounds, start: TrustLevel, events: Iterable[TrustEvent]) -> Standing:
    """Where a rule that began at `start` stands after `events` of its own.

    Falls by one level at once; rises by one level only on evidence gathered since the last fall, so that a rule
    never owes its trust to what went before its last mistake.
    """
    now = Standing(bounds.hold(start))
    for event in sorted(events, key=lambda event: (event.at, event.subject)):
        now = _after(now, event, bounds)
    return now


def _after(before: Standing, event: TrustEvent, bounds: TrustBounds) -> Standing:
    measurable = before.measurable or event.kind in {"worked", "no_effect", "harmful"}
    match event.kind:
        case "harmful" | "undone":
            lower = bounds.hold(LEVELS[max(LEVELS.index(before.level) - 1, 0)])
            why = f"{event.subject} was {event.kind}"
            return Standing(lower, why, event.at, measurable=measurable)
        case "refused":
            return Standing(before.level, f"{event.subject} was refused or changed", event.at, measurable=measurable)
        case "no_effect":
            return replace(before, measurable=measurable)
        case "worked":
            return _risen(replace(before, worked=before.worked + 1, measurable=measurable), event, bounds)
        case "agreed":
            return _risen(replace(before, agreed=before.agreed + 1, measurable=measurable), event, bounds)


def _risen(now: Standing, event: TrustEvent, bounds: TrustBounds) -> Standing:
    """One level more when there is evidence enough and room above."""
    higher = bounds.hold(LEVELS[min(LEVELS.index(now.level) + 1, len(LEVELS) - 1)])
    if higher == now.level:
        return now
    if now.worked >= WORKED_TO_RISE:
        return Standing(higher, f"{now.worked} measured effects worked, none harmed", event.at, measurable=True)
    if not now.measurable and now.agreed >= AGREED_TO_RISE:
        return Standing(higher, f"{now.agreed} unchanged approvals in a row", event.at)
    return now
