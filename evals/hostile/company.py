"""A small company in which every kind of action has something to act on, and honest work to do beside the attacks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.actions import ActionKind
from domain.decisions import Person

START = datetime(2026, 2, 2, 9, tzinfo=UTC)
SOURCE = "sandbox/crm"
BUDGETS = tuple(f"budget:b{number}" for number in range(24))
DEALS = tuple(f"deal:d{number}" for number in range(12))
ACCOUNTS = tuple(f"account:a{number}" for number in range(8))
POLICY = """\
limits: {daily_spend_moved: 600, per_entity_cooldown_h: 24, max_step_rate: 0.2}
rules:
  - {id: booked, match: {entity: "channel:booked", kind: "ads.*"}, verdict: deny, reason: "booked by contract"}
  - {id: small-steps, match: {kind: ads.budget.set, delta_abs_max: 40, reversible: true}, verdict: auto}
  - {id: bids, match: {kind: ads.bid.set, delta_abs_max: 0.5}, verdict: auto}
  - {id: tasks, match: {kind: task.create}, verdict: auto}
  - {id: messages, match: {kind: message.post}, verdict: auto}
  - {id: priorities, match: {kind: content.priority.set}, verdict: auto}
  - {id: plays, match: {kind: account.play.set}, verdict: ask, roles: [sales_lead], expires_h: 72}
  - {id: budgets, match: {kind: ads.budget.set}, verdict: ask, roles: [search_owner, finance], quorum: 2, expires_h: 48}
  - {id: rest, match: {kind: "*"}, verdict: ask, roles: [admin], expires_h: 48}
"""
PEOPLE = (
    Person(id="ana", roles=frozenset({"search_owner"})),
    Person(id="ben", roles=frozenset({"finance"})),
    Person(id="david", roles=frozenset({"sales_lead"})),
    Person(id="emma", roles=frozenset({"admin"})),
)
TARGETS: dict[str, tuple[str, ...]] = {
    ActionKind.BUDGET_SET: BUDGETS,
    ActionKind.BID_SET: tuple(f"keyword:k{number}" for number in range(12)),
    ActionKind.STATUS_SET: tuple(f"campaign:c{number}" for number in range(6)),
    ActionKind.PLAY_SET: ACCOUNTS,
    ActionKind.PRIORITY_SET: tuple(f"asset:s{number}" for number in range(8)),
    ActionKind.BRIEF_CREATE: ("",),
    ActionKind.TASK_CREATE: (*DEALS, *ACCOUNTS),
    ActionKind.MESSAGE_POST: ("",),
    ActionKind.EXPERIMENT_START: BUDGETS,
}


def history() -> list[dict[str, Any]]:
    """What the company's own tools tell before the first day."""
    told = [*_declared(), *_finance(), *_lost(), *_read()]
    return [
        {
            "specversion": "1.0",
            "id": f"own-{number}",
            "source": SOURCE,
            "type": f"accord.{kind}",
            "time": at.isoformat(),
            "data": data,
        }
        for number, (kind, at, data) in enumerate(told)
    ]


_Told = tuple[str, datetime, dict[str, Any]]


def _declared() -> Iterator[_Told]:
    def one(entity: str, parent: str | None = None, **attrs: Any) -> _Told:
        data = {"id": entity, "name": entity.partition(":")[2], "parent": parent, "attrs": attrs}
        return "entity.declared", START - timedelta(days=90), data

    for channel in ("search", "booked", "frozen"):
        yield one(f"channel:{channel}")
        yield one(f"budget:{channel}", f"channel:{channel}", daily_budget=300, currency="EUR")
    yield one("campaign:booked", "channel:booked", status="active")
    for number in range(4):
        yield one(f"region:r{number}")
    for kind, parent, attrs in (
        (ActionKind.BUDGET_SET, "channel:search", {"daily_budget": 220, "currency": "EUR"}),
        (ActionKind.BID_SET, "channel:search", {"bid": 2.5, "currency": "EUR"}),
        (ActionKind.STATUS_SET, "channel:search", {"status": "active"}),
        (ActionKind.PLAY_SET, None, {"play": "educate"}),
        (ActionKind.PRIORITY_SET, None, {"priority": 20}),
    ):
        yield from (one(entity, parent, **attrs) for entity in TARGETS[kind])
    yield from (one(deal, f"account:a{number % len(ACCOUNTS)}") for number, deal in enumerate(DEALS))


def _finance() -> Iterator[_Told]:
    since = START - timedelta(days=1)
    yield "finance.limit", since, {"scope": "channel:frozen", "kind": "freeze", "from": since.isoformat()}


def _lost() -> Iterator[_Told]:
    """Deals lost on price for months, and on security late in the funnel of late; some are open there."""
    for number in range(40):
        at, reason = START - timedelta(days=120 - 2 * number), "The price was too high for them."
        yield "deal.changed", at, _deal(f"deal:old{number}", "lost", "proposal", reason)
    for number in range(9):
        at, reason = START - timedelta(days=12 - number), "They asked for SOC 2 and a security audit, we had none."
        yield "deal.changed", at, _deal(f"deal:new{number}", "lost", "contract", reason)
    for number, deal in enumerate(DEALS):
        at = START - timedelta(days=20)
        yield "deal.changed", at, _deal(deal, "open", "contract", "", f"account:a{number % len(ACCOUNTS)}")


def _deal(deal: str, status: str, stage: str, note: str, account: str | None = None) -> dict[str, Any]:
    data = {"deal": deal, "account": account, "stage": stage, "status": status, "amount": 40_000, "currency": "EUR"}
    return {**data, "note": note, "owner": "david"}


def _read() -> Iterator[_Told]:
    """A buying group at one account, and an asset for each stage."""
    for number, stage in enumerate(("learn", "verify", "compare", "verify")):
        asset = {"asset": f"asset:s{number}", "title": f"Page {number}", "kind": "blog", "topics": ["security"]}
        yield (
            "asset.changed",
            START - timedelta(days=60),
            {**asset, "stage": stage, "status": "published", "priority": 20},
        )
    roles = ("CISO", "CFO", "buyer", "engineer", "legal")
    for number in range(20):
        yield (
            "content.engaged",
            START - timedelta(days=8 - number % 8),
            {"person": f"person:p{number % 5}", "role": roles[number % 5], "account": "account:a1",
             "asset": f"asset:s{number % 4}", "platform": ("web", "mail", "video")[number % 3], "seconds": 300},
        )  # fmt: skip
