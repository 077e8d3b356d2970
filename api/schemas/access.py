"""Wire shapes of signals' answers, keys, modes and health."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from api.auth import Scope
from api.schemas.wire import KeyId, PersonId, Time, Wire


class Refused(Wire):
    """An event that was not taken."""

    id: str
    """Its `id`, as far as it had one."""
    error: str
    """What is wrong and what to do."""


class Accepted(Wire):
    """What became of the events; everything accepted is on disk."""

    accepted: Annotated[int, Field(examples=[2])]
    """New events stored."""
    duplicate: Annotated[int, Field(examples=[0])]
    """Events that were there already (`source` and `id`)."""
    rejected: list[Refused]
    """Events that were not stored; their neighbours were."""


class Key(Wire):
    """An API key, without its secret."""

    id: KeyId
    """Name for revoking it."""
    name: Annotated[str, Field(examples=["crm-sync"])]
    """What it is for."""
    person: PersonId
    """Who acts by it."""
    scopes: list[Scope]
    """What it may do."""
    created_at: Time
    """When it was made."""
    expires_at: Time | None
    """When it stops by itself; null for never."""
    revoked_at: Time | None
    """When it was revoked; null while it was not."""


class NewKey(Wire):
    """The key to make."""

    name: Annotated[str, Field(min_length=1, max_length=100, examples=["crm-sync"])]
    """What it is for."""
    person: Annotated[str, Field(min_length=1, max_length=100, examples=["ana"])]
    """Who acts by it: a person of the configuration, or one who signed in."""
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=20, examples=[["read", "signals"]])]
    """What it may do. `signals-external` sends signals whose text counts as foreign."""
    expires_d: Annotated[float | None, Field(gt=0, le=3650, examples=[90])] = None
    """Days until it opens nothing any more; null for never."""


class IssuedKey(Wire):
    """A key that was just made."""

    id: KeyId
    """Name for revoking it."""
    key: Annotated[str, Field(examples=["accord_2f…"])]
    """The secret: shown once, kept only as a hash."""


class Mode(Wire):
    """The read-only switch."""

    read_only: bool
    """While on, nothing is changed in any tool; reading and proposing go on."""


class ModeChange(Wire):
    """The switch, and why it is turned."""

    read_only: bool
    """The wished position."""
    reason: Annotated[str, Field(max_length=1000, examples=["Incident in the ads account"])] = ""
    """Why; it is kept in the audit."""


class Stop(Wire):
    """Why everything is stopped."""

    reason: Annotated[str, Field(max_length=1000, examples=["Incident in the ads account"])] = ""
    """Why; it is kept in the audit and shown on what was dropped."""


class Stopped(Wire):
    """What the kill switch dropped."""

    proposals: int
    """Proposals that waited for an answer and are void now."""
    actions: int
    """Actions that were not begun and are denied now."""
    begun: int
    """Actions that a tool was being asked for already: they are finished or settled, not torn."""


class Day(Wire):
    """What one more day of the demo company brought."""

    now: Time
    """The company's time now."""
    pending: int
    """Proposals that wait for people."""


class Alive(Wire):
    """That the process answers."""

    status: Literal["ok"]
    """Always `ok`."""


class HealthItem(Wire):
    """One thing that was checked."""

    name: Annotated[str, Field(examples=["store"])]
    """What."""
    ok: bool
    """Whether it works."""
    needed: bool
    """Whether Accord cannot work without it."""


class Ready(Wire):
    """Whether Accord can work."""

    status: Literal["ready", "not_ready"]
    """`ready` when everything needed works."""
    checks: list[HealthItem]
    """What was checked."""


class HealthDetail(HealthItem):
    """One thing that was checked, with how to mend it."""

    detail: str
    """What was found."""
    fix: str
    """What to do when it does not work."""
