"""Everybody who is known, and for whom somebody may answer at this moment."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from domain.decisions import Person
from domain.delegations import absent_for
from domain.errors import NotFound

if TYPE_CHECKING:
    from agents.parts import Runtime


def known_people(runtime: Runtime) -> dict[str, Person]:
    """People by id; the configuration wins over the store."""
    stored = {person.id: person for person in runtime.store.people.all()}
    return stored | {person.id: person for person in runtime.settings.auth.people}


def known_person(runtime: Runtime, name: str) -> Person:
    """Raises NotFound."""
    found = known_people(runtime).get(name)
    if found is None:
        raise NotFound(f"Nobody is called {name!r} here. Add them under `auth.people` in accord.yaml.")
    return found


def absent_people(runtime: Runtime, person: Person, now: datetime) -> list[Person]:
    """Those in whose place `person` may answer at `now`, with the roles they hold by themselves."""
    away = absent_for(person.id, runtime.store.delegations.in_force(now), now)
    people = known_people(runtime) if away else {}
    return [people[name] for name in away if name in people]
