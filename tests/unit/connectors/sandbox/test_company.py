"""The demo company: deterministic, honest about its truth, and only as good as what is done in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.sandbox.company.demo import DemoCompany
from connectors.sandbox.empty import EmptyCompany
from connectors.sandbox.world import World
from domain.signals import parse_event

WEEKS = 9


def live(seed: int, weeks: int = WEEKS) -> tuple[DemoCompany, list[dict[str, Any]]]:
    world = DemoCompany(weeks=weeks)
    world.reset(seed)
    signals = world.signals()
    while world.advance():
        signals += world.signals()
    return world, signals


@pytest.fixture(scope="module")
def lived() -> tuple[DemoCompany, list[dict[str, Any]]]:
    return live(1)


def budgets(world: World, channel: str) -> Iterator[tuple[str, int]]:
    for entity in world.entities():
        if entity["id"].startswith(f"budget:{channel}-"):
            yield entity["id"], world.read(entity["id"])["ads.budget.set"]


def raise_budgets(world: World, channel: str, rate: float) -> int:
    """Scale every budget of a channel; how many were set."""
    done = 0
    for entity, now in list(budgets(world, channel)):
        action = {"kind": "ads.budget.set", "entity": entity, "value": round(now * rate), "expect": now}
        done += bool(world.apply(action)["ok"])
    return done


def test_both_built_in_worlds_fit_the_protocol() -> None:
    assert isinstance(DemoCompany(weeks=1), World)
    assert isinstance(EmptyCompany(), World)


def test_the_same_seed_tells_the_same_story_to_the_byte() -> None:
    first, again = (json.dumps(live(3, weeks=6)[1]) for _ in range(2))
    assert first == again


def test_another_seed_is_another_company() -> None:
    one, other = live(3, weeks=1)[0], live(4, weeks=1)[0]
    assert {e["id"] for e in one.entities()} != {e["id"] for e in other.entities()}
    assert one.value() != other.value()


def test_every_signal_is_accepted_as_it_is(lived: tuple[DemoCompany, list[dict[str, Any]]]) -> None:
    world, signals = lived
    for raw in signals:
        parse_event(raw, received_at=world.now())
    assert {raw["type"] for raw in signals} >= {
        "accord.metric.point", "accord.deal.changed", "accord.content.engaged", "accord.asset.changed",
        "accord.finance.limit", "accord.note",
    }  # fmt: skip


def test_a_repeated_id_never_carries_other_content(lived: tuple[DemoCompany, list[dict[str, Any]]]) -> None:
    told: dict[tuple[str, str], str] = {}
    repeats = 0
    for raw in lived[1]:
        key, text = (raw["source"], raw["id"]), json.dumps(raw)
        repeats += key in told
        assert told.setdefault(key, text) == text
    assert repeats > 0, "the tools of this company deliver some events twice"


def test_a_closed_deal_stays_closed(lived: tuple[DemoCompany, list[dict[str, Any]]]) -> None:
    told = [raw for raw in lived[1] if raw["type"] == "accord.deal.changed"]
    last = {raw["data"]["deal"]: raw["data"]["status"] for raw in sorted(told, key=lambda raw: raw["time"])}
    closed = {raw["data"]["deal"]: raw["data"]["status"] for raw in told if raw["data"]["status"] != "open"}
    assert closed
    assert closed.items() <= last.items()


def test_no_signal_comes_before_it_happened() -> None:
    world = DemoCompany(weeks=4)
    world.reset(2)
    while world.advance():
        assert all(datetime.fromisoformat(raw["time"]) <= world.now() for raw in world.signals())


def test_at_least_half_of_all_events_are_decoys() -> None:
    for seed in range(5):
        world = DemoCompany()
        world.reset(seed)
        kinds = Counter(row["decoy"] for row in world.truth())
        assert kinds[True] >= kinds[False] > 0


def test_the_history_can_end_on_a_given_day() -> None:
    world = DemoCompany(weeks=1, start=date(2026, 3, 2))
    while world.advance():
        pass
    assert world.now() == datetime(2026, 3, 9, tzinfo=UTC)
    assert world.advance() is False


def test_an_action_sets_state_once_and_refuses_drift() -> None:
    world = DemoCompany(weeks=1)
    entity, now = next(budgets(world, "ctv"))
    action = {"kind": "ads.budget.set", "entity": entity, "value": now + 1000, "expect": now, "currency": "EUR"}
    assert world.apply(action) == {"ok": True, "state": {**world.read(entity), "ads.budget.set": now + 1000}}
    again = world.apply(action)
    assert again["ok"] is False
    assert again["error"].startswith("drifted")
    assert again["state"]["ads.budget.set"] == now + 1000


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"value": -1}, "0 or more"),
        ({"value": 10.5}, "integer"),
        ({"currency": "USD"}, "currency"),
        ({"kind": "ads.budget.drop"}, "unknown kind"),
        ({"kind": "account.play.set", "value": "verify"}, "does not apply"),
        ({"entity": "budget:nowhere"}, "does not apply"),
    ],
)
def test_what_makes_no_sense_is_refused(change: dict[str, Any], says: str) -> None:
    world = DemoCompany(weeks=1)
    entity, now = next(budgets(world, "ctv"))
    action = {"kind": "ads.budget.set", "entity": entity, "value": now, "expect": now, "currency": "EUR"}
    answer = world.apply({**action, **change})
    assert answer["ok"] is False
    assert says in answer["error"]


def test_declared_money_is_major_and_state_money_is_minor() -> None:
    world = DemoCompany(weeks=1)
    declared = next(e for e in world.entities() if e["id"].startswith("budget:"))
    assert world.read(declared["id"])["ads.budget.set"] == round(declared["attrs"]["daily_budget"] * 100)


def test_the_true_effect_is_what_the_company_would_have_missed() -> None:
    still, acted = DemoCompany(weeks=8), DemoCompany(weeks=8)
    for world in (still, acted):
        world.reset(5)
        for _ in range(30):
            world.advance()
    assert raise_budgets(acted, "brand-search", 1.2) >= 16
    for world in (still, acted):
        while world.advance():
            pass
    applied = [row for row in acted.truth() if "effect" in row]
    together = acted.effect(range(len(applied)))
    assert together == pytest.approx(acted.value() - still.value(), abs=2)
    # Regions do not touch each other, so single effects add up.
    assert sum(row["effect"] for row in applied) == pytest.approx(together, abs=len(applied))


def test_effects_in_sales_are_known_too() -> None:
    still, acted = DemoCompany(weeks=16), DemoCompany(weeks=16)
    for world in (still, acted):
        world.reset(2)
    for entity in acted.entities():
        if entity["id"].startswith("asset:") and "compliance" in entity["attrs"]["topics"]:
            now = acted.read(entity["id"])["content.priority.set"]
            assert acted.apply({"kind": "content.priority.set", "entity": entity["id"], "value": 95, "expect": now})[
                "ok"
            ]
    for world in (still, acted):
        while world.advance():
            pass
    count = sum("effect" in row for row in acted.truth())
    assert acted.effect(range(count)) == pytest.approx(acted.value() - still.value(), abs=2)


def test_a_brief_becomes_an_asset_that_can_be_ranked() -> None:
    world = DemoCompany(weeks=1)
    brief = {"title": "Security one-pager", "kind": "compliance", "topics": ["security"], "stage": "verify"}
    made = world.apply({"kind": "content.brief.create", "entity": None, "value": brief})
    assert made["state"]["content.brief.create"] == [brief]
    asset = next(entity["id"] for entity in world.entities() if entity["name"] == brief["title"])
    assert world.apply({"kind": "content.priority.set", "entity": asset, "value": 90, "expect": 60})["ok"]
    world.advance()
    assert asset in {s["data"].get("asset") for s in world.signals() if s["type"] == "accord.asset.changed"}


def test_the_oracle_earns_more_than_doing_nothing_and_raises_nothing_frozen() -> None:
    still, _ = live(6, weeks=13)
    known = DemoCompany(weeks=13)
    known.reset(6)
    policy, limits = known.oracle(), known._plan.limits
    more, day = True, 0
    while more:
        for action in policy([]):
            assert known.apply(action)["ok"]
            if action["kind"] == "ads.budget.set" and action["value"] > action["expect"]:
                name = action["entity"].removeprefix("budget:")
                binding = [
                    x for x in limits if x.kind == "freeze" and x.in_force(day) and action["entity"] not in x.exceptions
                ]
                assert not any(name.startswith(x.scope.removeprefix("channel:")) for x in binding)
        more, day = known.advance(), day + 1
    assert known.value() > still.value() * 1.02


@settings(max_examples=5)
@given(seed=st.integers(0, 2**31))
def test_any_seed_makes_a_company_that_earns(seed: int) -> None:
    world, signals = live(seed, weeks=1)
    assert world.value() > 0
    assert len(signals) > 1000
