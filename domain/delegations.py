"""Delegations: who answers for whom while somebody is away. They begin and end by themselves."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from pydantic import Field, model_validator

from domain.ids import derive_id
from domain.record import Moment, Record

LONGEST = timedelta(days=180)


class Delegation(Record):
    """`to` may answer in the roles of `person` from `since` until `until`.

    It hands on the roles that `person` holds by themselves, never those that somebody else handed to them.
    """

    id: str
    person: str
    """Who is away."""
    to: str
    """Who answers for them."""
    since: Moment
    until: Moment
    reason: str = Field(default="", max_length=1000)
    by: str
    """Who set it up: the person who is away, or an administrator."""
    made_at: Moment
    ended_at: Moment | None = None
    """When it was taken back, if it was."""

    @model_validator(mode="after")
    def _sensible(self) -> Delegation:
        if self.person == self.to:
            raise ValueError("nobody can stand in for themselves")
        if not self.since < self.until <= self.since + LONGEST:
            raise ValueError(f"`until` must lie after `from`, and at most {LONGEST.days} days after it")
        return self

    def in_force(self, now: datetime) -> bool:
        """Whether `to` may answer for `person` at `now`."""
        return self.ended_at is None and self.since <= now < self.until


def delegation_id(person: str, to: str, since: datetime, until: datetime) -> str:
    """The same absence told twice is one delegation."""
    return derive_id("dlg", person, to, since, until)


def absent_for(stand_in: str, delegations: Iterable[Delegation], now: datetime) -> list[str]:
    """Ids of the people for whom `stand_in` may answer at `now`, sorted."""
    return sorted({each.person for each in delegations if each.to == stand_in and each.in_force(now)})
