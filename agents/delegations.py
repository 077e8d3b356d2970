"""Standing in for each other: set up by who will be away or by an administrator, and ended by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import ValidationError

from agents.people import known_person
from domain.audit import Fact
from domain.decisions import Person
from domain.delegations import Delegation, delegation_id
from domain.errors import Forbidden, InputError, NotFound
from domain.signals import explain

if TYPE_CHECKING:
    from agents.parts import Runtime

ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Absence:
    """Who is away, who answers meanwhile, and when; from now on unless `since` is given."""

    person: str
    to: str
    until: datetime
    since: datetime | None = None
    reason: str = ""


def delegate(runtime: Runtime, absence: Absence, by: Person) -> Delegation:
    """The delegation, set up by `by`; the same one twice is one.

    Raises NotFound for people who are not known, Forbidden for somebody else's absence, InputError for times that
    make no sense.
    """
    _refuse_others(by, absence.person)
    known_person(runtime, absence.person)
    known_person(runtime, absence.to)
    now = runtime.clock.now()
    since = absence.since or now
    if absence.until <= now:
        raise InputError(f"`until` {absence.until.isoformat()} is over already. Give a time to come.")
    try:
        made = Delegation(
            id=delegation_id(absence.person, absence.to, since, absence.until),
            person=absence.person,
            to=absence.to,
            since=since,
            until=absence.until,
            reason=absence.reason,
            by=by.id,
            made_at=now,
        )
    except ValidationError as error:
        raise InputError(explain(error)) from error
    terms = {"to": made.to, "from": made.since, "until": made.until, "reason": made.reason, "delegation": made.id}
    fact = Fact(at=now, actor=f"person:{by.id}", verb="delegation.made", subject=made.person, facts=terms)
    runtime.store.delegations.add(made, facts=[fact])
    return runtime.store.delegations.get(made.id)


def end_delegation(runtime: Runtime, person: str, id_: str, by: Person) -> Delegation:
    """Takes a delegation of `person` back from now on. Raises NotFound, Forbidden."""
    made = runtime.store.delegations.get(id_)
    if made.person != person:
        raise NotFound(f"{person!r} has no delegation {id_!r}. See `people/{person}/delegations`.")
    _refuse_others(by, made.person)
    now = runtime.clock.now()
    fact = Fact(
        at=now, actor=f"person:{by.id}", verb="delegation.ended", subject=made.person, facts={"delegation": made.id}
    )
    return runtime.store.delegations.end(id_, now, facts=[fact])


def _refuse_others(by: Person, person: str) -> None:
    if by.id != person and ADMIN not in by.roles:
        raise Forbidden(f"{by.id!r} cannot speak for the absence of {person!r}. They do so themselves, or an admin.")
