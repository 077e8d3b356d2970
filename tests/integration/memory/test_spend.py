"""Spend against a model of it: whatever is reserved, settled, released or refused, in whatever order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import OverBudget
from memory.store import Store
from providers.journal import Journal
from providers.ledger import InMemoryCallLog, Ledger, Reservation
from providers.pricing import Tariff, ceiling_nano
from providers.registry import Provider
from providers.types import Attempt, Budget, Message, ModelRequest, Outcome, Price, ProviderSpec

MONTHS = (datetime(2026, 3, 31, 23, 59, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
RATES = Tariff(Price(currency="EUR", input=Decimal(1), output=Decimal(1)))
STEP = st.tuples(
    st.sampled_from(["reserve", "settle", "unknown", "release"]),
    st.sampled_from(["a", "b"]),  # provider
    st.sampled_from(["explain", "chat"]),
    st.sampled_from([None, "k1"]),
    st.sampled_from(MONTHS),
    st.integers(0, 100),  # share of the reservation that is billed, and which reservation
)
LIMITS = st.dictionaries(st.sampled_from(["all", "provider:a", "task:chat", "key:k1"]), st.integers(0, 6), max_size=3)


def provider(name: str) -> Provider:
    spec = ProviderSpec(name=name, model=f"{name}/m")
    return Provider(spec, rates=RATES, context_tokens=None, takes_schema=True)


def request(task: str, key: str | None) -> ModelRequest:
    return ModelRequest(task=task, messages=(Message(role="user", content="hi"),), max_tokens=82, key=key)


UNIT = ceiling_nano(RATES, request("explain", None))  # 100 tokens of 1,000 nano each


class Model:
    """The plainest account: every charge and every hold in one list."""

    def __init__(self, limits: dict[str, int]) -> None:
        self.limits, self.charged = limits, Counter[tuple[str, str]]()

    def add(self, scopes: tuple[str, ...], at: datetime, amount: int) -> None:
        self.charged.update({(scope, f"{at:%Y-%m}"): amount for scope in scopes})

    def fits(self, scopes: tuple[str, ...], at: datetime) -> bool:
        return all(self.charged[s, f"{at:%Y-%m}"] + UNIT <= self.limits[s] for s in scopes if s in self.limits)


@pytest.fixture(scope="module")
def stores() -> Iterator[Any]:
    opened: list[Store] = []

    def fresh() -> Store:
        opened.append(Store.open("sqlite://"))
        return opened[-1]

    yield fresh
    for store in opened:
        store.close()


@settings(max_examples=40)
@given(limits=LIMITS, steps=st.lists(STEP, max_size=25))
def test_store_memory_and_model_agree_and_no_limit_is_passed(
    stores: Any, limits: dict[str, int], steps: list[tuple[Any, ...]]
) -> None:
    store, memory = stores(), InMemoryCallLog()
    journal = Journal(store.calls, linger_s=0)
    budgets = [Budget(scope=scope, month=Decimal(units * UNIT).scaleb(-9)) for scope, units in limits.items()]
    ledgers = [Ledger(log, currency="EUR", fx={}, budgets=budgets) for log in (journal, memory)]
    model = Model({scope: units * UNIT for scope, units in limits.items()})
    open_: list[tuple[tuple[str, ...], list[Reservation]]] = []
    for kind, name, task, key, at, share in steps:
        if kind == "reserve":
            scopes = ("all", f"provider:{name}", f"task:{task}", *([f"key:{key}"] if key else []))
            made = [reserved(ledger, provider(name), request(task, key), at) for ledger in ledgers]
            assert [hold is not None for hold in made] == [model.fits(scopes, at)] * 2
            if made[0] is not None and made[1] is not None:
                open_.append((scopes, [made[0], made[1]]))
                if made[0].held:
                    model.add(scopes, at, UNIT)
        elif open_:
            scopes, holds = open_.pop(share % len(open_))
            spent = ended(kind, ledgers, holds, share)
            model.add(scopes, holds[0].at, spent - (UNIT if holds[0].held else 0))
    journal.close()
    for (scope, month), charged in model.charged.items():
        assert store.calls.charged_nano(scope, month) == memory.spend[scope, month] == charged
        assert charged <= model.limits.get(scope, charged)
    assert len(store.calls.unsettled(datetime(2026, 5, 1, tzinfo=UTC))) == sum(holds[0].held for _, holds in open_)


def reserved(ledger: Ledger, one: Provider, asked: ModelRequest, at: datetime) -> Reservation | None:
    try:
        return ledger.reserve(one, asked, at)
    except OverBudget:
        return None


def ended(kind: str, ledgers: list[Ledger], holds: list[Reservation], share: int) -> int:
    """End a call in each ledger, and tell what it was charged."""
    cost = {"settle": UNIT * share // 100, "unknown": None, "release": 0}[kind]
    for ledger, hold in zip(ledgers, holds, strict=True):
        if kind == "release":
            ledger.release(hold)
            continue
        attempt = Attempt(
            provider=hold.provider.name,
            outcome=Outcome.ANSWERED,
            started_at=hold.at,
            cost_nano=cost,
            currency=None if cost is None else "EUR",
        )
        ledger.settle(hold, attempt, maybe_billed=True)
    return UNIT if cost is None else cost


def test_existing_calls_are_counted_when_a_store_is_brought_up_to_date(store_url: str) -> None:
    """A store of the first version, with calls of two months in it."""
    import sqlalchemy as sa
    from alembic import command
    from alembic.config import Config

    from memory import schema
    from memory.database import Database

    def alembic(connection: sa.Connection) -> Config:
        config = Config()
        config.set_main_option("script_location", str(schema.__file__).replace("schema.py", "migrations"))
        config.attributes["connection"] = connection
        return config

    with Store.open(store_url):
        pass
    database = Database(store_url)
    with database.write() as connection:
        for table in reversed(schema.metadata.sorted_tables):
            table.drop(connection)
        connection.execute(sa.text(f"DROP TABLE {schema.VERSION_TABLE}"))
        command.upgrade(alembic(connection), "0001")
        columns = "(id, at, provider, task, key, charged_nano, body)"
        row = f"INSERT INTO calls {columns} VALUES (:id, :at, 'a', 't', :key, 7, '{{}}')"  # noqa: S608 — a constant
        march, april = (int(at.timestamp() * 1_000_000) for at in MONTHS)
        rows = [
            {"id": f"c{n}", "at": at, "key": key}
            for n, (at, key) in enumerate([(march, "k"), (march, None), (april, None)])
        ]
        connection.execute(sa.text(row), rows)
        command.upgrade(alembic(connection), "0002")
        found = connection.execute(sa.text("SELECT scope, month, charged_nano FROM spend ORDER BY month, scope")).all()
    database.close()
    assert [tuple(each) for each in found] == [
        ("all", "2026-03", 14),
        ("key:k", "2026-03", 7),
        ("provider:a", "2026-03", 14),
        ("task:t", "2026-03", 14),
        ("all", "2026-04", 7),
        ("provider:a", "2026-04", 7),
        ("task:t", "2026-04", 7),
    ]
