"""What a runtime holds, told: as the one object of `accord demo --json`, and as lines for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from api.cli.console import columns
from domain.prose import counted, plural

if TYPE_CHECKING:
    from agents.parts import Runtime
    from agents.value import Ledger
    from domain.proposals import Proposal

_SHOWN, _NEWEST = 8, 4


def as_object(runtime: Runtime) -> dict[str, Any]:
    """Everything in API shapes, oldest first."""
    from agents.replay import everything
    from agents.value import ledger
    from api.schemas.proposals import of_decision, of_proposal
    from api.schemas.results import Effect, Outcome
    from api.schemas.situations import of_situation

    store = runtime.store
    return {
        "signals": store.signals.count(),
        "situations": _json(of_situation(item) for item in everything(store.situations.page)),
        "proposals": _json(of_proposal(item) for item in everything(store.proposals.page)),
        "decisions": _json(of_decision(item) for item in everything(store.decisions.page)),
        "effects": _json(Effect.model_validate(item, from_attributes=True) for item in everything(store.effects.page)),
        "outcomes": _json(Outcome.model_validate(i, from_attributes=True) for i in everything(store.outcomes.page)),
        "value": ledger(runtime).model_dump(mode="json"),
        "models": models_of(runtime),
    }


def models_of(runtime: Runtime) -> dict[str, Any]:
    """How many calls of models were made, by whom, and what they cost (decimal, objective's currency)."""
    from agents.replay import everything

    calls: list[dict[str, Any]] = list(everything(runtime.store.calls.page))
    totals = runtime.store.calls.totals()
    return {
        "calls": len(calls),
        "providers": sorted({str(call["provider"]) for call in calls if call.get("provider")}),
        "cost": f"{Decimal(totals.cost_nano).scaleb(-9):f}",
        "currency": runtime.settings.objective.currency,
    }


def _json(items: Iterator[Any]) -> list[dict[str, Any]]:
    return [item.model_dump(mode="json", by_alias=True) for item in reversed(list(items))]


def told(runtime: Runtime) -> Iterator[str]:
    """What Accord saw, proposes, what was decided, and what it brought."""
    from agents.replay import everything
    from agents.value import ledger

    situations = list(everything(runtime.store.situations.page))
    proposals: list[Proposal] = list(everything(runtime.store.proposals.page))
    yield f"Accord heard {runtime.store.signals.count():,} signals and saw {counted(len(situations), 'situation')}:"
    yield from columns((f"  {s.onset:%Y-%m-%d}", s.kind, s.title) for s in situations[:_SHOWN])
    yield from _rest(len(situations))
    yield ""
    yield from _pending([proposal for proposal in proposals if proposal.status == "pending"])
    yield ""
    yield from _decided(proposals)
    yield ""
    yield from _brought(ledger(runtime))
    made = models_of(runtime)
    names = ", ".join(made["providers"]) or "none: every word and number was computed"
    yield f"Models: {counted(made['calls'], 'call')}, {made['cost']} {made['currency']} ({names})."


def in_short(runtime: Runtime) -> Iterator[str]:
    """The newest situations and what waits for an answer: what a person who starts the server wants to know."""
    newest = runtime.store.situations.page(limit=_NEWEST).items
    yield f"Accord heard {runtime.store.signals.count():,} signals. The newest situations:"
    yield from columns((f"  {s.onset:%Y-%m-%d}", s.title) for s in newest)
    yield from _pending(list(reversed(runtime.store.proposals.pending())))


def _pending(pending: Sequence[Proposal]) -> Iterator[str]:
    waiting = f"It proposes now ({len(pending)} {plural(len(pending), 'waits')} for an answer):"
    yield waiting if pending else "Nothing waits for an answer."
    for proposal in pending[:_SHOWN]:
        yield from proposal_lines(proposal)
    yield from _rest(len(pending))


def proposal_lines(proposal: Proposal) -> Iterator[str]:
    """A proposal in three lines: what, what it should bring, who is asked."""
    expected = proposal.expected
    who = " or ".join(proposal.verdict.roles) or "anybody who may decide"
    yield f"  {proposal.id}  {proposal.title}"
    yield (
        f"    expected {money(expected.value, expected.currency)} "
        f"({money(expected.low, expected.currency)} to {money(expected.high, expected.currency)}); "
        f"written by {proposal.origin}"
    )
    yield f"    {proposal.verdict.kind} {who} until {proposal.expires_at:%Y-%m-%d %H:%M} (rule {proposal.verdict.rule})"


def _decided(proposals: Sequence[Proposal]) -> Iterator[str]:
    verdicts = Counter(str(proposal.verdict.kind) for proposal in proposals)
    statuses = Counter(str(proposal.status) for proposal in proposals)
    yield f"Of {counted(len(proposals), 'proposal')} policy said {_counted(verdicts)}; now {_counted(statuses)}."


def _brought(found: Ledger) -> Iterator[str]:
    measured, expected = (money(minor, found.currency) for minor in (found.measured_minor, found.expected_minor))
    verdicts = _counted(Counter(found.by_verdict))
    waiting = found.pending_measurements
    yield f"Measured so far: {measured} of {expected} expected; {verdicts}; {waiting} still being measured."


def _rest(count: int) -> Iterator[str]:
    if count > _SHOWN:
        yield f"  … and {count - _SHOWN} more (accord proposals, or the pages of accord serve)"


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()) if count) or "nothing"


def money(minor: int, currency: str) -> str:
    """Minor units as a person writes them, with thin groups: `12,300 EUR`."""
    from domain.money import to_major

    return f"{to_major(minor, currency):,.0f} {currency}"
