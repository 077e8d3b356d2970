"""What a proposal's card shows: rows of change, who must sign, whether one may answer. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from pydantic import ValidationError

from agents.execute import same_state
from api.wording import Wording
from domain.actions import MONEY_KINDS, Action, ActionKind, ActionSpec, ActionStatus
from domain.decisions import Decision, Person
from domain.errors import AccordError, InputError
from domain.lifecycle import agreed, seat_of
from domain.money import exponent, to_major, to_minor
from domain.policy import VerdictKind
from domain.proposals import Expected, Proposal, ProposalStatus
from domain.signals import explain


@dataclass(frozen=True, slots=True)
class Field:
    """One value that a person may change, as a form shows it: `value` in major units where it is money."""

    name: str
    what: str
    entity: str
    value: str
    now: str
    proposed: str
    unit: str
    step: str


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
    status_text: str
    field: Field | None


@dataclass(frozen=True, slots=True)
class Card:
    """A proposal with what people need besides its own fields."""

    proposal: Proposal
    rows: tuple[Row, ...]
    expected: str
    low: str
    high: str
    cost: str
    valued: str
    """Says so where the expectation is not the specialist's own."""
    signs: str
    agreed: tuple[str, ...]
    """Who has agreed to this version, with whom they speak for."""
    missing: int
    """How many more must."""
    may_answer: bool
    why_not: str
    acts_for: str
    """The absent person in whose role the reader would answer."""
    reversible: bool
    bar: Bar


@dataclass(frozen=True, slots=True)
class Bar:
    """The expected interval on a line of 0..100 that holds zero too."""

    zero: float
    low: float
    high: float
    value: float


def card(
    proposal: Proposal, person: Person | None, now: datetime, words: Wording, absent: Sequence[Person] = ()
) -> Card:
    """The card of `proposal` as `person`, who stands in for `absent`, sees it at `now`."""
    expected, currency = proposal.expected, proposal.expected.currency
    why_not = _why_not(proposal, person, now, words, absent)
    names = tuple(spoken(decision, words) for decision in agreed(proposal))
    return Card(
        proposal=proposal,
        rows=tuple(_row(place, action, words) for place, action in enumerate(proposal.actions)),
        expected=words.money(expected.value, currency, whole=True),
        low=words.money(expected.low, currency, whole=True),
        high=words.money(expected.high, currency, whole=True),
        cost=words.money(proposal.cost_minor, currency, whole=True) if proposal.cost_minor else "",
        valued="" if proposal.valuation == "computed" else words(f"card.valuation_{proposal.valuation}"),
        signs=_signs(proposal, words),
        agreed=names,
        missing=max(0, proposal.verdict.quorum - len(names)),
        may_answer=why_not is None,
        why_not=why_not or "",
        acts_for=_acts_for(proposal, person, absent) if why_not is None else "",
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


def _row(place: int, action: Action, words: Wording) -> Row:
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
        shows=words.state(spec.kind, read_back(action), spec.currency) if receipt else "",
        status_text=words.label("status", action.status),
        field=_field(place, spec, words),
    )


def _field(place: int, spec: ActionSpec, words: Wording) -> Field | None:
    """What a form offers to change; None where a number would not do."""
    now, proposed = (words.state(spec.kind, value, spec.currency) for value in (spec.expect, spec.value))
    given = {"name": f"value_{place}", "what": words.label("kind", spec.kind), "entity": spec.entity or ""}
    if spec.kind in MONEY_KINDS and spec.currency is not None:
        digits = exponent(spec.currency)
        value, step = f"{to_major(spec.value, spec.currency):f}", f"{Decimal(1).scaleb(-digits):f}"
        return Field(**given, value=value, now=now, proposed=proposed, unit=spec.currency, step=step)
    if spec.kind == ActionKind.PRIORITY_SET:
        return Field(**given, value=str(spec.value), now=now, proposed=proposed, unit="0–100", step="1")
    return None


def changed_specs(proposal: Proposal, values: Mapping[str, str]) -> tuple[ActionSpec, ...]:
    """The actions with the values of a form, in major units where they are money; what is missing stays.

    Raises InputError for what is no amount.
    """
    return tuple(_with_value(place, action.spec, values) for place, action in enumerate(proposal.actions))


def _with_value(place: int, spec: ActionSpec, values: Mapping[str, str]) -> ActionSpec:
    given = values.get(f"value_{place}", "").strip().replace("\u202f", "").replace("\u00a0", "").replace(" ", "")
    if not given:
        return spec
    number = given.replace(",", ".")
    value: object = number
    if spec.kind in MONEY_KINDS and spec.currency is not None:
        value = to_minor(number, spec.currency)
    try:
        return ActionSpec.model_validate({**spec.model_dump(), "value": value})
    except ValidationError as error:
        raise InputError(f"{given!r} does not fit {spec.kind}: {explain(error)}") from error


def read_back(action: Action) -> object:
    """The part of what the tool showed that the action is about: of all that was ever created, what it created."""
    shown: Any = action.receipt.read_back if action.receipt else None
    if isinstance(shown, dict):
        shown = cast("dict[str, Any]", shown).get(action.spec.kind)
    if not isinstance(shown, list):
        return shown
    created = reversed(cast("list[Any]", shown))
    return next((each for each in created if same_state(each, action.spec.value)), None)


def spoken(decision: Decision, words: Wording) -> str:
    """Who agreed: `eve for ana`."""
    if decision.on_behalf_of is None:
        return decision.by
    return f"{decision.by} {words('card.for_whom', name=decision.on_behalf_of)}"


def _acts_for(proposal: Proposal, person: Person | None, absent: Sequence[Person]) -> str:
    return (seat_of(proposal, person, absent).on_behalf_of if person else None) or ""


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


def _why_not(
    proposal: Proposal, person: Person | None, now: datetime, words: Wording, absent: Sequence[Person]
) -> str | None:
    """Why `person` cannot answer now; None when they can, "" when there is nothing to answer any more."""
    if person is None or proposal.status is not ProposalStatus.PENDING or now >= proposal.expires_at:
        return ""
    if proposal.verdict.kind is VerdictKind.DENY:
        return words("proposal.deny")
    try:
        seat = seat_of(proposal, person, absent)
    except AccordError:
        return words("proposal.not_yours", roles=_roles(proposal))
    wanted = {person.id, seat.on_behalf_of}
    answered = any(decision.voices & wanted for decision in agreed(proposal))
    return words("proposal.you_answered") if answered else None
