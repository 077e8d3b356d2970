"""Wire shapes of what was done and what it brought: effects, outcomes, lessons, audit."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from api.schemas.proposals import Receipt
from api.schemas.wire import (
    ActionId,
    Currency,
    Digest,
    EffectId,
    EntityName,
    LessonId,
    Minor,
    OutcomeId,
    ProposalId,
    SituationId,
    Time,
    Wire,
)
from domain.effects import EffectStatus
from domain.outcomes import OutcomeVerdict

_Rate = Annotated[float | None, Field(examples=[0.08])]


class Effect(Wire):
    """One call of one tool, written down before and after it was made."""

    id: EffectId
    """Name of the effect."""
    action: ActionId
    """The action that it carries out."""
    proposal: ProposalId
    """The proposal that the action belongs to."""
    connector: Annotated[str, Field(examples=["ads"])]
    """The tool that was called."""
    idempotency_key: str
    """Never begun twice."""
    argument_hash: Digest
    """Digest of what was asked for."""
    authorised_by: Annotated[str, Field(examples=["dec_7e4f315b1f0a9c2d"])]
    """`rule:<id>` or a decision."""
    status: EffectStatus
    """What is known of it."""
    state_before: Any
    """What the tool showed before."""
    started_at: Time
    """When the call began."""
    finished_at: Time | None
    """When it was known."""
    receipt: Receipt | None
    """What the tool answered."""
    detail: str | None
    """Why it failed or is unknown."""


class Outcome(Wire):
    """The measured effect of a proposal's executed actions."""

    id: OutcomeId
    """Name of the outcome."""
    proposal: ProposalId
    """What was measured."""
    action: ActionId
    """The action whose time it was."""
    situation: SituationId
    """What it answered to."""
    kind: Annotated[str, Field(examples=["ads.budget.set"])]
    """Kind of the action."""
    entities: list[EntityName]
    """Units that were treated."""
    metric: Annotated[str, Field(examples=["contribution"])]
    """Series that was measured."""
    verdict: OutcomeVerdict
    """`unknowable` is a valid answer."""
    lift_rate: _Rate
    """Measured effect as a rate of the counterfactual."""
    low_rate: _Rate
    """Lower end of its interval."""
    high_rate: _Rate
    """Upper end of its interval."""
    p_value: _Rate
    """Two-sided."""
    mde_rate: _Rate
    """Smallest effect that could have been seen."""
    value_minor: Minor
    """Measured contribution margin, minor units; 0 when unknowable."""
    low_minor: Minor | None
    """Lower end, minor units."""
    high_minor: Minor | None
    """Upper end, minor units."""
    expected_minor: Minor
    """What was promised, minor units."""
    currency: Currency
    """ISO 4217."""
    measured_at: Time
    """When."""
    method: Annotated[str, Field(examples=["synthetic_control"])]
    """How the counterfactual was made."""
    detail: str
    """In words."""


class Lesson(Wire):
    """What an outcome says about the next similar choice."""

    id: LessonId
    """Name of the lesson."""
    outcome: OutcomeId
    """The measurement that it was learnt from."""
    about: Annotated[str, Field(examples=["demand:brand-search"])]
    """What it generalises over."""
    text: str
    """In words."""
    factor: Annotated[float, Field(examples=[0.85])]
    """Multiplier on later expectations."""
    at: Time
    """When it was learnt."""


class LedgerRow(Wire):
    """One measured action."""

    outcome: OutcomeId
    """The measurement."""
    proposal: ProposalId
    """What was measured."""
    kind: Annotated[str, Field(examples=["ads.budget.set"])]
    """Kind of the action."""
    entities: list[EntityName]
    """Units that were treated."""
    verdict: OutcomeVerdict
    """`unknowable` is a valid answer."""
    value_minor: Minor
    """Measured contribution margin, minor units; 0 when unknowable."""
    low_minor: Minor | None
    """Lower end of its interval."""
    high_minor: Minor | None
    """Upper end of its interval."""
    expected_minor: Minor
    """What was promised."""
    measured_at: Time
    """When."""


class Ledger(Wire):
    """What all measured actions brought, never only the winners; money in minor units of `currency`."""

    currency: Currency
    """ISO 4217."""
    measured_minor: Minor
    """Sum over all outcomes with a verdict; unknowable ones count as 0."""
    expected_minor: Minor
    """What the same proposals had promised."""
    by_verdict: Annotated[
        dict[str, int], Field(examples=[{"worked": 4, "no_effect": 2, "harmful": 1, "unknowable": 3}])
    ]
    """Number of outcomes by verdict."""
    by_kind: Annotated[dict[str, int], Field(examples=[{"ads.budget.set": 412000}])]
    """Measured margin by kind of action, comparable over channels and platforms."""
    unknowable: Annotated[int, Field(examples=[3])]
    """Number of outcomes without a verdict."""
    worked_by_chance: Annotated[float, Field(examples=[0.35])]
    """How many `worked` verdicts chance alone would bring."""
    pending_measurements: Annotated[int, Field(examples=[2])]
    """Actions done whose measuring still runs."""
    model_cost: Annotated[str, Field(examples=["0.01742"])]
    """Cost of language models, decimal, in `currency`."""
    rows: list[LedgerRow]
    """Every measured action, oldest first."""


class AuditEntry(Wire):
    """One fact in its place in the chain."""

    seq: int
    """Place in the chain, from 1."""
    at: Time
    """When."""
    actor: Annotated[str, Field(examples=["person:ana"])]
    """Who."""
    verb: Annotated[str, Field(examples=["decision.recorded"])]
    """Did what."""
    subject: Annotated[str, Field(examples=["prop_9c2d7e4f315b1f0a"])]
    """To which thing."""
    facts: dict[str, Any]
    """And why."""
    previous: Digest
    """Hash of the entry before."""
    hash: Digest
    """Keyed hash of this entry and the one before."""


class AuditReport(Wire):
    """Whether the chain of facts is whole."""

    ok: bool
    """Whether no fault was found."""
    head: Digest
    """Hash of the last entry; keep it elsewhere to notice a cut tail later."""
    rows: int
    """Entries that were checked."""
    fault: str | None
    """The first fault in words."""
