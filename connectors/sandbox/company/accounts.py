"""The buyers of one simulated company: accounts, the people in them and the deals they will bring."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np

from connectors.sandbox.company.dice import dice, slug
from connectors.sandbox.company.words import (
    COMPETITORS,
    FIRST_NAMES,
    FREEMAIL,
    LAST_NAMES,
    LEGAL_FORMS,
    NAME_ENDS,
    NAME_STARTS,
    REASONS,
    ROLES,
    STAGES,
)

# Chance that a deal dies of each reason when nothing helps and nothing hinders, in the order of REASONS.
LOSS_RATES = np.array([0.07, 0.07, 0.06, 0.06, 0.04, 0.06, 0.05, 0.04])
# The stage at whose end each reason strikes.
_STRIKES = {"fit": 0, "slow_response": 1, "competitor": 1, "roi_proof": 1, "security": 2, "price": 3,
            "approval": 3, "compliance": 3}  # fmt: skip
_NO_ALIASES: tuple[str, ...] = ()
_TYPICAL_AMOUNT_LOG = log(48_000)


@dataclass(frozen=True, slots=True)
class Person:
    """One human. `aliases` are other e-mail addresses under which platforms know the same human."""

    id: str
    name: str
    email: str
    role: str
    account: int
    aliases: tuple[str, ...] = _NO_ALIASES


@dataclass(frozen=True, slots=True)
class Account:
    id: str
    name: str
    domain: str
    size: str
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Deal:
    """One deal with its hidden course. Days count from the start of the world and may be negative."""

    id: str
    account: int
    start: int
    stage_ends: tuple[int, ...]  # hidden end day of each of STAGES
    told_after: tuple[int, ...]  # days until the CRM shows each end
    strikes: tuple[int, ...]  # day on which each of REASONS may kill the deal
    luck: tuple[float, ...]  # uniform draw per reason, compared with the hazard
    amount: int  # major units
    product: str
    competitor: str
    owner: str
    group: bool  # several stakeholders buy together


@dataclass(frozen=True, slots=True)
class Buyers:
    accounts: tuple[Account, ...]
    deals: tuple[Deal, ...]


def draw_buyers(seed: int, products: tuple[str, ...], days: int) -> Buyers:
    """About 100 accounts and 1.6 deals for each over `days` (more over longer horizons)."""
    rng = dice(seed, "buyers")
    names = _company_names(rng, int(rng.integers(92, 110)))
    accounts = tuple(_account(rng, index, name) for index, name in enumerate(names))
    count = round(len(accounts) * rng.uniform(1.4, 1.8) * days / 182)
    starts = np.sort(rng.integers(-45, max(days - 21, -40), count))
    deals = tuple(_deal(rng, number, int(day), accounts, products) for number, day in enumerate(starts))
    return Buyers(accounts, deals)


def _company_names(rng: np.random.Generator, count: int) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        start, end = NAME_STARTS[int(rng.integers(len(NAME_STARTS)))], NAME_ENDS[int(rng.integers(len(NAME_ENDS)))]
        found[start + end] = None
    return [f"{name} {LEGAL_FORMS[int(rng.integers(len(LEGAL_FORMS)))]}" for name in found]


def _account(rng: np.random.Generator, index: int, name: str) -> Account:
    word = slug(name)
    domain = f"{slug(name.split(maxsplit=1)[0])}.example"
    roles = rng.permutation(len(ROLES))[: int(rng.integers(3, 12))]
    people = tuple(_person(rng, index, word, domain, ROLES[int(role)]) for role in roles)
    size = ("small", "medium", "large")[int(rng.integers(0, 3))]
    return Account(f"account:{word}", name, domain, size, people)


def _person(rng: np.random.Generator, account: int, word: str, domain: str, role: str) -> Person:
    first = FIRST_NAMES[int(rng.integers(len(FIRST_NAMES)))]
    last = LAST_NAMES[int(rng.integers(len(LAST_NAMES)))]
    given, family = slug(first).replace("-", ""), slug(last).replace("-", "")
    aliases: list[str] = []
    if rng.random() < 0.15:
        aliases.append(f"{given}.{family}{int(rng.integers(1, 99))}@{FREEMAIL[int(rng.integers(len(FREEMAIL)))]}")
    if rng.random() < 0.15:
        aliases.append(f"{given[0]}.{family}@{domain}")
    if rng.random() < 0.08:
        aliases.append(f"{given}.{family}@{domain.replace('.example', '-group.example')}")
    return Person(
        f"person:{word}-{given}-{family}-{slug(role)}",
        f"{first} {last}",
        f"{given}.{family}@{domain}",
        role,
        account,
        tuple(aliases),
    )


def _deal(
    rng: np.random.Generator, number: int, start: int, accounts: tuple[Account, ...], products: tuple[str, ...]
) -> Deal:
    account = int(rng.integers(len(accounts)))
    ends = start + np.cumsum(np.maximum(4, rng.gamma(6.0, 2.2, len(STAGES)).round())).astype(int)
    begins = (start, *ends[:-1])
    strikes: list[int] = []
    for reason in REASONS:
        stage = _STRIKES[reason]
        low = int(begins[stage]) + 1 if reason != "compliance" else int(ends[stage]) - 2
        strikes.append(int(rng.integers(low, max(low + 1, int(ends[stage])))))
    return Deal(
        id=f"deal:{slug(accounts[account].name)}-{number:03d}",
        account=account,
        start=start,
        stage_ends=tuple(int(end) for end in ends),
        told_after=tuple(int(lag) for lag in rng.integers(1, 7, len(STAGES)).tolist()),
        strikes=tuple(strikes),
        luck=tuple(float(u) for u in rng.random(len(REASONS)).tolist()),
        amount=round(float(rng.lognormal(_TYPICAL_AMOUNT_LOG, 0.6)) / 100) * 100,
        product=products[int(rng.integers(len(products)))],
        competitor=COMPETITORS[int(rng.integers(len(COMPETITORS)))],
        owner=f"rep-{int(rng.integers(1, 9))}",
        group=bool(rng.random() < 0.35),
    )
