"""Decisions: what people (or a rule) answered to a proposal."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from domain.actions import ActionSpec
from domain.ids import derive_id
from domain.record import Moment, Record


class DecisionKind(StrEnum):
    APPROVE = "approve"
    MODIFY = "modify"
    REJECT = "reject"
    ESCALATE = "escalate"


class ReasonCode(StrEnum):
    """Why a proposal was refused or changed, in words that can be counted."""

    WRONG_NUMBERS = "wrong_numbers"
    BAD_TIMING = "bad_timing"
    ALREADY_DONE = "already_done"
    NOT_OUR_PRIORITY = "not_our_priority"
    TOO_RISKY = "too_risky"
    BRAND_RISK = "brand_risk"
    OTHER = "other"


Channel = Literal["api", "page", "cli", "rule", "script", "mail", "slack"]
"""Where an answer came in."""


class Person(Record):
    """Who acts: a person with roles, or a service behind a key."""

    id: str
    email: str | None = None
    roles: frozenset[str] = frozenset()
    language: Literal["en", "fr"] | None = None
    """Of what is written to them; the installation's when not set."""


class DecisionRequest(Record):
    """Body of `POST /v1/proposals/{id}/decisions`. It covers all actions of the proposal."""

    decision: DecisionKind
    fingerprint: str
    reason: str = Field(default="", max_length=4000)
    reason_code: ReasonCode | None = None
    actions: tuple[ActionSpec, ...] | None = None
    """New arguments, only with `modify`."""


class Decision(Record):
    """One recorded answer."""

    id: str
    proposal: str
    kind: DecisionKind
    by: str
    role: str | None = None
    """The role of the rule that the person filled."""
    reason: str = ""
    reason_code: ReasonCode | None = None
    on_behalf_of: str | None = None
    """The absent person whose role was filled, when it was not one's own."""
    fingerprint: str
    at: Moment
    channel: Channel = "api"

    @property
    def voices(self) -> frozenset[str]:
        """Everybody who has spoken by it: who answered, and for whom."""
        return frozenset({self.by} | ({self.on_behalf_of} if self.on_behalf_of else set()))


def decision_id(proposal: str, by: str, kind: DecisionKind, fingerprint: str) -> str:
    """One answer of one person to one version of a proposal: a repeat is the same decision."""
    return derive_id("dec", proposal, by, kind, fingerprint)
