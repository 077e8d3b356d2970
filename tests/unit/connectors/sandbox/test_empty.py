"""The empty company holds what it is told, like a tool."""

from __future__ import annotations

from connectors.sandbox.empty import EmptyCompany

BUDGET = {"id": "budget:b", "name": "b", "attrs": {"daily_budget": "120.50", "currency": "EUR", "status": "active"}}


def test_declared_attributes_become_state_in_minor_units() -> None:
    world = EmptyCompany()
    world.adopt(BUDGET)
    assert world.read("budget:b") == {
        "ads.budget.set": 12050, "ads.status.set": "active", "currency": "EUR", "experiment.start": [],
    }  # fmt: skip
    assert world.entities() == [BUDGET]
    assert world.signals() == []


def test_state_is_set_only_as_expected() -> None:
    world = EmptyCompany()
    world.adopt(BUDGET)
    action = {"kind": "ads.budget.set", "entity": "budget:b", "value": 13000, "expect": 12050, "currency": "EUR"}
    assert world.apply(action)["ok"]
    assert world.apply(action)["ok"] is False
    assert world.read("budget:b")["ads.budget.set"] == 13000


def test_what_was_never_set_shows_as_a_tool_shows_new_things_and_money_as_none() -> None:
    world = EmptyCompany()
    world.adopt({"id": "account:a", "name": "a"})
    world.adopt({"id": "keyword:k", "name": "k"})
    assert world.read("account:a")["account.play.set"] == "educate"
    assert world.read("keyword:k") == {"ads.bid.set": None, "ads.status.set": "active", "currency": "EUR"}
    bid = {"kind": "ads.bid.set", "entity": "keyword:k", "value": 120, "expect": None, "currency": "EUR"}
    assert world.apply(bid)["ok"]


def test_entities_of_no_use_to_actions_and_unknown_ones_have_no_state() -> None:
    world = EmptyCompany()
    world.adopt({"id": "region:r", "name": "r"})
    assert world.read("region:r") == {}
    assert world.read("budget:unknown") == {}
