"""Is a buying group forming at an account, or is it one person reading a lot?

A group is several real people (after identity resolution) from several roles, active lately, on content that shows
intent. Volume never counts: one person's hundred visits are one person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analysis.identity import Identity, account_key, accounts_of, fold, people_of

LEAST_PEOPLE = 3
LEAST_ROLES = 2
LEAST_ASSETS = 2
LATE_STAGES = frozenset({"compare", "verify"})
WINDOW_S = 30 * 86_400.0
BINGE_RATE = 0.8  # share of records above which one person is the story


@dataclass(frozen=True, slots=True)
class Engagement:
    """One use of an asset; `at_s` in epoch seconds, `stage` learn, compare or verify."""

    person: str
    asset: str
    platform: str
    at_s: float
    email: str | None = None
    account: str | None = None
    role: str | None = None
    stage: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Person:
    """A real person with the names and addresses they appeared under, most active first in a group."""

    names: tuple[str, ...]
    emails: tuple[str, ...]
    role: str | None
    records: int


@dataclass(frozen=True, slots=True)
class Group:
    """What an account did within the window, and whether that is a buying group; `reason` says why or why not."""

    account: str
    is_group: bool
    reason: str
    people: tuple[Person, ...]
    roles: tuple[str, ...]
    platforms: tuple[str, ...]
    stages: tuple[str, ...]
    assets: tuple[str, ...]
    last_s: float
    top_person_rate: float


def buying_groups(records: Iterable[Engagement], now_s: float, *, window_s: float = WINDOW_S) -> list[Group]:
    """One finding per account seen in the `window_s` seconds before `now_s`, by name; accountless records drop out."""
    rows = sorted(records, key=lambda row: (row.at_s, row.person, row.asset, row.platform, row.email or ""))
    rows = [row for row in rows if row.at_s <= now_s]
    accounts = accounts_of([_identity(row) for row in rows])
    by_account: dict[str, list[Engagement]] = defaultdict(list)
    for row, account in zip(rows, accounts, strict=True):
        if account is not None and row.at_s > now_s - window_s:
            by_account[account].append(row)
    return [_group(account, members) for account, members in sorted(by_account.items(), key=lambda item: _key(item[0]))]


def _key(account: str) -> tuple[str, str]:
    return account_key(account), account


def _identity(row: Engagement) -> Identity:
    return Identity(row.person, row.email, row.account)


def _group(account: str, rows: Sequence[Engagement]) -> Group:
    people = _people(rows)
    roles = _distinct(person.role for person in people)
    stages = _distinct(row.stage for row in rows)
    assets = _distinct(row.asset for row in rows)
    top_rate = people[0].records / len(rows)
    fault = _fault(people, roles, stages, assets, top_rate)
    return Group(
        account=account,
        is_group=fault is None,
        reason=fault or f"{len(people)} people in {len(roles)} roles used {len(assets)} assets, some for late stages.",
        people=people,
        roles=roles,
        platforms=_distinct(row.platform for row in rows),
        stages=stages,
        assets=assets,
        last_s=max(row.at_s for row in rows),
        top_person_rate=top_rate,
    )


def _fault(
    people: Sequence[Person], roles: Sequence[str], stages: Sequence[str], assets: Sequence[str], top_rate: float
) -> str | None:
    """Why this is no buying group, the plainest reason first; None when it is one."""
    if len(people) == 1:
        return f"One person made all {people[0].records} visits: interest of one is no buying group."
    if len(people) < LEAST_PEOPLE:
        return f"Only {len(people)} people are engaged; a buying group needs {LEAST_PEOPLE}."
    if top_rate > BINGE_RATE:
        return f"One person made {top_rate:.0%} of the visits; the others only looked in."
    if len(roles) < LEAST_ROLES:
        return f"The {len(people)} people have {len(roles)} known role(s); a buying group spans {LEAST_ROLES}."
    if len(assets) < LEAST_ASSETS:
        return "All used the same asset, as after one mailing."
    if not LATE_STAGES.intersection(stages):
        return "All content used is introductory; nobody compares or verifies yet."
    return None


def _people(rows: Sequence[Engagement]) -> tuple[Person, ...]:
    """Real people of one account. Identities are compared once each, however many records name them."""
    identities = list(dict.fromkeys(Identity(row.person, row.email) for row in rows))
    number = dict(zip(identities, people_of(identities), strict=True))
    by_person: dict[int, list[Engagement]] = defaultdict(list)
    for row in rows:
        by_person[number[Identity(row.person, row.email)]].append(row)
    people = [_person(mine) for _, mine in sorted(by_person.items())]
    return tuple(sorted(people, key=lambda person: (-person.records, person.names)))


def _person(rows: Sequence[Engagement]) -> Person:
    roles = _distinct(fold(row.role) if row.role else None for row in rows)
    return Person(
        names=_distinct(row.person for row in rows),
        emails=_distinct(row.email for row in rows),
        role=roles[0] if roles else None,
        records=len(rows),
    )


def _distinct(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if value}))
