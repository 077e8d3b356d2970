"""Finance limits: what binds whom and when, and which single actions pass them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.actions import ActionSpec
from domain.entities import Entity, EntityTree
from domain.limits import ActiveLimit, binding, breach
from domain.signals import FinanceLimit

START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 4, tzinfo=UTC)
TREE = EntityTree(
    [
        Entity(id="channel:search", name="Search"),
        Entity(id="campaign:brand", name="Brand", parent="channel:search"),
        Entity(id="budget:brand", name="Brand", parent="campaign:brand"),
        Entity(id="keyword:brand", name="Brand", parent="campaign:brand"),
        Entity(id="budget:ctv", name="CTV"),
    ]
)


def limit(kind: str, scope: str = "channel:search", **fields: Any) -> ActiveLimit:
    data = {"kind": kind, "scope": scope, "from": START, "until": END, **fields}
    return ActiveLimit(limit=FinanceLimit.model_validate(data), signal=f"signal:erp/{kind}")


def budget(value: int, expect: int | None, currency: str = "EUR", entity: str = "budget:brand") -> ActionSpec:
    return ActionSpec(kind="ads.budget.set", entity=entity, value=value, expect=expect, currency=currency)


@given(st.integers(0, 300_000), st.integers(0, 300_000), st.integers(0, 2000), st.sampled_from(["EUR", "JPY"]))
def test_a_cap_forbids_a_rise_above_its_amount_and_nothing_else(
    value: int, expect: int, amount: int, currency: str
) -> None:
    cap = limit("cap", amount=amount)
    above = value > amount * (100 if currency == "EUR" else 1)
    assert (breach(budget(value, expect, currency), [cap], TREE, NOW) is cap) is (value > expect and above)


@given(st.integers(0, 1000), st.none() | st.integers(0, 1000))
def test_a_freeze_forbids_every_rise_of_a_budget(value: int, expect: int | None) -> None:
    freeze = limit("freeze")
    assert (breach(budget(value, expect), [freeze], TREE, NOW) is freeze) is (value > (expect or 0))


@pytest.mark.parametrize(
    ("kind", "entity", "value", "expect", "stopped"),
    [
        ("ads.bid.set", "keyword:brand", 11, 10, True),
        ("ads.bid.set", "keyword:brand", 9, 10, False),
        ("ads.status.set", "campaign:brand", "active", "paused", True),
        ("ads.status.set", "campaign:brand", "active", "active", False),
        ("ads.status.set", "campaign:brand", "paused", "active", False),
    ],
)
def test_a_freeze_also_stops_bids_and_resuming_and_a_cap_does_not(
    kind: str, entity: str, value: object, expect: object, *, stopped: bool
) -> None:
    spec = ActionSpec(kind=kind, entity=entity, value=value, expect=expect, currency="EUR")
    assert (breach(spec, [limit("freeze")], TREE, NOW) is not None) is stopped
    assert breach(spec, [limit("cap", amount=0)], TREE, NOW) is None


def test_a_cap_in_another_currency_lets_nothing_rise() -> None:
    cap = limit("cap", amount=1000, currency="EUR")
    assert breach(budget(2, 1, "USD"), [cap], TREE, NOW) is cap
    assert breach(budget(2, 1, "EUR"), [cap], TREE, NOW) is None


def test_what_touches_no_spend_passes_every_limit() -> None:
    message = ActionSpec(kind="message.post", value={"channel": "sales", "text": "hello"})
    play = ActionSpec(kind="account.play.set", entity="account:a", value="verify")
    everything = [limit(kind, "*", amount=0) for kind in ("cap", "freeze")]
    assert [breach(spec, everything, TREE, NOW) for spec in (message, play)] == [None, None]
    floors = [limit("margin_floor", "*", rate=0.3), limit("payback", "*", days=90)]
    assert breach(budget(2, 1), floors, TREE, NOW) is None


@pytest.mark.parametrize(
    ("now", "active"),
    [(START - timedelta(seconds=1), False), (START, True), (END - timedelta(seconds=1), True), (END, False)],
)
def test_a_limit_is_in_force_from_its_start_until_just_before_its_end(now: datetime, *, active: bool) -> None:
    assert limit("freeze").in_force(now) is active
    assert limit("freeze", until=None).in_force(now) is (now >= START)
    assert (breach(budget(2, 1), [limit("freeze")], TREE, now) is not None) is active


def test_an_exception_frees_what_lies_below_it_and_nothing_else() -> None:
    company, search = limit("freeze", "*", exceptions=["campaign:brand"]), limit("freeze")
    assert binding([company, search], "budget:brand", TREE, NOW) == (search,)
    assert binding([company, search], "budget:ctv", TREE, NOW) == (company,)
    assert breach(budget(2, 1), [company], TREE, NOW) is None
    assert breach(budget(2, 1, entity="budget:ctv"), [search, company], TREE, NOW) is company
