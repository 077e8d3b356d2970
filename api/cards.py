"""What a proposal's card shows: rows of change, who must sign, whether one may answer. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from api.wording import Wording
from domain.actions import Action, ActionStatus
from domain.decisions import DecisionKind, Person
from domain.errors import AccordError
from domain.lifecycle import filled_role
from domain.policy import VerdictKind
from domain.proposals import Expected, Proposal, ProposalStatus


@dataclass(frozen=True, slots=True)
class Row:
    """One action as a line of the before/after table."""

    id: str
    entity: str
    what: str
    before: str
    after: str
    status: str
    reversible: bool
    undoable: bool
    detail: str
    receipt: str
    shows: str


@dataclass(frozen=True, slots=True)
class Card:
    """A proposal with what people need besides its own fields."""

    proposal: Proposal
    rows: tuple[Row, ...]
    expected: str
    low: str
    high: str
    cost: str
    signs: str
    agreed: int
    may_answer: bool
    why_not: str
    reversible: bool
    bar: Bar


@dataclass(frozen=True, slots=True)
class Bar:
    """The expected interval on a line of 0..100 that holds zero too."""

    zero: float
    low: float
    high: float
    value: float


def card(proposal: Proposal, person: Person | None, now: datetime, words: Wording) -> Card:
    """The card of `proposal` as `person` sees it at `now`."""
    expected, currency = proposal.expected, proposal.expected.currency
    why_not = _why_not(proposal, person, now, words)
    return Card(
        proposal=proposal,
        rows=tuple(_row(action, words) for action in proposal.actions),
        expected=words.money(expected.value, currency, whole=True),
        low=words.money(expected.low, currency, whole=True),
        high=words.money(expected.high, currency, whole=True),
        cost=words.money(proposal.cost_minor, currency, whole=True) if proposal.cost_minor else "",
        signs=_signs(proposal, words),
        agreed=len(_approvals(proposal)),
        may_answer=why_not is None,
        why_not=why_not or "",
        reversible=all(action.spec.reversible for action in proposal.actions),
        bar=bar(expected),
    )


def bar(expected: Expected) -> Bar:
    """Places on a line from the smallest to the largest of the interval's ends, the value and zero."""
    least, most = min(0, expected.low), max(0, expected.high)
    span = (most - least) or 1
    zero, low, high, value = (
        round(100 * (place - least) / span, 1) for place in (0, expected.low, expected.high, expected.value)
    )
    return Bar(zero, low, high, value)


def _row(action: Action, words: Wording) -> Row:
    spec = action.spec
    before = action.state_before if action.state_before is not None else spec.expect
    receipt = action.receipt
    return Row(
        id=action.id,
        entity=spec.entity or "",
        what=words.label("kind", spec.kind),
        before=words.state(spec.kind, before, spec.currency),
        after=words.state(spec.kind, spec.value, spec.currency),
        status=action.status,
        reversible=spec.reversible,
        undoable=action.status is ActionStatus.DONE and spec.reversible and action.undo_of is None,
        detail=action.detail or "",
        receipt=(receipt.vendor_id or receipt.detail or receipt.idempotency_key) if receipt else "",
        shows=words.state(spec.kind, _read_back(action), spec.currency) if receipt else "",
    )


def _read_back(action: Action) -> object:
    """The part of what the tool showed that the action is about."""
    shown = action.receipt.read_back if action.receipt else None
    return shown.get(action.spec.kind) if isinstance(shown, dict) else shown  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] — tools show any JSON


def _approvals(proposal: Proposal) -> tuple[str, ...]:
    return tuple(
        decision.by
        for decision in proposal.decisions
        if decision.kind is DecisionKind.APPROVE and decision.fingerprint == proposal.fingerprint
    )


def _signs(proposal: Proposal, words: Wording) -> str:
    verdict = proposal.verdict
    if verdict.kind is not VerdictKind.ASK:
        return words(f"card.signs_{verdict.kind}")
    if not verdict.roles:
        return words("card.anyone")
    return words.count("card.signs", verdict.quorum) + f" · {_roles(proposal)}"


def _roles(proposal: Proposal) -> str:
    """The roles that may answer, as people read them."""
    return ", ".join(role.replace("_", " ") for role in proposal.verdict.roles)


def _why_not(proposal: Proposal, person: Person | None, now: datetime, words: Wording) -> str | None:
    """Why `person` cannot answer now; None when they can, "" when there is nothing to answer any more."""
    if person is None or proposal.status is not ProposalStatus.PENDING or now >= proposal.expires_at:
        return ""
    if proposal.verdict.kind is VerdictKind.DENY:
        return words("proposal.deny")
    try:
        filled_role(proposal, person)
    except AccordError:
        return words("proposal.not_yours", roles=_roles(proposal))
    answered = any(d.by == person.id and d.kind is not DecisionKind.ESCALATE for d in proposal.decisions)
    return words("proposal.you_answered") if answered else None
