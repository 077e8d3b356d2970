"""Who reads what, where: the schedule of content engagement with real buying groups and their imitations."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from connectors.sandbox.company.accounts import Account, Buyers, Person
from connectors.sandbox.company.agenda import WARM_UP_DAYS, Event
from connectors.sandbox.company.dice import dice
from connectors.sandbox.company.pipeline import GROUP_LEAD_DAYS
from connectors.sandbox.company.words import ASSETS, PLATFORMS

_BACKGROUND_PER_DAY = 3.0
_KNOWN_RATE = 0.7  # share of engagements that carry the CRM's own person id


@dataclass(frozen=True, slots=True)
class Engagement:
    """One visit. `identity` is the person id the platform uses, not always the CRM's."""

    day: int
    person: Person
    identity: str
    email: str | None
    asset: int  # place in ASSETS
    platform: str
    seconds: int
    tells_account: bool


@dataclass(frozen=True, slots=True)
class Schedule:
    """All engagements by day, and the truth about groups and bursts."""

    by_day: dict[int, list[Engagement]]
    events: tuple[Event, ...]


def draw_schedule(seed: int, buyers: Buyers, days: int, decoys_short: int) -> Schedule:
    """Background reading, real groups, and bursts of one person: as many as groups plus `decoys_short`."""
    rng = dice(seed, "engagement")
    visits: list[Engagement] = []
    events: list[Event] = []
    for _ in range(int(rng.poisson(_BACKGROUND_PER_DAY * days))):
        account = buyers.accounts[int(rng.integers(len(buyers.accounts)))]
        person = account.people[int(rng.integers(len(account.people)))]
        visits.append(_visit(rng, int(rng.integers(0, days)), person, _any_asset(rng)))
    for deal in buyers.deals:
        onset = deal.stage_ends[1] - GROUP_LEAD_DAYS
        if deal.group and WARM_UP_DAYS // 2 <= onset < days - 10:
            account = buyers.accounts[deal.account]
            visits += _group(rng, account, onset)
            entities = (account.id, deal.id)
            events.append(Event("buying_group", onset, deal.stage_ends[-1], False, entities=entities))
    for number in range(len(events) + max(0, decoys_short)):
        event, burst = _burst(rng, buyers, days, alias=number % 3 == 2)
        events.append(event)
        visits += burst
    by_day: dict[int, list[Engagement]] = defaultdict(list)
    for visit in visits:
        by_day[visit.day].append(visit)
    return Schedule(by_day, tuple(events))


def _group(rng: np.random.Generator, account: Account, onset: int) -> list[Engagement]:
    """Three to six people on several platforms read proof within about ten days."""
    size = min(len(account.people), int(rng.integers(3, 7)))
    chosen = [account.people[int(i)] for i in rng.permutation(len(account.people))[:size]]
    platforms = [PLATFORMS[int(i)] for i in rng.permutation(len(PLATFORMS))[:4]]
    return [
        _visit(rng, onset + int(rng.integers(0, 11)), person, _proof_asset(rng), platforms[int(rng.integers(4))])
        for person in chosen
        for _ in range(int(rng.integers(1, 4)))
    ]


def _burst(rng: np.random.Generator, buyers: Buyers, days: int, *, alias: bool) -> tuple[Event, list[Engagement]]:
    """One person reads a dozen assets in two days; as an alias burst, under several addresses and platforms."""
    crowd = [p for account in buyers.accounts for p in account.people if p.aliases or not alias]
    person = crowd[int(rng.integers(len(crowd)))]
    onset = int(rng.integers(WARM_UP_DAYS // 2, max(WARM_UP_DAYS // 2 + 1, days - 3)))
    platforms = PLATFORMS if alias else PLATFORMS[:2]
    visits: list[Engagement] = []
    for _ in range(int(rng.integers(9, 18))):
        address = (person.email, *person.aliases)[int(rng.integers(1 + len(person.aliases)))] if alias else person.email
        visits.append(
            _visit(
                rng, onset + int(rng.integers(0, 3)), person, _any_asset(rng),
                platforms[int(rng.integers(len(platforms)))], address,
            )
        )  # fmt: skip
    kind = "alias_burst" if alias else "single_person_burst"
    return Event(kind, onset, onset + 3, True, entities=(buyers.accounts[person.account].id, person.id)), visits


def _visit(
    rng: np.random.Generator, day: int, person: Person, asset: int, platform: str = "", address: str = ""
) -> Engagement:
    place = platform or PLATFORMS[int(rng.integers(len(PLATFORMS)))]
    known = rng.random() < _KNOWN_RATE and not (address and address != person.email)
    other = person.aliases[0] if person.aliases and rng.random() < 0.5 else person.email
    email = person.email if known else (address or other)
    identity = person.id if known else f"person:{place}-{email.replace('@', '-at-')}"
    told = None if known and rng.random() < 0.3 else email
    return Engagement(
        day, person, identity, told, asset, place, int(rng.gamma(2.0, 70)) + 5, known or rng.random() < 0.3
    )


def _any_asset(rng: np.random.Generator) -> int:
    return int(rng.integers(len(ASSETS)))


def _proof_asset(rng: np.random.Generator) -> int:
    proof = [i for i, asset in enumerate(ASSETS) if asset[3] in ("verify", "compare")]
    return proof[int(rng.integers(len(proof)))]
