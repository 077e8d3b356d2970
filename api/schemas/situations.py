"""Wire shapes of situations and what they rest on."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.evidence import Evidence, Hypothesis, Origin, Trust
from api.schemas.proposals import Proposal
from api.schemas.wire import EntityName, Minor, SituationId, Time, Wire
from domain import situations


class Situation(Wire):
    """What several signals amount to."""

    id: SituationId
    """Name of the situation; the same occurrence keeps it."""
    kind: Annotated[str, Field(examples=["demand.rise"])]
    """What Accord recognised."""
    status: Literal["open", "closed"]
    """`closed` once it is over."""
    key: Annotated[str, Field(examples=["queries@region:idf@2026-03-04"])]
    """Names the occurrence."""
    title: str
    """One line for people."""
    summary: str
    """What is going on, in a few sentences."""
    entities: list[EntityName]
    """What it is about."""
    teams: list[str]
    """Teams that it concerns."""
    onset: Time
    """When it began, as far as the signals tell."""
    seen: Time
    """When it was last seen in the signals."""
    opened_at: Time
    """When Accord opened it."""
    updated_at: Time
    """When Accord last changed it."""
    evidence: list[Evidence]
    """What it rests on."""
    hypotheses: list[Hypothesis]
    """Rival explanations with odds."""
    worth_minor: Minor
    """Contribution margin at stake over the objective's horizon, minor units of the objective's currency."""
    facts: dict[str, Any]
    """Computed figures that the specialists use."""
    trust: Trust
    """`external` when text from outside took part in it."""
    origin: Origin
    """Who wrote the words; the numbers are computed in either case."""
    recalled: list[str]
    """Past situations and notes that shaped the reading."""


class TimelineEntry(Wire):
    """One thing that happened in the life of a situation."""

    at: Time
    """When."""
    what: Annotated[str, Field(examples=["proposal.created"])]
    """Noun and verb, past tense."""
    subject: Annotated[str, Field(examples=["prop_9c2d7e4f315b1f0a"])]
    """The situation, proposal, action or outcome that it happened to."""
    text: str
    """In words."""


class SituationDetail(Situation):
    """A situation with its proposals and its history."""

    proposals: list[Proposal]
    """What Accord proposed about it, newest first."""
    timeline: list[TimelineEntry]
    """What happened, in order of time."""


def of_situation(situation: situations.Situation) -> Situation:
    return Situation.model_validate(situation)
