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


class Person(Record):
    """Who acts: a person with roles, or a service behind a key."""

    id: str
    email: str | None = None
    roles: frozenset[str] = frozenset()


class DecisionRequest(Record):
    """Body of `POST /v1/proposals/{id}/decisions`. It covers all actions of the proposal."""

    decision: DecisionKind
    fingerprint: str
    reason: str = Field(default="", max_length=4000)
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
    fingerprint: str
    at: Moment
    channel: Literal["api", "page", "cli", "rule", "script"] = "api"


def decision_id(proposal: str, by: str, kind: DecisionKind, fingerprint: str) -> str:
    """One answer of one person to one version of a proposal: a repeat is the same decision."""
    return derive_id("dec", proposal, by, kind, fingerprint)
