"""The ledger of value: every measured action, unknowables shown, never only the winners."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from domain.outcomes import Outcome, OutcomeVerdict
from domain.record import Moment, Record

if TYPE_CHECKING:
    from agents.parts import Runtime

_PAGE = 200


class LedgerRow(Record):
    outcome: str
    proposal: str
    kind: str
    entities: tuple[str, ...]
    verdict: OutcomeVerdict
    value_minor: int
    low_minor: int | None
    high_minor: int | None
    expected_minor: int
    measured_at: Moment


class Ledger(Record):
    """Money in minor units of `currency`; intervals are those of the single measurements."""

    currency: str
    measured_minor: int
    """Sum of every outcome with a verdict; unknowable ones count as 0 here and are listed apart."""
    expected_minor: int
    """What the same proposals had promised for their windows."""
    by_verdict: dict[str, int]
    by_kind: dict[str, int]
    """Measured value by kind of action, comparable over channels and platforms."""
    unknowable: int
    worked_by_chance: float
    """How many `worked` verdicts chance alone would bring: half of alpha for each measured action."""
    pending_measurements: int
    model_cost: str
    """Decimal, currency of the objective."""
    rows: tuple[LedgerRow, ...]


def ledger(runtime: Runtime) -> Ledger:
    """The ledger over all outcomes so far."""
    outcomes = all_outcomes(runtime)
    kinds: dict[str, int] = {}
    verdicts = {verdict.value: 0 for verdict in OutcomeVerdict}
    for outcome in outcomes:
        kinds[outcome.kind] = kinds.get(outcome.kind, 0) + outcome.value_minor
        verdicts[outcome.verdict] += 1
    knowable = len(outcomes) - verdicts[OutcomeVerdict.UNKNOWABLE]
    return Ledger(
        currency=runtime.settings.objective.currency,
        measured_minor=sum(outcome.value_minor for outcome in outcomes),
        expected_minor=sum(outcome.expected_minor for outcome in outcomes),
        by_verdict=verdicts,
        by_kind=dict(sorted(kinds.items())),
        unknowable=verdicts[OutcomeVerdict.UNKNOWABLE],
        worked_by_chance=round(knowable * 0.05, 2),
        pending_measurements=len(runtime.store.actions.measuring()),
        model_cost=f"{Decimal(runtime.store.calls.totals().cost_nano).scaleb(-9):f}",
        rows=tuple(_row(outcome) for outcome in outcomes),
    )


def all_outcomes(runtime: Runtime) -> Sequence[Outcome]:
    """Every outcome, oldest first."""
    found: list[Outcome] = []
    cursor: str | None = None
    while True:
        page = runtime.store.outcomes.page(limit=_PAGE, cursor=cursor)
        found += page.items
        cursor = page.next
        if cursor is None:
            return sorted(found, key=lambda outcome: (outcome.measured_at, outcome.id))


def _row(outcome: Outcome) -> LedgerRow:
    return LedgerRow(
        outcome=outcome.id,
        proposal=outcome.proposal,
        kind=outcome.kind,
        entities=outcome.entities,
        verdict=outcome.verdict,
        value_minor=outcome.value_minor,
        low_minor=outcome.low_minor,
        high_minor=outcome.high_minor,
        expected_minor=outcome.expected_minor,
        measured_at=outcome.measured_at,
    )
