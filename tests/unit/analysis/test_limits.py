"""Finance limits: sums stay under every cap, freezes free nothing and stop rises, exceptions only loosen."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from analysis.limits import allowances, freed
from domain.entities import Entity, EntityTree
from domain.limits import ActiveLimit
from domain.signals import FinanceLimit

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BUDGETS: tuple[str, ...] = ("budget:a", "budget:b", "budget:c")
TREE = EntityTree(
    [
        Entity(id="channel:search", name="search"),
        Entity(id="channel:tv", name="tv"),
        Entity(id="budget:a", name="a", parent="channel:search"),
        Entity(id="budget:b", name="b", parent="channel:search"),
        Entity(id="budget:c", name="c", parent="channel:tv"),
    ]
)


def limit(kind: str, scope: str = "*", *, signal: str = "sig", **more: Any) -> ActiveLimit:
    data = {"scope": scope, "kind": kind, "from": "2026-01-01T00:00:00Z", **more}
    return ActiveLimit(limit=FinanceLimit.model_validate(data), signal=signal)


def test_a_cap_is_shared_in_proportion_and_frees_the_rest() -> None:
    spend = {"budget:a": 60_000, "budget:b": 20_000, "budget:c": 50_000}
    found = allowances(spend, [limit("cap", "channel:search", amount=400, currency="EUR")], TREE, NOW, "EUR")
    assert [found[name].ceiling_minor for name in BUDGETS] == [30_000, 10_000, None]
    assert freed(found) == 40_000
    assert found["budget:a"].bound_by == ("sig",)


def test_a_freeze_stops_rises_and_takes_nothing() -> None:
    found = allowances({"budget:a": 100}, [limit("freeze", "budget:a")], TREE, NOW, "EUR")["budget:a"]
    assert (found.frozen, found.ceiling_minor, found.freed_minor) == (True, 100, 0)


def test_budgets_that_spend_nothing_yet_share_a_cap_evenly() -> None:
    found = allowances({"budget:a": 0, "budget:b": 0}, [limit("cap", amount=10, currency="EUR")], TREE, NOW, "EUR")
    assert [found[name].ceiling_minor for name in ("budget:a", "budget:b")] == [500, 500]


def test_limits_bind_only_in_their_time() -> None:
    past = limit("freeze", until="2026-02-01T00:00:00Z")
    coming = limit("freeze", **{"from": "2026-04-01T00:00:00Z"})
    found = allowances({"budget:a": 100}, [past, coming], TREE, NOW, "EUR")["budget:a"]
    assert (found.frozen, found.ceiling_minor, found.bound_by) == (False, None, ())


def test_the_strictest_floor_and_payback_count() -> None:
    limits = [limit("margin_floor", rate=0.2), limit("margin_floor", rate=0.4), limit("payback", days=90)]
    found = allowances({"budget:a": 100}, limits, TREE, NOW, "EUR")["budget:a"]
    assert (found.margin_floor_rate, found.payback_days) == (0.4, 90)


LIMITS = st.lists(
    st.builds(
        lambda kind, scope, amount, excepted: limit(
            kind, scope, amount=Decimal(amount), currency="EUR", exceptions=sorted(excepted)
        ),
        st.sampled_from(["cap", "freeze"]),
        st.sampled_from(["*", "channel:search", *BUDGETS]),
        st.integers(0, 900),
        st.sets(st.sampled_from(BUDGETS), max_size=2),
    ),
    max_size=4,
)


@given(LIMITS, st.lists(st.integers(0, 100_000), min_size=3, max_size=3), st.sampled_from(BUDGETS), st.data())
def test_exceptions_never_tighten_and_sums_keep_to_every_cap(
    limits: list[ActiveLimit], amounts: list[int], excepted: str, data: st.DataObject
) -> None:
    spend = dict(zip(BUDGETS, amounts, strict=True))
    strict = allowances(spend, limits, TREE, NOW, "EUR")
    for active in (active for active in limits if active.limit.kind == "cap"):
        bound = [name for name in BUDGETS if active.binds(name, TREE)]
        allowed = sum(spend[name] - strict[name].freed_minor for name in bound)
        assert allowed <= int((active.limit.amount or 0) * 100)
    if not limits:
        return
    place = data.draw(st.integers(0, len(limits) - 1))
    wider = limits[place].limit.model_copy(update={"exceptions": [*limits[place].limit.exceptions, excepted]})
    loose = [*limits]
    loose[place] = ActiveLimit(limit=wider, signal=limits[place].signal)
    relaxed = allowances(spend, loose, TREE, NOW, "EUR")
    for name in BUDGETS:
        assert relaxed[name].freed_minor <= strict[name].freed_minor
        assert strict[name].frozen or not relaxed[name].frozen
